"""The attacker's own computer on the network: it speaks the protocols properly, and anything else as well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from thingstead.agent.story import Request, Story
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import (
    Address,
    AssociationId,
    ExchangeFailed,
    ExchangeId,
    RequestReceived,
    ResponseReceived,
)
from thingstead.errors import ThingsteadError, TransportError
from thingstead.protocols.coap.code import code_name, is_request
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.simulator.attack.target import Target

__all__ = ["Answer", "Station"]

_PATIENCE = 10.0
_ECHO_PATIENCE = 1.0
_ECHO_TRIES = 5
_PING, _PONG = b"\x40\x00", b"\x70\x00"
_FIRST_PING = 0x7000


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request.

    Attributes:
        code: of the response; 0 if there was none that verified.
        error: why not, by the reason of the error.
    """

    code: int
    error: str = ""

    @property
    def is_success(self) -> bool:
        """Class 2."""
        return self.code >> 5 == 2

    def __str__(self) -> str:
        return code_name(self.code) if self.code else f"refused in clear ({self.error})"


class Station:
    """One host of the attacker's; a core that whatever the target attaches it to drives.

    Attributes:
        sent: every datagram that left it, in order.
        heard: every datagram that came.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._endpoint = Endpoint(EndpointConfig(), random_bytes=target.random_bytes)
        self._waiting: dict[ExchangeId, asyncio.Future[Message]] = {}
        self._raw: list[bytes] = []
        self._ping = _FIRST_PING
        self._pong = asyncio.Event()
        self.sent: list[bytes] = []
        self.heard: list[bytes] = []
        self._carrier = target.attach(self)

    def close(self) -> None:
        """Leave the network."""
        self._carrier.close()

    # --- the core that a carrier drives

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        """Take one datagram."""
        if data == _PONG + self._ping.to_bytes(2, "big"):
            self._pong.set()
            return
        self.heard.append(data)
        self._endpoint.receive_datagram(data, source, now, multicast=multicast)

    def run(self, now: float) -> None:
        """Hand answers to who waits for them; serve nothing."""
        while (event := self._endpoint.next_event()) is not None:
            match event:
                case ResponseReceived():
                    future = self._waiting.pop(event.exchange, None)
                    if future is not None and not future.done():
                        future.set_result(event.message)
                case ExchangeFailed():
                    future = self._waiting.pop(event.exchange, None)
                    if future is not None and not future.done():
                        future.set_exception(event.error)
                case RequestReceived():
                    self._endpoint.send_response(event.exchange, Message(Code.NOT_FOUND), now)

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """What may leave now."""
        outgoing = self._endpoint.datagrams_to_send(now)
        self.sent += [data for data, _ in outgoing]
        raw, self._raw = self._raw, []
        return [*outgoing, *[(data, self._target.address) for data in raw]]

    def next_deadline(self) -> float | None:
        """When `run` is wanted again."""
        return self._endpoint.next_deadline()

    # --- what the attacker does

    def install(self, name: AssociationId, context: SecurityContext) -> None:
        """Speak under an association with the domain from now on."""
        self._endpoint.install(Association(name, context, peer=name, address=self._target.address))

    async def request(self, message: Message, *, association: AssociationId | None = None) -> Message:
        """Ask as a proper client does.

        Raises:
            ThingsteadError: no response, or none that verifies.
        """
        now = self._target.clock.now()
        exchange = self._endpoint.send_request(message, self._target.address, now, association=association)
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[exchange] = future
        self._carrier.flush()
        try:
            async with asyncio.timeout(_PATIENCE):
                return await future
        except TimeoutError:
            raise TransportError("the domain did not answer", reason="silence") from None
        finally:
            self._waiting.pop(exchange, None)
            self._endpoint.cancel(exchange, self._target.clock.now())

    async def ask(self, message: Message, *, association: AssociationId | None = None) -> Answer:
        """Ask, and tell what became of it."""
        try:
            return Answer((await self.request(message, association=association)).code)
        except ThingsteadError as error:
            return Answer(0, error.reason)

    def prepare(self, message: Message, *, association: AssociationId | None = None) -> bytes:
        """The datagram of a proper request, which does not leave."""
        now = self._target.clock.now()
        exchange = self._endpoint.send_request(message, self._target.address, now, association=association)
        withheld = [data for data, _ in self._endpoint.datagrams_to_send(now) if is_request(data[1])]
        self._endpoint.cancel(exchange, now)
        return withheld[-1]

    async def is_answered(self) -> bool:
        """Ping (RFC 7252 §4.3): what left before it has been taken when it is answered."""
        self._ping = _FIRST_PING + (self._ping + 1) % 0x1000
        self._pong.clear()
        self._raw.append(_PING + self._ping.to_bytes(2, "big"))
        self._carrier.flush()
        try:
            async with asyncio.timeout(_ECHO_PATIENCE):
                await self._pong.wait()
        except TimeoutError:
            return False
        return True

    async def throw(self, datagrams: Iterable[bytes]) -> list[bytes]:
        """Send datagrams as they are, and return what was heard until the domain had taken them all.

        Raises:
            TransportError: it takes nothing any more.
        """
        before = len(self.heard)
        self._raw += datagrams
        self._carrier.flush()
        for _ in range(_ECHO_TRIES):
            if await self.is_answered():
                return self.heard[before:]
        raise TransportError("the domain does not even answer a ping", reason="silence")

    async def play(self, story: Story) -> tuple[Any, list[int]]:
        """Live through a story of a thing's; returns its result, or its error, and the code of each response."""
        codes: list[int] = []
        answer: Message | None = None
        error: ThingsteadError | None = None
        while True:
            try:
                wanted = story.send(answer) if error is None else story.throw(error)
            except StopIteration as done:
                return done.value, codes
            except ThingsteadError as fault:
                return fault, codes
            answer = error = None
            if not isinstance(wanted, Request):
                await asyncio.sleep(wanted.seconds)
                continue
            try:
                answer = await self.request(wanted.message)
                codes.append(answer.code)
            except ThingsteadError as fault:
                error = fault
