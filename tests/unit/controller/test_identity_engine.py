"""The identity plane in another process: it signs what it issues, and its status is told where it is asked."""

import asyncio
from contextlib import closing

import pytest

from tests.hosting import hosted
from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.identity.authority import HOLDER, KEY
from thingstead.cli.hosting import identity_host
from thingstead.controller.config import ControllerConfig
from thingstead.controller.identity_engine import RemoteAuthority
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.plane import Standing
from thingstead.errors import DecodeError, ForbiddenError, StateError, TransportError
from thingstead.planes.identity.status_list import CredentialStatus
from thingstead.protocols.cwt import token
from thingstead.protocols.cwt.claims import Claim
from thingstead.storage.memory import MemoryStore
from thingstead.transport.engine_socket import EngineSocket

THING = a_thing()
GONE = THING.evolve(state=LifecycleState.DECOMMISSIONED)
DEMAND = {"cause": "a cause", "transition_id": THING.transition_id}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "identity.engine"


def hosting(path, store):
    numbers = iter(range(1, 1000))

    def make():
        return identity_host(
            store,
            key=KEY,
            config=ControllerConfig(),
            clock=JumpingClock(),
            random_bytes=lambda size: next(numbers).to_bytes(size, "big"),
        )

    return hosted(make, path)


def told(path, story):
    with closing(EngineSocket(path, patience=5)) as engine:
        return asyncio.run(story(RemoteAuthority(engine, store=MemoryStore(), clock=JumpingClock())))


async def issued(plane):
    """A credential, and its name."""
    plane.prove(THING.id, HOLDER)
    await plane.admit(THING, **DEMAND)
    encoded = plane.credential_of(THING.id)
    return encoded, token.decode(encoded).claims.values[Claim.CTI]


def test_what_is_issued_there_is_told_here_and_again_after_another_start(path):
    store = MemoryStore()

    async def first(plane):
        encoded, cti = await issued(plane)
        assert plane.status(cti) is CredentialStatus.VALID
        return encoded, cti

    async def second(plane):
        await plane.begin()
        assert plane.status(cti) is CredentialStatus.VALID
        assert plane.credential_of(THING.id) == encoded
        await plane.begin()
        await plane.restrict(THING, **DEMAND)
        assert plane.status(cti) is CredentialStatus.SUSPENDED
        await plane.admit(THING, **DEMAND)
        assert plane.status(cti) is CredentialStatus.VALID

    with hosting(path, store):
        encoded, cti = told(path, first)
    with hosting(path, store):
        told(path, second)


@pytest.mark.requirement("R-09")
def test_whom_it_withdrew_it_issues_for_no_more_whoever_asks(path):
    async def story(plane):
        _, cti = await issued(plane)
        await plane.withdraw(GONE, **DEMAND)
        assert plane.status(cti) is CredentialStatus.REVOKED
        with pytest.raises(ForbiddenError, match="withdrawn"):
            await issued(plane)
        with pytest.raises(StateError):
            plane.credential_of(THING.id)

    with hosting(path, MemoryStore()):
        told(path, story)


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("name", ["restrict", "withdraw"])
def test_where_nobody_is_no_credential_is_told_to_be_valid_that_was_to_be_taken_back(path, name):
    async def story(plane):
        with hosting(path, MemoryStore()):
            _, cti = await issued(plane)
        with pytest.raises(TransportError):
            await getattr(plane, name)(THING, **DEMAND)
        assert plane.status(cti) is CredentialStatus.SUSPENDED
        assert (await plane.probe(THING)).standing is Standing.REFUSED

    told(path, story)


def test_nothing_is_issued_for_what_was_not_proven_or_was_a_join_that_is_over(path):
    async def story(plane):
        plane.prove(THING.id, HOLDER)
        plane.disprove(THING.id)
        assert "nothing to issue" in (await plane.admit(THING, **DEMAND)).detail
        with pytest.raises(DecodeError):
            await plane.ask(None, "issue", THING, b"no key", "a cause", THING.transition_id)
        with pytest.raises(ForbiddenError):
            plane.told("anything", [1])

    with hosting(path, MemoryStore()):
        told(path, story)
