"""Uploads and answers as RFC 9203 prints them; what is not one is refused."""

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.ace.token_upload import MAX_UPLOAD, TokenUpload, UploadAnswer
from thingstead.protocols.cbor import codec

UPLOAD = TokenUpload(b"token", bytes.fromhex("018a278f7faab55a"), bytes.fromhex("1645"))
ANSWER = UploadAnswer(bytes.fromhex("25a8991cd700ac01"), bytes.fromhex("0000"))


@pytest.mark.spec("RFC 9203 4.1")
def test_an_upload_of_the_rfc():
    said = {1: b"token", 40: bytes.fromhex("018a278f7faab55a"), 43: bytes.fromhex("1645")}
    assert codec.decode(UPLOAD.encode()) == said


@pytest.mark.spec("RFC 9203 4.2")
def test_an_answer_of_the_rfc():
    assert ANSWER.encode().hex() == "a2182a4825a8991cd700ac01182c420000"


@pytest.mark.parametrize("upload", [UPLOAD, TokenUpload(b"t"), TokenUpload(b"t", b"n"), TokenUpload(b"t", b"n", b"")])
def test_an_upload_comes_back_as_it_was(upload):
    assert TokenUpload.decode(upload.encode()) == upload


def test_an_answer_comes_back_as_it_was():
    assert UploadAnswer.decode(ANSWER.encode(), own_id=b"\x16\x45") == ANSWER


def test_more_is_passed_over():
    said = codec.decode(UPLOAD.encode()) | {99: "more"}
    assert TokenUpload.decode(codec.encode(said)) == UPLOAD


@pytest.mark.parametrize(
    "said",
    [
        b"token",
        [],
        {},
        {1: "token"},
        {1: b""},
        {1: None},
        {40: bytes(8), 43: b"\x01"},
        {1: b"t", 40: b""},
        {1: b"t", 40: "nonce"},
        {1: b"t", 40: bytes(65)},
        {1: b"t", 43: 1},
        {1: b"t", 43: bytes(17)},
        {1: bytes(MAX_UPLOAD)},
    ],
)
def test_what_is_no_upload_is_refused(said):
    with pytest.raises(DecodeError):
        TokenUpload.decode(codec.encode(said))


@pytest.mark.parametrize(
    "data", [b"", b"\xa1", b"\xa1\x01", b"\xbf\x01\x41\x00", b"\xa0\x00", b"\xa2\x01\x41\x00\x01\x41\x00"]
)
def test_what_is_no_cbor_is_refused(data):
    with pytest.raises(DecodeError):
        TokenUpload.decode(data)


@pytest.mark.spec("RFC 9203 4.3")
@pytest.mark.parametrize(
    "said",
    [{}, [], {42: bytes(8)}, {44: b"\x00"}, {42: b"", 44: b"\x00"}, {42: bytes(8), 44: bytes(17)}, {42: 1, 44: 2}],
)
def test_without_nonce_and_identifier_no_context_is_derived(said):
    with pytest.raises(DecodeError):
        UploadAnswer.decode(codec.encode(said), own_id=b"\x01")


@pytest.mark.spec("RFC 9203 4.3")
@pytest.mark.parametrize("own_id", [b"\x00\x00", b""])
def test_an_answer_with_our_own_identifier_is_refused(own_id):
    with pytest.raises(DecodeError, match="our own"):
        UploadAnswer.decode(UploadAnswer(bytes(8), own_id).encode(), own_id=own_id)
