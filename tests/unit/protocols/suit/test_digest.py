import pytest

from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.suit.digest import Digest, decode_digest, digest_of, digest_of_member


@pytest.mark.spec("draft-ietf-suit-manifest 8.3")
def test_a_member_is_digested_with_its_byte_strings_head():
    assert digest_of_member(b"ab") == digest_of(b"\x42ab")
    assert digest_of_member(b"ab") != digest_of(b"ab")


def test_other_data_does_not_match():
    digest_of(b"ab").verify(b"ab", what="image", reason="image-digest")
    with pytest.raises(AuthenticationError, match="image") as caught:
        digest_of(b"ab").verify(b"ac", what="image", reason="image-digest")
    assert caught.value.reason == "image-digest"


@pytest.mark.parametrize("value", [[], [-16], [-16, bytes(31)], [-16, "x"], [-16, bytes(32), 1], 1, {-16: bytes(32)}])
def test_what_is_not_a_digest_is_refused(value):
    with pytest.raises(DecodeError):
        decode_digest(value)


def test_only_hashes_make_digests():
    for number in (-7, 5, -14):
        with pytest.raises(UnsupportedError):
            Digest(number, bytes(32))
