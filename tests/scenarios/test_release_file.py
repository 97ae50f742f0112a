"""What is typed into a release file is what things do: closed, and as a difference to what they run."""

import pytest

from tests.scenarios.test_update import Releases, version
from tests.scenarios.world import play
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.phases.maintain import sign_release
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.birth import DECRYPTION_KEY
from thingstead.protocols.profile.key_set import key_id
from thingstead.protocols.suit import envelope
from thingstead.simulator.firmware import demo_image

pytestmark = pytest.mark.slow

WHO = 'vendor = "{vendor}"\nmodel = "LX-1"\nsequence = {sequence}\nversion = "{version}"\n'
CLOSED = """
[[component]]
name = "firmware"
image = "new.bin"
encrypted = "closed"
download = "staging"
[[component]]
name = "staging"
[encryption.closed]
payload = {{ file = "new.bin" }}
algorithm = "A128CTR"
secret = {{ file = "secret" }}
recipients = [{{ kid = {{ hex = "{kid}" }}, public_key = {{ file = "lamp.key" }} }}]
"""
DELTA = '\n[[component]]\nimage = "new.bin"\ndelta_from = "old.bin"\n'


@pytest.mark.requirement("R-71")
def test_a_closed_release_from_a_file_is_opened_by_the_thing_that_it_is_for(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        public = lamp.keys.handle(DECRYPTION_KEY).public
        text = WHO.format(vendor=world.makers["acme"].domain, sequence=2, version="1.1.0")
        image = demo_image("LX-1", "1.1.0", size=5000)
        beside = {"new.bin": image, "secret": bytes(32), "lamp.key": codec.encode(cose_key.public_map(public))}
        made = read_recipe(text + CLOSED.format(kid=key_id(public).hex()), beside.__getitem__)
        signed = sign_release(made.envelope, world.makers["acme"].release_keys)
        (ciphertext,) = made.payloads.values()
        answer = await Releases(world, tmp_path).publish(envelope.encode(signed), ciphertext)
        assert "result" in answer, answer
        await world.until(lambda: version(lamp) == "1.1.0")
        assert lamp.slots.active() == image

    play(story)


@pytest.mark.requirement("R-29")
def test_a_release_from_a_file_is_installed_whole_and_then_by_its_difference(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        images = {number: demo_image("LX-1", f"1.{number}.0", size=5000) for number in (1, 2)}
        for number, image in images.items():
            text = WHO.format(vendor=world.makers["acme"].domain, sequence=number + 1, version=f"1.{number}.0")
            beside = {"new.bin": image, "old.bin": images[1]}
            text += DELTA if number == 2 else DELTA.replace('delta_from = "old.bin"\n', "")
            made = read_recipe(text, beside.__getitem__)
            signed = sign_release(made.envelope, world.makers["acme"].release_keys)
            answer = await Releases(world, tmp_path).publish(envelope.encode(signed), image)
            assert "result" in answer, answer
            await world.until(lambda number=number: version(lamp) == f"1.{number}.0")
            assert lamp.slots.active() == image

    play(story)
