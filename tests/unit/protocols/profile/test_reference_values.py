from typing import Any

import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim import rim
from thingstead.protocols.profile import reference_values
from thingstead.protocols.profile.attestation import FIRMWARE, State
from thingstead.protocols.profile.reference_values import PROFILE

VENDOR, CLASS = bytes(16), bytes([1]) * 16
GOOD, BAD = bytes(32), bytes([9]) * 32
PLACE: dict[int, Any] = {0: {0: Tag(37, CLASS), 1: "00000000-0000-0000-0000-000000000000"}}
MEASURED: list[Any] = [{0: FIRMWARE, 1: {2: [[1, GOOD]]}}]
SAID = {1: {0: {0: "2.0.0"}, 1: Tag(552, 7)}}


def encoded(**changes):
    given: dict[str, Any] = {
        "vendor_id": VENDOR,
        "class_id": CLASS,
        "version": "2.0.0",
        "sequence_number": 7,
        "image_digest": GOOD,
    }
    return reference_values.encode(**(given | changes))


def corim(reference=None, condition=None, said=None, profile=PROFILE, more=None):
    triples = {
        0: [reference or [PLACE, MEASURED]],
        10: [[[condition or [PLACE, MEASURED]], [said or [PLACE, [SAID]]]]],
        **(more or {}),
    }
    return rim.encode("a", {"a": triples}, profile=profile)


def test_reference_values_survive_encoding_and_are_the_same_each_time():
    found = reference_values.decode(encoded())
    assert (found.version, found.sequence_number, found.digests) == ("2.0.0", 7, {FIRMWARE: GOOD})
    assert encoded() == encoded() == reference_values.encode(
        vendor_id=VENDOR, class_id=CLASS, version="2.0.0", sequence_number=7, components={FIRMWARE: GOOD}
    )  # fmt: skip
    assert reference_values.decode(corim()).claims == found.claims


@pytest.mark.requirement("R-22")
@pytest.mark.parametrize(
    ("digests", "differences"),
    [
        ({FIRMWARE: GOOD}, ()),
        ({FIRMWARE: BAD}, (FIRMWARE,)),
        ({}, (FIRMWARE,)),
        ({FIRMWARE: GOOD, "implant": BAD}, ("implant",)),
        ({"implant": GOOD}, (FIRMWARE, "implant")),
    ],
)
def test_a_thing_has_all_components_and_no_others(digests, differences):
    found = reference_values.decode(encoded())
    assert found.differences(State(VENDOR, CLASS, digests)) == differences


@pytest.mark.parametrize(("vendor", "model"), [(CLASS, CLASS), (VENDOR, VENDOR)])
def test_values_of_another_class_are_not_for_it(vendor, model):
    found = reference_values.decode(encoded())
    assert found.is_for(State(VENDOR, CLASS, {}))
    assert not found.is_for(State(vendor, model, {}))


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": [{0: {0: Tag(37, CLASS)}}, MEASURED]},
        {"reference": [{0: {0: Tag(560, CLASS), 1: "v"}}, MEASURED]},
        {"reference": [{**PLACE, 1: Tag(550, bytes(7))}, MEASURED]},
        {"reference": [PLACE, [{1: {2: [[1, GOOD]]}}]]},
        {"reference": [PLACE, [{0: 5, 1: {2: [[1, GOOD]]}}]]},
        {"reference": [PLACE, [{0: FIRMWARE, 1: {11: "name"}}]]},
        {"condition": [PLACE, [{0: FIRMWARE, 1: {2: [[1, BAD]]}}]]},
        {"said": [PLACE, [{1: {0: {0: "2.0.0"}}}]]},
        {"said": [PLACE, [{1: {1: 7}}]]},
        {"said": [PLACE, [SAID, SAID]]},
        {"said": [{0: {1: "other"}}, [SAID]]},
        {"more": {1: [[PLACE, MEASURED]]}},
        {"more": {0: [[PLACE, MEASURED], [PLACE, MEASURED]]}},
    ],
)
def test_a_corim_that_says_something_else_is_refused(changes):
    with pytest.raises(DecodeError) as refused:
        reference_values.decode(corim(**changes))
    assert refused.value.reason == "profile"


def test_algorithms_that_nobody_here_measures_by_are_refused():
    other = [PLACE, [{0: FIRMWARE, 1: {2: [[8, bytes(64)]]}}]]
    with pytest.raises(DecodeError):
        reference_values.decode(corim(reference=other, condition=other))


def test_a_corim_of_another_profile_is_refused():
    with pytest.raises(UnsupportedError):
        reference_values.decode(corim(profile="tag:other.example,2026:x"))
    with pytest.raises(DecodeError):
        encoded(image_digest=b"short")
    with pytest.raises(DecodeError):
        encoded(class_id=b"short")
