"""Our endpoint on a socket, in both roles, for peers that are not ours."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from thingstead.clock import SystemClock
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import (
    Address,
    AssociationId,
    ExchangeEnded,
    ExchangeFailed,
    ExchangeId,
    RequestReceived,
    ResponseReceived,
    SequenceNeeded,
)
from thingstead.protocols.coap.code import Code
from thingstead.protocols.coap.content_format import ContentFormat
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import OptionNumber, encode_uint
from thingstead.transport.udp import Pump, open_socket

__all__ = ["LARGE", "PEER", "EndpointParty", "on_loopback"]

PEER = AssociationId("peer")
LARGE = bytes(range(256)) * 20
_LINKS = b'</hello>;rt="x",</large>;sz=5120,</store>,</ticks>;obs'
_TICK = 0.1
_OBSERVE = [(int(OptionNumber.OBSERVE), b"")]

# aiocoap brings an Echo value back under OSCORE only.
_CONFIG = EndpointConfig(insecure_state_for_strangers=True)


class EndpointParty:
    """A server of the resources that `aiocoap_party` has too, and a client.

    Attributes:
        endpoint: the core.
        host: the IP address that it is on, and its peers.
        port: where it listens.
        received: every datagram that came in.
    """

    def __init__(self, host: str) -> None:
        self.endpoint = Endpoint(_CONFIG, random_bytes=secrets.token_bytes)
        self.host = host
        self.port = 0
        self.received: list[tuple[bytes, Address]] = []
        self._clock = SystemClock()
        self._stored = b""
        self._ticks = 0
        self._observers: set[ExchangeId] = set()
        self._asked: dict[ExchangeId, asyncio.Queue[Message | Exception]] = {}
        self._pump: Pump | None = None

    async def ask(
        self, request: Message, port: int, *, association: AssociationId | None = None, within: float = 20.0
    ) -> Message:
        async for response in self.observe(request, port, association=association, within=within, observe=False):
            return response
        raise AssertionError("no response")

    async def observe(
        self,
        request: Message,
        port: int,
        *,
        association: AssociationId | None = None,
        within: float = 20.0,
        observe: bool = True,
    ) -> AsyncIterator[Message]:
        """Responses as they come; leaving the loop cancels."""
        now = self._clock.now()
        name = self.endpoint.send_request(request, (self.host, port), now, association=association, observe=observe)
        queue = self._asked[name] = asyncio.Queue()
        self._flush()
        try:
            async with asyncio.timeout(within):
                while True:
                    response = await queue.get()
                    if isinstance(response, Exception):
                        raise response
                    yield response
        finally:
            del self._asked[name]
            self.endpoint.cancel(name, self._clock.now())
            self._flush()

    # --- what a pump drives

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        self.received.append((data, source))
        self.endpoint.receive_datagram(data, source, now, multicast=multicast)

    def run(self, now: float) -> None:
        while (event := self.endpoint.next_event()) is not None:
            match event:
                case RequestReceived():
                    self.endpoint.send_response(event.exchange, self._answer(event), now)
                case ResponseReceived():
                    self._hand_over(event.exchange, event.message)
                case ExchangeFailed():
                    self._hand_over(event.exchange, event.error)
                case ExchangeEnded():
                    self._observers.discard(event.exchange)
                case SequenceNeeded():
                    self.endpoint.sequence_reserved(event.association, event.upto)

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        return self.endpoint.datagrams_to_send(now)

    def next_deadline(self) -> float | None:
        return self.endpoint.next_deadline()

    # --- within

    def _answer(self, event: RequestReceived) -> Message:
        request = event.message
        match request.code, request.path:
            case Code.GET, "/.well-known/core":
                options = [(int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.LINK_FORMAT))]
                return Message(Code.CONTENT, options=options, payload=_LINKS)
            case Code.GET, "/hello":
                return Message(Code.CONTENT, payload=b"hello")
            case Code.GET, "/large":
                return Message(Code.CONTENT, payload=LARGE)
            case Code.GET, "/store":
                return Message(Code.CONTENT, payload=self._stored)
            case Code.PUT, "/store":
                self._stored = request.payload
                return Message(Code.CHANGED)
            case Code.GET, "/ticks":
                if event.observe:
                    self._observers.add(event.exchange)
                return self._tick(observe=bool(event.observe))
            case _:
                return Message(Code.NOT_FOUND)

    def _tick(self, *, observe: bool) -> Message:
        return Message(Code.CONTENT, options=_OBSERVE if observe else [], payload=str(self._ticks).encode())

    async def keep_ticking(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self._ticks += 1
            for observer in sorted(self._observers):
                self.endpoint.send_response(observer, self._tick(observe=True), self._clock.now())
            self._flush()

    def start(self) -> None:
        sock = open_socket(self.host, 0)
        self.port = sock.getsockname()[1]
        self._pump = Pump(self, [sock], clock=self._clock)

    def stop(self) -> None:
        assert self._pump is not None
        self._pump.close()

    def _flush(self) -> None:
        assert self._pump is not None
        self._pump.flush()

    def _hand_over(self, exchange: ExchangeId, outcome: Message | Exception) -> None:
        if exchange in self._asked:
            self._asked[exchange].put_nowait(outcome)


@asynccontextmanager
async def on_loopback(
    association: Association | None = None, *, host: str = "127.0.0.1"
) -> AsyncIterator[EndpointParty]:
    """A party on a port of its own, until the block ends."""
    party = EndpointParty(host)
    if association is not None:
        party.endpoint.install(association)
    party.start()
    async with asyncio.TaskGroup() as tasks:
        ticking = tasks.create_task(party.keep_ticking())
        try:
            yield party
        finally:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking
            party.stop()
