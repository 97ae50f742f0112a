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
    ForbiddenError,
    ProtocolError,
    SecurityError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cwt import confirmation
from thingstead.protocols.cwt import token as cwt

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ESP256 = frozenset({AlgorithmId.ESP256})
SERVER = generate(KeyType.P256)
HOLDER = generate(KeyType.P256).public
SCOPE = Scope({"/s/temp": 1, "/a/led": 5})
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def issued(**changed):
    arguments: dict[str, Any] = {
        "issuer": "house.example",
        "subject": "thing-abcdefghijklmnop",
        "audience": "controller",
        "scope": SCOPE,
        "at": AT,
        "expires": AT + timedelta(hours=1),
        "cti": b"\x01\x02",
        "signature_id": AlgorithmId.ESP256,
        **changed,
    }
    return token.issue(HOLDER, SERVER, **arguments)


def authenticated(data, **changed):
    arguments: dict[str, Any] = {
        "accept": ESP256,
        "at": AT,
        "issuer": "house.example",
        "audience": "controller",
        "presenter": HOLDER,
        **changed,
    }
    return token.authenticate(data, SERVER.public, **arguments)


TOKEN = issued()


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 9200 5.10.1.1")
def test_a_token_gives_its_holder_its_scope_and_no_more():
    held = authenticated(TOKEN)
    assert (held.issuer, held.subject, held.audience) == ("house.example", "thing-abcdefghijklmnop", "controller")
    assert (held.public, held.issued_at, held.expires) == (HOLDER, AT, AT + timedelta(hours=1))
    assert (held.cti, held.encoded) == (b"\x01\x02", TOKEN)
    for path in ("/s/temp", "/a/led", "/a"):
        for method in range(1, 8):
            if SCOPE.grants.get(path, 0) >> (method - 1) & 1:
                held.scope.allows(path, method)
            else:
                with pytest.raises(ForbiddenError):
                    held.scope.allows(path, method)


@pytest.mark.requirement("R-35")
def test_a_token_is_refused_at_every_single_edited_byte():
    for position in range(len(TOKEN)):
        for bit in (0x01, 0x80):
            edited = bytearray(TOKEN)
            edited[position] ^= bit
            with pytest.raises((ProtocolError, SecurityError)):
                authenticated(bytes(edited))


@pytest.mark.requirement("R-35")
@pytest.mark.parametrize(
    ("changed", "error", "reason"),
    [
        ({"at": AT + timedelta(hours=1)}, ExpiredError, "expired"),
        ({"at": AT - timedelta(seconds=1)}, ExpiredError, "premature"),
        ({"audience": "camera"}, UntrustedError, "audience"),
        ({"issuer": "street.example"}, UntrustedError, "issuer"),
        ({"presenter": generate(KeyType.P256).public}, UntrustedError, "presenter"),
        ({"presenter": SERVER.public}, UntrustedError, "presenter"),
        ({"accept": frozenset({AlgorithmId.ES256})}, UnsupportedError, "unsupported"),
        ({"accept": frozenset({AlgorithmId.ML_DSA_44})}, UnsupportedError, "unsupported"),
    ],
    ids=["expired", "early", "audience", "issuer", "presenter", "server", "es256", "ml-dsa"],
)
def test_a_token_in_the_wrong_place_time_or_hands_is_refused(changed, error, reason):
    with pytest.raises(error) as caught:
        authenticated(TOKEN, **changed)
    assert caught.value.reason == reason


@pytest.mark.requirement("R-35")
def test_a_token_signed_by_another_server_is_refused():
    with pytest.raises(AuthenticationError):
        token.authenticate(
            TOKEN,
            generate(KeyType.P256).public,
            accept=ESP256,
            at=AT,
            issuer="house.example",
            audience="controller",
            presenter=HOLDER,
        )


def signed(values):
    return cwt.issue(values, SERVER, signature_id=AlgorithmId.ESP256)


@pytest.mark.requirement("R-35")
@pytest.mark.parametrize("missing", [1, 2, 3, 4, 6, 7, 8, 9])
def test_a_token_with_a_claim_left_out_is_refused(missing):
    values = dict(cwt.decode(TOKEN).claims.values)
    del values[missing]
    with pytest.raises((DecodeError, UntrustedError)):
        authenticated(signed(values))


@pytest.mark.parametrize(
    "changed",
    [{9: "read"}, {9: b""}, {9: b"\xa0"}, {7: b""}, {7: bytes(65)}, {8: confirmation.for_kid(b"k")}, {2: ""}],
)
def test_a_signed_token_outside_the_profile_is_refused(changed):
    with pytest.raises(DecodeError):
        authenticated(signed({**cwt.decode(TOKEN).claims.values, **changed}))


@pytest.mark.spec("RFC 9770 3")
def test_another_form_of_a_valid_token_is_refused_for_it_would_have_another_hash():
    message = sign1.decode(TOKEN[2:])
    elements: list[Any] = [message.headers.encoded, {}, message.payload, message.signature]
    assert authenticated(b"\xd8\x3d\xd2" + codec.encode(elements))
    junk = [message.headers.encoded, {-70000: b"junk"}, message.payload, message.signature]
    for data in (
        TOKEN[2:],
        TOKEN[3:],
        b"\xd8\x3d\xd2" + codec.encode(junk),
        b"\xd8\x3d\xd2\x98\x04" + codec.encode(elements)[1:],
    ):
        with pytest.raises(DecodeError):
            authenticated(data)


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 9770 4")
def test_a_holder_who_bends_the_signature_changes_the_hash_but_not_the_cti():
    message = sign1.decode(TOKEN[2:])
    s = P256_ORDER - int.from_bytes(message.signature[32:], "big")
    bent = TOKEN[:-32] + s.to_bytes(32, "big")
    assert authenticated(bent).cti == authenticated(TOKEN).cti
    assert token.token_hash(bent) != token.token_hash(TOKEN)


@pytest.mark.spec("RFC 9770 4")
def test_a_token_hash_names_its_algorithm_and_has_33_bytes():
    # RFC 6920 suite 1, then SHA-256 of the base64url text of the bytes 01 02.
    assert token.token_hash(b"\x01\x02") == b"\x01" + hashlib.sha256(b"AQI").digest()
    assert len(token.token_hash(TOKEN)) == 33


def test_what_authenticate_would_refuse_is_not_issued():
    with pytest.raises(ExpiredError):
        issued(expires=AT)
    with pytest.raises(DecodeError):
        issued(cti=b"")
    with pytest.raises(UnsupportedError):
        issued(signature_id=AlgorithmId.ED25519)


def test_the_verified_type_cannot_be_made_by_hand():
    said: dict[str, Any] = {
        "issuer": "i",
        "subject": "s",
        "audience": "a",
        "scope": SCOPE,
        "issued_at": AT,
        "expires": AT,
    }
    said |= {"exi": None, "cnonce": None, "series": b"", "cti": b"\x01", "encoded": TOKEN, "seal": object()}
    with pytest.raises(TypeError, match="made by"):
        token.AccessToken(**said, public=HOLDER)
    with pytest.raises(TypeError, match="made by"):
        token.ShownToken(**said, proof=confirmation.decode(confirmation.for_public(HOLDER)))
