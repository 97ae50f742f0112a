import pytest

from tests.unit.domain.things import AT
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger import head
from thingstead.domain.ledger.head import SignedHead, TreeHead
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1

_KEY = generate(KeyType.P256)
_HEAD = TreeHead(7, bytes(range(32)), AT, "home")
_PAYLOAD = {0: 7, 1: bytes(32), 2: 0, 3: "home"}


def _signed(payload: object, *, typ: str = head.HEAD_TYPE, signature_id: int = AlgorithmId.ESP256) -> bytes:
    return sign1.sign(codec.encode(payload), _KEY, signature_id=signature_id, protected={16: typ})


@pytest.mark.parametrize(
    ("key_type", "signature_id"),
    [(KeyType.P256, AlgorithmId.ESP256), (KeyType.ML_DSA_44, AlgorithmId.ML_DSA_44)],
)
def test_a_head_says_what_was_signed(key_type, signature_id):
    key = generate(key_type)
    signed = head.sign(_HEAD, key, signature_id=signature_id, kid=b"ledger")
    assert head.authenticate(signed, key.public, domain="home").head == _HEAD


@pytest.mark.requirement("R-02")
@pytest.mark.parametrize("place", range(0, 170, 10))
def test_a_changed_head_is_refused(place):
    signed = bytearray(head.sign(_HEAD, _KEY))
    signed[place % len(signed)] ^= 1
    with pytest.raises((AuthenticationError, DecodeError, UnsupportedError)):
        head.authenticate(bytes(signed), _KEY.public, domain="home")


def test_a_head_of_another_key_is_refused():
    with pytest.raises(AuthenticationError):
        head.authenticate(head.sign(_HEAD, generate(KeyType.P256)), _KEY.public, domain="home")


def test_a_head_of_another_domain_is_refused():
    with pytest.raises(DecodeError, match="'office'"):
        head.authenticate(head.sign(_HEAD, _KEY), _KEY.public, domain="office")


@pytest.mark.spec("RFC 9596 2")
def test_something_else_that_the_key_signed_is_no_head():
    with pytest.raises(DecodeError, match="of type"):
        head.authenticate(_signed(_PAYLOAD, typ="application/cwt"), _KEY.public, domain="home")


@pytest.mark.spec("RFC 9864 2.1")
def test_es256_does_not_stand_for_esp256():
    with pytest.raises(UnsupportedError):
        head.authenticate(_signed(_PAYLOAD, signature_id=AlgorithmId.ES256), _KEY.public, domain="home")


@pytest.mark.parametrize(
    "payload",
    [
        [],
        {},
        {**_PAYLOAD, 4: 0},
        {**_PAYLOAD, 0: -1},
        {**_PAYLOAD, 0: True},
        {**_PAYLOAD, 1: bytes(31)},
        {**_PAYLOAD, 1: "root"},
        {**_PAYLOAD, 2: "noon"},
        {**_PAYLOAD, 3: b"home"},
    ],
)
def test_what_is_no_head_is_refused_though_signed(payload):
    with pytest.raises(DecodeError):
        head.authenticate(_signed(payload), _KEY.public, domain="home")


def test_a_signed_head_is_made_by_its_verification_alone():
    with pytest.raises(TypeError):
        SignedHead(_HEAD, b"", object())
