"""Our endpoint on a socket, in both roles, for peers that are not ours."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

from thingstead.clock import SystemClock
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig, StreamConfig
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
from thingstead.endpoint.rederivation import rederived
from thingstead.endpoint.stream_endpoint import StreamEndpoint
from thingstead.protocols.coap.message import Message, MessageType, decode, request
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.coap.tcp import FrameReader
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.rederivation import InputParameters
from thingstead.transport.tcp import StreamPump
from thingstead.transport.udp import Pump, open_socket

__all__ = ["LARGE", "EndpointParty", "on_loopback"]

LARGE = bytes(range(256)) * 20
_PEER = AssociationId("peer")
_PATIENCE = 20.0
# Every notification is confirmable: a client that does not take its leave can refuse the next one.
_CONFIG = EndpointConfig(ack_delay=0.05, confirm_after=0.0)
_LENIENT = replace(_CONFIG, insecure_state_for_strangers=True)
_LINKS = b'</hello>;rt="x",</large>;sz=5120,</store>;obs,</slow>'
_OBSERVE = (int(OptionNumber.OBSERVE), b"")


class EndpointParty:
    """A server of the resources that each peer has too, and a client.

    Attributes:
        host: the IP address that it is on, and its peers.
        port: where it listens.
        received: every datagram that came in.
        stored: what ``/store`` holds.
        reserved: our sender sequence numbers below it are durable.
        observers: who observes ``/store``.
    """

    scheme = "coap"

    def __init__(self, context: SecurityContext | None, host: str, *, is_lenient: bool) -> None:
        self._is_lenient = is_lenient
        self._endpoint = self._make(_LENIENT if is_lenient else _CONFIG)
        self._association: AssociationId | None = None
        if context is not None:
            self._association = _PEER
            self._endpoint.install(Association(_PEER, context, with_kid_context=context.id_context is not None))
        self.host = host
        self.port = 0
        self.received: list[bytes] = []
        self.reserved = 0
        self.observers: set[ExchangeId] = set()
        self._clock = SystemClock()
        self.stored = b"empty"
        self._slow: list[ExchangeId] = []
        self._unobserved = asyncio.Event()
        self._asked: dict[ExchangeId, asyncio.Queue[Message | Exception]] = {}
        self._pump: Pump | StreamPump | None = None

    def begin_anew(self, parameters: InputParameters) -> None:
        """Forget the context, and derive another with the peer's help (RFC 8613 appendix B.2)."""
        self._endpoint.install(rederived(_PEER, parameters, secrets.token_bytes))

    def messages(self) -> list[Message]:
        """The messages that came in, but for empty ones and those of the transport itself."""
        return [decode(data) for data in self.received if data[1]]

    @property
    def counters(self) -> dict[str, int]:
        return self._endpoint.counters

    def change(self, payload: bytes) -> None:
        """Give ``/store`` another representation, and tell who observes it."""
        self.stored = payload
        for observer in sorted(self.observers):
            self._endpoint.send_response(observer, self._store(observe=True), self._clock.now())
        self._flush()

    async def unobserved(self) -> None:
        """Return when nobody observes ``/store`` any more."""
        async with asyncio.timeout(_PATIENCE):
            await self._unobserved.wait()

    async def ask(self, code: Code, path: str, port: int, *, payload: bytes = b"", **options: bool) -> Message:
        async with aclosing(self.responses(code, path, port, payload=payload, **options)) as responses:
            return await anext(responses)

    async def responses(
        self,
        code: Code,
        path: str,
        port: int,
        *,
        payload: bytes = b"",
        observe: bool = False,
        confirmable: bool = True,
        protected: bool = True,
    ) -> AsyncGenerator[Message, None]:
        """Responses as they come; closing it cancels. Under OSCORE where there is a context, if not told else."""
        path, _, query = path.partition("?")
        await self._reach(port)
        name = self._endpoint.send_request(
            request(code, path, payload=payload, query=(query,) if query else ()),
            (self.host, port),
            self._clock.now(),
            association=self._association if protected else None,
            confirmable=confirmable,
            observe=observe,
        )
        queue = self._asked[name] = asyncio.Queue()
        self._flush()
        try:
            while True:
                async with asyncio.timeout(_PATIENCE):
                    response = await queue.get()
                if isinstance(response, Exception):
                    raise response
                yield response
        finally:
            del self._asked[name]
            self._endpoint.cancel(name, self._clock.now())
            self._flush()

    # --- what a pump drives

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        self.received.append(data)
        self._endpoint.receive_datagram(data, source, now, multicast=multicast)

    def run(self, now: float) -> None:
        while (event := self._endpoint.next_event()) is not None:
            match event:
                case RequestReceived():
                    self._answer(event, now)
                case ResponseReceived():
                    self._hand_over(event.exchange, event.message)
                case ExchangeFailed():
                    self._hand_over(event.exchange, event.error)
                case ExchangeEnded():
                    self.observers.discard(event.exchange)
                    self._unobserved.set()
                case SequenceNeeded():
                    self.reserved = event.upto
                    self._endpoint.sequence_reserved(event.association, event.upto)

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        datagrams = self._endpoint.datagrams_to_send(now)
        if self._slow and any(_is_empty_ack(data) for data, _ in datagrams):
            # Only now: what was acknowledged empty is answered in a message of its own (RFC 7252 §5.2.2).
            for exchange in self._slow:
                self._endpoint.send_response(exchange, Message(Code.CONTENT, payload=b"slow"), now)
            self._slow.clear()
            datagrams += self._endpoint.datagrams_to_send(now)
        return datagrams

    def next_deadline(self) -> float | None:
        return self._endpoint.next_deadline()

    # --- within

    async def start(self) -> None:
        sock = open_socket(self.host, 0)
        self.port = sock.getsockname()[1]
        self._pump = Pump(self, [sock], clock=self._clock)

    def stop(self) -> None:
        assert self._pump is not None
        self._pump.close()

    def _make(self, config: EndpointConfig) -> Endpoint:
        return Endpoint(config, random_bytes=secrets.token_bytes)

    async def _reach(self, port: int) -> None:
        """Do what has to be done before a request can go to a port."""

    def _answer(self, event: RequestReceived, now: float) -> None:
        if self._is_lenient:
            self._endpoint.vouch(event.exchange)
        if (event.message.code, event.message.path) == (Code.GET, "/slow"):
            self._slow.append(event.exchange)
        else:
            self._endpoint.send_response(event.exchange, self._response(event), now)

    def _response(self, event: RequestReceived) -> Message:
        match event.message.code, event.message.path:
            case Code.GET, "/.well-known/core":
                options = [(int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.LINK_FORMAT))]
                return Message(Code.CONTENT, options=options, payload=_LINKS)
            case Code.GET, "/hello":
                return Message(Code.CONTENT, payload=b"hello")
            case Code.GET, "/large":
                return Message(Code.CONTENT, payload=LARGE)
            case Code.GET, "/store":
                if event.observe:
                    self.observers.add(event.exchange)
                    self._unobserved.clear()
                return self._store(observe=bool(event.observe))
            case ((Code.PUT | Code.POST), "/store"):
                self.stored = event.message.payload
                return Message(Code.CHANGED)
            case _:
                return Message(Code.NOT_FOUND)

    def _store(self, *, observe: bool) -> Message:
        return Message(Code.CONTENT, options=[_OBSERVE] if observe else [], payload=self.stored)

    def _flush(self) -> None:
        assert self._pump is not None
        self._pump.flush()

    def _hand_over(self, exchange: ExchangeId, outcome: Message | Exception) -> None:
        if exchange in self._asked:
            self._asked[exchange].put_nowait(outcome)


class StreamParty(EndpointParty):
    """The same over TCP (RFC 8323)."""

    scheme = "coap+tcp"
    _endpoint: StreamEndpoint
    _pump: StreamPump

    def messages(self) -> list[Message]:
        return self._messages

    async def start(self) -> None:
        self._reached: set[int] = set()
        self._pump = StreamPump(self, clock=self._clock)
        self._readers: dict[Address, FrameReader] = {}
        self._messages: list[Message] = []
        self.port = await self._pump.listen(self.host, 0)

    # --- what a pump drives

    def connect(self, address: Address, now: float, *, is_ours: bool = False) -> None:
        self._endpoint.connect(address, now, is_ours=is_ours)

    def disconnect(self, address: Address, now: float) -> None:
        self._reached.discard(address[1])
        self._readers.pop(address, None)
        self._endpoint.disconnect(address, now)

    def receive_bytes(self, data: bytes, address: Address, now: float) -> None:
        reader = self._readers.setdefault(address, FrameReader(StreamConfig().connection.limits))
        reader.receive(data)
        while (message := reader.next_message()) is not None:
            if message.code < Code.CSM:
                self._messages.append(message)
        self._endpoint.receive_bytes(data, address, now)

    def pause(self, address: Address, *, is_full: bool) -> None:
        self._endpoint.pause(address, is_full=is_full)

    def connections_to_close(self) -> list[Address]:
        return self._endpoint.connections_to_close()

    # --- within

    def _make(self, config: EndpointConfig) -> Endpoint:
        return StreamEndpoint(config, StreamConfig(), random_bytes=secrets.token_bytes)

    async def _reach(self, port: int) -> None:
        if port not in self._reached:
            self._reached.add(port)
            await self._pump.open(self.host, port)


def _is_empty_ack(data: bytes) -> bool:
    return len(data) == 4 and data[0] >> 4 & 3 == MessageType.ACK and data[1] == 0


@asynccontextmanager
async def on_loopback(
    context: SecurityContext | None, *, host: str, is_lenient: bool = False, over_tcp: bool = False
) -> AsyncIterator[EndpointParty]:
    """A party on a port of its own, until the block ends.

    Args:
        context: it shares one with the peer.
        host: IP address.
        is_lenient: it serves whoever asks in clear as if the source had proven that it receives; for peers that do
            not know Echo.
        over_tcp: it listens and asks over TCP, not UDP.
    """
    party = (StreamParty if over_tcp else EndpointParty)(context, host, is_lenient=is_lenient)
    await party.start()
    try:
        yield party
    finally:
        party.stop()
