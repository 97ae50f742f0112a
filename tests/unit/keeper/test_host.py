"""A host over a real socket: one engine, one user, and nothing before it was told how things stand."""

import asyncio
import os
import socket

import pytest
from hypothesis import given, settings

from tests.hosting import hosted
from tests.unit.controller.planes import FakePlane, JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.keeper.test_server import MESSAGES
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.plane import PlaneName
from thingstead.domain.thing import Thing
from thingstead.domain.unit import Unit
from thingstead.errors import PolicyError, TransportError
from thingstead.identifier import ThingId
from thingstead.keeper.host import Host, Telling
from thingstead.protocols.cbor import codec
from thingstead.storage.memory import MemoryStore
from thingstead.transport.engine_socket import Ask, EngineSocket, Outcome, plain

THING = a_thing()
GONE = THING.evolve(state=LifecycleState.DECOMMISSIONED)


class Engine:
    """A plane, and three questions beside."""

    def __init__(self, store):
        self.plane = FakePlane(PlaneName.DATA, JumpingClock())
        self.store = store
        self.telling = Telling()
        self.both = asyncio.Event()

    async def begin(self, things: tuple[Thing, ...]) -> None:
        self.begun = things

    async def noted(self, thing: ThingId) -> str:
        await self.store.commit(Unit(entries=(Draft(JumpingClock().utc(), Kind.ERASURE, "owner", thing),)))
        return thing

    async def tells(self, what: int) -> int:
        self.telling.tell("first", what)
        if what == 1:
            await self.both.wait()
        else:
            self.both.set()
        self.telling.tell("second", what)
        return what

    def fails(self) -> None:
        raise ValueError("of our own")

    def refuses(self, why: str) -> None:
        raise PolicyError(why, reason="a-reason")


ASKED = ("noted", "tells", "refuses", "fails")


def a_host(store=None):
    store = store or MemoryStore()
    return Host(PlaneName.DATA, Engine(store), ASKED, store=store)


def answers(host, *calls):
    """What comes of calls by name, in order."""

    async def ask():
        return [await host.answer([int(Ask.CALL), name, plain(list(values))]) for name, *values in calls]

    return asyncio.run(ask())


BEGIN = ("begin", ())


def demand(name, thing=THING):
    return (name, thing, "a cause", thing.transition_id)


@pytest.mark.parametrize("call", [demand("admit"), demand("withdraw"), ("noted", THING.id), ("probe", THING)])
def test_nothing_is_decided_before_it_is_told_how_things_stand(call):
    host = a_host()
    before, _, after = answers(host, call, BEGIN, call)
    assert before == [int(Outcome.NOT_BEGUN)]
    assert after[0] == int(Outcome.DONE)


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("name", ["admit", "restrict"])
def test_whom_it_withdrew_it_admits_no_more_whoever_asks(name):
    store = MemoryStore()
    *_, refused = answers(a_host(store), BEGIN, demand("withdraw", GONE), demand(name))
    assert refused[:2] == [int(Outcome.REFUSED), "ForbiddenError"]
    # Nor does the process that follows it, also where that is told so at once.
    _, refused = answers(a_host(store), BEGIN, demand(name))
    assert refused[4] == "withdrawn"
    (refused,) = answers(a_host(store), ("begin", [THING]))
    assert refused[4] == "withdrawn"
    (begun,) = answers(a_host(store), ("begin", [GONE]))
    assert begun[0] == int(Outcome.DONE)


@pytest.mark.parametrize(
    "message",
    [
        [99],
        [int(Ask.CALL), "plane", []],
        [int(Ask.CALL), "__init__", []],
        [int(Ask.CALL), "admit", []],
        [int(Ask.CALL), "admit", [{}, "a cause", "x"]],
        [int(Ask.CALL), "noted", ["../thing"]],
        [int(Ask.CALL), "probe", [plain(a_thing()) | {"id": "../thing"}]],
        [int(Ask.CALL), "tells", ["1"]],
        [int(Ask.ENTRIES), -1],
        [int(Ask.ENTRIES), 1],
    ],
)
def test_what_is_not_asked_of_it_is_refused_and_counted(message, caplog):
    host = a_host()

    async def ask():
        await host.answer([int(Ask.CALL), "begin", [[]]])
        return await host.answer(message)

    assert asyncio.run(ask())[0] == int(Outcome.REFUSED)
    assert host.refused == 1
    assert len(caplog.records) == 1


def test_an_error_goes_over_as_it_is():
    _, refused = answers(a_host(), BEGIN, ("refuses", "no"))
    assert refused == [int(Outcome.REFUSED), "PolicyError", "no", "", "a-reason", 0, []]


def test_a_fault_of_its_own_is_an_answer_too(caplog):
    _, failed, done = answers(a_host(), BEGIN, ("fails",), ("noted", THING.id))
    assert failed[:3] == [int(Outcome.REFUSED), "StateError", "the data plane failed: ValueError"]
    assert done[0] == int(Outcome.DONE)
    assert len(caplog.records) == 1


def test_what_it_has_for_the_ledger_is_counted_and_fetched():
    host = a_host()
    _, done = answers(host, BEGIN, ("noted", THING.id))
    assert done[2] == 1
    told, later = asyncio.run(host.answer([int(Ask.ENTRIES), 0])), asyncio.run(host.answer([int(Ask.ENTRIES), 1]))
    assert len(told[1]) == 1
    assert later[1] == []


def test_what_it_tells_its_relying_party_goes_with_the_answer_that_it_belongs_to():
    host = a_host()

    async def ask():
        await host.answer([int(Ask.CALL), "begin", [[]]])
        return await asyncio.gather(*[host.answer([int(Ask.CALL), "tells", [what]]) for what in (1, 2)])

    for what, answer in enumerate(asyncio.run(ask()), 1):
        assert answer[3] == [["first", [what]], ["second", [what]]]


def test_another_user_gets_no_answer(tmp_path):
    path = tmp_path / "data.socket"
    socket_of = EngineSocket(path, patience=2)
    with hosted(a_host, path, user=os.geteuid() + 1), pytest.raises(TransportError, match="nobody answers"):
        socket_of.ask_now([int(Ask.CALL), "begin", [[]]])
    socket_of.close()


@pytest.mark.parametrize("sent", [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\1\xff", b"\0\0\0\1\x80", b"\0\0\0\5\x81"])
def test_bytes_that_are_no_message_end_the_connection_and_not_the_engine(tmp_path, sent):
    path = tmp_path / "data.socket"
    engine = EngineSocket(path, patience=2)
    with hosted(a_host, path):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(5)
            assert sock.recv(1) == b""
        assert engine.ask_now([int(Ask.CALL), "begin", [[]]]).outcome is Outcome.DONE
    engine.close()


@settings(max_examples=100, deadline=None)
@given(MESSAGES)
def test_no_message_brings_a_host_to_more_than_an_answer(message):
    """Whatever is asked, the answer is one of the three forms."""
    answer = asyncio.run(a_host().answer(message if isinstance(message, list) else [1, message, []]))
    assert answer[0] in {0, 1, 2}
    codec.encode(answer)
