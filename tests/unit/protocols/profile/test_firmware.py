import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import firmware
from thingstead.protocols.profile.firmware import Firmware


def image(header, *, magic=b"TSFW\x01", size=None):
    encoded = codec.encode(header)
    return magic + (len(encoded) if size is None else size).to_bytes(2, "big") + encoded + b"body"


@pytest.mark.parametrize("written", [Firmware("1.0.0"), Firmware("1.1.0-rc1", 0.05), Firmware("2", 86400.0)])
def test_a_header_comes_back_whatever_the_body(written):
    assert firmware.decode(firmware.encode(written, b"\xff" * 100)) == written


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"TSFW",
        b"\x7fELF" + bytes(60),
        image({1: "1.0.0"}, magic=b"TSFW\x02"),
        image({1: "1.0.0"}, size=100),
        image({1: "1.0.0"}, size=3),
        image(["1.0.0"]),
        image({}),
        image({1: ""}),
        image({1: "1" * 33}),
        image({1: "1.0\n"}),
        image({1: b"1.0.0"}),
        image({1: "1.0.0", 2: 49}),
        image({1: "1.0.0", 2: 86_400_001}),
        image({1: "1.0.0", 2: 1.5}),
        image({1: "1.0.0", 2: True}),
        image({1: "1.0.0", 3: "what a later format says"}),
    ],
)
def test_an_image_that_could_not_be_obeyed_is_refused(damaged):
    with pytest.raises(DecodeError):
        firmware.decode(damaged)


@pytest.mark.parametrize("unfit", [Firmware(""), Firmware("1.0.0", 0.01)])
def test_nobody_builds_what_no_thing_would_take(unfit):
    with pytest.raises(DecodeError):
        firmware.encode(unfit)
