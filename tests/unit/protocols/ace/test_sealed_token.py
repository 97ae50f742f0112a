"""A sealed token opens under the key of its resource server alone, and in one encoding alone."""

import pytest

from thingstead.errors import AuthenticationError, ProtocolError, SecurityError
from thingstead.protocols.ace import sealed_token
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import encrypt0
from thingstead.secret import Secret

SIGNED = b"\xd8\x3d\xd2\x84" + bytes(200)
KEY = sealed_token.token_key(Secret(bytes(16)), master_salt=bytes(8), digest_id=-16)
SEALED = sealed_token.seal(SIGNED, KEY, nonce=bytes(range(13)))


@pytest.mark.spec("RFC 8392 7.1")
def test_it_opens_under_its_key():
    assert sealed_token.is_sealed(SEALED)
    assert sealed_token.unseal(SEALED, KEY) == SIGNED


@pytest.mark.spec("RFC 9770 3")
def test_it_has_two_tags_and_nothing_unprotected():
    outer = codec.decode(SEALED)
    assert (outer.tag, outer.value.tag, dict(outer.value.value[1])) == (61, 16, {})


@pytest.mark.parametrize(("secret", "salt"), [(bytes(15) + b"\x01", bytes(8)), (bytes(16), bytes(7) + b"\x01")])
def test_another_secret_is_another_key(secret, salt):
    other = sealed_token.token_key(Secret(secret), master_salt=salt, digest_id=-16)
    with pytest.raises(AuthenticationError):
        sealed_token.unseal(SEALED, other)


@pytest.mark.spec("RFC 8613 3.2.1")
def test_its_key_is_none_of_oscores():
    assert sealed_token.token_key(Secret(bytes(16)), master_salt=bytes(8), digest_id=-44) != KEY


@pytest.mark.parametrize("place", range(0, len(SEALED), 3))
def test_no_changed_byte_is_passed_over(place):
    data = bytearray(SEALED)
    data[place] ^= 1
    with pytest.raises((ProtocolError, SecurityError)):
        sealed_token.unseal(bytes(data), KEY)


_UNCOVERED = encrypt0.protect(SIGNED, KEY, aead_id=30, nonce=bytes(13))
_LONG_HEAD = SEALED[:3] + b"\x98\x03" + SEALED[4:]


@pytest.mark.spec("RFC 9770 3")
@pytest.mark.parametrize(
    "data",
    [
        b"",
        SIGNED,
        SEALED[2:],
        SEALED[:-1],
        SEALED + b"\x00",
        b"\xd8\x3d" + _UNCOVERED,
        _LONG_HEAD,
        b"\xd8\x3d" + encrypt0.protect(SIGNED, Secret(bytes(16)), aead_id=1, nonce=bytes(12), covers_nonce=True),
    ],
)
def test_another_form_of_it_is_refused(data):
    with pytest.raises((ProtocolError, SecurityError)):
        sealed_token.unseal(data, KEY)
