"""What is typed into a release file is what things do: closed, and as a difference to what they run."""

import pytest

from tests.scenarios.test_update import Releases, version
from tests.scenarios.world import play
from thingstead.phases import maintain
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.phases.maintain import sign_release
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile.birth import DECRYPTION_KEY
from thingstead.protocols.profile.key_set import key_id
from thingstead.protocols.suit import envelope
from thingstead.simulator.firmware import demo_image
from thingstead.storage.release_folder import ENVELOPE, ReleaseFolder

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


def test_a_folder_that_was_signed_is_published_as_it_was_signed_and_not_otherwise(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        text = WHO.format(vendor=world.makers["acme"].domain, sequence=2, version="1.1.0")
        image = demo_image("LX-1", "1.1.0", size=5000)
        made = read_recipe(f'{text}[[component]]\nimage = "new.bin"\n[words]\nen = "new"\n', lambda _: image)
        files = {"release.toml": text.encode(), "new.bin": image, "words.json": b'{"en": "new"}'}
        folder = ReleaseFolder.create(tmp_path / "lamp", {**files, ENVELOPE: envelope.encode(made.envelope)})
        keys = [(profile.signer(key.public), key) for key in world.makers["acme"].release_keys]
        statement = maintain.state(made.envelope, folder.members(), keys)
        folder.sign(envelope.encode(maintain.sign_with(made.envelope, keys)), statement)

        async def publish():
            paths = {"envelope": folder.root / ENVELOPE, "image": folder.root / "new.bin", "folder": folder.root}
            return await world.domain.answer("release.publish", **{name: str(path) for name, path in paths.items()})

        (folder.root / "words.json").write_bytes(b'{"en": "old"}')
        assert (await publish())["error"]["reason"] == "member-digest"
        (folder.root / "words.json").write_bytes(files["words.json"])
        answer = await publish()
        assert "result" in answer, answer
        await world.until(lambda: version(lamp) == "1.1.0")

    play(story)
