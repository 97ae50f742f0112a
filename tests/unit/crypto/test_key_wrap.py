import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key_wrap import unwrap_key, wrap_key
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.secret import Secret

KEK = Secret(bytes(range(32)))
KEY = Secret(bytes.fromhex("00112233445566778899aabbccddeeff"))
# RFC 3394 §4.1, §4.2, §4.3.
RFC_CASES = [
    (AlgorithmId.A128KW, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
    (AlgorithmId.A192KW, 24, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"),
    (AlgorithmId.A256KW, 32, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
]


@pytest.mark.spec("RFC 3394 4")
@pytest.mark.parametrize(("wrap_id", "size", "wrapped"), RFC_CASES)
def test_the_wraps_of_the_rfc_come_out_and_go_in(wrap_id, size, wrapped):
    kek = Secret(KEK.reveal()[:size])
    assert wrap_key(KEY, kek, wrap_id).hex() == wrapped
    assert unwrap_key(bytes.fromhex(wrapped), kek, wrap_id) == KEY


@pytest.mark.spec("RFC 3394 2.2.3")
def test_a_changed_wrap_is_refused():
    wrapped = wrap_key(KEY, KEK, AlgorithmId.A256KW)
    for place in range(len(wrapped)):
        with pytest.raises(AuthenticationError):
            unwrap_key(wrapped[:place] + bytes([wrapped[place] ^ 1]) + wrapped[place + 1 :], KEK, AlgorithmId.A256KW)
    with pytest.raises(AuthenticationError):
        unwrap_key(wrapped, Secret(bytes(32)), AlgorithmId.A256KW)


@pytest.mark.spec("RFC 3394 2.2.2")
@pytest.mark.parametrize("size", [0, 8, 16, 23, 25])
def test_what_has_no_length_of_a_wrapped_key_is_refused(size):
    with pytest.raises(DecodeError):
        unwrap_key(bytes(size), KEK, AlgorithmId.A256KW)


@pytest.mark.spec("RFC 9053 6.2.1")
def test_a_wrap_takes_a_key_of_its_own_length_only():
    for size in (0, 16, 24):
        with pytest.raises(ValueError, match="takes a key of 32 bytes"):
            unwrap_key(bytes(24), Secret(bytes(size)), AlgorithmId.A256KW)
    with pytest.raises(UnsupportedError):
        wrap_key(KEY, KEK, AlgorithmId.A256GCM)
