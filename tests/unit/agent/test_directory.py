"""A thing is in the directory for as long as it lives, and asks no more often than it must."""

import pytest

from tests.unit.agent.peers import Light
from thingstead.agent.directory import DIRECTORY_STORY, may_register, tell
from thingstead.agent.story import Request, Wait
from thingstead.errors import TransportError
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber

pytestmark = pytest.mark.spec("RFC 9176 5")


def telling(*, is_wanted=True):
    return tell(
        lambda: "thing-aaaaaaaaaaaaaaaa", lambda: ["/light"], lifetime=100.0, retry=2.0, is_wanted=lambda: is_wanted
    )


def asked(effect):
    assert isinstance(effect, Request)
    return effect.message.code, effect.message.path, effect.message.queries, effect.message.payload


REGISTER = (Code.POST, "/rd", ["ep=thing-aaaaaaaaaaaaaaaa", "lt=100"], b"</light>")
RENEW = (Code.POST, "/reg/7", ["lt=100"], b"")
CREATED = Message(Code.CREATED, options=[(OptionNumber.LOCATION_PATH, b"reg"), (OptionNumber.LOCATION_PATH, b"7")])


def test_it_registers_and_renews_in_the_last_quarter():
    story = telling()
    assert asked(next(story)) == REGISTER
    assert story.send(CREATED) == Wait(75.0, DIRECTORY_STORY)
    assert asked(story.send(None)) == RENEW
    assert story.send(Message(Code.CHANGED)) == Wait(75.0, DIRECTORY_STORY)


def test_who_was_forgotten_registers_anew():
    story = telling()
    next(story)
    story.send(CREATED)
    assert asked(story.send(None)) == RENEW
    assert asked(story.send(Message(Code.NOT_FOUND))) == REGISTER


@pytest.mark.spec("RFC 9176 5.3")
def test_it_renews_where_the_directory_says_that_it_is():
    story = telling()
    next(story)
    named = [(8, b"reg"), (8, b""), (20, b"d=a")]
    story.send(Message(Code.CREATED, options=[(4, b"tag"), *named]))
    renewal = story.send(None).message
    assert renewal.options == [(11, b"reg"), (11, b""), (15, b"d=a"), (15, b"lt=100")]


@pytest.mark.parametrize("answer", [Message(Code.CREATED), Message(Code.CHANGED, options=[(8, b"reg")])])
def test_an_answer_that_names_no_place_is_no_registration(answer):
    story = telling()
    next(story)
    assert story.send(answer) == Wait(2.0, DIRECTORY_STORY)
    assert asked(story.send(None)) == REGISTER


def test_failures_are_tried_again_ever_more_slowly():
    story, waits = telling(), []
    next(story)
    for _ in range(3):
        waits.append(story.throw(TransportError("gone")))
        story.send(None)
    waits.append(story.send(Message(Code.FORBIDDEN)))
    assert waits == [Wait(seconds, DIRECTORY_STORY) for seconds in (2.0, 4.0, 8.0, 16.0)]


def test_who_may_not_register_does_not_ask():
    assert next(telling(is_wanted=False)) == Wait(75.0, DIRECTORY_STORY)


@pytest.mark.parametrize(("path", "may"), [("/rd", True), ("/rd/own", False), ("/senml", False)])
def test_its_token_says_whether_it_may(path, may):
    assert may_register(Light().issue(scope=Scope({path: 2}))) is may
