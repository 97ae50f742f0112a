"""A client comes to keys by an upload only where the other thing answers as it should."""

from typing import Any

import pytest

from tests.unit.agent.peers import LIGHT, LIGHT_AT, MATERIAL, Light, Switch
from thingstead.agent import meeting
from thingstead.agent.held_token import HeldToken
from thingstead.agent.story import Place
from thingstead.endpoint.event import AssociationId
from thingstead.errors import DecodeError, ForbiddenError, TransportError
from thingstead.protocols.ace.token_upload import TokenUpload, UploadAnswer
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code

pytestmark = [pytest.mark.requirement("R-57"), pytest.mark.spec("RFC 9203 4.3")]


class Meeting:
    """An upload of which the light's answer can be changed."""

    def __init__(self):
        self.light = Light()
        self.switch = Switch(self.light)
        now = self.light.clock.utc()
        self.held = HeldToken(LIGHT, self.light.issue_sealed(), None, now, now, material=MATERIAL)
        self.asked: Any = None
        self.taken = set()

    def upload(self, change=lambda answer: answer, held=None, random_bytes=None):
        story = meeting.by_upload(
            held or self.held,
            MATERIAL,
            Place(LIGHT_AT),
            self.taken.__contains__,
            random_bytes or self.switch.random_bytes,
        )
        self.asked = next(story)
        answer = change(self.light.answer(self.asked.message))
        try:
            if isinstance(answer, TransportError):
                story.throw(answer)
            else:
                story.send(answer)
        except StopIteration as end:
            return end.value
        raise AssertionError("it asks again")


@pytest.fixture
def meets():
    return Meeting()


def test_both_come_to_the_same_keys(meets):
    context = meets.upload()
    (name,) = meets.light.server._table._waiting
    theirs = meets.light.endpoint.association(name).context
    assert (context.sender.id, context.recipient.id) == (theirs.recipient.id, theirs.sender.id)
    assert context.sender.nonce_base == theirs.recipient.nonce_base


def test_nonce_and_identifier_are_fresh_each_time(meets):
    said = set()
    for _ in range(4):
        meets.upload()
        upload = TokenUpload.decode(meets.asked.message.payload)
        said.add((upload.nonce, upload.recipient_id))
    assert len(said) == 4
    assert not meets.asked.protected


def test_an_identifier_in_use_is_not_chosen(meets):
    meets.taken = {b"one"}
    numbers = iter([b"one", b"two", bytes(8)])
    meets.upload(random_bytes=lambda _size: next(numbers))
    assert TokenUpload.decode(meets.asked.message.payload).recipient_id == b"two"


def _created(payload):
    return lambda _answer: Message(Code.CREATED, payload=payload)


def _own_identifier(answer):
    return Message(Code.CREATED, payload=UploadAnswer(bytes(8), b"own").encode())


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (_created(b""), DecodeError),
        (_created(b"\xa0"), DecodeError),
        (_created(b"\x80"), DecodeError),
        (_created(codec.encode({42: bytes(8)})), DecodeError),
        (_created(codec.encode({44: b"\x01"})), DecodeError),
        (_created(codec.encode({42: b"", 44: b"\x01"})), DecodeError),
        (_created(codec.encode({42: bytes(8), 44: bytes(8)})), ForbiddenError),
        (lambda _answer: Message(Code.CHANGED), ForbiddenError),
        (lambda _answer: Message(Code.UNAUTHORIZED), ForbiddenError),
        (lambda _answer: Message(Code.BAD_REQUEST), ForbiddenError),
        (lambda _answer: TransportError("gone"), TransportError),
    ],
)
def test_no_keys_come_of_any_other_answer(meets, change, error):
    with pytest.raises(error):
        meets.upload(change)


def test_our_own_identifier_sent_back_makes_no_keys(meets):
    numbers = iter([b"own", bytes(8)])
    with pytest.raises(DecodeError, match="our own"):
        meets.upload(_own_identifier, random_bytes=lambda _size: next(numbers))


@pytest.mark.spec("RFC 9203 4.1")
@pytest.mark.parametrize(("is_shared", "content_format"), [(True, 19), (False, 61)])
def test_another_token_goes_under_the_keys_and_brings_no_nonce(meets, is_shared, content_format):
    material = MATERIAL if is_shared else None
    held = HeldToken(LIGHT, b"token", None, meets.held.issued_at, meets.held.expires, material=material)
    story = meeting.update(held, Place(LIGHT_AT, AssociationId("to-light")))
    asked: Any = next(story)
    assert asked.to.association == "to-light"
    assert asked.message.uint_option(12) == content_format
    assert asked.message.payload == (codec.encode({1: b"token"}) if is_shared else b"token")
    with pytest.raises(ForbiddenError) as caught:
        story.send(Message(Code.UNAUTHORIZED))
    assert caught.value.reason == meeting.REFUSED
