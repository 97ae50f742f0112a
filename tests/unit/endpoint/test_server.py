"""The server among hostile peers: what they can fill is bounded, what they forge changes nothing of others'."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.unit.endpoint.ladder import CONTROLLER, OBSERVE, SECURED, THING, answered, context, endpoint, events
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import Retention
from thingstead.endpoint.event import AssociationId, RequestReceived
from thingstead.protocols.coap import block
from thingstead.protocols.coap.block import Block
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import protect_request, unprotect_response
from thingstead.secret import Secret

GET = request(Code.GET, "/a")
CON, NON, ACK, RST = MessageType
ECHO, BLOCK1 = int(OptionNumber.ECHO), int(OptionNumber.BLOCK1)
STRANGER = ("203.0.113.9", 40000)


def sent(side, now=0.0):
    return [decode(data) for data, _ in side.datagrams_to_send(now)]


def accept(side, now=0.0):
    """The application takes every request, and every observer; how many requests there were."""
    count = 0
    for event in events(side):
        if isinstance(event, RequestReceived):
            count += 1
            side.send_response(event.exchange, answered(Code.CONTENT, b"state", OBSERVE), now)
    return count


class Thing:
    """A peer behind an association, or a stranger, that says by hand what it likes."""

    def __init__(self, side, *, secured=True, source=THING):
        self.side, self.source, self.mid = side, source, 0
        self.context, self.is_secured = context(), secured
        if secured:
            side.install(Association(SECURED, context(mirrored=True), address=source))

    def say(self, code=Code.GET, *options, payload=b"", token=b"", kind=NON, now=0.0, path="/a"):
        """The inner responses that one request draws, and what else came."""
        self.mid += 1
        asked = request(code, path, payload=payload).with_options(*options)
        asked.type, asked.mid, asked.token = kind, self.mid, token or self.mid.to_bytes(2, "big")
        binding = None
        if self.is_secured:
            asked, binding = protect_request(asked, context=self.context)
        self.side.receive_datagram(encode(asked), self.source, now)
        accept(self.side, now)
        replies = sent(self.side, now)
        return [reply if binding is None else unprotect_response(reply, binding=binding) for reply in replies]


SMALL = Retention(
    max_exchanges=4,
    max_observers=4,
    max_observers_per_peer=2,
    uploads=block.Limits(max_bodies=4, max_bodies_per_peer=2, max_total=4096, max_body=2048, max_age=30.0),
)


@pytest.mark.requirement("R-36")
def test_a_peer_that_begins_bodies_and_never_ends_them_takes_room_of_its_own_only():
    side = endpoint(known=SMALL)
    thing = Thing(side)
    first = (BLOCK1, Block(0, True, 2).encode())
    for number in range(50):
        (reply,) = thing.say(Code.PUT, first, payload=bytes(64), path=f"/{number}")
        assert reply.code == Code.CONTINUE
    uploads = side._layer.known.uploads
    assert (len(uploads), uploads.held) == (2, 128)
    (reply,) = thing.say(Code.PUT, (BLOCK1, Block(1, False, 2).encode()), payload=b"x", path="/0")
    assert reply.code == Code.REQUEST_ENTITY_INCOMPLETE


@pytest.mark.requirement("R-36")
def test_a_peer_that_observes_without_end_gets_plain_answers_at_last():
    side = endpoint(known=SMALL)
    thing = Thing(side)
    observed = [thing.say(Code.GET, OBSERVE)[0].option(OptionNumber.OBSERVE) is not None for _ in range(10)]
    assert observed == [True, True] + [False] * 8
    assert len(side._layer.known.observing) == 2


@pytest.mark.requirement("R-36")
@pytest.mark.requirement("R-49")
def test_strangers_that_show_themselves_fill_no_more_than_their_table_and_no_peer_s():
    side = endpoint(strangers=SMALL)
    for port in range(20):
        stranger = Thing(side, secured=False, source=(STRANGER[0], port))
        (challenge,) = stranger.say(Code.GET, OBSERVE)
        stranger.say(Code.GET, OBSERVE, (ECHO, challenge.option(ECHO)))
    assert (len(side._layer.strangers.observing), len(side._layer.known.observing)) == (4, 0)
    thing = Thing(side)
    (reply,) = thing.say(Code.GET, OBSERVE)
    assert reply.option(OptionNumber.OBSERVE) is not None


@pytest.mark.requirement("R-36")
@pytest.mark.parametrize("secured", [False, True], ids=["stranger", "peer"])
def test_requests_under_ever_new_tokens_that_nobody_answers_are_refused_at_last(secured):
    side = endpoint(known=SMALL, strangers=SMALL)
    thing = Thing(side, secured=secured)
    codes = []
    for mid in range(10):
        asked = Message(Code.GET, CON, mid, bytes((mid,)), [(11, b"a")])
        if secured:
            asked, _ = protect_request(asked, context=thing.context)
        side.receive_datagram(encode(asked), THING, 0.0)
        codes += [reply.code for reply in sent(side)]
    assert len(events(side)) == 4
    expected = Code.CHANGED if secured else Code.SERVICE_UNAVAILABLE
    assert (codes, side.counters) == ([expected] * 6, {"overload": 6})


@pytest.mark.requirement("R-37")
def test_whoever_guesses_message_ids_from_elsewhere_ends_no_observation():
    side = endpoint()
    thing = Thing(side)
    thing.say(Code.GET, OBSERVE)
    side.send_response(1, answered(Code.CONTENT, b"1", OBSERVE), 10.0)
    (notification,) = sent(side, 10.0)
    for source in (STRANGER, (THING[0], 1), (STRANGER[0], THING[1])):
        for kind in (ACK, RST):
            side.receive_datagram(encode(Message(Code.EMPTY, kind, notification.mid)), source, 10.0)
    assert len(side._layer.known.observing) == 1
    side.receive_datagram(encode(Message(Code.EMPTY, RST, notification.mid)), THING, 10.0)
    assert len(side._layer.known.observing) == 0


@pytest.mark.spec("RFC 7641 3.6")
def test_only_the_message_id_of_the_last_notification_ends_an_observation():
    side = endpoint()
    thing = Thing(side)
    thing.say(Code.GET, OBSERVE)
    mids = []
    for now in (10.0, 20.0):
        side.send_response(1, answered(Code.CONTENT, b"1", OBSERVE), now)
        mids += [message.mid for message in sent(side, now)]
    for mid in (mids[0], mids[1] + 1, mids[1] - 2):
        side.receive_datagram(encode(Message(Code.EMPTY, RST, mid & 0xFFFF)), THING, 20.0)
    assert len(side._layer.known.observing) == 1


@pytest.mark.spec("RFC 9175 2.3")
@pytest.mark.requirement("R-49")
@pytest.mark.parametrize(
    "change",
    [lambda value: value[:-1] + bytes((value[-1] ^ 1,)), lambda value: value[:4], lambda value: bytes(len(value))],
    ids=["a bit", "the end", "all"],
)
def test_an_echo_value_that_is_made_up_keeps_nothing_and_is_counted(change):
    side = endpoint()
    stranger = Thing(side, secured=False, source=STRANGER)
    (challenge,) = stranger.say(Code.GET, OBSERVE)
    (again,) = stranger.say(Code.GET, OBSERVE, (ECHO, change(challenge.option(ECHO))))
    assert (again.code, len(side._layer.strangers.observing)) == (Code.UNAUTHORIZED, 0)
    assert side.counters == {"unverified": 2, "echo-unauthenticated": 1}


@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize("kind", [CON, NON], ids=["CON", "NON"])
def test_a_refusal_is_short_unprotected_and_not_to_be_cached(kind):
    side = endpoint()
    Thing(side)
    asked, _ = protect_request(replace(GET, mid=1, type=kind, token=b"t"), context=context(mirrored=True))
    side.receive_datagram(encode(asked), STRANGER, 0.0)
    (reply,) = sent(side)
    assert (reply.type, reply.code, reply.payload) == (ACK if kind is CON else NON, Code.UNAUTHORIZED, b"")
    assert reply.options == [(OptionNumber.MAX_AGE, b"")]


@pytest.mark.spec("RFC 8613 4.1.3.6")
@pytest.mark.parametrize(("inside", "answers"), [(False, 1), (True, 0)], ids=["outer", "inner"])
def test_only_the_inner_no_response_keeps_the_server_silent(inside, answers):
    side = endpoint()
    thing = Thing(side)
    silence = (int(OptionNumber.NO_RESPONSE), b"\x1a")
    asked = GET.with_options(silence) if inside else GET
    outer, _ = protect_request(replace(asked, mid=1, type=NON, token=b"t"), context=thing.context)
    if not inside:
        outer = outer.with_options(silence)
    side.receive_datagram(encode(outer), THING, 0.0)
    assert (accept(side), len(sent(side))) == (1, answers)


@pytest.mark.spec("RFC 8613 5")
def test_a_kid_context_chooses_among_those_of_one_kid_and_no_other_is_tried():
    side = endpoint()
    clients = {}
    for name in (b"one", b"two"):
        one, two = b"\x01", b"\x02"
        clients[name] = SecurityContext.derive(Secret(bytes(16)), sender_id=one, recipient_id=two, id_context=name)
        ours = SecurityContext.derive(Secret(bytes(16)), sender_id=two, recipient_id=one, id_context=name)
        side.install(Association(AssociationId(name.decode()), ours))
    outer, _ = protect_request(replace(GET, mid=1, token=b"t"), context=clients[b"two"], with_kid_context=True)
    side.receive_datagram(encode(outer), THING, 0.0)
    (event,) = events(side)
    other = side.association(AssociationId("one"))
    assert (event.association, other.context.recipient.failures) == ("two", 0)


@pytest.mark.spec("RFC 8613 8.2")
def test_a_flood_of_messages_that_nobody_protected_is_answered_seldom_and_a_peer_always():
    side, chance = endpoint(refusals_per_second=5.0), random.Random(1)
    thing = Thing(side)
    for number in range(200):
        forged = Message(Code.POST, NON, number, b"t", [(9, b"\x09\x00\x01")], chance.randbytes(20))
        side.receive_datagram(encode(forged), (STRANGER[0], number), 0.0)
    assert len(sent(side)) == 10
    assert [reply.code for reply in thing.say()] == [Code.CONTENT]


@pytest.mark.spec("RFC 7252 5.2.2")
def test_a_request_that_was_acknowledged_without_a_response_never_has_one_in_an_acknowledgement():
    side = endpoint()
    asked = encode(replace(GET, mid=7, token=b"t"))
    side.receive_datagram(asked, THING, 0.0)
    (event,) = events(side)
    assert [(reply.type, reply.code) for reply in sent(side, 1.0)] == [(ACK, Code.EMPTY)]
    side.receive_datagram(asked, THING, 1.5)
    assert [(reply.type, reply.code) for reply in sent(side, 1.5)] == [(ACK, Code.EMPTY)]
    side.send_response(event.exchange, answered(), 2.0)
    assert [reply.type for reply in sent(side, 2.0)] == [CON]
    side.receive_datagram(asked, THING, 2.5)
    assert [(reply.type, reply.code) for reply in sent(side, 2.5)] == [(ACK, Code.EMPTY)]


@pytest.mark.spec("RFC 7959 2.2")
@pytest.mark.parametrize("more", [False, True])
def test_the_more_bit_of_a_block_that_is_asked_for_means_nothing(more):
    side = endpoint()
    (reply,) = Thing(side).say(Code.GET, (int(OptionNumber.BLOCK2), Block(0, more, 0).encode()))
    assert (reply.code, reply.payload) == (Code.CONTENT, b"state")


@pytest.mark.spec("RFC 7959 2.2")
@pytest.mark.parametrize("number", [OptionNumber.BLOCK1, OptionNumber.BLOCK2])
@pytest.mark.parametrize("secured", [False, True], ids=["plain", "OSCORE"])
def test_the_reserved_block_size_is_a_bad_request(number, secured):
    side = endpoint()
    (reply,) = Thing(side, secured=secured).say(Code.GET, (int(number), b"\x07"))
    assert reply.code == Code.BAD_REQUEST


@pytest.mark.spec("RFC 7959 2.3")
def test_blocks_of_two_content_formats_are_not_put_together():
    side = endpoint()
    thing = Thing(side)
    cbor, json = (int(OptionNumber.CONTENT_FORMAT), b"\x3c"), (int(OptionNumber.CONTENT_FORMAT), b"\x32")
    thing.say(Code.PUT, cbor, (BLOCK1, Block(0, True, 0).encode()), payload=bytes(16))
    (reply,) = thing.say(Code.PUT, json, (BLOCK1, Block(1, False, 0).encode()), payload=b"x")
    assert reply.code == Code.REQUEST_ENTITY_INCOMPLETE
    (reply,) = thing.say(Code.PUT, cbor, (BLOCK1, Block(1, False, 0).encode()), payload=b"x")
    assert reply.code == Code.CONTENT


@pytest.mark.spec("RFC 7959 7")
def test_no_block_in_clear_gets_into_a_body_that_is_protected():
    side = endpoint(insecure_state_for_strangers=True)
    thing, stranger = Thing(side), Thing(side, secured=False)
    thing.say(Code.PUT, (BLOCK1, Block(0, True, 0).encode()), payload=bytes(16))
    (reply,) = stranger.say(Code.PUT, (BLOCK1, Block(1, False, 0).encode()), payload=b"x")
    assert reply.code == Code.REQUEST_ENTITY_INCOMPLETE
    (reply,) = thing.say(Code.PUT, (BLOCK1, Block(1, False, 0).encode()), payload=b"x")
    assert reply.code == Code.CONTENT


@pytest.mark.spec("RFC 7641 4.5")
def test_at_least_once_a_day_an_observer_has_to_confirm():
    side = endpoint()
    thing = Thing(side)
    thing.say(Code.GET, OBSERVE)
    kinds = {}
    for now in range(600, 90000, 600):
        side.send_response(1, answered(Code.CONTENT, b"1", OBSERVE), float(now))
        (message,) = sent(side, float(now))
        if message.type is CON:
            kinds[now] = message.mid
            side.receive_datagram(encode(Message(Code.EMPTY, ACK, message.mid)), THING, float(now))
    times = [0, *kinds]
    assert max(later - before for before, later in pairwise(times)) <= 24 * 3600
    assert len(kinds) >= 24


def test_what_is_for_nobody_is_not_kept_in_anybody_s_memory():
    side = endpoint()
    side.receive_datagram(encode(Message(Code.CONTENT, NON, 1, b"t")), CONTROLLER, 0.0)
    for memory in (side._layer.known, side._layer.strangers):
        assert (len(memory.duplicates), memory.open, memory.observing) == (0, {}, {})
