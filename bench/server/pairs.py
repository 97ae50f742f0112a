"""Things in one process that command each other over a line which can be made bad; what each accepted, and when.

``python -m bench.server.pairs PORT FOLDER PACE``

Each thing has a loopback address of its own, and is the product's own but for its radio and its lamp: datagrams are
lost where they are heard, and those for the controller where they leave. What it can be asked on its status socket,
`LineThing.answer` says.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from thingstead.agent.config import AgentConfig
from thingstead.agent.core import Agent
from thingstead.agent.lamp import SimulatedLamp
from thingstead.agent.outbox import DOMAIN
from thingstead.agent.program import run
from thingstead.agent.story import Story, Wait
from thingstead.endpoint.event import Address, AssociationId
from thingstead.errors import ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.code import is_error
from thingstead.protocols.coap.message import Message, MessageType, encode, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import protect_request
from thingstead.protocols.profile import path

__all__ = ["PORT", "address"]

PORT = 5683
_FIRST, _NETS = int(ip_address("127.1.0.1")), 250
_SELDOM = 300.0
_PAUSE = 1.0
_BATCH = 10
_BREATH = 0.01
_RECORDED = 200
_NUMBERS = 1 << 20
_TOKEN, _TOKEN_AT = b"insist", 4


def address(port: int, number: int) -> str:
    """Where the thing of this number is, in the domain whose controller has this port."""
    return str(ip_address(_FIRST + (port % _NETS << 16) + number))


@dataclass(slots=True)
class _Line:
    """What the air is like; one for all things of the process."""

    random: random.Random = field(default_factory=lambda: random.Random(1))
    loss: float = 0.0
    asleep: set[str] = field(default_factory=set)
    cut_off: set[str] = field(default_factory=set)


_LINE = _Line()


class _TimedLamp(SimulatedLamp):
    """Knows when it was switched last, on the clock that all processes of a machine share."""

    def __init__(self) -> None:
        super().__init__()
        self.last = 0.0

    def switch(self, on: bool) -> None:
        super().switch(on)
        self.last = time.monotonic()


class LineThing(Agent):
    """A thing on the line."""

    def __init__(self, hardware: Any, config: AgentConfig, **others: Any) -> None:
        self.lamp = _TimedLamp()
        super().__init__(replace(hardware, actuator=self.lamp), config, **others)
        self._place = (config.controller_host, config.controller_port)
        self._heard = 0.0
        self._served = 0.0
        self._answers = 0
        self._attempts = 0
        self._mid = 0
        self._insists = False
        self._contexts: dict[AssociationId, SecurityContext] = {}
        self._said: list[tuple[bytes, Address]] = []
        self._says: list[tuple[bytes, Address]] = []

    # --- the line

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        """Hear it, or not; what answers `_say` is only counted."""
        host = self.config.host
        if host in _LINE.asleep or (source == self._place and host in _LINE.cut_off):
            return
        if _LINE.random.random() < _LINE.loss:
            return
        if data[_TOKEN_AT : _TOKEN_AT + len(_TOKEN)] != _TOKEN:
            super().receive_datagram(data, source, now, multicast=multicast)
        elif source == self._place and not is_error(data[1]):
            self._served, self._answers = time.monotonic(), self._answers + 1

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """What leaves, and is not lost on its way to the controller."""
        says, self._says = self._says, []
        said = super().datagrams_to_send(now) + says
        if self._insists and len(self._said) < _RECORDED:
            self._said += said
        return [one for one in said if self._leaves(one[1])]

    def _leaves(self, destination: Address) -> bool:
        host = self.config.host
        if host in _LINE.asleep:
            return False
        if destination != self._place:
            return True
        return host not in _LINE.cut_off and _LINE.random.random() >= _LINE.loss

    # --- what is asked

    def answer(self, asked: Mapping[str, Any]) -> dict[str, object]:
        """``line`` makes the air so, ``insist`` and ``attempt`` make it command; all answer how it stands."""
        given = asked.get("arguments", {})
        match asked.get("operation"):
            case "line":
                _LINE.loss = given["loss"]
                _LINE.asleep, _LINE.cut_off = set(given["asleep"]), set(given["cut_off"])
            case "insist":
                self._insists = True
                self.stories.start("domain", self._insist(DOMAIN, _question(), self._place, given["every"]), self.now)
                for server, host in given["servers"].items():
                    place = (host, PORT)
                    self.stories.start("show", self._show(server, place), self.now)
                    self.stories.start("peer", self._insist(_to(server), _command(), place, given["every"]), self.now)
            case "attempt":
                self.stories.start("attempt", self._attempt(given["servers"], given["count"]), self.now)
        return self.status() | {
            "last": self.lamp.last,
            "switched": self.lamp.switched,
            "heard": self._heard,
            "served": self._served,
            "answers": self._answers,
            "attempts": self._attempts,
            "met": all(_to(server) in self._contexts for server in given.get("servers", ())),
            "tokens": {server: end.timestamp() for server, end in self.peer_client.tokens().items()},
        }

    def _on_revoked(self, hashes: frozenset[bytes]) -> None:
        super()._on_revoked(hashes)
        self._heard = time.monotonic()

    # --- what it does to others

    def _show(self, server: str, place: Address) -> Story:
        """Command a peer as things do, with the token whenever the peer wants it."""
        while True:
            with suppress(ThingsteadError):
                yield from self.peer_client.ask(server, place, _command())
            yield Wait(_PAUSE)

    def _insist(self, name: AssociationId, message: Message, place: Address, every: float) -> Story:
        """Say it again and again, whatever comes back and whether anything does."""
        while True:
            self._say(name, message, place)
            yield Wait(every * (0.5 + _LINE.random.random()))

    def _attempt(self, servers: Mapping[str, str], count: int) -> Story:
        """After its end: fresh messages under all keys that it had, and again what it said while it was in."""
        targets = [(_to(server), _command(), (host, PORT)) for server, host in servers.items()]
        targets.append((DOMAIN, _question(), self._place))
        while self._attempts < count:
            for _ in range(_BATCH):
                number = self._attempts = self._attempts + 1
                if number % 2:
                    self._say(*targets[number // 2 % len(targets)])
                else:
                    data, place = self._said[number // 2 % len(self._said)]
                    self._says.append((data[:2] + self._next_mid() + data[4:], place))
            yield Wait(_BREATH)

    def _say(self, name: AssociationId, message: Message, place: Address) -> None:
        """Protect it under the newest keys that were had, in force or not, and past all manners of the endpoint."""
        live = self.endpoint.association(name)
        if live is not None:
            self._contexts[name] = live.context
            live.context.sender.sequence.reserve(_NUMBERS)
        if name in self._contexts:
            protected, _ = protect_request(message, context=self._contexts[name])
            protected.type, protected.token = MessageType.NON, _TOKEN
            protected.mid = int.from_bytes(self._next_mid(), "big")
            self._says.append((encode(protected), place))

    def _next_mid(self) -> bytes:
        self._mid = (self._mid + 1) & 0xFFFF
        return self._mid.to_bytes(2, "big")


def _to(server: str) -> AssociationId:
    return AssociationId(f"to-{server}")


def _question() -> Message:
    return request(Code.GET, path.TRL)


def _command() -> Message:
    return request(Code.PUT, path.LIGHT, payload=codec.encode(True), content_format=ContentFormat.CBOR)


def main(port: int, folder: Path, pace: float) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    configs = [
        AgentConfig(
            home=home,
            controller_port=port,
            host=address(port, number),
            port=PORT,
            telemetry_interval=pace,
            update_interval=_SELDOM,
            group_interval=pace,
        )
        for number, home in enumerate(sorted(folder.iterdir()))
    ]
    asyncio.run(run(configs, make=LineThing))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
