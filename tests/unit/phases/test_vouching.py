"""What a domain takes for a maker's word, and what it does not."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.masa.wire import KEY, OTHER, SESSION, STRANGER, THING, VOUCHER, Wire, asked
from thingstead.crypto.key import KeyType, generate
from thingstead.endpoint.association import Association
from thingstead.endpoint.derivation import context_of
from thingstead.endpoint.event import AssociationId
from thingstead.errors import (
    DecodeError,
    ForbiddenError,
    SecurityError,
    ThingsteadError,
    TransportError,
    UntrustedError,
)
from thingstead.phases import vouching
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.lake_authz import voucher
from thingstead.protocols.lake_authz.voucher import Binding
from thingstead.protocols.profile.maker_server import MakerServer

pytestmark = pytest.mark.requirement("R-59")

CARD = MakerServer("aurora", "coap://192.0.2.1", SESSION.public, VOUCHER.public)
NAME = AssociationId("maker aurora")


class Asking:
    """A domain on the wire of a genuine server; `answers`, where they are not None, come in its place."""

    def __init__(self, wire=None):
        self.wire = wire or Wire()
        self.sent = []

    def ask(self, *, protected=False, answers=()):
        planned = list(answers)

        async def send(message):
            self.sent.append(message)
            answer = planned.pop(0) if planned else None
            return answer or self.wire.ask(message, association=NAME if protected else None)

        return send

    def meet(self, card=CARD, *answers):
        oscore = asyncio.run(
            vouching.meet(
                card,
                self.ask(answers=answers),
                credential=self.wire.credential,
                key=self.wire.key,
                connection_id=b"\x37",
            )
        )
        self.wire._client.install(Association(NAME, context_of(oscore), address=("192.0.2.1", 5683)))

    def voucher(self, question, *answers):
        return asyncio.run(vouching.request_voucher(question, self.ask(protected=True, answers=answers)))


@pytest.mark.spec("draft-ietf-lake-authz-07 4.5")
def test_a_buyer_that_proved_its_key_gets_what_its_thing_will_take():
    domain, (question, key) = Asking(), asked()
    domain.meet()
    got = domain.voucher(question)
    assert voucher.authenticate(got, key, Binding(question.h_21, THING, domain.wire.credential.cred)).opaque


def test_another_server_at_that_place_learns_not_even_who_asks():
    domain = Asking()
    with pytest.raises(UntrustedError) as refused:
        domain.meet(MakerServer("aurora", CARD.location, STRANGER.public, VOUCHER.public))
    assert refused.value.reason == "server"
    assert len(domain.sent) == 1


def test_who_bought_nothing_is_told_so():
    with pytest.raises(UntrustedError) as refused:
        Asking(Wire(key=STRANGER)).meet()
    assert refused.value.reason == "no customer"


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize(
    "answer",
    [
        Message(Code.CHANGED, payload=b""),
        Message(Code.CHANGED, payload=bytes(80)),
        Message(Code.CHANGED, payload=codec.encode(bytes(200))),
        Message(Code.BAD_REQUEST, payload=b"\x01\x60"),
        Message(Code.CONTENT),
    ],
    ids=["empty", "zeros", "nonsense", "refusal", "content"],
)
def test_a_handshake_that_does_not_go_on_leads_to_no_session(step, answer):
    genuine = [None] * step
    with pytest.raises(ThingsteadError):
        Asking().meet(CARD, *genuine, answer)


def test_who_shows_the_server_s_credential_without_its_key_is_refused():
    wire = Wire()
    # As the genuine one in all but the private half.
    wire.server._key = generate(KeyType.P256)
    with pytest.raises((SecurityError, ThingsteadError, ValueError, AssertionError)):
        Asking(wire).meet()


@pytest.mark.parametrize(
    ("thing", "reason"), [(OTHER, "not sold"), (b"\xa1\x04\x44none", "unknown thing")], ids=["known", "unknown"]
)
def test_a_refusal_is_the_server_s_word(thing, reason):
    domain = Asking()
    domain.meet()
    with pytest.raises(ForbiddenError) as refused:
        domain.voucher(asked(thing=thing)[0])
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Message(Code.CHANGED), DecodeError),
        (Message(Code.CHANGED, payload=codec.encode([])), DecodeError),
        (Message(Code.CHANGED, payload=codec.encode([b"1", b"2"])), DecodeError),
        (Message(Code.CHANGED, payload=codec.encode([bytes(641)])), DecodeError),
        (Message(Code.FORBIDDEN), DecodeError),
        (Message(Code.INTERNAL_SERVER_ERROR), TransportError),
        (Message(Code.NOT_FOUND), TransportError),
        (Message(Code.UNAUTHORIZED), TransportError),
        (Message(Code.CONTENT, payload=codec.encode([b"1"])), TransportError),
    ],
    ids=["empty", "nothing", "two", "long", "mute", "fault", "absent", "unauthorised", "content"],
)
def test_another_answer_decides_nothing(answer, error):
    with pytest.raises(error):
        Asking().voucher(asked()[0], answer)


def test_the_domain_shows_the_server_the_credential_that_it_shows_things():
    domain = Asking()
    domain.meet()
    ((_, shown),) = domain.wire.server._sessions.items()
    assert shown.public == KEY.public
    assert shown.cred == domain.wire.credential.cred
