"""The access plane in another process: what it grants is installed here, what is taken back ends here first."""

import asyncio
from contextlib import closing
from datetime import timedelta

import pytest

from tests.hosting import hosted
from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.access.test_authorization_server import Live, proposal
from thingstead.cli.hosting import access_host
from thingstead.controller.issuing import Issuing
from thingstead.controller.remote_access import RemoteAccess, RemoteIssuer, RemotePermits
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.peer_policy import PeerDecision
from thingstead.errors import DecodeError, ForbiddenError, StateError, TransportError
from thingstead.planes.access.relying_party import RelyingParties
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.ace.token_endpoint import TokenRequest
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile.maintenance import Task
from thingstead.storage.memory import MemoryStore
from thingstead.transport.engine_socket import EngineSocket

THING, PEER = a_thing(), a_thing(7)
GONE = THING.evolve(state=LifecycleState.DECOMMISSIONED)
KEY, HOLDER, PERSON = (generate(KeyType.P256) for _ in range(3))
SCOPE = Scope({"/light": Permission.PUT})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "access.engine"


def hosting(path, store):
    numbers = iter(range(1, 1000))
    issuing = Issuing("home", KEY, JumpingClock(), lambda size: next(numbers).to_bytes(size, "big"))
    return hosted(lambda: access_host(store, issuing=issuing, holder=HOLDER.public, validity=timedelta(days=1)), path)


class Domain:
    """A controller's side of it."""

    def __init__(self, engine):
        self.live = Live()
        clock = JumpingClock()

        async def silent(_thing, _message):
            raise TransportError("nobody answers")

        self.access = RemoteAccess(
            engine,
            self.live,
            RelyingParties(silent),
            store=MemoryStore(),
            domain="home",
            clock=clock,
            random_bytes=bytes,
        )
        self.tokens, self.issuer = self.access.tokens, RemoteIssuer(self.access)
        self.permits = RemotePermits(self.access, KEY, clock=clock)

    async def join(self, thing, number=1):
        self.access.propose(thing.id, proposal(number))
        return await self.access.admit(thing, **demand(thing))


def demand(thing=THING):
    return {"cause": "a cause", "transition_id": thing.transition_id}


def told(path, story):
    with closing(EngineSocket(path, patience=5)) as engine:
        return asyncio.run(story(Domain(engine)))


def test_a_join_is_granted_there_and_lives_here(path):
    store = MemoryStore()

    async def first(domain):
        await domain.join(THING)
        assert domain.live.is_live(THING.id)
        assert domain.access.scope_of(THING.id) is not None
        assert domain.access.holder_of(THING.id) == proposal(1).public
        await domain.access.reserve(THING.id, 512)
        assert domain.live.live[THING.id] == 512
        return domain.access.tokens_of(THING.id)

    async def second(domain):
        await domain.access.begin()
        # Known again, and nothing is installed by that: numbers of an association never begin anew.
        assert domain.access.scope_of(THING.id) is not None
        assert not domain.live.is_live(THING.id)
        domain.access.resume([THING.id])
        assert domain.live.live[THING.id] == 512
        assert domain.access.tokens_of(THING.id) == issued

    with hosting(path, store):
        issued = told(path, first)
    with hosting(path, store):
        told(path, second)


def test_a_process_that_was_started_again_installs_nothing_a_second_time(path):
    store = MemoryStore()

    async def story(domain):
        with hosting(path, store):
            await domain.join(THING)
            await domain.access.reserve(THING.id, 512)
        with hosting(path, store):
            domain.live.live[THING.id] = 77
            await domain.tokens.tidy()
            assert domain.live.live[THING.id] == 77

    told(path, story)


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("name", ["restrict", "withdraw"])
def test_what_is_taken_back_ends_here_also_where_nobody_is_there(path, name):
    async def story(domain):
        with hosting(path, MemoryStore()):
            await domain.join(THING)
        with pytest.raises(TransportError):
            await getattr(domain.access, name)(THING, **demand())
        assert not domain.live.is_live(THING.id)
        assert domain.access.scope_of(THING.id) is None

    told(path, story)


@pytest.mark.requirement("R-09")
def test_whom_it_withdrew_it_grants_nothing_any_more_whoever_asks(path):
    async def story(domain):
        await domain.join(THING)
        await domain.access.withdraw(GONE, **demand())
        with pytest.raises(ForbiddenError, match="withdrawn"):
            await domain.join(THING)
        assert not domain.live.is_live(THING.id)
        with pytest.raises(StateError):
            domain.access.tokens_of(THING.id)

    with hosting(path, MemoryStore()):
        told(path, story)


def test_tokens_of_things_are_issued_there_known_here_and_taken_back(path):
    async def story(domain):
        changed: list[str] = []
        domain.tokens.on_change = changed.append
        for number, thing in enumerate((THING, PEER), 1):
            await domain.join(thing, number)
        decision = PeerDecision("a rule", SCOPE, timedelta(hours=1))
        response = await domain.issuer.issue(THING.id, PEER.id, TokenRequest(PEER.id), decision)
        asked = codec.encode({11: response.access_token})
        assert codec.decode(domain.issuer.introspect(PEER.id, asked))[10] is True
        ((name, issued),) = [one for one in domain.tokens.of(THING.id) if one[1].audience == PEER.id]
        draft = Draft(JumpingClock().utc(), Kind.REVOCATION, "owner", THING.id, "operator")
        assert await domain.tokens.revoke({name: issued}, entries=[draft]) == 1
        assert domain.tokens.find(name).is_revoked
        assert {THING.id, PEER.id} <= set(changed)
        assert codec.decode(domain.issuer.introspect(PEER.id, asked)) == {10: False}
        with pytest.raises(StateError):
            await domain.tokens.note(name, issued)
        await domain.tokens.tidy()

    with hosting(path, MemoryStore()):
        told(path, story)


def test_permits_of_people_are_issued_there_and_known_here(path):
    async def story(domain):
        lifetime, tasks = timedelta(hours=1), [next(iter(Task))]
        encoded, permit = await domain.permits.issue(
            "mia", PERSON.public, THING.id, tasks=tasks, lifetime=lifetime, by="owner"
        )
        assert encoded
        assert list(domain.permits) == [permit]
        assert await domain.permits.withdraw("mia", by="owner") == 1
        assert list(domain.permits) == []

    with hosting(path, MemoryStore()):
        told(path, story)


def test_what_it_has_no_word_for_is_not_taken_up(path):
    async def story(domain):
        for name, values in (("standing", []), ("install", [1]), ("documents", ["trl/"]), ("anything", [1])):
            with pytest.raises((DecodeError, ForbiddenError)):
                domain.access.told(name, values)
        domain.access.told("documents", ["another/", {"a": b"b"}])
        domain.access.retract(THING.id)
        assert domain.access.allocate_recipient_id() == bytes(3)

    told(path, story)
