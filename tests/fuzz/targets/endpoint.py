"""An endpoint as server and as client of peers that say anything: block-wise transfers and observations.

Every input is a list of choices: who speaks, with which options, how long a body is, how much time goes by.
"""

from __future__ import annotations

from collections import Counter

from tests.fuzz.target import Cursor, Target, ensure
from tests.properties.bounds import BOUNDS, over_bound
from tests.unit.endpoint.ladder import SECURED, context, endpoint, events
from thingstead.endpoint.association import Association
from thingstead.endpoint.event import Address, ExchangeFailed, RequestReceived, ResponseReceived, SequenceNeeded
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import OPTIONS, Code, OptionNumber
from thingstead.protocols.oscore.protection import protect_request

_PEERS: tuple[Address, ...] = tuple((f"192.0.2.{number}", 5683) for number in range(1, 5))
_MEMBER = ("192.0.2.99", 5683)
_CODES = (Code.GET, Code.PUT, Code.POST, Code.FETCH)
_ANSWERS = (Code.CONTENT, Code.CHANGED, Code.CONTINUE, Code.REQUEST_ENTITY_INCOMPLETE, Code.REQUEST_ENTITY_TOO_LARGE)
_SIZES = (0, 16, 17, 64, 600, 1024, 1100, 3000)
_TIMES = (0.0, 0.1, 3.0, 31.0, 250.0, 4000.0)
_BLOCKS = (OptionNumber.BLOCK1, OptionNumber.BLOCK2, OptionNumber.SIZE1, OptionNumber.SIZE2, OptionNumber.ETAG)
_OBSERVES = (OptionNumber.OBSERVE, OptionNumber.OBSERVE, OptionNumber.BLOCK2, OptionNumber.ETAG, OptionNumber.MAX_AGE)
_MOST_EVENTS = 4


class _Server:
    """Our server, with an application that answers anything, and the bookkeeping that shows it keeps its bounds."""

    def __init__(self, cursor: Cursor, menu: tuple[OptionNumber, ...]) -> None:
        self.cursor = cursor
        self.menu = menu
        self.now = 0.0
        self.side = endpoint(1, **BOUNDS)
        self.side.install(Association(SECURED, context(mirrored=True)))
        self.member = context()
        self.received: Counter[Address] = Counter()
        self.sent: Counter[Address] = Counter()
        self.answerable: list[RequestReceived] = []
        self.last_mid = 0

    def step(self) -> None:
        """One choice of everything."""
        cursor = self.cursor
        self.now += _TIMES[cursor.number(len(_TIMES))]
        act = cursor.number(8)
        if act < 5:
            self._receive(*self._request())
        elif act == 5 and self.answerable:
            found = self.answerable[cursor.number(len(self.answerable))]
            self.side.send_response(found.exchange, _response(cursor, self.menu), self.now)
        elif act == 6:
            kind = (MessageType.RST, MessageType.ACK)[cursor.number(2)]
            self._receive(encode(Message(Code.EMPTY, kind, self.last_mid)), _PEERS[cursor.number(len(_PEERS))])
        self._settle()

    def _request(self) -> tuple[bytes, Address]:
        cursor = self.cursor
        message = Message(
            _CODES[cursor.number(len(_CODES))],
            MessageType(cursor.number(2)),
            cursor.number(16),
            cursor.bytes(1),
            _options(cursor, self.menu),
            bytes(_SIZES[cursor.number(len(_SIZES))] % 1100),
        )
        if cursor.number(3):
            return encode(message), _PEERS[cursor.number(len(_PEERS))]
        outer, _ = protect_request(message, context=self.member)
        return encode(outer), _MEMBER

    def _receive(self, data: bytes, source: Address) -> None:
        self.received[source] += len(data)
        self.side.receive_datagram(data, source, self.now)

    def _settle(self) -> None:
        outgoing = self.side.datagrams_to_send(self.now)
        for event in events(self.side):
            if isinstance(event, SequenceNeeded):
                self.side.sequence_reserved(event.association, event.upto)
            if isinstance(event, RequestReceived):
                self.answerable = [*self.answerable[-8:], event]
                if self.cursor.number(2):
                    self.side.send_response(event.exchange, _response(self.cursor, self.menu), self.now)
        for data, destination in outgoing + self.side.datagrams_to_send(self.now):
            self.sent[destination] += len(data)
            self.last_mid = decode(data).mid
        for peer in _PEERS:
            ensure(self.sent[peer] <= 3 * self.received[peer], f"{peer} got more than three times what it sent")
        ensure(not over_bound(self.side), f"over its bound: {over_bound(self.side)}")


def _serve(menu: tuple[OptionNumber, ...], data: bytes) -> None:
    server = _Server(Cursor(data), menu)
    while not server.cursor.is_empty:
        server.step()


def _ask(menu: tuple[OptionNumber, ...], data: bytes) -> None:
    """Our client asks a server that says anything: it ends once, in order, and keeps within what it may hold."""
    cursor = Cursor(data)
    client = endpoint(1, max_download=5000, **BOUNDS)
    server = _PEERS[0]
    observe = bool(cursor.number(2))
    asked = request(Code.GET if observe else Code.POST, "/a", payload=bytes(_SIZES[cursor.number(len(_SIZES))]))
    exchange = client.send_request(asked, server, 0.0, observe=observe)
    now, sent, ended, events_of = 0.0, 0, 0, 0
    asks: list[Message] = []
    while not cursor.is_empty:
        for datagram, _ in client.datagrams_to_send(now):
            sent += 1
            asks = [*asks[-3:], decode(datagram)]
        if asks:
            about = asks[cursor.number(len(asks))]
            answer = _response(cursor, menu)
            answer.token, answer.mid = about.token, (about.mid, cursor.number(16))[cursor.number(2)]
            answer.type = MessageType(cursor.number(4))
            client.receive_datagram(encode(answer), server, now)
        for event in events(client):
            ensure(event.exchange == exchange, "an event of an exchange that is not there")
            ensure(not ended, "an event after the last")
            events_of += 1
            ended += isinstance(event, ExchangeFailed) or (isinstance(event, ResponseReceived) and event.is_last)
            if isinstance(event, ResponseReceived):
                ensure(len(event.message.payload) <= 5000, "a body over the limit")
        now += _TIMES[cursor.number(len(_TIMES))]
        ensure(not over_bound(client), f"over its bound: {over_bound(client)}")


def _options(cursor: Cursor, menu: tuple[OptionNumber, ...]) -> list[tuple[int, bytes]]:
    chosen = sorted(int(menu[cursor.number(len(menu))]) for _ in range(cursor.number(4)))
    return [(number, cursor.bytes(cursor.number(1 + min(OPTIONS[number].max_size, 4)))) for number in chosen]


def _response(cursor: Cursor, menu: tuple[OptionNumber, ...]) -> Message:
    size = _SIZES[cursor.number(len(_SIZES))]
    return Message(_ANSWERS[cursor.number(len(_ANSWERS))], options=_options(cursor, menu), payload=bytes(size))


def _target(name: str, play, menu: tuple[OptionNumber, ...]) -> Target:
    return Target(name, lambda data: play(menu, data), (bytes(40), bytes(range(1, 120)), b"\x01\x06\x08\x04" * 20))


TARGETS = (
    _target("block-wise server", _serve, _BLOCKS),
    _target("block-wise client", _ask, _BLOCKS),
    _target("observe server", _serve, _OBSERVES),
    _target("observe client", _ask, _OBSERVES),
)
