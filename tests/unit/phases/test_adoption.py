"""What an owner says to a thing whose updates it takes over, and what it makes of a refusal."""

import asyncio

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, ForbiddenError, ThingsteadError
from thingstead.phases.adoption import Adoption
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import custody, papers, succession
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.profile.papers import Papers

pytestmark = pytest.mark.requirement("R-78")

OWNER, RELEASES = generate(KeyType.P256), generate(KeyType.P256).public
SHOWN = Message(Code.CONTENT, payload=papers.encode(Papers(b"identity", b"voucher", ())))


def adopted(*answers):
    given, asked = list(answers), []

    async def ask(_thing, message, _within):
        asked.append(message)
        return given.pop(0)

    adoption = Adoption(ask, domain="home", owner=OWNER, clock=JumpingClock())
    asyncio.run(adoption.adopt(a_thing().id, "A1", succession.begin(KeySet((RELEASES,)))))
    return asked


def test_the_link_is_from_the_owner_to_itself():
    asked = adopted(SHOWN, Message(Code.CHANGED))
    assert [message.code for message in asked] == [Code.GET, Code.PUT]
    assert custody.names((asked[1].payload,), OWNER.public)


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([Message(Code.FORBIDDEN)], ForbiddenError),
        ([Message(Code.CONTENT, payload=b"\xff")], DecodeError),
        ([SHOWN, Message(Code.FORBIDDEN)], ForbiddenError),
        ([SHOWN, Message(Code.CONTENT)], ForbiddenError),
    ],
    ids=["no papers", "not papers", "refused", "not done"],
)
def test_what_the_thing_does_not_take_is_an_error(answers, error):
    with pytest.raises(error):
        adopted(*answers)
    assert issubclass(error, ThingsteadError)
