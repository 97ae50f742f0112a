"""The groups plane in another process: epochs are made there and told here; of what its key says, one half is here."""

import asyncio
import random
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from tests.hosting import hosted
from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from tests.unit.planes.groups.parties import KEY, LIGHT, MAY_JOIN, RENEWAL, LiveGroups, joining
from thingstead.cli.hosting import groups_host
from thingstead.controller.groups_engine import RemoteGroups, SeatKey
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import verify
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.plane import PlaneName, Standing
from thingstead.errors import ConfigError, DecodeError, ForbiddenError, StateError, TransportError, UnsupportedError
from thingstead.keeper.rule import GroupRule, RuledKey
from thingstead.planes.groups import record as group_record
from thingstead.planes.groups.group_manager import Settings
from thingstead.planes.groups.roster import Rosters
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm_join import JoinResponse, decode_challenge, kdc_proof_input
from thingstead.protocols.cbor import codec
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords
from thingstead.transport.engine_socket import EngineSocket

LAMP, OTHER = a_thing(1), a_thing(2)
GONE = LAMP.evolve(state=LifecycleState.DECOMMISSIONED)
DEMAND: Any = {"cause": "a cause", "transition_id": LAMP.transition_id}
SCOPE = aif.encode(MAY_JOIN)
MESSAGE = codec.encode(["CounterSignature0", b"", b"", b"external", b"payload"])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "groups.engine"


def hosting(path, store):
    def make():
        return groups_host(
            store,
            key=RuledKey(KEY, GroupRule(), utc=lambda: AT),
            member=RuledKey(KEY, GroupRule(proves=False), utc=lambda: AT),
            settings=Settings(domain="home", right=LIGHT, renewal=RENEWAL),
            clock=JumpingClock(),
            random_bytes=random.Random(len(list(store.leaves()))).randbytes,
        )

    return hosted(make, path)


class Here:
    """Where messages come in."""

    def __init__(self, engine):
        self.live = LiveGroups()
        self.ledger = MemoryStore()
        self.rosters = Rosters(self.live)
        self.plane = RemoteGroups(engine, self.rosters, store=self.ledger)
        self.seat = SeatKey(KEY.public, lambda: self.plane)

    async def joined(self, thing):
        """A Join Request of the thing, answered."""
        await self.plane.admit(thing, **DEMAND)
        challenge = decode_challenge(await self.plane.challenge(thing.id, "lamps", SCOPE))
        return JoinResponse.decode(await self.plane.join(thing.id, "lamps", joining(challenge).encode(), SCOPE))


def told(path, story):
    with closing(EngineSocket(path, patience=5)) as engine:
        return asyncio.run(story(Here(engine)))


def on_disk(store):
    return group_record.decode(PlaneRecords(PlaneName.GROUPS, store).load()["group/lamps"])


@pytest.mark.requirement("R-63")
def test_an_epoch_is_on_the_disk_there_and_its_seat_and_its_entry_are_here(path):
    store = MemoryStore()

    async def story(here):
        await here.plane.create("lamps")
        response = await here.joined(LAMP)
        kept = on_disk(store)
        assert response.keys.master_secret == kept.master_secret == here.live.keys["lamps"].master_secret
        assert here.rosters.find("lamps") == kept.roster()
        assert here.live.installed[-1] == (kept.gid, True)
        assert [entry.decode(leaf).kind for leaf in here.ledger.leaves()] == [Kind.GROUP] * 2
        assert here.plane.snapshot() == {"lamps": b""}
        assert (await here.plane.probe(LAMP)).standing is Standing.ACCEPTED
        (parcel,) = await here.plane.parcels("lamps", b"")
        assert (parcel.thing, parcel.num) == (LAMP.id, kept.num)
        await here.plane.confirm("lamps", kept.num, (parcel.sender_id,))
        assert await here.plane.parcels("lamps", b"") == ()
        assert (await here.plane.whole("lamps", LAMP.id)).num == kept.num

    with hosting(path, store):
        told(path, story)


@pytest.mark.requirement("R-63")
@pytest.mark.spec("RFC 8613 B.1.1")
def test_a_start_here_or_there_takes_no_seat_anew_and_numbers_go_on(path):
    store = MemoryStore()

    async def first(here):
        await here.plane.create("lamps")
        gid = here.rosters.seat("lamps")
        assert await here.plane.reserve("lamps", gid, 256)
        await here.plane.begin()
        assert here.live.installed == [(gid, True)]
        await here.plane.rekey("lamps", "a test")
        assert not await here.plane.reserve("lamps", gid, 512)
        assert await here.plane.reserve("lamps", here.rosters.seat("lamps"), 128)

    async def second(here):
        await here.plane.begin()
        assert here.live.installed == []
        await here.plane.resume()
        assert here.live.installed == [(on_disk(store).gid, False)]
        assert here.live.reserved == {"lamps": 128}

    with hosting(path, store):
        told(path, first)
    with hosting(path, store):
        told(path, second)


@pytest.mark.requirement("R-09")
def test_who_was_withdrawn_there_is_not_taken_in_whoever_asks_and_after_another_start(path):
    store = MemoryStore()

    async def first(here):
        await here.plane.create("lamps")
        await here.joined(LAMP)
        challenge = decode_challenge(await here.plane.challenge(LAMP.id, "lamps", SCOPE))
        await here.plane.withdraw(GONE, **DEMAND)
        assert on_disk(store).members == ()
        with pytest.raises(ForbiddenError):
            await here.plane.join(LAMP.id, "lamps", joining(challenge).encode(), SCOPE)

    async def second(here):
        with pytest.raises(ForbiddenError, match="was withdrawn"):
            await here.plane.admit(LAMP, **DEMAND)
        with pytest.raises(ForbiddenError, match="may not be in group"):
            await here.plane.challenge(LAMP.id, "lamps", SCOPE)

    with hosting(path, store):
        told(path, first)
    with hosting(path, store):
        told(path, second)


def test_what_the_plane_refuses_is_refused_here_by_the_same_name(path):
    async def story(here):
        await here.plane.create("lamps")
        await here.plane.admit(LAMP, **DEMAND)
        with pytest.raises(ConfigError, match="group create"):
            await here.plane.rekey("doors", "a test")
        with pytest.raises(DecodeError):
            await here.plane.create("a/b")
        with pytest.raises(ForbiddenError):
            await here.plane.challenge(LAMP.id, "lamps", aif.encode(Scope({})))
        with pytest.raises(StateError, match="challenge"):
            await here.plane.join(LAMP.id, "lamps", joining(bytes(8)).encode(), SCOPE)
        with pytest.raises(ForbiddenError, match="no member"):
            await here.plane.keys(LAMP.id, "lamps", SCOPE)

    with hosting(path, MemoryStore()):
        told(path, story)


@pytest.mark.requirement("R-63")
def test_whose_right_has_ended_is_put_out_by_one_epoch_and_barred_by_name(path):
    store = MemoryStore()

    async def story(here):
        await here.plane.create("lamps")
        for thing in (LAMP, OTHER):
            await here.joined(thing)
        num = on_disk(store).num
        await here.plane.renew((("doors", LAMP.id), ("lamps", LAMP.id)))
        assert ([one.thing for one in on_disk(store).members], on_disk(store).num) == ([OTHER.id], num + 1)
        await here.plane.evict("lamps", OTHER.id, "a test")
        assert here.rosters.find("lamps").barred == {OTHER.id}
        await here.plane.readmit("lamps", OTHER.id)
        assert (here.rosters.find("lamps").barred, here.rosters.find("lamps").members) == (frozenset(), ())

    with hosting(path, store):
        told(path, story)


@pytest.mark.requirement("R-65")
def test_the_seat_signs_messages_of_groups_and_nothing_that_the_group_manager_says(path):
    async def story(here):
        signature = here.seat.sign(MESSAGE, AlgorithmId.ESP256)
        verify(KEY.public, signature=signature, data=MESSAGE, signature_id=AlgorithmId.ESP256)
        proof = kdc_proof_input(cnonce=bytes(8), kdc_nonce=bytes(8))
        for data in (proof, b"", b"anything", codec.encode(["Signature1", b"", b"", b""])):
            with pytest.raises(ForbiddenError):
                here.seat.sign(data, AlgorithmId.ESP256)
        with pytest.raises(ForbiddenError, match="in pairs"):
            here.seat.agree(KEY.public)

    with hosting(path, MemoryStore()):
        told(path, story)


def test_where_the_process_is_gone_nothing_is_signed_and_nobody_taken_in(path):
    async def story(here):
        with pytest.raises(TransportError):
            here.seat.sign(MESSAGE, AlgorithmId.ESP256)
        with pytest.raises(TransportError):
            await here.plane.challenge(LAMP.id, "lamps", SCOPE)
        assert here.plane.trouble

    told(path, story)


@pytest.mark.parametrize(
    ("name", "values"),
    [("roster", [b"\xff"]), ("roster", ["lamps"]), ("install", [b"\xa0", 0, True]), ("install", [b""]), ("end", [])],
    ids=range(5),
)
def test_what_is_not_the_plane_s_to_say_changes_nothing(path, name, values):
    async def story(here):
        with pytest.raises((DecodeError, ForbiddenError, UnsupportedError)):
            here.plane.told(name, values)
        assert (here.rosters.all(), here.live.installed) == ((), [])

    told(path, story)


def test_old_keys_are_renewed_when_it_is_asked_what_is_due(path):
    clock, store = JumpingClock(), MemoryStore()

    def make():
        return groups_host(
            store,
            key=KEY,
            member=KEY,
            settings=Settings(domain="home", right=LIGHT, renewal=timedelta(seconds=10)),
            clock=clock,
            random_bytes=random.Random(1).randbytes,
        )

    async def story(here):
        await here.plane.create("lamps")
        await here.plane.renew(())
        assert here.rosters.find("lamps").num == 1
        clock.seconds += 10
        await here.plane.renew(())
        assert here.rosters.find("lamps").num == 2
        (expiry,) = here.plane.expiries()
        assert expiry.at == clock.utc() + timedelta(seconds=20)

    with hosted(make, path):
        told(path, story)
