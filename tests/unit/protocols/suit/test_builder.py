from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.unit.protocols.suit.releases import BOTH, RELEASE
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.builder import build, sign
from thingstead.protocols.suit.manifest import decode_manifest
from thingstead.protocols.suit.registry import Member


def test_the_same_release_gives_the_same_bytes():
    assert envelope.encode(build(RELEASE)) == envelope.encode(build(replace(RELEASE)))
    assert build(RELEASE).digest != build(replace(RELEASE, version="1.1.1")).digest


def test_a_signature_is_added_to_those_that_are_there():
    once = sign(build(RELEASE), BOTH[:1])
    twice = sign(once, BOTH[1:])
    assert twice.blocks[0] == once.blocks[0]
    assert len(twice.blocks) == 2


def test_optional_members_appear_only_when_they_are_set():
    full = replace(RELEASE, reference_uri="coap://a/b", use_before=datetime(2030, 1, 1, tzinfo=UTC))
    assert decode_manifest(build(RELEASE)).reference_uri == ""
    assert decode_manifest(build(full)).reference_uri == "coap://a/b"
    assert decode_manifest(build(full)).sequences[Member.INSTALL][0].parameters[4] == 1893456000


@pytest.mark.parametrize(
    "change", [{"vendor_id": b"x"}, {"class_id": b""}, {"sequence_number": -1}, {"image_size": -1}, {"component": ()}]
)
def test_a_release_that_no_thing_could_match_is_not_made(change):
    with pytest.raises(ValueError, match=r"identifiers|release"):
        replace(RELEASE, **change)
