import pytest

from thingstead.errors import DecodeError
from thingstead.planes.software.image_scan import ImageScanner
from thingstead.protocols.profile import firmware
from thingstead.protocols.profile.firmware import Firmware
from thingstead.simulator.firmware import demo_image


def test_an_image_has_its_size_and_its_header_and_is_the_same_each_time():
    image = demo_image("LX-1", "1.1.0", telemetry_interval=0.5)
    assert len(image) == 1 << 14
    assert firmware.decode(image) == Firmware("1.1.0", 0.5)
    assert image == demo_image("LX-1", "1.1.0", telemetry_interval=0.5)


def test_two_versions_and_two_models_differ():
    assert len({demo_image(model, version) for model in ("LX-1", "LX-2") for version in ("1.0.0", "1.1.0")}) == 4


def test_an_image_too_small_for_its_header_is_its_header():
    assert firmware.decode(demo_image("LX-1", "1.1.0", size=0)).version == "1.1.0"


def test_an_interval_that_no_thing_takes_is_refused():
    with pytest.raises(DecodeError):
        demo_image("LX-1", "1.1.0", telemetry_interval=0.0)


@pytest.mark.slow
def test_no_demo_image_looks_like_a_secret():
    scanner = ImageScanner()
    for version in range(20):
        assert scanner.scan(demo_image("LX-1", f"1.{version}.0")) == []
