"""What waits for evidence is given to whoever runs what was published, and to nobody else."""

import pytest

from tests.scenarios.groups import MULTICAST, epochs, is_settled
from tests.scenarios.test_update import Releases, version
from tests.scenarios.world import POLICY, play
from thingstead.agent.attestation import Attester
from thingstead.domain.ledger.entry import Kind
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.profile import firmware, path
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.identifier import class_identifier
from thingstead.simulator.virtual.memory import MemorySlots

pytestmark = pytest.mark.slow
FACTORY = firmware.encode(Firmware("1.0.0"))
IMPLANT = firmware.encode(Firmware("1.0.0"), b"implant")
ASKED = POLICY.replace('"/wipe" = ["POST"]', '"/wipe" = ["POST"]\n"/attestation" = ["POST"]')
WAITS = ASKED + '\n[attestation]\nrequire = ["tokens", "groups", "updates"]\nmax_age_hours = 0.1\n'


class Maker(Releases):
    """Publishes what the factory puts on things too, so that a newcomer can be compared with it."""

    async def publish_factory_image(self):
        encoded, _ = self.of(FACTORY, "1.0.0", 1)
        return await self.publish(encoded, FACTORY)

    def of(self, image, version, sequence_number, model="LX-1"):
        from_maker = self._world.makers["acme"]
        unsigned = make_release(
            image,
            vendor_id=from_maker.vendor_id,
            class_id=class_identifier(from_maker.vendor_id, model),
            sequence_number=sequence_number,
            version=version,
        )
        return envelope.encode(sign_release(unsigned, from_maker.release_keys)), image


def causes(world, kind):
    return [one.cause for one in world.domain.entries(kind)]


def alarms(world):
    return [one for one in world.domain.entries(Kind.ALARM) if one.cause == "attestation"]


async def first_contact(world, folder, *serials):
    """Things knock, and become known; then their maker's reference values are published, and they knock again."""
    things = [world.thing(serial) for serial in serials]
    for thing in things:
        thing.start()
    await world.until(lambda: len(list(world.domain.controller.register.things())) == len(things))
    assert not any(thing.is_joined for thing in things)
    await Maker(world, folder).publish_factory_image()
    return things


@pytest.mark.requirement("R-22")
def test_a_newcomer_gets_tokens_once_its_image_is_one_that_was_published(tmp_path):
    async def story(world):
        good, bad = await first_contact(world, tmp_path, "A0001", "A0002")
        bad.slots = MemorySlots(IMPLANT)
        bad.crash()
        bad.start()
        await world.until(lambda: good.is_joined, within=600)
        await world.sleep(60)
        assert not bad.is_joined
        shown = await world.domain.ask("thing.show", thing=good.id)
        assert (shown["attestation"], shown["attested_version"]) == ("good", "1.0.0")
        known = next(one for one in world.domain.controller.register.things() if one.serial == "A0002")
        assert known.joined_at is None
        told = await world.domain.ask("thing.show", thing=known.id)
        assert "no-reference" in told["findings"][0]

    play(story, policy=WAITS)


@pytest.mark.requirement("R-22")
def test_a_good_update_raises_no_alarm_and_an_exchanged_image_does(tmp_path):
    async def story(world):
        (thing,) = await first_contact(world, tmp_path, "A0001")
        await world.until(lambda: thing.is_joined, within=600)
        maker = Maker(world, tmp_path)
        await maker.publish(*maker.make())
        await world.until(lambda: version(thing) == "1.1.0", within=600)
        await world.sleep(240)
        shown = await world.domain.ask("thing.show", thing=thing.id)
        assert (shown["attestation"], shown["attested_version"]) == ("good", "1.1.0")
        assert alarms(world) == []
        thing.slots._places = dict.fromkeys(thing.slots._places, IMPLANT)
        await world.until(lambda: alarms(world), within=600)
        shown = await world.domain.ask("thing.show", thing=thing.id)
        assert shown["attestation"] == "bad"
        assert any("unpublished" in one for one in shown["findings"])
        newer = maker.make(version="1.2.0", sequence_number=3)
        await maker.publish(*newer)
        await world.sleep(60)
        assert version(thing) != "1.2.0"
        await world.sleep(600)
        assert len(alarms(world)) == 1, "the same finding is told once"

    play(story, policy=WAITS)


@pytest.mark.requirement("R-22")
def test_a_thing_that_gives_no_evidence_gets_no_tokens(tmp_path, monkeypatch):
    async def story(world):
        monkeypatch.setattr(Attester, "evidence", lambda _self, _nonce: b"")
        (thing,) = await first_contact(world, tmp_path, "A0001")
        await world.sleep(60)
        assert not thing.is_joined
        assert set(causes(world, Kind.APPRAISAL)) == {"bad"}

    play(story, policy=WAITS)


@pytest.mark.requirement("R-22")
def test_a_member_that_runs_what_nobody_published_gets_no_newer_keys_of_its_group(tmp_path):
    async def story(world):
        place = {"multicast_group": MULTICAST[0], "multicast_port": MULTICAST[1]}
        good, bad = things = [world.thing(serial, **place) for serial in ("A0001", "A0002")]
        for thing in things:
            thing.start()
        await world.until(lambda: all(thing.is_joined for thing in things))
        await Maker(world, tmp_path).publish_factory_image()
        for thing in things:
            assert (await world.domain.ask("thing.attest", thing=thing.id))["attestation"] == "good"
        await world.until(lambda: is_settled(world, things), within=600)
        bad.slots._places = dict.fromkeys(bad.slots._places, IMPLANT)
        assert (await world.domain.ask("thing.attest", thing=bad.id))["attestation"] == "unknown"
        (before,) = set(epochs(*things))
        await world.domain.ask("group.rekey", group="lamps")
        assert epochs(good, bad) == [before + 1, before]
        await world.sleep(60)
        assert epochs(bad)[0] <= before

    play(story, policy=ASKED + '\n[attestation]\nrequire = ["groups"]\n')


@pytest.mark.requirement("R-22")
def test_a_member_that_proves_bad_is_left_behind_by_its_group_and_comes_back_when_it_is_good_again(tmp_path):
    async def story(world):
        place = {"multicast_group": MULTICAST[0], "multicast_port": MULTICAST[1]}
        good, bad = things = [world.thing(serial, **place) for serial in ("A0001", "A0002")]
        for thing in things:
            thing.start()
        await world.until(lambda: all(thing.is_joined for thing in things))
        maker = Maker(world, tmp_path)
        await maker.publish(*maker.make())
        await world.until(lambda: [version(one) for one in things] == ["1.1.0"] * 2, within=600)
        for thing in things:
            assert (await world.domain.ask("thing.attest", thing=thing.id))["attestation"] == "good"
        await world.until(lambda: is_settled(world, things), within=600)
        (before,) = set(epochs(*things))
        genuine, bad.slots._places = bad.slots._places, dict.fromkeys(bad.slots._places, IMPLANT)
        assert (await world.domain.ask("thing.attest", thing=bad.id))["attestation"] == "bad"
        await world.until(lambda: epochs(good) == [before + 1])
        for _ in range(3):
            await world.domain.ask("thing.attest", thing=bad.id)
        await world.sleep(60)
        assert (epochs(good), epochs(bad)[0] <= before) == ([before + 1], True)
        bad.slots._places = genuine
        assert (await world.domain.ask("thing.attest", thing=bad.id))["attestation"] == "good"
        await world.until(lambda: epochs(bad) == epochs(good), within=600)

    play(story, policy=ASKED + '\n[attestation]\nrequire = ["groups"]\n')


def test_where_nothing_waits_a_thing_attests_when_somebody_asks(tmp_path):
    async def story(world):
        (thing,) = await world.joined("A0001")
        assert (await world.domain.ask("thing.show", thing=thing.id))["attestation"] == "never"
        told = await world.domain.ask("thing.attest", thing=thing.id)
        assert told["attestation"] == "unknown"
        maker = Maker(world, tmp_path)
        await maker.publish(*maker.make())
        await world.until(lambda: version(thing) == "1.1.0")
        await world.sleep(30)
        told = await world.domain.ask("thing.attest", thing=thing.id)
        assert (told["attestation"], told["attested_version"]) == ("good", "1.1.0")
        assert any("software-measured" in one for one in told["findings"])
        assert alarms(world) == []
        await world.domain.crash()
        await world.domain.start()
        assert (await world.domain.ask("thing.show", thing=thing.id))["attested_version"] == "1.1.0"

    play(story, policy=ASKED)


def test_a_thing_that_we_may_not_ask_or_that_is_away_is_told_so():
    async def story(world):
        (thing,) = await world.joined("A0001")
        answer = await world.domain.answer("thing.attest", thing=thing.id)
        assert path.ATTESTATION in answer["error"]["message"]
        thing_id = thing.id
        thing.crash()
        answer = await world.domain.answer("thing.attest", thing=thing_id)
        assert answer["error"]["kind"] in {"TransportError", "NoResponseError"}

    play(story)
