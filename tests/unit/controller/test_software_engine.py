"""The software plane in another process: what is offered there is handed out here, and nothing to who was dropped."""

import asyncio
import json
from contextlib import closing
from datetime import date

import pytest

from tests.hosting import hosted
from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.software.desk import ANCHORS, IMAGE, OPEN, made
from tests.unit.planes.software.desk import told as report_of
from tests.unit.planes.software.test_publication import bundle
from thingstead.cli.hosting import software_host
from thingstead.controller.software_engine import RemoteTracker, SoftwareEngine
from thingstead.domain import release_result
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.plane import PlaneName, Standing
from thingstead.domain.register import Register
from thingstead.domain.release_policy import Concern, Device, ReleasePolicy, Severity, Stance
from thingstead.domain.release_result import Verdict
from thingstead.domain.unit import Snapshot
from thingstead.errors import (
    DecodeError,
    ForbiddenError,
    HeldError,
    PolicyError,
    SecurityError,
    StateError,
    TransportError,
)
from thingstead.identifier import ThingId
from thingstead.planes.software.campaigns import DOCUMENTS, Campaigns
from thingstead.planes.software.carried import Terms
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords
from thingstead.transport.engine_socket import EngineSocket

PACKAGE = {"name": "zlib", "ecosystem": "OSS-Fuzz"}
PARTS = [{"name": "zlib", "version": "1.2"}]
SBOM = json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": PARTS}).encode()
LAMP = a_thing(0, state=LifecycleState.OPERATIONAL)
DEMAND = {"cause": "a cause", "transition_id": LAMP.transition_id}


async def found_nothing(_image):
    return []


@pytest.fixture
def path(tmp_path):
    return tmp_path / "software.socket"


def hosting(path, store):
    return hosted(lambda: software_host(store, scan=found_nothing, clock=JumpingClock()), path)


def told(path, story, *, later=0):
    with closing(EngineSocket(path, patience=5)) as engine:
        register = Register(Snapshot(things=(LAMP,)))
        store, clock = MemoryStore(), JumpingClock()
        clock.seconds += later
        plane = RemoteTracker(
            engine,
            store=store,
            register=register,
            anchors=lambda: tuple(ANCHORS),
            clock=clock,
            campaigns=Campaigns(PlaneRecords(PlaneName.SOFTWARE, store, prefix=DOCUMENTS), clock=clock),
        )
        return asyncio.run(story(plane))


def test_what_waits_and_what_is_known_cross_over_as_they_are(path):
    """The owner's policy, members, holds and exposures, each read back by its type."""
    encoded = made()
    members = {"sbom.cdx.json": SBOM, "words.json": b'{"en": "Mends a leak."}'}
    hold = ReleasePolicy({Concern.KNOWN_VULNERABILITY: Stance.HOLD}, (Device(("LX-*",), "C2", ("BLE",), 2.0),))
    crypto = CryptoPolicy({"ESP256": date(2030, 1, 1)})
    known = json.dumps({"id": "X-1", "affected": [{"package": PACKAGE, "versions": ["1.2"]}]}).encode()

    async def story(plane):
        await plane.begin()
        assert await plane.take_records((known,)) == 1
        with pytest.raises(HeldError, match="X-1"):
            await plane.publish(encoded, IMAGE, terms=Terms("owner", hold, crypto), bundle=bundle(encoded, members))
        (held,) = plane.held()
        assert (held.by, held.model) == ("owner", LAMP.model)
        with pytest.raises(ForbiddenError):
            await plane.approve(held.manifest, terms=Terms("owner", hold, crypto))
        said = Terms("maintainer:ben", hold, crypto, reasons=held.reasons, proof=b"signed")
        await plane.approve(held.manifest, terms=said)
        assert plane.held() == ()
        assert plane.carried(held.manifest).files == members
        assert plane.carried("ff") is None
        assert release_result.decode(plane.result(held.manifest)).verdict is Verdict.PUBLISHED
        assert plane.result("ff") is None
        await plane.report(LAMP.id, report_of(encoded))
        (one,) = await plane.exposures()
        assert (one.thing, one.id, one.severity, one.is_certain) == (LAMP.id, "X-1", Severity.HIGH, True)
        with pytest.raises(PolicyError):
            await plane.discard("ff", actor="owner")

    with hosting(path, MemoryStore()):
        told(path, story)


def test_a_release_comes_over_when_it_is_published_and_again_with_a_new_life(path):
    store, envelope = MemoryStore(), made()

    async def published(plane):
        await plane.begin()
        assert plane.poll(LAMP.id) is None
        campaign = await plane.publish(envelope, IMAGE, terms=OPEN)
        assert plane.poll(LAMP.id).encoded == envelope
        assert plane.image(LAMP.id).image == IMAGE
        (again,) = plane.campaigns()
        assert (campaign.version, again.offered, again.fetched) == (again.version, 1, 1)
        assert list(plane.targets(LAMP.model)) == [LAMP.id]
        (reference,) = plane.references()
        assert reference.values().sequence_number == campaign.sequence_number

    async def another_life(plane):
        await plane.begin()
        assert plane.poll(LAMP.id).image == IMAGE
        plane.trust(())
        with pytest.raises(ForbiddenError):
            plane.poll(LAMP.id)

    for story in (published, another_life):
        with hosting(path, store):
            told(path, story)


def test_an_installation_is_told_when_it_is_reported_and_not_at_each_new_life(path):
    store, envelope = MemoryStore(), made()
    heard: list[ThingId] = []

    async def installing(plane):
        plane.on_install.append(heard.append)
        await plane.begin()
        await plane.publish(envelope, IMAGE, terms=OPEN)
        await plane.report(LAMP.id, report_of(envelope))
        await plane.report(LAMP.id, report_of(envelope))

    async def another_life(plane):
        plane.on_install.append(heard.append)
        await plane.begin()
        assert plane.runs(LAMP.id).installed_at is not None

    for later, story in enumerate((installing, another_life)):
        with hosting(path, store):
            told(path, story, later=later)
        assert heard == [LAMP.id]


def test_what_is_refused_there_is_offered_to_nobody_here(path):
    async def story(plane):
        await plane.begin()
        with pytest.raises(SecurityError):
            await plane.publish(made(keys=()), IMAGE, terms=OPEN)
        assert plane.poll(LAMP.id) is None
        with pytest.raises(DecodeError):
            await plane.report(LAMP.id, b"x")

    with hosting(path, MemoryStore()):
        told(path, story)


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("name", ["restrict", "withdraw"])
def test_who_is_taken_out_gets_nothing_here_also_where_nobody_is_there(path, name):
    async def story(plane):
        with hosting(path, MemoryStore()):
            await plane.begin()
            await plane.admit(LAMP, **DEMAND)
        with pytest.raises(TransportError):
            await getattr(plane, name)(LAMP, **DEMAND)
        assert (await plane.probe(LAMP)).standing is Standing.REFUSED
        with pytest.raises(ForbiddenError):
            await plane.report(LAMP.id, b"x")

    told(path, story)


def test_what_it_has_no_word_for_is_not_taken_up(path):
    async def story(plane):
        for name, values in (("admit", []), ("offer", [[["line", "offer"]]]), ("anything", [1])):
            with pytest.raises((DecodeError, ForbiddenError)):
                plane.told(name, values)

    told(path, story)


def test_before_it_was_begun_there_is_no_tracker():
    def make(_anchors, _sorts):
        raise AssertionError("it was not begun")

    with pytest.raises(StateError, match="not begun"):
        SoftwareEngine(make).targets("LX-1")
