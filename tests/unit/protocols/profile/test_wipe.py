from datetime import UTC, datetime, timedelta

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.profile import wipe

pytestmark = pytest.mark.requirement("R-09")

_KEY = generate(KeyType.P256)
_AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_NONCE = bytes(range(16))
_CONTEXT = b"thingstead wipe receipt 1"


def _sign(thing="thing-1", domain="home", nonce=_NONCE, at=_AT):
    return wipe.sign(thing, domain, ("association", "key group"), at=at, nonce=nonce, key=_KEY)


def _authenticate(data, public=_KEY.public):
    return wipe.authenticate(data, public, thing="thing-1", domain="home", nonce=_NONCE)


@pytest.mark.parametrize(
    "data", [_sign(thing="thing-2"), _sign(domain="elsewhere"), _sign(nonce=bytes(16))], ids=["thing", "domain", "old"]
)
def test_a_receipt_about_another_thing_domain_or_request_is_none(data):
    with pytest.raises(UntrustedError):
        _authenticate(data)


def test_a_receipt_of_another_key_is_none():
    with pytest.raises(AuthenticationError):
        _authenticate(_sign(), generate(KeyType.P256).public)


def test_another_signature_of_the_same_key_is_no_receipt():
    payload = sign1.decode(_sign()).payload or b""
    with pytest.raises(AuthenticationError):
        _authenticate(sign1.sign(payload, _KEY, signature_id=AlgorithmId.ESP256))


def test_another_algorithm_is_refused():
    payload = sign1.decode(_sign()).payload or b""
    with pytest.raises(UnsupportedError):
        _authenticate(sign1.sign(payload, _KEY, signature_id=AlgorithmId.ES256, external_aad=_CONTEXT))


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [2, "thing-1", "home", [], 0, _NONCE],
        [1, "thing-1", "home", [7], 0, _NONCE],
        [1, "thing-1", "home", [], -1, _NONCE],
        [1, "thing-1", "home", [], 1 << 60, _NONCE],
        [1, "thing-1", "home", [], 0, "nonce"],
        {1: 2},
    ],
)
def test_what_is_signed_and_no_receipt_is_refused(fields):
    data = sign1.sign(codec.encode(fields), _KEY, signature_id=AlgorithmId.ESP256, external_aad=_CONTEXT)
    with pytest.raises(DecodeError):
        _authenticate(data)


@pytest.mark.parametrize("value", [bytes(7), bytes(33), "nonce", 7, None, [bytes(16)]])
def test_a_request_is_a_nonce_of_8_to_32_bytes(value):
    with pytest.raises(DecodeError):
        wipe.decode_request(codec.encode(value))


def test_a_receipt_is_made_by_its_verifier_alone():
    with pytest.raises(TypeError):
        wipe.WipeReceipt("thing-1", "home", (), _AT, b"", seal=None)


def test_a_receipt_tells_what_was_erased_and_when_in_whole_seconds():
    receipt = _authenticate(_sign(at=_AT + timedelta(microseconds=700)))
    assert (receipt.thing, receipt.domain, receipt.erased) == ("thing-1", "home", ("association", "key group"))
    assert receipt.at == _AT
    assert wipe.decode_request(wipe.encode_request(_NONCE)) == wipe.WipeRequest(_NONCE)
    assert wipe.decode_request(wipe.encode_request(_NONCE, b"link")) == wipe.WipeRequest(_NONCE, b"link")
