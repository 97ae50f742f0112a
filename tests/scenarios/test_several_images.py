"""A release of several images reaches things that have its components, in one step; nobody gets half of it."""

import pytest

from tests.scenarios.world import play
from thingstead.domain.ledger.entry import Kind
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.phases.maintain import sign_release, state
from thingstead.protocols.profile import firmware
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.suit import envelope
from thingstead.simulator.firmware import demo_image
from thingstead.simulator.virtual.memory import MemorySlots

pytestmark = pytest.mark.slow
RADIO = (b"radio",)
FACTORY = firmware.encode(Firmware("1.0.0"))


def released(world, folder, version, number, radio, *, brings=None):
    """The folder of a release of two images, as `release new` and `release sign` leave it."""
    folder.mkdir(exist_ok=True)
    files = {"image.bin": demo_image("LX-1", version, size=3000), "radio.bin": radio}
    text = (
        f'vendor = "acme.example"\nmodel = "LX-1"\nsequence = {number}\nversion = "{version}"\n'
        '[[component]]\nimage = "image.bin"\n[[component]]\nname = "radio"\nimage = "radio.bin"\n'
    )
    made, keys = read_recipe(text, files.__getitem__), world.makers["acme"].release_keys
    signed = sign_release(made.envelope, keys)
    members = {**files, "reference.corim": made.reference} if brings is None else brings
    statement = state(signed, members, [(profile.signer(key.public), key) for key in keys])
    written = {**members, "release.suit": envelope.encode(signed), "statement.cose": statement}
    for name, data in {"image.bin": files["image.bin"], **written}.items():
        (folder / name).write_bytes(data)
    return {"envelope": str(folder / "release.suit"), "image": str(folder / "image.bin"), "folder": str(folder)}


async def with_radio(world, *serials):
    things = [world.thing(serial) for serial in serials]
    for thing in things:
        thing.slots = MemorySlots(FACTORY, {RADIO: b"radio 1"})
        thing.start()
    await world.until(lambda: all(thing.is_joined for thing in things))
    return things


def runs(thing):
    return thing.agent.status()["version"], thing.slots.active(RADIO)


@pytest.mark.requirement("R-73")
@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_both_images_are_fetched_and_installed_in_one_step(tmp_path, loss):
    async def story(world):
        first, second = await with_radio(world, "A0001", "A0002")
        radio = b"radio 2 " * 700
        await world.domain.ask("release.publish", **released(world, tmp_path / "a", "1.1.0", 2, radio))
        await world.until(lambda: runs(first) == runs(second) == ("1.1.0", radio), within=600)
        await world.until(lambda: len(list(world.domain.entries(Kind.INSTALLATION))) == 2, within=600)
        assert {one.cause for one in world.domain.entries(Kind.INSTALLATION)} == {"installed"}

    play(story, loss=loss)


def test_a_restarted_domain_offers_both_and_the_next_release_leaves_nothing_behind(tmp_path):
    async def story(world):
        await world.domain.ask("release.publish", **released(world, tmp_path / "a", "1.1.0", 2, b"radio 2"))
        await world.domain.crash()
        await world.domain.start()
        (thing,) = await with_radio(world, "A0001")
        await world.until(lambda: runs(thing) == ("1.1.0", b"radio 2"), within=600)
        await world.domain.ask("release.publish", **released(world, tmp_path / "b", "1.2.0", 3, b"radio 3"))
        await world.until(lambda: runs(thing) == ("1.2.0", b"radio 3"), within=600)

    async def with_a_lamp(world):
        await world.joined("A0009")
        await story(world)

    play(with_a_lamp)


def test_a_thing_without_the_component_refuses_the_whole(tmp_path):
    async def story(world):
        (thing,) = await world.joined("A0001")
        await world.domain.ask("release.publish", **released(world, tmp_path / "a", "1.1.0", 2, b"radio 2"))
        await world.until(lambda: list(world.domain.entries(Kind.INSTALLATION)), within=600)
        (told,) = world.domain.entries(Kind.INSTALLATION)
        assert (told.cause, told.details["reason"]) == ("refused", "component-unsupported")
        assert thing.agent.status()["version"] == "1.0.0"

    play(story)


def test_a_release_whose_other_image_is_not_there_is_not_published(tmp_path):
    async def story(world):
        await world.joined("A0001")
        half = released(world, tmp_path / "a", "1.1.0", 2, b"radio 2", brings={})
        answer = await world.domain.answer("release.publish", **half)
        assert answer["error"]["kind"] in {"UnsupportedError", "UntrustedError"}
        alone = {"envelope": half["envelope"], "image": half["image"]}
        assert (await world.domain.answer("release.publish", **alone))["error"]["kind"] == "UnsupportedError"

    play(story)
