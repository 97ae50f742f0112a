"""OSCORE messages that a proxy cuts: put together within bounds, for those alone who were seen to receive."""

import pytest

from tests.unit.endpoint.ladder import (
    CONTROLLER,
    OBSERVE,
    SECURED,
    THING,
    Ladder,
    answered,
    context,
    endpoint,
    events,
)
from thingstead.endpoint.association import Association
from thingstead.endpoint.event import ContextNeeded, ExchangeFailed, RequestReceived
from thingstead.protocols.coap import block
from thingstead.protocols.coap.block import Block, Pieces, cut
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.protection import protect_request

SPEC = "RFC 8613 4.1.3.4.2"
PUT = request(Code.PUT, "/a", payload=bytes(range(200)))
GET = request(Code.GET, "/a")
BLOCK1, BLOCK2, ECHO = int(OptionNumber.BLOCK1), int(OptionNumber.BLOCK2), int(OptionNumber.ECHO)
OSCORE = int(OptionNumber.OSCORE)
STRANGER = ("203.0.113.9", 1)


def server(**changes):
    side = endpoint(2, **changes)
    side.install(Association(SECURED, context(mirrored=True), address=THING))
    return side


def protected(inner=PUT, client=None):
    return protect_request(inner, context=client or context())[0]


def piece(whole, num, *, szx=2, number=BLOCK1, mid=None, more=None, options=()):
    payload, part = (
        cut(whole.payload, num, Pieces(szx)) if number == BLOCK1 else (whole.payload, Block(num, False, szx))
    )
    if more is not None:
        part = Block(part.num, more, part.szx)
    cut_ = whole.with_options((number, part.encode()), *options)
    return encode(Message(cut_.code, MessageType.CON, num if mid is None else mid, b"t", cut_.options, payload))


def said(side, data, source=THING, *, now=0.0, payload=b""):
    """What the server says to a datagram; its application answers with `payload`."""
    side.receive_datagram(data, source, now)
    for event in events(side):
        if isinstance(event, RequestReceived):
            side.send_response(event.exchange, answered(Code.CHANGED, payload), now)
    ((reply, destination),) = side.datagrams_to_send(now)
    assert destination == source
    return decode(reply)


@pytest.mark.spec(SPEC)
def test_a_request_in_pieces_is_served_once_it_is_whole():
    side, whole = server(), protected()
    codes = [said(side, piece(whole, num)).code for num in range(4)]
    assert codes == [Code.CONTINUE] * 3 + [Code.CHANGED]
    assert side.counters == {}


@pytest.mark.spec(SPEC)
def test_the_last_piece_is_acknowledged_outside_of_the_protected_response():
    side, whole = server(), protected()
    for num in range(3):
        reply = said(side, piece(whole, num))
        assert (reply.options, reply.payload) == ([(BLOCK1, Block(num, True, 2).encode())], b"")
    last = said(side, piece(whole, 3))
    assert {number for number, _ in last.options} == {OSCORE, BLOCK1}


@pytest.mark.spec("RFC 7252 4.5")
def test_a_repeated_piece_gets_the_stored_answer():
    side, whole = server(), protected()
    first = said(side, piece(whole, 0))
    assert said(side, piece(whole, 0)) == first
    for num in range(1, 4):
        last = said(side, piece(whole, num))
    assert last.code == Code.CHANGED


@pytest.mark.spec(SPEC)
@pytest.mark.parametrize("spoil", range(4))
def test_a_changed_piece_spoils_the_whole(spoil):
    side, whole = server(), protected()
    for num in range(4):
        data = piece(whole, num)
        reply = said(side, data[:-1] + bytes([data[-1] ^ 1]) if num == spoil else data)
    assert reply.code == Code.BAD_REQUEST
    assert side.counters == {"unauthenticated": 1}


@pytest.mark.spec(SPEC)
@pytest.mark.requirement("R-47")
def test_more_than_the_largest_whole_message_is_discarded():
    side = server(fragments=block.Limits(max_body=128, max_bodies=1, max_bodies_per_peer=1, max_total=128))
    whole = protected()
    codes = [said(side, piece(whole, num, more=True)).code for num in range(3)]
    assert codes == [Code.CONTINUE, Code.CONTINUE, Code.REQUEST_ENTITY_TOO_LARGE]
    assert said(side, piece(whole, 3)).code == Code.REQUEST_ENTITY_INCOMPLETE


@pytest.mark.spec(SPEC)
@pytest.mark.parametrize("order", [[1], [0, 2], [0, 1, 3]])
def test_a_gap_is_refused(order):
    side, whole = server(), protected()
    assert [said(side, piece(whole, num)).code for num in order][-1] == Code.REQUEST_ENTITY_INCOMPLETE


@pytest.mark.spec("RFC 7959 2.2")
@pytest.mark.parametrize("value", [b"\x07", b"\xff", b"\x00\x00\x1f"])
def test_a_malformed_outer_block_option_is_refused(value):
    side, whole = server(), protected()
    whole.options.append((BLOCK1, value))
    data = encode(Message(whole.code, MessageType.CON, 1, b"t", whole.options, whole.payload))
    assert said(side, data).code in {Code.BAD_REQUEST, Code.BAD_OPTION}


@pytest.mark.spec(SPEC)
def test_pieces_of_two_requests_do_not_mix():
    side, client = server(), context()
    first, second = protected(client=client), protected(client=client)
    for num in range(4):
        for mid, whole in enumerate((first, second)):
            reply = said(side, piece(whole, num, mid=num * 2 + mid))
            assert reply.code == (Code.CHANGED if num == 3 else Code.CONTINUE)


@pytest.mark.spec(SPEC)
def test_a_response_is_cut_as_the_proxy_wants_it_and_only_fetched_by_it():
    side, client = server(), context()
    whole, _ = protect_request(GET, context=client)
    first = said(side, piece(whole, 0, number=BLOCK2), payload=bytes(500))
    assert (len(first.payload), first.option(BLOCK2)) == (64, Block(0, True, 2).encode())
    body, part = first.payload, Block(0, True, 2)
    while part.more:
        empty = Message(whole.code, options=whole.options)
        reply = said(side, piece(empty, part.num + 1, number=BLOCK2))
        part = block.decode_block(reply.option(BLOCK2))
        body += reply.payload
        assert reply.option(OSCORE) is not None
    assert len(body) > 500
    assert said(side, piece(whole, 1, number=BLOCK2, mid=99), STRANGER).code == Code.UNAUTHORIZED


@pytest.mark.spec(SPEC)
def test_a_piece_of_a_response_that_is_not_held_is_refused():
    side = server()
    assert said(side, piece(protected(GET), 1, number=BLOCK2)).code == Code.REQUEST_ENTITY_INCOMPLETE
    assert events(side) == []


@pytest.mark.spec(SPEC)
@pytest.mark.spec("RFC 8613 4.1.3.4.1")
def test_an_endpoint_cuts_nothing_outside_by_itself():
    ladder = Ladder(secured=True, respond=lambda _event: answered(payload=bytes(3000)))
    ladder.ask(request(Code.POST, "/a", payload=bytes(3000)))
    ladder.run()
    outer = {number for side in (THING, CONTROLLER) for sent in ladder.sent(side) for number, _ in sent.options}
    assert outer == {OSCORE}


class CuttingProxy:
    """Stands between the ends of a ladder: the server's responses go on in pieces, and are fetched from here."""

    def __init__(self, szx=1):
        self.szx = szx
        self.held = Message(Code.EMPTY)
        self.pieces = 0

    def to_client(self, data):
        message = decode(data)
        if message.option(OSCORE) is None or len(message.payload) <= 16 << self.szx:
            return data
        self.held = message
        return self._piece(message, 0, message.type, message.mid)

    def to_server(self, data):
        """A request for a later piece is answered here; None for what is not one."""
        message = decode(data)
        value = message.option(BLOCK2)
        if value is None:
            return None
        assert message.payload == b""
        return self._piece(self.held, block.decode_block(value).num, MessageType.ACK, message.mid)

    def _piece(self, message, num, kind, mid):
        self.pieces += 1
        payload, part = cut(message.payload, num, Pieces(self.szx))
        cut_ = message.with_options((BLOCK2, part.encode()))
        return encode(Message(cut_.code, kind, mid, message.token, cut_.options, payload))


class Through(Ladder):
    """A ladder with such a proxy in its middle."""

    def __init__(self, **arguments):
        super().__init__(secured=True, **arguments)
        self.proxy = CuttingProxy()
        self.change = lambda data: data

    def _carry(self, source, destination, data):
        if source == THING and (reply := self.proxy.to_server(data)) is not None:
            super()._carry(CONTROLLER, THING, self.change(reply))
        elif source == CONTROLLER:
            super()._carry(source, destination, self.change(self.proxy.to_client(data)))
        else:
            super()._carry(source, destination, data)


@pytest.mark.spec("RFC 8613 8.4.1")
@pytest.mark.parametrize("kind", ["piggybacked", "separate"])
def test_a_client_fetches_the_pieces_of_a_response(kind):
    ladder = Through(respond=lambda _event: answered(payload=bytes(300)) if kind == "piggybacked" else None)
    ladder.controller.install(Association(SECURED, context(mirrored=True), address=THING))
    ladder.ask(GET)
    ladder.pump()
    if kind == "separate":
        ladder.run(until=1.0)
        ladder.controller.send_response(ladder.requests[0].exchange, answered(payload=bytes(300)), ladder.now)
    ladder.run()
    assert ladder.response.payload == bytes(300)
    assert (ladder.proxy.pieces, len(ladder.requests)) == (10, 1)


@pytest.mark.spec("RFC 8613 8.4.1")
def test_notifications_in_pieces_are_fetched_too():
    ladder = Through(respond=lambda _event: answered(Code.CONTENT, bytes(100), OBSERVE))
    ladder.ask(GET, observe=True)
    ladder.pump()
    ladder.controller.send_response(
        ladder.requests[0].exchange, answered(Code.CONTENT, bytes(150), OBSERVE), ladder.now
    )
    ladder.pump()
    assert [len(event.message.payload) for event in ladder.results()] == [100, 150]


@pytest.mark.spec("RFC 8613 8.4.1")
def test_a_changed_piece_of_a_response_is_no_response():
    ladder = Through(respond=lambda _event: answered(payload=bytes(300)))
    ladder.controller.install(Association(SECURED, context(mirrored=True), address=THING))
    ladder.change = lambda data: data[:-1] + bytes([data[-1] ^ 1])
    ladder.ask(GET)
    ladder.run()
    assert (ladder.results(), len(ladder.results(ExchangeFailed))) == ([], 1)


@pytest.mark.spec(SPEC)
@pytest.mark.requirement("R-47")
def test_a_response_that_never_ends_is_given_up():
    side = endpoint()
    side.install(Association(SECURED, context()))
    side.send_request(GET, CONTROLLER, 0.0, association=SECURED)
    asked = 0
    while sent := side.datagrams_to_send(0.0):
        ask = decode(sent[-1][0])
        option = (BLOCK2, Block(asked, True, 6).encode())
        forged = Message(Code.CHANGED, MessageType.ACK, ask.mid, ask.token, [(OSCORE, b""), option], bytes(1024))
        side.receive_datagram(encode(forged), CONTROLLER, 0.0)
        asked += 1
    assert asked == 5
    assert side.counters == {"too-large": 1}


@pytest.mark.spec(SPEC)
def test_a_piece_from_elsewhere_makes_a_client_ask_nothing():
    side = endpoint()
    side.install(Association(SECURED, context()))
    side.send_request(GET, CONTROLLER, 0.0, association=SECURED)
    ask = decode(side.datagrams_to_send(0.0)[0][0])
    options = [(OSCORE, b""), (BLOCK2, Block(0, True, 0).encode())]
    side.receive_datagram(
        encode(Message(Code.CHANGED, MessageType.ACK, ask.mid, ask.token, options, bytes(16))), STRANGER, 0.0
    )
    assert (events(side), side.datagrams_to_send(0.0)) == ([], [])


@pytest.mark.spec("RFC 8613 4.1")
@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.requirement("R-55")
@pytest.mark.parametrize("option", [(65001, b"x"), (1, b"x"), (5, b""), (2048, b"")])
def test_an_outer_option_of_class_e_or_unknown_is_discarded_critical_or_not(option):
    side, outer = server(), protected()
    changed = outer.with_options(option)
    reply = said(side, encode(Message(changed.code, MessageType.CON, 1, b"t", changed.options, changed.payload)))
    assert reply.code == Code.CHANGED
    assert reply.option(OSCORE) is not None


@pytest.mark.spec(SPEC)
def test_a_request_in_pieces_waits_for_its_context_as_a_whole():
    side, whole = endpoint(2, lazy_contexts=True), protected(request(Code.FETCH, "/a", payload=bytes(80)))
    (challenge,) = [decode(data) for data, _ in _after(side, piece(whole, 0))]
    echo = (ECHO, challenge.option(ECHO))
    assert len(_after(side, piece(whole, 0, mid=2, options=(echo,)))) == 1
    assert _after(side, piece(whole, 1, options=(echo,))) == []
    assert isinstance(side.next_event(), ContextNeeded)
    side.install(Association(SECURED, context(mirrored=True)))
    (event,) = events(side)
    assert (event.message.payload, event.association) == (bytes(80), SECURED)


def _after(side, data):
    side.receive_datagram(data, STRANGER, 0.0)
    return side.datagrams_to_send(0.0)
