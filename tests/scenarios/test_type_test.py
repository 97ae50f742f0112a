"""Each new type of thing is tested on one of its things, by a stranger and by bait; what came of it is kept, signed."""

import base64

import pytest

from tests.scenarios.strangers import VirtualStranger
from tests.scenarios.test_update import Releases, version
from tests.scenarios.world import play
from thingstead.domain import type_result
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.type_result import Verdict
from thingstead.endpoint.association import Association
from thingstead.endpoint.event import AssociationId
from thingstead.errors import AuthenticationError
from thingstead.identifier import KeyId
from thingstead.phases.bait import BAITS
from thingstead.phases.type_test import CHECKS
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore import replay
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.suit import authentication
from thingstead.protocols.suit.authentication import AuthenticatedEnvelope
from thingstead.secret import Secret

pytestmark = [pytest.mark.slow, pytest.mark.requirement("R-84")]


async def opened(world):
    """The domain, begun again with somebody who tests."""
    await world.domain.crash()
    world.domain.stranger = VirtualStranger(world.network)
    await world.domain.start()
    return world.domain.stranger


def examined(world):
    return [one.cause for one in world.domain.entries(Kind.EXAMINATION)]


async def results_of(world, number=1):
    await world.until(lambda: len(examined(world)) == number, within=300)
    return {row["model"]: row for row in await world.domain.ask("type.list")}


def alarms(world):
    return [one for one in world.domain.entries(Kind.ALARM) if one.cause == "type-test"]


def test_a_new_type_is_tested_once_and_passes_with_a_result_under_the_ledgers_key():
    async def story(world):
        await opened(world)
        await world.joined("A0001", "A0002")
        row = (await results_of(world))["LX-1"]
        assert row["verdict"] == "passed"
        assert list(row["checks"]) == [*CHECKS, *BAITS]
        assert {one.partition(";")[0] for one in row["checks"].values()} == {"passed", "not applicable"}
        assert row["checks"]["unsigned-update"] == "passed; refused: " + row["checks"]["foreign-update"].split(": ")[1]
        await world.sleep(30)
        assert (examined(world), alarms(world)) == (["passed"], [])
        told = await world.domain.ask("type.result", type=row["type"][:8])
        signed, key = base64.b64decode(told["signed"]), world.domain.keys.handle(KeyId("ledger")).public
        proved = type_result.authenticate(signed, key)
        assert (proved.result.verdict, proved.entry.index) == (Verdict.PASSED, told["entry"])
        with pytest.raises(AuthenticationError):
            type_result.authenticate(signed, world.domain.public)

    play(story)


def test_another_model_and_other_firmware_are_other_types(tmp_path):
    async def story(world):
        await opened(world)
        lamp, _ = await world.joined("A0001", "A0002")
        await world.joined("B0001", maker=world.makers["brook"], model="TH-2")
        assert set(await results_of(world, 2)) == {"LX-1", "TH-2"}
        releases = Releases(world, tmp_path)
        await releases.publish(*releases.make())
        await world.until(lambda: version(lamp) == "1.1.0")
        await results_of(world, 3)
        await releases.publish(*releases.make(version="1.2.0", sequence_number=3))
        await results_of(world, 4)
        newest = [row for row in await world.domain.ask("type.list") if row["version"] == "1.2.0"]
        assert [row["verdict"] for row in newest] == ["passed"]
        assert newest[0]["checks"]["older-update"].startswith("passed; refused")
        assert newest[0]["checks"]["lifted-signature"].startswith("passed; refused")
        assert (version(lamp), alarms(world)) == ("1.2.0", [])

    play(story)


def test_a_restart_forgets_no_result_and_begins_anew_what_was_under_way():
    async def story(world):
        await opened(world)
        await world.joined("A0001")
        await world.until(world.domain.controller.types.under_way)
        await opened(world)
        await results_of(world)
        await opened(world)
        await world.sleep(60)
        assert len(examined(world)) == 1
        assert [row["verdict"] for row in await world.domain.ask("type.list")] == ["passed"]

    play(story)


def test_who_does_not_test_says_nothing_to_things():
    async def story(world):
        await opened(world)
        stranger, world.domain.stranger = world.domain.stranger, None
        await world.domain.crash()
        await world.domain.start()
        await world.joined("A0001")
        await world.sleep(60)
        assert (stranger.said, examined(world)) == (0, [])

    play(story)


def weak(world, make_weak):
    """A thing that is no better than this, tested as it comes in."""

    async def story():
        await opened(world)
        thing = world.thing("A0001")
        thing.start()
        make_weak(thing)
        return (await results_of(world))["LX-1"]

    return story()


def failed(row):
    return [name for name, said in row["checks"].items() if said.startswith("failed")]


def test_a_thing_that_shows_its_settings_to_anybody_fails():
    def open_admin(thing):
        thing.agent.resources.register("/admin", Code.GET, lambda _call: Message(Code.CONTENT), public=True)

    async def story(world):
        row = await weak(world, open_admin)
        assert (row["verdict"], failed(row)) == ("failed", ["in-clear"])
        assert "GET /admin" in row["checks"]["in-clear"]
        (alarm,) = alarms(world)
        assert "GET /admin" in alarm.details["in-clear"]
        assert examined(world) == ["failed"]

    play(story)


def test_a_thing_with_keys_out_of_a_standard_fails():
    def take_published_keys(thing):
        context = SecurityContext.derive(Secret(bytes(range(1, 17))), sender_id=b"\x01", recipient_id=b"")
        thing.agent.endpoint.install(Association(AssociationId("default"), context, peer="default"))

    async def story(world):
        row = await weak(world, take_published_keys)
        assert failed(row) == ["published-keys"]
        assert "RFC 8613 appendix C" in row["checks"]["published-keys"]

    play(story)


@pytest.mark.spec("RFC 8613 7.4")
def test_a_thing_that_serves_what_was_recorded_fails(monkeypatch):
    async def story(world):
        await opened(world)
        thing = world.thing("A0001")
        thing.start()
        await world.until(lambda: thing.is_joined)
        monkeypatch.setattr(replay.ReplayWindow, "accept", lambda _self, _number: None)
        monkeypatch.setattr(replay.ReplayWindow, "check", lambda _self, _number: None)
        row = (await results_of(world))["LX-1"]
        assert "replay" in failed(row)

    play(story)


def test_open_services_are_named():
    async def story(world):
        (await opened(world)).open = {23, 8080}
        await world.joined("A0001")
        row = (await results_of(world))["LX-1"]
        assert row["checks"]["open-services"] == "failed; TCP 23; TCP 8080"

    play(story)


def test_a_thing_that_believes_any_release_is_found_and_gets_no_image(monkeypatch):
    """Its signatures are not looked at: it goes on to ask for the image."""

    def believe(envelope, _anchors, _policy):
        return AuthenticatedEnvelope(envelope, (), authentication._SEAL)

    async def story(world):
        await opened(world)
        thing = world.thing("A0001")
        thing.start()
        monkeypatch.setattr(authentication, "authenticate", believe)
        row = (await results_of(world))["LX-1"]
        assert failed(row) == ["unsigned-update", "foreign-update"]
        assert row["checks"]["unsigned-update"] == "failed; it asks for the image of it"
        assert version(thing) == "1.0.0"

    play(story)


def test_a_thing_behind_a_firewall_is_not_said_to_have_passed():
    async def story(world):
        await opened(world)
        world.network.on_path = lambda one: () if one.source[0] == "203.0.113.9" else (one,)
        await world.joined("A0001")
        row = (await results_of(world))["LX-1"]
        assert row["verdict"] == "incomplete"
        assert row["checks"]["in-clear"].startswith("not run; it answers no stranger")
        assert row["checks"]["unsigned-update"].startswith("passed")

    play(story)


def test_somebody_may_have_a_type_tested_again():
    async def story(world):
        await opened(world)
        (lamp,) = await world.joined("A0001")
        await results_of(world)
        lamp.agent.resources.register("/admin", Code.GET, lambda _call: Message(Code.CONTENT), public=True)
        told = await world.domain.ask("type.test", thing=lamp.id)
        assert told["checks"]["in-clear"].startswith("failed")
        row = (await results_of(world, 2))["LX-1"]
        assert row["verdict"] == "failed"

    play(story)


def test_who_is_not_in_is_not_tested():
    async def story(world):
        await opened(world)
        (lamp,) = await world.joined("A0001")
        await results_of(world)
        await world.domain.ask("thing.quarantine", thing=lamp.id, cause="suspicion")
        answer = await world.domain.answer("type.test", thing=lamp.id)
        assert "in and can be reached" in str(answer)

    play(story)
