from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.planes.software.desk import ACME, IMAGE, Desk, made
from thingstead.crypto.digest import digest
from thingstead.errors import DecodeError, PolicyError
from thingstead.planes.software.reference import reference_of, require_agreement
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim import rim
from thingstead.protocols.profile import reference_values
from thingstead.protocols.profile.attestation import FIRMWARE
from thingstead.protocols.suit.identifier import class_identifier

pytestmark = pytest.mark.requirement("R-22")
OTHERS = {0: [[{0: {1: "v"}}, [{1: {11: "name"}}]]]}


def corim(**changes):
    given: dict[str, Any] = {
        "vendor_id": ACME,
        "class_id": class_identifier(ACME, "LX-1"),
        "version": "1.1.0",
        "sequence_number": 2,
        "components": {FIRMWARE: digest(IMAGE)},
    }
    return reference_values.encode(**(given | changes))


def opened():
    desk = Desk().admit()
    return desk.tracker._catalogue.open(made(), IMAGE, {})


def test_a_published_release_says_what_its_things_measure():
    desk = Desk().admit()
    desk.publish()
    (reference,) = desk.tracker.references()
    values = reference.values()
    assert (values.version, values.sequence_number, values.digests) == ("1.1.0", 2, {FIRMWARE: digest(IMAGE)})
    assert (reference.source, values.claims.environment.class_id.value) == ("acme", reference.target.class_id)


def test_what_a_release_brings_comes_before_what_its_manifest_says():
    desk = Desk().admit()
    desk.publish()
    ((name, release),) = desk.tracker._catalogue.published().items()
    brought = corim(components={FIRMWARE: digest(IMAGE), "radio": bytes(32)})
    assert reference_of(name, release, brought).values().digests.keys() == {FIRMWARE, "radio"}
    theirs = rim.encode("a", {"a": OTHERS}, profile="tag:other.example,2026:x")
    assert reference_of(name, release, theirs).values().digests.keys() == {FIRMWARE}


def test_values_that_agree_with_their_release_and_those_of_other_verifiers_may_come_with_it():
    require_agreement(corim(), opened())
    require_agreement(rim.encode("a", {"a": OTHERS}, profile="tag:other.example,2026:x"), opened())


def test_of_an_encrypted_release_things_measure_what_comes_out_of_it():
    release = opened()
    sealed: Any = SimpleNamespace(
        line=release.line, sequence_number=release.sequence_number, image=b"ciphertext", installed=digest(IMAGE)
    )
    require_agreement(corim(), sealed)
    with pytest.raises(PolicyError):
        require_agreement(corim(components={FIRMWARE: digest(b"ciphertext")}), sealed)


@pytest.mark.parametrize(
    "changes",
    [
        {"vendor_id": bytes(16)},
        {"class_id": class_identifier(ACME, "LX-9")},
        {"sequence_number": 3},
        {"components": {FIRMWARE: bytes(32)}},
        {"components": {"radio": digest(IMAGE)}},
    ],
)
def test_values_of_another_class_release_or_image_are_not_published(changes):
    with pytest.raises(PolicyError) as refused:
        require_agreement(corim(**changes), opened())
    assert refused.value.reason == "reference"


@pytest.mark.parametrize("data", [b"", b"\xd9", codec.encode(Tag(501, {}))])
def test_what_is_no_corim_is_not_published(data):
    with pytest.raises(DecodeError):
        require_agreement(data, opened())
