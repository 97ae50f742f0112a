import asyncio

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.errors import AuthenticationError, StorageError, TransportError
from thingstead.planes.groups.relying_party import RelyingParties
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm import GroupKeys, Peer
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile.standing import MemberStanding, StandingQuestion
from thingstead.secret import Secret

ONE, TWO, THREE = (a_thing(number).id for number in (1, 2, 3))
QUESTION = StandingQuestion("lamps", bytes(32))
STANDING = MemberStanding(True, 7, AT)


def keys_of(thing):
    """What one member would hold; told apart from another's by its name."""
    peer = Peer(b"\1", thing.encode(), Role.RESPONDER, Scope({}))
    return GroupKeys(
        name="lamps",
        num=1,
        gid=b"gid",
        master_secret=Secret(bytes(16)),
        master_salt=b"",
        sender_id=b"\1",
        gm_credential=b"gm",
        expires_in=1,
        members=(peer,),
    )


class Members:
    """Things by what they answer: a message, an error, or None for no answer ever."""

    def __init__(self, **answers):
        self.answers = dict(zip((ONE, TWO, THREE), answers.values(), strict=False))
        self.asked = {}
        self.parties = RelyingParties(self._ask, within=0.01)

    async def _ask(self, thing, message):
        self.asked[thing] = message
        answer = self.answers[thing]
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def standings(self):
        return asyncio.run(self.parties.standings(self.answers, QUESTION))

    def push(self):
        return asyncio.run(self.parties.push({thing: keys_of(thing).encode() for thing in self.answers}))


def content(standing=STANDING):
    return Message(Code.CONTENT, payload=standing.encode())


SILENT = [None, TransportError("off"), AuthenticationError("another key"), StorageError("no space left")]


@pytest.mark.parametrize("silence", SILENT, ids=repr)
def test_who_does_not_answer_holds_up_nobody_and_is_left_out(silence):
    assert Members(one=silence, two=content()).standings() == {TWO: STANDING}
    assert Members(one=silence, two=Message(Code.CHANGED)).push() == {TWO: True}


@pytest.mark.parametrize(
    "answer",
    [
        Message(Code.CHANGED, payload=STANDING.encode()),
        Message(Code.NOT_FOUND, payload=STANDING.encode()),
        Message(Code.CONTENT),
        Message(Code.CONTENT, payload=b"\xff"),
        Message(Code.CONTENT, payload=b"\x83\x01\x01\x01"),
    ],
)
def test_an_answer_that_is_no_standing_counts_as_none(answer):
    assert Members(one=answer, two=content()).standings() == {TWO: STANDING}


@pytest.mark.parametrize("code", [Code.CREATED, Code.CONTENT, Code.UNAUTHORIZED, Code.SERVICE_UNAVAILABLE])
def test_only_who_says_changed_has_taken_the_keys(code):
    assert Members(one=Message(code), two=Message(Code.CHANGED)).push() == {ONE: False, TWO: True}


def test_a_fault_of_ours_is_not_taken_for_silence():
    with pytest.raises(ZeroDivisionError):
        Members(one=ZeroDivisionError()).standings()


def test_each_member_gets_its_own_keys_and_all_get_one_question():
    members = Members(one=Message(Code.CHANGED), two=Message(Code.CHANGED))
    members.push()
    assert {thing: message.payload for thing, message in members.asked.items()} == {
        ONE: keys_of(ONE).encode(),
        TWO: keys_of(TWO).encode(),
    }
    assert {message.code for message in members.asked.values()} == {Code.PUT}
    members.standings()
    assert {(message.code, message.payload) for message in members.asked.values()} == {(Code.FETCH, QUESTION.encode())}


def test_nobody_to_ask_is_nobody_asked():
    assert Members().standings() == {}
    assert Members().push() == {}
