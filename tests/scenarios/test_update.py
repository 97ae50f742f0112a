"""A release reaches every thing of its class over OSCORE in blocks, and no other release reaches any."""

import pytest

from tests.scenarios.test_join_proxy import behind, join_proxy, reachable
from tests.scenarios.world import POLICY, play
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName
from thingstead.errors import StorageError
from thingstead.phases.delta import with_patch
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile.birth import DECRYPTION_KEY
from thingstead.protocols.profile.key_set import key_id
from thingstead.protocols.profile.release import FIRMWARE, IMAGE_URI, STAGING
from thingstead.protocols.suit import encryption, envelope
from thingstead.protocols.suit.digest import digest_of, digest_of_member
from thingstead.protocols.suit.encryption import Static
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.identifier import class_identifier
from thingstead.secret import Secret
from thingstead.simulator.firmware import demo_image
from thingstead.simulator.virtual.memory import CountingSensor

pytestmark = pytest.mark.slow


class Releases:
    """A maker's desk: what is made of a model, and how the domain is given it."""

    def __init__(self, world, folder):
        self._world = world
        self._folder = folder

    def make(self, model="LX-1", version="1.1.0", sequence_number=2, *, maker="acme", interval=None, keys=None):
        made_by = self._world.makers[maker]
        image = demo_image(model, version, telemetry_interval=interval, size=5000)
        unsigned = make_release(
            image,
            vendor_id=made_by.vendor_id,
            class_id=class_identifier(made_by.vendor_id, model),
            sequence_number=sequence_number,
            version=version,
        )
        return envelope.encode(sign_release(unsigned, made_by.release_keys if keys is None else keys)), image

    async def publish(self, encoded, image, *, plan=""):
        paths = {name: self._folder / name for name in ("envelope", "image")}
        paths["envelope"].write_bytes(encoded)
        paths["image"].write_bytes(image)
        return await self._world.domain.answer(
            "release.publish", envelope=str(paths["envelope"]), image=str(paths["image"]), plan=plan
        )


def version(thing):
    return thing.agent.status()["version"]


async def three_things(world):
    lamps = await world.joined("A0001", "A0002")
    (sensor,) = [world.thing("B0001", maker=world.makers["brook"], model="TH-2")]
    sensor.start()
    await world.until(lambda: sensor.is_joined and sensor.has_reported)
    return [*lamps, sensor]


@pytest.mark.requirement("R-29")
@pytest.mark.requirement("R-70")
@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_things_of_two_makers_get_each_its_own_release_and_do_what_it_says(tmp_path, loss):
    async def story(world):
        releases = Releases(world, tmp_path)
        first, second, sensor = await three_things(world)
        await releases.publish(*releases.make(interval=0.5))
        await world.until(lambda: version(first) == version(second) == "1.1.0")
        assert version(sensor) == "1.0.0"
        await releases.publish(*releases.make("TH-2", "2.0.0", maker="brook"))
        await world.until(lambda: version(sensor) == "2.0.0")

        async def campaigns():
            return {one["model"]: one for one in await world.domain.ask("release.list")}

        await world.sleep(10)
        listed = await campaigns()
        assert {one: (listed[one]["things"], listed[one]["installed"]) for one in listed} == {
            "LX-1": (2, 2),
            "TH-2": (1, 1),
        }
        world.network.loss = 0.0
        await world.sleep(60)
        readings = first.sensor.readings
        await world.sleep(5)
        assert first.sensor.readings - readings > 3, "the new image tells twice a second, the old in two seconds once"
        installed = list(world.domain.entries(Kind.INSTALLATION))
        assert {one.thing for one in installed} == {first.id, second.id, sensor.id}

    play(story, loss=loss)


@pytest.mark.requirement("R-29")
def test_tampered_older_half_signed_and_foreign_releases_reach_nobody(tmp_path):
    async def story(world):
        releases = Releases(world, tmp_path)
        things = await three_things(world)
        good, image = releases.make()
        await releases.publish(good, image)
        await world.until(lambda: version(things[0]) == "1.1.0")
        acme, brook = world.makers["acme"], world.makers["brook"]
        newer = releases.make(version="1.2.0", sequence_number=3)
        refused = {
            "rollback": releases.make(version="1.0.9", sequence_number=1),
            "signers": releases.make(version="1.2.0", sequence_number=3, keys=acme.release_keys[:1]),
            "unsigned": releases.make(version="1.2.0", sequence_number=3, keys=()),
            "class": releases.make("LX-9", "1.2.0", 3),
            "image-digest": (newer[0], newer[1][:-1] + b"x"),
            "unauthenticated": (_flip_last_signature(newer[0]), newer[1]),
        }
        for reason, release in refused.items():
            answer = await releases.publish(*release)
            assert answer["error"]["reason"] == reason
        foreign = await releases.publish(*releases.make(version="1.2.0", sequence_number=3, keys=brook.release_keys))
        assert foreign["error"]["reason"] == "signers"
        await world.sleep(10)
        assert [version(thing) for thing in things] == ["1.1.0", "1.1.0", "1.0.0"]
        assert len(await world.domain.ask("release.list")) == 1
        assert {one.cause for one in world.domain.entries(Kind.REFUSAL)} >= {*refused, "signers"}

    play(story)


def _flip_last_signature(encoded):
    opened = envelope.decode(encoded)
    last = opened.blocks[-1]
    return encoded.replace(last, last[:-1] + bytes([last[-1] ^ 1]))


@pytest.mark.requirement("R-29")
def test_a_domain_that_lies_about_an_image_changes_no_thing(tmp_path):
    """The controller is broken into: it serves what it likes, and a thing believes its maker alone."""

    async def story(world):
        releases = Releases(world, tmp_path)
        (lamp,) = await world.joined("A0001")
        await releases.publish(*releases.make())
        (release,) = world.domain.controller.planes.software._shelf._offers.values()
        object.__setattr__(release, "image", demo_image("LX-1", "6.6.6", size=5000))
        await world.until(lamp.agent.updating.refused.total)
        await world.sleep(10)
        assert version(lamp) == "1.0.0"
        assert dict(lamp.agent.updating.refused) == {"image-digest": 1}
        (campaign,) = await world.domain.ask("release.list")
        assert (campaign["installed"], campaign["refused"]) == (0, 1)
        shown = await world.domain.ask("release.show", model="LX-1")
        assert shown["things"][0]["refused"] == ["condition-failed"]

    play(story)


@pytest.mark.requirement("R-29")
@pytest.mark.requirement("R-73")
def test_a_thing_switched_off_during_the_download_updates_when_it_is_back(tmp_path):
    async def story(world):
        releases = Releases(world, tmp_path)
        (lamp,) = await world.joined("A0001")
        await releases.publish(*releases.make())
        await world.until(lambda: lamp.agent.stories._by_exchange)
        lamp.crash()
        await world.sleep(1)
        lamp.start()
        assert version(lamp) == "1.0.0"
        await world.until(lambda: version(lamp) == "1.1.0")

    play(story)


def test_a_controller_that_restarts_goes_on_offering_what_it_published(tmp_path):
    async def story(world):
        releases = Releases(world, tmp_path)
        (lamp,) = await world.joined("A0001")
        await releases.publish(*releases.make())
        await world.domain.crash()
        await world.domain.start()
        await world.until(lambda: version(lamp) == "1.1.0")
        await world.until(lambda: any(world.domain.entries(Kind.INSTALLATION)))
        assert (await releases.publish(*releases.make()))["error"]["reason"] == "rollback"

    play(story)


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("way", ["thing.quarantine", "thing.retire"])
def test_who_is_taken_out_gets_no_release_any_more(tmp_path, way):
    async def story(world):
        releases = Releases(world, tmp_path)
        (lamp,) = await world.joined("A0001")
        gone = await world.domain.ask(way, thing=lamp.id)
        (clock,) = [one for one in gone["planes"] if one["plane"] == PlaneName.SOFTWARE]
        assert clock["milliseconds"] is not None
        assert clock["relying_party"] == "update resource"
        await releases.publish(*releases.make())
        await world.sleep(20)
        assert version(lamp) == "1.0.0"

    play(story)


@pytest.mark.requirement("R-08")
@pytest.mark.parametrize("dies", [False, True])
def test_a_thing_that_installs_what_the_policy_lists_works_again_only_after_it_joined_anew(tmp_path, dies):
    async def story(world):
        releases = Releases(world, tmp_path)
        listed, other = await world.joined("A0001", "A0002")
        sensor = world.thing("B0001", maker=world.makers["brook"], model="TH-2")
        sensor.start()
        await world.until(lambda: sensor.has_reported)
        before = [entry.thing for entry in world.domain.entries(Kind.TRANSITION) if entry.cause == "joined"]
        await releases.publish(*releases.make(version="1.1.0"))
        await world.until(lambda: version(listed) == version(other) == "1.1.0")
        if dies:
            await world.domain.crash()
            await world.domain.start()

        def joined():
            return [entry.thing for entry in world.domain.entries(Kind.TRANSITION) if entry.cause == "joined"]

        await world.until(lambda: sorted(joined()[len(before) :]) == sorted([listed.id, other.id]), within=600)
        states = [entry.cause for entry in world.domain.entries(Kind.TRANSITION) if entry.thing == listed.id]
        assert states[-2:] == ["re-bootstrap-required", "joined"]
        taken = world.domain.controller.planes.data.accepted
        await world.until(lambda: world.domain.controller.planes.data.accepted > taken)

    play(story, policy=POLICY + '[[rejoin]]\nmodels = ["LX-*"]\nversions = ["1.1.*"]\n')


@pytest.mark.requirement("R-73")
def test_a_release_with_which_a_thing_does_not_measure_any_more_goes_back_and_the_domain_hears_of_it(tmp_path):
    async def story(world):
        releases = Releases(world, tmp_path)
        (lamp,) = await world.joined("A0001", trial_deadline=20.0)

        def ill(at):
            if version(lamp) == "1.1.0":
                raise StorageError("the sensor does not answer")
            return CountingSensor.read(lamp.sensor, at)

        lamp.sensor.read = ill
        await releases.publish(*releases.make())
        await world.until(lambda: version(lamp) == "1.1.0")
        assert lamp.agent.status()["on_trial"]
        await world.until(lambda: version(lamp) == "1.0.0")

        async def refused():
            return (await world.domain.ask("release.show", model="LX-1"))["things"][0]["refused"]

        await world.sleep(30)
        assert await refused() == ["condition-failed"]
        assert lamp.agent.status()["sequence"] == 1
        await releases.publish(*releases.make(version="1.1.1", sequence_number=3))
        await world.until(lambda: lamp.agent.status()["sequence"] == 3)

    play(story)


def test_a_thing_that_runs_what_a_difference_is_to_fetches_no_image(tmp_path):
    async def story(world):
        releases = Releases(world, tmp_path)
        (lamp,) = await world.joined("A0001")
        before, image = lamp.slots.active(), demo_image("LX-1", "1.1.0", size=50_000)
        acme = world.makers["acme"]
        unsigned = make_release(
            image,
            vendor_id=acme.vendor_id,
            class_id=class_identifier(acme.vendor_id, "LX-1"),
            sequence_number=2,
            version="1.1.0",
        )
        signed = sign_release(with_patch(unsigned, old=before, new=image), acme.release_keys)
        await releases.publish(envelope.encode(signed), image)
        await world.until(lambda: version(lamp) == "1.1.0")
        assert lamp.slots.active() == image
        fetched = world.domain.controller.planes.software._shelf.progress
        assert [one.fetched for one in fetched.values()] == [set()]

    play(story)


def sealed(world, image, things, *, sequence_number=2):
    """A release that only `things` can read: one ciphertext for all of them, and the content key for each."""
    acme = world.makers["acme"]
    keys = [thing.keys.handle(DECRYPTION_KEY).public for thing in things]
    recipients = [Static(key_id(key), key, generate(KeyType.P256)) for key in keys]
    content_key = Secret(world.random.randbytes(16))
    payload = encryption.encrypt(
        image, recipients, content_id=AlgorithmId.A128CTR, content_key=content_key, iv=world.random.randbytes(16)
    )

    def described(content, **others):
        keys = {"uri": 21, "info": 19, "source": 22}
        return {3: digest_of(content).encode(), 14: len(content), **{keys[name]: one for name, one in others.items()}}

    target = {1: acme.vendor_id, 2: class_identifier(acme.vendor_id, "LX-1")}
    common = {2: [list(FIRMWARE), list(STAGING)], 4: codec.encode([12, True, 20, target, 1, 15, 2, 15])}
    fetched = described(payload.ciphertext, uri=IMAGE_URI)
    install = [12, 1, 20, fetched, 21, 2, 3, 15, 12, 0, 20, described(image, source=1, info=payload.info), 22, 2, 3, 15]
    encoded = codec.encode({1: 1, 2: sequence_number, 3: codec.encode(common), 20: codec.encode(install)})
    digest = digest_of_member(encoded)
    signed = sign_release(Envelope(digest, digest.encode(), (), encoded), acme.release_keys)
    return envelope.encode(signed), payload.ciphertext


@pytest.mark.requirement("R-71")
def test_one_encrypted_image_is_read_by_the_things_it_is_for_and_by_nobody_else(tmp_path):
    async def story(world):
        releases = Releases(world, tmp_path)
        first, second, other = await world.joined("A0001", "A0002", "A0003")
        image = demo_image("LX-1", "1.1.0", size=20_000)
        published = await releases.publish(*sealed(world, image, [first, second]))
        assert "result" in published, published
        await world.until(lambda: version(first) == version(second) == "1.1.0")
        assert first.slots.active() == second.slots.active() == image
        await world.until(lambda: other.agent.updating.refused["recipient"])
        assert version(other) == "1.0.0"
        await world.sleep(20)
        (shown,) = await world.domain.ask("release.list")
        assert (shown["installed"], shown["refused"]) == (2, 1)

    play(story)


@pytest.mark.requirement("R-71")
def test_a_domain_that_changes_the_ciphertext_changes_no_thing(tmp_path):
    async def story(world):
        releases = Releases(world, tmp_path)
        (lamp,) = await world.joined("A0001")
        image = demo_image("LX-1", "1.1.0", size=20_000)
        encoded, ciphertext = sealed(world, image, [lamp])
        changed = ciphertext[:5000] + bytes([ciphertext[5000] ^ 1]) + ciphertext[5001:]
        assert (await releases.publish(encoded, changed))["error"]["reason"] == "image-digest"
        await releases.publish(encoded, ciphertext)
        (release,) = world.domain.controller.planes.software._shelf._offers.values()
        object.__setattr__(release, "image", changed)
        await world.until(lamp.agent.updating.refused.total)
        assert (version(lamp), dict(lamp.agent.updating.refused)) == ("1.0.0", {"image-digest": 1})

    play(story)


@pytest.mark.requirement("R-71")
def test_an_encrypted_image_reaches_things_behind_a_gateway_and_each_verifies_it_for_itself(tmp_path):
    async def story(world):
        releases, proxy = Releases(world, tmp_path), join_proxy(world)
        lamps = [behind(world, serial) for serial in ("A0001", "A0002")]
        for lamp in lamps:
            lamp.start()
        await world.until(lambda: all(lamp.is_joined for lamp in lamps))
        image = demo_image("LX-1", "1.1.0", size=20_000)
        published = await releases.publish(*sealed(world, image, lamps))
        assert "result" in published, published
        await world.until(lambda: all(version(lamp) == "1.1.0" for lamp in lamps))
        await world.until(lambda: all(lamp.agent.status()["sequence"] == 2 for lamp in lamps))
        assert all(lamp.slots.active() == image for lamp in lamps)
        assert not any(image[-200:] in one for one in reachable(proxy))

    play(story)
