"""Release files that make a release, and many more that are refused where they are wrong."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.unit.phases.authoring.workshop import (
    ENCRYPTED,
    IMAGE,
    LAMP,
    WHO,
    read,
    refused,
)
from thingstead.errors import ConfigError
from thingstead.phases.maintain import make_release
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.suit.manifest import decode_manifest
from thingstead.protocols.suit.registry import Member

VENDOR = vendor_identifier("lamps.example")
CLASS = class_identifier(VENDOR, "LX-1")


def test_one_image_makes_what_a_maker_makes_by_hand():
    made = read(LAMP)
    by_hand = make_release(IMAGE, vendor_id=VENDOR, class_id=CLASS, sequence_number=2, version="1.1.0")
    assert envelope.encode(made.envelope) == envelope.encode(by_hand)
    assert made.payloads == {"image.bin": IMAGE}


def test_an_expiry_stands_where_a_maker_puts_it_by_hand():
    made = read(LAMP + "[conditions]\nuse_before = 2031-12-31T00:00:00Z\n")
    until = datetime(2031, 12, 31, tzinfo=UTC)
    by_hand = make_release(
        IMAGE, vendor_id=VENDOR, class_id=CLASS, sequence_number=2, version="1.1.0", use_before=until
    )
    assert made.envelope.manifest == by_hand.manifest


def test_the_same_file_gives_the_same_bytes():
    text = LAMP + ENCRYPTED
    assert envelope.encode(read(text).envelope) == envelope.encode(read(text).envelope)


def test_a_severed_text_leaves_a_manifest_that_is_whole_without_it():
    made = read(LAMP.replace("[[component]]", "severed = ['text', 'install']\n[[component]]")).envelope
    assert set(made.severed) == {Member.TEXT, Member.INSTALL}
    content = decode_manifest(replace(made, severed={Member.INSTALL: made.severed[Member.INSTALL]}))
    assert content.missing == {Member.TEXT}
    assert content.sequences[Member.INSTALL]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sequence = 1\nmodel = 'LX-1'", "model: expected a vendor with it"),
        (WHO + "class = '1492af14-2569-5e48-bf42-9b2d51f2ab45'", "class: expected a class or a model"),
        (LAMP + "[conditions]\n[commands]\ninstall = ['fetch']", "conditions: expected none beside [commands]"),
        (LAMP.replace("[[comp", "severed = ['invoke']\n[[comp"), "severed[1]: there is no 'invoke' here"),
        (LAMP.replace("[[comp", "severed = ['coswid']\n[[comp"), "severed[1]: there is no coswid in this manifest"),
        (LAMP + "[payloads]\n'#a' = { file = 'absent' }", "payloads.#a.file: expected a file at absent"),
        (WHO + "[[component]]\n" * 17, "expected at most 16 components"),
    ],
)
def test_what_makes_no_release_is_refused_and_the_place_is_named(text, says):
    refused(text, says)


def test_a_manifest_that_things_could_not_read_leaves_no_workshop():
    text = WHO + "[[component]]\nname = 'a'\nid = ['x']\n[[component]]\nname = 'b'\nid = ['x']\n"
    with pytest.raises(ConfigError, match="expected a manifest that things can read: expected each component once"):
        read(text)


def test_a_severed_installation_carries_no_difference():
    text = LAMP.replace("[[component]]", "severed = ['install']\n[[component]]") + "delta_from = 'b.bin'"
    refused(text, "the file: cannot carry a difference: expected an unsigned release")


def test_a_ciphertext_may_travel_in_the_envelope():
    text = LAMP + ENCRYPTED + "[payloads]\n'#closed' = { encryption = 'closed' }\n"
    (ciphertext,) = read(text).envelope.payloads.values()
    assert IMAGE not in ciphertext


def test_a_software_tag_is_a_member_that_can_be_severed():
    made = read("coswid = { hex = 'a0' }\nsevered = ['coswid']\n" + LAMP).envelope
    assert made.severed == {Member.COSWID: b"\xa0"}
