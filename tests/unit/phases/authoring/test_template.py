"""What the templates make is what things do."""

import pytest

from tests.unit.phases.authoring.workshop import IMAGE, LAMP, OTHER, WHO, content_of, files, read
from tests.unit.protocols.suit.releases import BOTH, NEW, URI, Machine, authentic, processor
from tests.unit.protocols.suit.test_frame import MANIFEST_URI, RADIO, RADIO_IMAGE, RADIO_MANIFEST, radio, run, site
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import builder, effect, envelope
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.suit.manifest import open_manifest
from thingstead.protocols.suit.registry import CommandId, Member
from thingstead.protocols.suit.step import Recipient

VENDOR = vendor_identifier("lamps.example")
CLASS = class_identifier(VENDOR, "LX-1")


def test_what_a_things_processor_installs_is_what_the_file_says():
    text = WHO + (
        "[[component]]\nname = 'firmware'\nid = ['firmware']\nimage = 'image.bin'\nuri = '/a'\n"
        "[[component]]\nname = 'radio'\nid = ['radio']\nimage = 'b.bin'\nuri = '/b'\n"
    )
    manifest = open_manifest(authentic(builder.sign(read(text).envelope, BOTH)))
    paths: dict[tuple[bytes, ...], bytes] = {(b"firmware",): b"old", (b"radio",): b"old"}
    thing = Recipient(frozenset({VENDOR}), frozenset({CLASS}), frozenset(paths), 1)
    machine = Machine(served={"/a": IMAGE, "/b": OTHER}, active=dict(paths), sequence=1)
    machine.run(processor(manifest, thing=thing).update())
    assert machine.active == {(b"firmware",): IMAGE, (b"radio",): OTHER}


@pytest.mark.parametrize(("slot", "image"), [(0, IMAGE), (1, OTHER)])
def test_each_slot_gets_the_image_that_was_built_for_it(slot, image):
    text = WHO + (
        "[[component]]\n[[component.slot]]\nnumber = 0\nimage = 'image.bin'\nuri = '/a'\n"
        "[[component.slot]]\nnumber = 1\nimage = 'b.bin'\nuri = '/b'\n"
    )
    manifest = open_manifest(authentic(builder.sign(read(text).envelope, BOTH)))
    thing = Recipient(frozenset({VENDOR}), frozenset({CLASS}), frozenset({profile.FIRMWARE}), 1)
    machine = Machine(served={"/a": IMAGE, "/b": OTHER}, active={profile.FIRMWARE: b"old"}, sequence=1, slot=slot)
    machine.run(processor(manifest, thing=thing).update())
    assert machine.active[profile.FIRMWARE] == image


def test_what_must_hold_first_comes_before_anything_is_fetched():
    conditions = (
        "[conditions]\nuse_before = 2031-12-31T00:00:00Z\nminimum_battery = 300\nversion = '>= 1.0.0-rc.1'\n"
        "update_priority = -1\nwait_info = { power = 10, day_of_week = 6 }\n"
    )
    install = [command.id for command in content_of(LAMP + conditions).sequences[Member.INSTALL]]
    assert install[1:6] == [
        CommandId.CONDITION_USE_BEFORE,
        CommandId.CONDITION_MINIMUM_BATTERY,
        CommandId.CONDITION_VERSION,
        CommandId.CONDITION_UPDATE_AUTHORIZED,
        CommandId.WAIT,
    ]
    assert install[6] == CommandId.FETCH


def test_what_must_hold_first_stands_before_the_first_of_several_sections():
    text = WHO + (
        "[[component]]\nname = 'a'\nimage = 'image.bin'\nuri = '/a'\ndownload = 'b'\n[[component]]\nname = 'b'\n"
        "[conditions]\nminimum_battery = 300\n"
    )
    sections = content_of(text).sequences
    fetched = [command.id for command in sections[Member.PAYLOAD_FETCH]]
    assert fetched.index(CommandId.CONDITION_MINIMUM_BATTERY) < fetched.index(CommandId.FETCH)
    assert CommandId.CONDITION_MINIMUM_BATTERY not in [command.id for command in sections[Member.INSTALL]]


def test_a_dependency_runs_in_every_section_that_it_has():
    inner = envelope.encode(read(WHO + "[[component]]\nname = 'key'\nimage = 'b.bin'\nuri = '/b'\n").envelope)
    text = WHO + (
        "[[component]]\nimage = 'image.bin'\nuri = '/a'\n"
        "[[dependency]]\nname = 'keys'\nmanifest = 'keys.suit'\nprefix = ['keys']\nintegrated = true\n"
    )
    made = read(text, lambda name: inner if name == "keys.suit" else files(name))
    content = content_of(text, lambda name: inner if name == "keys.suit" else files(name))
    assert made.envelope.payloads == {"#keys.suit": inner}
    assert content.dependencies == {1: (b"keys",)}
    for member in (Member.INSTALL, Member.VALIDATE, Member.INVOKE):
        assert CommandId.PROCESS_DEPENDENCY in [command.id for command in content.sequences[member]]


@pytest.mark.spec("draft-ietf-suit-trust-domains 5.1")
@pytest.mark.parametrize("integrated", ["false", "true"])
def test_a_things_processor_installs_a_dependency_of_another_trust_domain(integrated):
    inner = radio()
    text = (
        f'vendor = "lamps.example"\nmodel = "lamp-1"\nsequence = 7\n[[component]]\nimage = "new"\nuri = "{URI}"\n'
        f'[[dependency]]\nprefix = ["{RADIO_MANIFEST[0].decode()}"]\nmanifest = "radio.suit"\nuri = "{MANIFEST_URI}"\n'
        f"integrated = {integrated}\n"
    )
    made = read(text, {"new": NEW, "radio.suit": envelope.encode(inner)}.__getitem__)
    manifest = open_manifest(authentic(builder.sign(made.envelope, BOTH)))
    machine = site(inner)
    run(manifest, machine)
    assert machine.active[RADIO] == RADIO_IMAGE
    assert machine.active[profile.FIRMWARE] == NEW


def test_what_is_loaded_at_each_start_comes_from_what_was_installed_and_is_what_runs():
    text = WHO + (
        "[[component]]\nname = 'flash'\nid = ['flash']\nimage = 'image.bin'\nuri = '/i'\n"
        "[[component]]\nname = 'ram'\nid = ['ram']\ndigest = { file = 'image.bin' }\nload_from = 'flash'\n"
        "invoke = true\narguments = '-v'\nuninstall = true\n"
    )
    manifest = open_manifest(authentic(builder.sign(read(text).envelope, BOTH)))
    flash, ram = (b"flash",), (b"ram",)
    thing = Recipient(frozenset({VENDOR}), frozenset({CLASS}), frozenset({flash, ram}), 1)
    machine = Machine(served={"/i": IMAGE}, active={flash: b"old", ram: b""}, sequence=1)
    machine.run(processor(manifest, thing=thing).update())
    machine.run(processor(manifest, thing=thing).invocation())
    assert machine.effects[-1:] == [effect.Invoke(ram, b"-v")]
    assert machine.read(ram) == IMAGE
    machine.run(processor(manifest, thing=thing).uninstallation())
    assert machine.effects[-1:] == [effect.Unlink(ram)]
