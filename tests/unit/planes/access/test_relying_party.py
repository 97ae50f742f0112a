"""Who is asked about tokens, and what it means that nobody answers."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.errors import AuthenticationError, TransportError
from thingstead.planes.access.issued_tokens import IssuedToken
from thingstead.planes.access.relying_party import RelyingParties
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile.standing import HolderQuestion, MemberStanding

pytestmark = pytest.mark.requirement("R-09")
HOLDER, LAMP, DOOR = (a_thing(number).id for number in (1, 2, 3))
HOUR = timedelta(hours=1)


def a_hash(number):
    return b"\1" + bytes([number]) * 32


def held(number, server, *, hours=1, subject=HOLDER):
    return a_hash(number), IssuedToken(subject, server, AT + hours * HOUR)


def content(standing):
    return Message(Code.CONTENT, payload=standing.encode())


def ask(tokens, **answers):
    """Peers by what they answer: a message, an error, or None for no answer ever."""
    asked = {}

    async def one(thing, message):
        asked[thing] = HolderQuestion.decode(message.payload)
        answer = answers["lamp" if thing == LAMP else "door"]
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asyncio.run(RelyingParties(one, within=0.01).peers_of(HOLDER, tokens)), asked


REFUSES, ACCEPTS = MemberStanding(False, 0, AT), MemberStanding(True, 0, AT + HOUR)


def test_each_peer_is_asked_about_all_tokens_for_it_and_about_no_other():
    tokens = [held(1, LAMP), held(2, DOOR), held(3, LAMP), held(4, HOLDER, subject=LAMP)]
    peers, asked = ask(tokens, lamp=content(REFUSES), door=content(ACCEPTS))
    assert asked == {LAMP: HolderQuestion((a_hash(1), a_hash(3))), DOOR: HolderQuestion((a_hash(2),))}
    assert peers.accepting == [DOOR]
    assert peers.last_acceptance == AT + HOUR
    assert peers.bound is None
    assert peers.describe() == f"1 peers refuse, {DOOR} accept"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        TransportError("off"),
        AuthenticationError("another key"),
        Message(Code.FORBIDDEN),
        Message(Code.BAD_REQUEST, payload=REFUSES.encode()),
        Message(Code.CONTENT),
        Message(Code.CONTENT, payload=b"\xff"),
    ],
    ids=["silent", "off", "other", "forbidden", "old", "empty", "damaged"],
)
def test_who_says_nothing_of_use_may_accept_until_the_last_token_for_it_ends(answer):
    tokens = [held(1, LAMP, hours=2), held(2, LAMP, hours=5), held(3, LAMP, hours=3), held(4, DOOR, hours=9)]
    peers, _ = ask(tokens, lamp=answer, door=content(REFUSES))
    assert peers.bound == AT + 5 * HOUR
    assert peers.silent == {LAMP: AT + 5 * HOUR}
    assert not peers.accepting
    assert f"{LAMP} is silent and may accept until {AT + 5 * HOUR:%Y-%m-%d %H:%M:%S}Z" in peers.describe()


def test_a_thing_that_may_ask_nobody_has_no_peers():
    peers, asked = ask([held(1, HOLDER, subject=LAMP)])
    assert (peers.told, peers.silent, asked) == ({}, {}, {})
