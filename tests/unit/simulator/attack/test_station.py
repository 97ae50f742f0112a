from dataclasses import replace

import pytest

from tests.scenarios.threats.ground import attacked
from thingstead.agent.outbox import DOMAIN
from thingstead.agent.story import Request, Wait
from thingstead.errors import ForbiddenError, StateError, TransportError
from thingstead.protocols.coap.message import decode, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.profile import path
from thingstead.simulator.attack.member import joined, telemetry, values_kept
from thingstead.simulator.attack.station import Answer, Station

CORE = request(Code.GET, path.WELL_KNOWN_CORE)


def at_the_door(act, *, address=None):
    """Run `act` on a station beside a domain, or beside an address where nobody is."""

    async def attack(target):
        station = Station(target if address is None else replace(target, address=address))
        try:
            await act(station)
        finally:
            station.close()
        return []

    attacked(attack)


NOWHERE = ("203.0.113.250", 5683)


@pytest.mark.parametrize(
    ("answer", "told", "is_success"),
    [
        (Answer(Code.CONTENT), "2.05", True),
        (Answer(Code.FORBIDDEN), "4.03", False),
        (Answer(Code.INTERNAL_SERVER_ERROR), "5.00", False),
        (Answer(0, "context"), "refused in clear (context)", False),
    ],
)
def test_an_answer_is_a_code_or_the_reason_why_there_is_none(answer, told, is_success):
    assert (str(answer), answer.is_success) == (told, is_success)


def test_a_request_is_asked_as_a_proper_client_asks():
    async def act(station):
        assert (await station.request(CORE)).code == Code.CONTENT
        # The answer is over three times the question: the first time it is told to show where it is (RFC 9175 §2.4).
        assert len(station.sent) == 2
        assert decode(station.sent[1]).option(OptionNumber.ECHO)
        assert station.heard

    at_the_door(act)


def test_where_nobody_is_nothing_is_answered():
    async def act(station):
        assert not await station.is_answered()
        assert str(await station.ask(CORE)).startswith("refused in clear")
        with pytest.raises(TransportError):
            await station.request(CORE)
        with pytest.raises(TransportError, match="ping"):
            await station.throw([b"\x40\x01\0\1"])

    at_the_door(act, address=NOWHERE)


def test_every_ping_waits_for_its_own_answer():
    async def act(station):
        assert [await station.is_answered() for _ in range(3)] == [True] * 3
        station.receive_datagram(b"\x70\0\x70\1", NOWHERE, 0.0)
        assert station.heard == [b"\x70\0\x70\1"]

    at_the_door(act)


def test_what_is_thrown_leaves_as_it_is_and_what_is_heard_of_it_comes_back():
    async def act(station):
        assert await station.throw([]) == []
        assert await station.throw([b"\x70\0\0\1"]) == []
        (reset,) = await station.throw([b"\x40\0\0\7"])
        assert reset == b"\x70\0\0\7"

    at_the_door(act)


def test_a_prepared_request_does_not_leave_until_it_is_thrown():
    async def attack(target):
        async with joined(target) as member:
            datagram = member.station.prepare(telemetry(target, 1.0), association=DOMAIN)
            assert datagram not in member.station.sent
            assert await values_kept(target, member) == 0
            await member.station.throw([datagram])
            assert await values_kept(target, member) == 1
        return []

    attacked(attack)


def played(*steps, address=None):
    """The result of a story that makes these steps, with the code of each response."""
    results = []

    def story():
        for step in steps:
            if isinstance(step, Exception):
                raise step
            try:
                yield step
            except TransportError as error:
                return error.reason
        return "done"

    async def act(station):
        results.append(await station.play(story()))

    at_the_door(act, address=address)
    return results[0]


def test_a_story_ends_with_its_result_or_with_its_error():
    ask = Request(CORE)
    assert played(ask, Wait(3.0), ask) == ("done", [Code.CONTENT, Code.CONTENT])
    error = ForbiddenError("enough")
    assert played(ask, error) == (error, [Code.CONTENT])
    assert played(StateError("at once"))[1] == []


def test_a_story_is_told_that_nobody_answers():
    reason, codes = played(Request(CORE), address=NOWHERE)
    assert (codes, bool(reason)) == ([], True)
