"""What is sealed for a key opens under it and nothing else; the known answers of RFC 9180 are a conformance area."""

import pytest

from thingstead.crypto.hpke import NO_PSK, Psk, Suite, open_sealed, seal
from thingstead.crypto.key import KeyType, PublicKey, generate
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.secret import Secret

pytestmark = pytest.mark.spec("RFC 9180 5.1")
SUITES = [Suite(0x10, 1, 1), Suite(0x11, 2, 2), Suite(0x12, 3, 2), Suite(0x20, 1, 3), Suite(0x21, 3, 3)]
KEYS = {suite.kem_id: generate(suite.curve) for suite in SUITES}
SUITE = SUITES[3]
KEY = KEYS[SUITE.kem_id]
PSK = Psk(Secret(bytes(range(32))), b"house")


@pytest.mark.parametrize("psk", [NO_PSK, PSK], ids=["base", "psk"])
@pytest.mark.parametrize("suite", SUITES, ids=str)
def test_what_is_sealed_for_a_key_opens_under_it(suite, psk):
    key = KEYS[suite.kem_id]
    sealed = seal(b"hello", key.public, suite, info=b"where", aad=b"seen", psk=psk)
    assert open_sealed(*sealed, key, suite, info=b"where", aad=b"seen", psk=psk) == b"hello"


def test_no_two_messages_share_a_key():
    assert seal(b"hello", KEY.public, SUITE) != seal(b"hello", KEY.public, SUITE)


@pytest.mark.parametrize(
    "changed",
    [
        {"info": b"x"},
        {"aad": b"x"},
        {"psk": NO_PSK},
        {"psk": Psk(Secret(bytes(32)), b"house")},
        {"psk": Psk(PSK.secret, b"home")},
        {"suite": Suite(32, 1, 1)},
        {"suite": Suite(32, 3, 3)},
        {"key": generate(SUITE.curve)},
    ],
    ids=["info", "aad", "no psk", "another psk", "another name", "another cipher", "another kdf", "another key"],
)
def test_who_knows_less_opens_nothing(changed):
    sealed = seal(b"hello", KEY.public, SUITE, info=b"where", aad=b"seen", psk=PSK)
    said = {"key": KEY, "suite": SUITE, "info": b"where", "aad": b"seen", "psk": PSK} | changed
    with pytest.raises(AuthenticationError):
        open_sealed(*sealed, said.pop("key"), said.pop("suite"), **said)


@pytest.mark.parametrize("place", [0, 10, -1])
@pytest.mark.parametrize("part", [0, 1], ids=["encapsulated key", "ciphertext"])
def test_an_altered_byte_opens_nothing(part, place):
    sealed = [bytearray(one) for one in seal(b"hello world", KEY.public, SUITE)]
    sealed[part][place] ^= 1
    with pytest.raises(AuthenticationError):
        open_sealed(bytes(sealed[0]), bytes(sealed[1]), KEY, SUITE)


@pytest.mark.parametrize("suite", SUITES, ids=str)
@pytest.mark.parametrize(
    "encapsulated", [b"", bytes(32), b"\x04", b"\x04" + bytes(64), b"\x02" + bytes(32), bytes(200)]
)
def test_an_encapsulated_key_that_is_none_is_refused(suite, encapsulated):
    with pytest.raises(DecodeError):
        open_sealed(encapsulated, bytes(32), KEYS[suite.kem_id], suite)


def test_a_key_of_another_curve_neither_seals_nor_opens():
    sealed = seal(b"hello", KEY.public, SUITE)
    other = generate(KeyType.P256)
    with pytest.raises(UnsupportedError):
        seal(b"hello", other.public, SUITE)
    with pytest.raises(UnsupportedError):
        open_sealed(*sealed, other, SUITE)


@pytest.mark.parametrize("numbers", [(0x30, 1, 1), (0x10, 9, 1), (0x10, 1, 0xFFFF), (0, 0, 0)])
def test_a_suite_that_we_do_not_have_is_refused(numbers):
    with pytest.raises(UnsupportedError):
        Suite(*numbers)


@pytest.mark.spec("RFC 9180 9.5")
@pytest.mark.parametrize(
    ("secret", "identifier"),
    [(b"", b"house"), (bytes(32), b""), (bytes(31), b"house")],
    ids=["none", "no name", "short"],
)
def test_a_shared_key_without_its_name_or_too_short_is_refused(secret, identifier):
    with pytest.raises(DecodeError):
        Psk(Secret(secret), identifier)


def test_a_point_of_small_order_gives_no_key():
    with pytest.raises(DecodeError):
        seal(b"hello", PublicKey(KeyType.X448, bytes(56)), Suite(0x21, 3, 3))
