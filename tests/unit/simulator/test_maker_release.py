"""A workshop whose bad releases are each bad in one way only."""

import pytest

from tests.scenarios.world import make_maker
from thingstead.protocols.profile import firmware
from thingstead.protocols.suit import envelope
from thingstead.simulator.maker_release import bad_releases, build


@pytest.fixture
def bad(tmp_path):
    return dict(bad_releases(tmp_path, make_maker("acme"), "LX-1"))


def test_no_bad_release_takes_the_files_of_another(bad):
    assert len(bad) == len({files.envelope for files in bad.values()}) == 4


def test_a_tampered_image_differs_in_one_bit_from_what_was_signed(bad):
    tampered = bad["a tampered image"].image.read_bytes()
    signed = bad["a release with one signature of two"].image.read_bytes()
    assert [one ^ other for one, other in zip(tampered, signed, strict=True) if one != other] == [1]


def test_a_release_with_one_signature_of_two_is_whole_otherwise(bad):
    halved = envelope.decode(bad["a release with one signature of two"].envelope.read_bytes())
    other = envelope.decode(bad["a tampered image"].envelope.read_bytes())
    assert len(halved.blocks) == len(other.blocks) - 1


def test_a_good_release_tells_its_version_and_reports_faster(tmp_path):
    files = build(tmp_path, make_maker("acme"), "LX-1", version="1.1.0", sequence=2, name="lamp")
    assert (files.envelope.name, files.image.name) == ("lamp-2.suit", "lamp-2.bin")
    told = firmware.decode(files.image.read_bytes())
    assert (told.version, told.telemetry_interval) == ("1.1.0", 0.5)
