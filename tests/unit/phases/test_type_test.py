"""What a stranger tries at a thing, against things that are weak in one way; whole things are in tests/scenarios."""

import asyncio
from collections import Counter

import pytest

from thingstead.domain.check import Outcome
from thingstead.errors import DecodeError, NoResponseError
from thingstead.phases.knocking import MALFORMED
from thingstead.phases.type_test import CHECKS, Subject, examine
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.message import Message, MessageType, request
from thingstead.protocols.coap.registry import Code, OptionNumber

pytestmark = pytest.mark.requirement("R-84")
ADDRESS = ("192.0.2.7", 5683)
RECORDED = coap.encode_as(
    Message(Code.POST, options=[(OptionNumber.OSCORE, b"\x09\x01")], payload=b"sealed"), MessageType.CON, 7, b"t"
)
SEALED = Message(Code.CHANGED, options=[(OptionNumber.OSCORE, b"")], payload=b"sealed")


class Thing:
    """Answers a stranger as it is told to: 4.01 to every request, a Reset to a ping, nothing to nonsense."""

    def __init__(self):
        self.answer = lambda _asked: Message(Code.UNAUTHORIZED)
        self.pongs = 1_000_000
        self.open_ports = set()
        self.said: Counter[tuple[str, int]] = Counter()

    async def say(self, datagram, address, *, within, until):
        assert within > 0
        self.said[address] += 1
        try:
            asked = coap.decode(datagram)
        except DecodeError:
            return ()
        if asked.code == Code.EMPTY:
            self.pongs -= asked.type is MessageType.CON
            if self.pongs < 0 or address != ADDRESS:
                return ()
            return (coap.encode_as(Message(Code.EMPTY), MessageType.RST, asked.mid, b""),)
        answer = self.answer(asked)
        heard = () if answer is None else (coap.encode_as(answer, MessageType.ACK, asked.mid, asked.token),)
        assert all(until(one) for one in heard if one[1])
        return heard

    async def knock(self, host, port, *, within):
        assert (host, within > 0) == (ADDRESS[0], True)
        return port in self.open_ports


def results(thing, *, is_alone=True, overheard=(RECORDED,)):
    async def overhear():
        if isinstance(overheard, Exception):
            raise overheard
        return overheard

    return {one.name: one for one in asyncio.run(examine(Subject(ADDRESS, is_alone, overhear), thing))}


def outcomes(thing, **changes):
    return {name: one.outcome for name, one in results(thing, **changes).items()}


@pytest.fixture
def thing():
    return Thing()


def test_a_thing_that_refuses_all_of_it_passes_all_of_it(thing):
    assert outcomes(thing) == dict.fromkeys(CHECKS, Outcome.PASSED)


def test_discovery_alone_may_be_answered_in_clear(thing):
    core = request(Code.GET, "/.well-known/core").options
    thing.answer = lambda asked: Message(Code.CONTENT if asked.options == core else Code.UNAUTHORIZED)
    assert outcomes(thing)["in-clear"] is Outcome.PASSED or asked_twice(thing)
    thing.answer = lambda asked: Message(Code.CHANGED if asked.code == Code.PUT else Code.UNAUTHORIZED)
    check = results(thing)["in-clear"]
    assert check.outcome is Outcome.FAILED
    assert check.said[0] == "PUT / is answered with 2.04"


def asked_twice(thing):
    """FETCH, POST and PUT of the same place are not GET."""
    said = results(thing)["in-clear"].said
    return {one.split()[0] for one in said} == {"FETCH", "POST", "PUT"}


def test_an_acknowledgement_alone_is_neither_an_answer_nor_silence(thing):
    thing.answer = lambda _asked: Message(Code.EMPTY)
    thing.answer = lambda _asked: None if thing.said[ADDRESS] % 2 else Message(Code.UNAUTHORIZED)
    assert outcomes(thing)["in-clear"] is Outcome.PASSED


def test_what_falls_silent_is_not_said_to_have_passed(thing):
    thing.answer = lambda _asked: None
    found = results(thing)
    assert found["in-clear"].outcome is Outcome.NOT_RUN
    assert found["in-clear"].said == ("it fell silent at PUT /",)


def test_who_answers_no_stranger_is_not_asked_more(thing):
    thing.pongs = 0
    found = outcomes(thing)
    assert {found[name] for name in CHECKS[:-1]} == {Outcome.NOT_RUN}
    assert found["open-services"] is Outcome.PASSED
    assert thing.said[ADDRESS] == 1


def test_a_thing_that_nonsense_silences_fails(thing):
    thing.pongs = 1
    check = results(thing)["nonsense"]
    assert (check.outcome, check.said[-1]) == (Outcome.FAILED, "it answers no ping any more")


def test_a_thing_that_takes_nonsense_for_a_request_fails(thing):
    strange = bytes.fromhex(MALFORMED["an unknown critical option"])
    thing.answer = lambda asked: Message(Code.CONTENT if asked.mid == strange[3] else Code.UNAUTHORIZED)
    check = results(thing)["nonsense"]
    assert check.outcome is Outcome.FAILED
    assert any(one.startswith("an unknown critical option is answered with 2.05") for one in check.said)


def test_a_thing_that_understands_a_published_key_fails(thing):
    def answer(asked):
        return SEALED if asked.option(OptionNumber.OSCORE) == b"\x09\x00\x01" else Message(Code.UNAUTHORIZED)

    thing.answer = answer
    check = results(thing)["published-keys"]
    assert check.outcome is Outcome.FAILED
    assert check.said[0] == "the master secret RFC 8613 appendix C, kid 01"


@pytest.mark.spec("RFC 8613 7.4")
def test_a_thing_that_serves_what_was_recorded_fails_each_way(thing):
    thing.answer = lambda asked: SEALED if asked.payload == b"sealed" else Message(Code.UNAUTHORIZED)
    assert len(results(thing)["replay"].said) == 2
    thing.answer = lambda asked: SEALED if asked.payload == b"sealed" and asked.mid != 7 else Message(Code.UNAUTHORIZED)
    assert results(thing)["replay"].said == ("a recorded request is served under another message ID",)


@pytest.mark.parametrize("overheard", [(), (b"\x40\x01\0\1",), (b"?",), NoResponseError("nobody answered")], ids=repr)
def test_where_nothing_could_be_recorded_no_replay_was_tried(thing, overheard):
    assert outcomes(thing, overheard=overheard)["replay"] is Outcome.NOT_RUN


def test_open_ports_are_named_where_the_address_is_the_things_alone(thing):
    thing.open_ports = {23, 80}
    assert results(thing)["open-services"].said == ("TCP 23", "TCP 80")
    assert outcomes(thing, is_alone=False)["open-services"] is Outcome.NOT_APPLICABLE
