from datetime import UTC, datetime

import pytest

from tests.unit.protocols.corim.rims import encoded
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.errors import AuthenticationError, DecodeError, ExpiredError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim import signed
from thingstead.protocols.corim.signed import AuthenticCorim
from thingstead.protocols.cose import sign1
from thingstead.secret import Secret

AT = datetime(2026, 11, 23, tzinfo=UTC)
KEY, OTHER = (private_key(KeyType.P256, Secret(bytes(31) + bytes((number,)))) for number in (1, 2))
ACCEPT = frozenset({int(AlgorithmId.ESP256)})
PAST = {1: Tag(1, 5)}
META = codec.encode({0: {0: "Acme"}})


def under(protected, payload=None):
    return sign1.sign(payload or encoded(), KEY, signature_id=AlgorithmId.ESP256, protected=protected)


def authenticate(data, public=KEY.public):
    return signed.authenticate(data, public, accept=ACCEPT, at=AT)


def test_a_signed_corim_names_its_signer():
    found = authenticate(signed.sign(encoded(), KEY, signature_id=AlgorithmId.ESP256, signer="Acme"))
    assert (found.signer.name, found.corim.corim_id, found.key) == ("Acme", "an id", KEY.public)
    assert authenticate(under({3: "application/rim+cbor", 8: META})).signer.name == "Acme"
    both = {3: "application/rim+cbor", 8: META, 15: {1: "Acme", 5: 1, 4: 1 << 33}}
    assert authenticate(under(both)).signer.validity.begins == datetime.fromtimestamp(1, UTC)


@pytest.mark.parametrize(
    ("protected", "error"),
    [
        ({}, DecodeError),
        ({3: "application/cbor", 8: META}, DecodeError),
        ({3: "application/rim+cbor"}, DecodeError),
        ({3: "application/rim+cbor", 8: META, 15: {1: "Other"}}, DecodeError),
        ({3: "application/rim+cbor", 8: {0: {0: "Acme"}}}, DecodeError),
        ({3: "application/rim+cbor", 8: codec.encode({0: {}})}, DecodeError),
        ({3: "application/rim+cbor", 15: {2: "sub"}}, DecodeError),
        ({3: "application/rim+cbor", 8: codec.encode({0: {0: "Acme"}, 1: PAST})}, ExpiredError),
        ({3: "application/rim+cbor", 15: {1: "Acme", 4: 5}}, ExpiredError),
        ({258: -16, 259: "application/rim+cbor", 8: META}, UnsupportedError),
    ],
)
def test_a_header_that_does_not_say_who_signs_this_now_is_refused(protected, error):
    with pytest.raises(error):
        authenticate(under(protected))


def test_another_key_an_altered_byte_or_an_old_corim_is_refused():
    data = signed.sign(encoded(), KEY, signature_id=AlgorithmId.ESP256, signer="Acme")
    with pytest.raises(AuthenticationError):
        authenticate(data, OTHER.public)
    with pytest.raises(AuthenticationError):
        authenticate(data[:-1] + bytes((data[-1] ^ 1,)))
    with pytest.raises(ExpiredError):
        authenticate(signed.sign(encoded(m4=PAST), KEY, signature_id=AlgorithmId.ESP256, signer="Acme"))
    with pytest.raises(DecodeError):
        authenticate(encoded())


def test_only_the_verifying_function_makes_an_authentic_one():
    found = authenticate(signed.sign(encoded(), KEY, signature_id=AlgorithmId.ESP256, signer="Acme"))
    with pytest.raises(TypeError):
        AuthenticCorim(found.corim, found.signer, KEY.public, object())
