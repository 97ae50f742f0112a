import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.oscore.option import (
    MAX_PARTIAL_IV,
    OscoreOption,
    decode_option,
    decode_partial_iv,
    encode_option,
    encode_partial_iv,
)

# RFC 8613 §6.3 gives the first five, RFC 10021 §5.3 the last two.
EXAMPLES = {
    "090525": OscoreOption(b"\x05", b"\x25"),
    "0900": OscoreOption(b"\x00", b""),
    "1905044461746825": OscoreOption(b"\x05", b"\x25", b"Dath"),
    "": OscoreOption(),
    "0107": OscoreOption(b"\x07"),
    "39050344616c25": OscoreOption(b"\x05", b"\x25", b"Dal", group=True),
    "2852": OscoreOption(None, b"\x52", group=True),
    "1000": OscoreOption(kid_context=b""),
}


@pytest.mark.spec("RFC 8613 6.1")
@pytest.mark.parametrize(("encoded", "option"), EXAMPLES.items())
def test_an_option_is_encoded_and_decoded(encoded, option):
    assert encode_option(option).hex() == encoded
    assert decode_option(bytes.fromhex(encoded)) == option


@pytest.mark.spec("RFC 8613 6.1")
@pytest.mark.parametrize(
    "encoded",
    [
        "00",
        "0000",
        "40",
        "80",
        "06",
        "07000000000000",
        "010155",
        "01",
        "020005",
        "0200",
        "10",
        "1002aa",
        "010700",
        "20ff",
    ],
    ids=[
        "zero flags",
        "zero flags and more",
        "reserved bit 6",
        "reserved bit 7",
        "length 6",
        "length 7",
        "partial iv, but no kid flag for the rest",
        "partial iv missing",
        "leading zero",
        "zero in two bytes",
        "kid context length missing",
        "kid context cut",
        "bytes behind the last field",
        "bytes behind the group flag",
    ],
)
def test_a_malformed_option_is_refused(encoded):
    with pytest.raises(DecodeError) as refused:
        decode_option(bytes.fromhex(encoded))
    assert refused.value.reason == "malformed"


@pytest.mark.parametrize("option", [OscoreOption(bytes(6)), OscoreOption(kid_context=bytes(256))])
def test_what_no_length_field_can_say_is_not_encoded(option):
    with pytest.raises(ValueError, match="at most"):
        encode_option(option)


@pytest.mark.spec("RFC 8613 5")
@pytest.mark.parametrize(
    ("number", "encoded"), [(0, "00"), (1, "01"), (255, "ff"), (256, "0100"), (MAX_PARTIAL_IV, "ffffffffff")]
)
def test_a_partial_iv_has_no_leading_zeros_and_zero_is_one_byte(number, encoded):
    assert encode_partial_iv(number).hex() == encoded
    assert decode_partial_iv(bytes.fromhex(encoded)) == number
