import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ExpiredError,
    ProtocolError,
    SecurityError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.voucher import voucher
from thingstead.protocols.voucher.voucher import Assertion, Leaf

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
MAKER = generate(KeyType.P256)
DOMAIN = generate(KeyType.P256).public
NONCE = bytes(range(8))


def issued(**changed):
    arguments: dict[str, Any] = {"serial": "L-0001", "at": AT, **changed}
    return voucher.issue(DOMAIN, MAKER, **arguments)


def authenticated(data, **changed):
    arguments: dict[str, Any] = {"serial": "L-0001", "domain_key": DOMAIN, "at": AT, **changed}
    return voucher.authenticate(data, MAKER.public, **arguments)


def signed(leaves, container=voucher.SID):
    return sign1.sign(codec.encode({container: leaves}), MAKER, signature_id=AlgorithmId.ESP256)


def leaves_of(data):
    return {int(leaf): value for leaf, value in voucher.decode_leaves(sign1.decode(data).payload or b"").items()}


def test_a_voucher_holds_for_its_thing_its_domain_and_its_time():
    data = issued(expires=AT + timedelta(days=7), assertion=Assertion.LOGGED)
    held = authenticated(data, at=AT + timedelta(days=6))
    assert (held.serial, held.domain_key, held.assertion) == ("L-0001", DOMAIN, Assertion.LOGGED)
    assert (held.created_on, held.expires_on, held.nonce) == (AT, AT + timedelta(days=7), None)
    assert held.encoded == data


@pytest.mark.spec("draft-ietf-anima-constrained-voucher-31 8")
def test_a_voucher_is_sid_keyed_cbor_and_pins_the_hash_of_the_key_in_der():
    message = sign1.decode(issued(assertion=Assertion.PROXIMITY))
    spki = DOMAIN.subject_public_key_info()
    assert codec.decode(message.payload or b"") == {
        2451: {1: 2, 2: "2026-11-23T12:00:00Z", 10: hashlib.sha256(spki).digest(), 11: "L-0001"}
    }
    assert spki[-64:] == DOMAIN.x + DOMAIN.y
    assert message.headers.protected == {1: -9}


@pytest.mark.spec("RFC 8366 5.3")
@pytest.mark.parametrize(
    ("changed", "error", "reason"),
    [
        ({"serial": "L-0002"}, UntrustedError, "serial"),
        ({"domain_key": generate(KeyType.P256).public}, UntrustedError, "domain"),
        ({"domain_key": MAKER.public}, UntrustedError, "domain"),
        ({"nonce": NONCE}, UntrustedError, "nonce"),
        ({"at": AT + timedelta(days=7)}, ExpiredError, "expired"),
        ({"at": AT - timedelta(seconds=1)}, ExpiredError, "premature"),
        ({"accept": frozenset({AlgorithmId.ES256})}, UnsupportedError, "unsupported"),
    ],
    ids=["thing", "domain", "maker", "nonce", "expired", "early", "es256"],
)
def test_a_voucher_for_somebody_or_some_time_else_is_refused(changed, error, reason):
    with pytest.raises(error) as caught:
        authenticated(issued(expires=AT + timedelta(days=7)), **changed)
    assert caught.value.reason == reason


def test_a_voucher_of_another_maker_is_refused():
    with pytest.raises(AuthenticationError):
        voucher.authenticate(issued(), generate(KeyType.P256).public, serial="L-0001", domain_key=DOMAIN, at=AT)


def test_a_voucher_is_refused_at_every_single_edited_byte():
    data = issued()
    for position in range(len(data)):
        edited = bytearray(data)
        edited[position] ^= 1
        with pytest.raises((ProtocolError, SecurityError)):
            authenticated(bytes(edited))


@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 8366 5.3")
def test_a_voucher_with_a_nonce_answers_that_nonce_only():
    data = issued(nonce=NONCE)
    assert authenticated(data, nonce=NONCE).nonce == NONCE
    for nonce in (None, NONCE[::-1]):
        with pytest.raises(UntrustedError):
            authenticated(data, nonce=nonce)


@pytest.mark.spec("RFC 9254 3.3")
def test_a_voucher_may_name_its_leaves():
    named = {Leaf(key).name.lower().replace("_", "-"): value for key, value in leaves_of(issued()).items()}
    assert "pinned-domain-pubk-sha256" in named
    assert authenticated(signed(named, "ietf-voucher:voucher")).serial == "L-0001"


def test_a_key_may_be_pinned_whole():
    pinned = {**leaves_of(issued()), 9: DOMAIN.subject_public_key_info()}
    del pinned[10]
    assert authenticated(signed(pinned)).domain_key == DOMAIN
    with pytest.raises(UntrustedError):
        authenticated(signed({**pinned, 10: bytes(32)}))


def test_a_pinned_certificate_is_not_taken_for_a_key():
    with pytest.raises(UnsupportedError, match="certificate"):
        authenticated(signed({**leaves_of(issued()), 8: b"certificate"}))


@pytest.mark.parametrize("missing", [1, 2, 10, 11])
def test_a_voucher_with_a_leaf_left_out_is_refused(missing):
    leaves = leaves_of(issued())
    del leaves[missing]
    with pytest.raises(DecodeError):
        authenticated(signed(leaves))


@pytest.mark.spec("RFC 8366 5.3")
@pytest.mark.parametrize(
    "changed",
    [
        {1: 3},
        {1: -1},
        {1: True},
        {1: "verified"},
        {2: 0},
        {2: "2026-11-23"},
        {2: "2026-11-23T12:00:00"},
        {2: "20261123T120000Z"},
        {2: "2026-13-01T00:00:00Z"},
        {2: "0001-01-01T00:00:00+14:00"},
        {2: "\u0662\u0660\u0662\u0666-11-23T12:00:00Z"},
        {4: ""},
        {6: "then"},
        {7: bytes(7)},
        {7: bytes(33)},
        {7: "nonce678"},
        {4: "2027-01-01T00:00:00Z", 7: NONCE},
        {10: "sha"},
        {11: 1},
        {"serial-number": "L-0001"},
    ],
)
def test_leaves_outside_the_grammar_are_refused(changed):
    with pytest.raises(DecodeError):
        authenticated(signed({**leaves_of(issued()), **changed}))


@pytest.mark.parametrize("label", [0, 12, -1, 2452, True, "colour", b"1"])
def test_an_unknown_leaf_is_refused_not_ignored(label):
    leaves = {key: value for key, value in leaves_of(issued()).items() if key != label}
    with pytest.raises(UnsupportedError):
        voucher.decode_leaves(codec.encode({voucher.SID: {**leaves, label: 1}}))


@pytest.mark.parametrize(
    "payload", [{}, [], {2451: []}, {2501: {}}, {2451: {}, 2501: {}}, {2451.0: {}}, {"voucher": {}}, {b"": {}}]
)
def test_what_is_no_voucher_is_refused(payload):
    with pytest.raises(DecodeError):
        voucher.decode_leaves(codec.encode(payload))


def test_what_authenticate_would_refuse_is_not_issued():
    with pytest.raises(ExpiredError):
        issued(expires=AT)
    with pytest.raises(DecodeError):
        issued(expires=AT + timedelta(days=1), nonce=NONCE)
    with pytest.raises(ValueError, match="aware"):
        issued(at=AT.replace(tzinfo=None))
    with pytest.raises(ValueError, match="aware"):
        authenticated(issued(), at=AT.replace(tzinfo=None))


def test_the_verified_type_cannot_be_made_by_hand():
    with pytest.raises(TypeError, match="made by"):
        voucher.ValidVoucher("s", DOMAIN, Assertion.LOGGED, AT, None, None, b"", object())
