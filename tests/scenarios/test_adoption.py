"""A thing at its maker's end of support: its owner has another mend it, whose releases alone count from then on."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.scenarios.test_update import Releases, version
from tests.scenarios.world import AT, POLICY, make_maker, play
from thingstead.controller.operation_table import operations
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Cause, Restriction
from thingstead.domain.plane import OBLIGATIONS, Demand, PlaneName
from thingstead.domain.role import Operator, Role
from thingstead.phases.manufacture import Model, bear
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile.birth import BIRTH

pytestmark = pytest.mark.requirement("R-78")
OVER = timedelta(hours=13)
"""From noon of the last day on which the maker mends it, into the next."""

LONG_MENDED = POLICY.replace('sbom_missing = "allow"', 'sbom_missing = "allow"\nsignature_ends = "allow"')
"""The menders' support outlasts the algorithm of their signatures, for which a release would wait."""


def mended_until(day, world, thing):
    """The thing is born again, with another end of support."""
    born = bear(
        thing.maker,
        Model("LX-1", 2, "https://mud.example/LX-1.json", day),
        thing.serial,
        thing_key=thing.keys.handle(birth_record.IDENTITY_KEY).public,
        domain_key=world.domain.public,
        at=AT - timedelta(days=30),
        voucher_expires=AT + timedelta(days=365),
    )
    thing.disk = {BIRTH: birth_record.encode(born)}


async def old_lamps(world, *serials):
    """Lamps on the last day of their support, in a domain that trusts the menders as it trusts a maker."""
    lamps = [world.thing(serial) for serial in serials]
    for lamp in lamps:
        mended_until(AT.date(), world, lamp)
        lamp.start()
    await world.until(lambda: all(lamp.has_reported for lamp in lamps))
    world.makers["menders"] = make_maker("menders")
    assert "menders" in (await world.domain.ask("trust.reload"))["added"]
    return lamps


async def over(world, *lamps):
    """Support ends, and the domain acts on it as it does within the hour."""
    world.clock.skew = OVER
    for lamp in lamps:
        await world.domain.controller.conductor.transition(lamp.id, Cause.SUPPORT_ENDED, actor="test")


async def adopted(world, lamp):
    """The lamp is taken over, and in again."""
    told = await world.domain.ask("thing.adopt", thing=lamp.id, until="2033-12-31", anchor="menders")
    assert (told["state"], told["updates_by"]) == ("re-bootstrapping", "menders")
    await world.until(lambda: world.domain.record(lamp.serial).state == "operational", within=300)


@pytest.mark.parametrize("sayer", ["domain", "thing"])
def test_while_its_maker_mends_it_nobody_takes_it_over(sayer):
    async def story(world):
        (lamp,) = await old_lamps(world, "A0001")
        anchors = lamp.agent.ownership.born().release_anchors
        if sayer == "thing":
            # A controller that lies about the day.
            await world.domain.controller.conductor.transition(lamp.id, Cause.SUPPORT_ENDED, actor="test")
        refused = await world.domain.answer("thing.adopt", thing=lamp.id, until="2033-12-31", anchor="menders")
        assert refused["error"]["kind"] == {"domain": "TransitionError", "thing": "ForbiddenError"}[sayer]
        assert lamp.agent.ownership.born().release_anchors == anchors
        assert world.domain.record("A0001").release_keys == frozenset()

    play(story)


def test_an_anchor_that_nobody_trusts_takes_nothing_over():
    async def story(world):
        (lamp,) = await old_lamps(world, "A0001")
        await over(world, lamp)
        refused = await world.domain.answer("thing.adopt", thing=lamp.id, until="2033-12-31", anchor="nobody")
        assert refused["error"]["kind"] == "ConfigError"
        assert world.domain.record("A0001").state == "end-of-life"

    play(story)


async def on_a_day(world, days):
    """So many days after the first one, when the domain is started, for then it looks at its dates."""
    await world.domain.crash()
    world.clock.skew = timedelta(days=days)
    await world.domain.start()
    await world.sleep(2)


def told(world):
    """Of the support of the lamps: what the ledger was told, each once."""
    return list(
        dict.fromkeys(
            one.cause for one in world.domain.entries(Kind.ALARM) if one.details.get("what") == "support of acme LX-1"
        )
    )


@pytest.mark.requirement("R-77")
@pytest.mark.slow
def test_support_ends_with_warnings_and_a_restriction_and_goes_on_with_another():
    async def story(world):
        lamp = world.thing("A0001")
        mended_until(AT.date() + timedelta(days=200), world, lamp)
        lamp.start()
        await world.until(lambda: lamp.has_reported)
        world.makers["menders"] = make_maker("menders")
        await world.domain.ask("trust.reload")
        for days, causes in [(20, []), (21, ["soon"]), (170, ["soon"]), (171, ["soon", "late"])]:
            await on_a_day(world, days)
            assert told(world) == causes, days
            assert world.domain.record("A0001").state != "end-of-life"
        await world.until(lambda: world.domain.record("A0001").state == "operational", within=300)
        await on_a_day(world, 201)
        assert told(world) == ["soon", "late", "expired"]
        assert world.domain.record("A0001").state == "end-of-life"
        owed = OBLIGATIONS[world.domain.record("A0001").state, Restriction.NONE]
        assert [plane for plane in PlaneName if owed[plane] is Demand.RESTRICT] == [PlaneName.NETWORK]
        (neglected,) = [one for one in await world.domain.ask("thing.forgotten") if one["neglect"] == "unsupported"]
        assert neglected["thing"] == world.domain.record("A0001").id
        joined = world.domain.record("A0001").joined_at
        # Its token has run out by then, and it joins again.
        await on_a_day(world, 300)
        taken = world.domain.controller.planes.data.accepted
        await world.until(lambda: world.domain.controller.planes.data.accepted > taken, within=600)
        record = world.domain.record("A0001")
        assert (record.state, record.joined_at > joined) == ("end-of-life", True)
        probes = await world.domain.controller.kill_clock.probe(record.id)
        assert len(probes) == 6
        await adopted(world, lamp)
        assert world.domain.record("A0001").support_end == datetime(2034, 1, 1, tzinfo=UTC)
        await on_a_day(world, 301)
        assert world.domain.record("A0001").state != "end-of-life"

    play(story)


@pytest.mark.parametrize("role", [Role.MAINTAINER, Role.INSTALLER, Role.USER, Role.AUDITOR, Role.MANUFACTURER])
def test_nobody_but_the_owner_has_another_mend_a_thing_and_who_asks_is_on_the_ledger(role):
    async def story(world):
        (lamp,) = await old_lamps(world, "A0001")
        await over(world, lamp)
        anchors = lamp.agent.ownership.born().release_anchors
        asked = {"thing": lamp.id, "until": "2033-12-31", "anchor": "menders"}
        answer = await operations(world.domain.controller).answer(
            {"operation": "thing.adopt", "arguments": asked}, operator=Operator(role, "anna")
        )
        assert answer["error"]["reason"] == "role"
        assert lamp.agent.ownership.born().release_anchors == anchors
        assert world.domain.record("A0001").state == "end-of-life"
        await world.sleep(61)
        assert [one.cause for one in world.domain.entries(Kind.REFUSAL) if "anna" in one.actor] == ["role"]

    play(story)


@pytest.mark.slow
def test_from_then_on_the_new_source_mends_it_and_its_maker_does_no_more(tmp_path):
    async def story(world):
        releases = Releases(world, tmp_path)
        lamp, other = await old_lamps(world, "A0001", "A0002")
        menders = world.makers["menders"].release_keys
        early = await releases.publish(*releases.make(keys=menders))
        assert early["error"]["reason"] == "signers", "before it was taken over, its maker's word counts alone"
        await over(world, lamp, other)
        await adopted(world, lamp)
        assert list(world.domain.entries(Kind.TRANSITION))[-2].details["anchor"] == "menders"
        assert "result" in await releases.publish(*releases.make(version="1.1.0", sequence_number=2))
        await world.until(lambda: version(other) == "1.1.0")
        assert version(lamp) == "1.0.0", "its maker's release is not even offered to it"
        assert lamp.agent.updating.refused.total() == 0
        assert "result" in await releases.publish(*releases.make(version="9.0.0", sequence_number=3, keys=menders))
        await world.until(lambda: version(lamp) == "9.0.0")
        await world.sleep(10)
        assert version(other) == "1.1.0"
        assert other.agent.updating.refused.total() == 0
        listed = await world.domain.ask("release.list")
        assert {(one["maker"], one["version"], one["things"], one["installed"]) for one in listed} == {
            ("acme", "1.1.0", 1, 1),
            ("menders", "9.0.0", 1, 1),
        }
        await adopted(world, other)
        refused = await releases.publish(*releases.make(version="1.2.0", sequence_number=4))
        assert refused["error"]["reason"] == "source", "nobody here takes releases of its maker any more"
        await world.until(lambda: version(other) == "9.0.0", within=120)

    play(story, policy=LONG_MENDED)


@pytest.mark.slow
def test_a_domain_that_restarts_remembers_whose_releases_count(tmp_path):
    async def story(world):
        releases = Releases(world, tmp_path)
        (lamp,) = await old_lamps(world, "A0001")
        await over(world, lamp)
        await adopted(world, lamp)
        await world.domain.crash()
        await world.domain.start()
        refused = await releases.publish(*releases.make())
        assert refused["error"]["reason"] == "source"
        menders = world.makers["menders"].release_keys
        assert "result" in await releases.publish(*releases.make(version="9.0.0", keys=menders))
        await world.until(lambda: version(lamp) == "9.0.0", within=120)
        del world.makers["menders"]
        await world.domain.ask("trust.reload")
        tracker = world.domain.controller.planes.software
        assert tracker.campaigns()[-1].things == 0
        assert world.domain.record("A0001").release_keys, "who is not trusted any more is not replaced by the maker"

    play(story, policy=LONG_MENDED)


@pytest.mark.parametrize("instant", range(1, 7))
def test_a_controller_that_dies_while_it_takes_a_thing_over_takes_it_over_at_the_next_try(instant):
    async def story(world):
        (lamp,) = await old_lamps(world, "A0001")
        await over(world, lamp)
        domain = world.domain
        domain.fate.fatal = domain.fate.instants + instant
        await domain.answer("thing.adopt", thing=lamp.id, until="2033-12-31", anchor="menders")
        domain.fate.fatal = None
        await world.sleep(0.1)
        if not domain.is_up:
            await domain.start()
        await world.until(lambda: lamp.has_reported, within=300)
        if domain.record("A0001").state == "end-of-life":
            await adopted(world, lamp)
        await world.until(lambda: domain.record("A0001").state == "operational", within=300)
        (key, _) = lamp.agent.ownership.born().release_anchors
        assert key == world.makers["menders"].release_keys[0].public
        assert len(domain.record("A0001").release_keys) == 2

    play(story)
