"""Aiming at a running demo: the only way to a target on real sockets, and it leads to nothing but a demo of ours."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from thingstead.agent.file_home import FileHome
from thingstead.agent.program import HOME
from thingstead.clock import Clock
from thingstead.endpoint.event import Address
from thingstead.enforcement.namespace import Site, inside
from thingstead.errors import ConfigError
from thingstead.phases.manufacture import Maker, Model
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile import birth as birth_record
from thingstead.simulator.attack.target import Carrier, Knock, Target
from thingstead.simulator.demo_record import DemoRecord, RecordedThing
from thingstead.simulator.factory import open_maker
from thingstead.simulator.key_log import associations
from thingstead.transport.control_socket import ControlClient
from thingstead.transport.udp import DatagramCore, Pump, open_socket

__all__ = ["Places", "aim", "on_loopback", "on_site"]

_CONTROL_SOCKET = "control.sock"
_LONGEST_OPERATION = 120.0
_KNOCK_SECONDS = 0.5
_PING = bytes.fromhex("40000001")
_JOINED = "operational"
_ANY_CLASS = 2
_ANY_SERIES = "load"


@dataclass(frozen=True, slots=True)
class Places:
    """Where attackers sit.

    Attributes:
        attach: connects a core to the network, at a place of its own.
        knock: tries a port of an address; None where the ports of the address are not the demo's alone.
    """

    attach: Callable[[DatagramCore], Carrier]
    knock: Knock | None = None


def on_loopback(clock: Clock) -> Places:
    """On this machine, each under a loopback address of its own; what else listens here is none of ours to try."""
    hosts = (str(ipaddress.IPv4Address("127.77.0.0") + number) for number in count(1))
    return Places(lambda core: Pump(core, [open_socket(next(hosts), 0)], clock=clock))


def on_site(site: Site, clock: Clock, *, first: int) -> Places:
    """Among the things of a site, from number `first` on."""
    numbers = count(first)

    def attach(core: DatagramCore) -> Carrier:
        place = site.attach(next(numbers))
        return Pump(core, [inside(place.namespace, lambda: open_socket(str(place.ipv4), 0))], clock=clock)

    place = site.attach(next(numbers))

    async def knock(port: int) -> frozenset[str]:
        stream, datagram = inside(place.namespace, _two_sockets)
        with stream, datagram:
            address = (str(site.controller_ipv4), port)
            tried = {"TCP": _connect(stream, address), "UDP": _ping(datagram, address)}
            answers = await asyncio.gather(*tried.values())
        return frozenset(name for name, answer in zip(tried, answers, strict=True) if answer)

    return Places(attach, knock)


def aim(record: DemoRecord, places: Places, *, clock: Clock, random_bytes: Callable[[int], bytes]) -> Target:
    """Learn of a demo what its attackers know: an address, a genuine thing's papers, and a maker to buy from.

    Raises:
        ConfigError: its endpoint is neither on loopback nor on a site of ours, or nothing has joined it yet.
        TransportError: its controller does not answer.
    """
    _require_ours(record)
    control = record.domain / _CONTROL_SOCKET

    async def ask(operation: str, arguments: Mapping[str, Any]) -> Any:
        return await asyncio.to_thread(_ask, control, operation, arguments)

    thing, row = _genuine(record, control)
    (association,) = associations([thing.home])
    identity = FileHome(thing.home / HOME).load(birth_record.BIRTH) or b""
    latest: dict[str, Any] = _ask(control, "data.show", {"thing": row["thing"]})["latest"]
    return Target(
        address=record.controller,
        attach=places.attach,
        knock=places.knock,
        ask=ask,
        clock=clock,
        random_bytes=random_bytes,
        maker=_maker(record, thing.maker),
        model=Model(thing.model, _ANY_CLASS, row["mud_url"], datetime.fromisoformat(row["support_end"]).date()),
        domain_key=ccs.decode(association.domain_credential).public,
        copied_identity=birth_record.decode(identity).maker_identity,
        series=next(iter(latest), _ANY_SERIES),
    )


def _require_ours(record: DemoRecord) -> None:
    address = ipaddress.ip_address(record.controller[0])
    if not (any(address in network for network in Site.networks) if record.site else address.is_loopback):
        raise ConfigError(f"{address} is neither loopback nor a demo's own network; nothing else is attacked")


def _two_sockets() -> tuple[socket.socket, socket.socket]:
    pair = socket.socket(socket.AF_INET, socket.SOCK_STREAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for one in pair:
        one.setblocking(False)
    return pair


async def _connect(sock: socket.socket, address: Address) -> bool:
    try:
        async with asyncio.timeout(_KNOCK_SECONDS):
            await asyncio.get_running_loop().sock_connect(sock, address)
    except OSError:
        return False
    return True


async def _ping(sock: socket.socket, address: Address) -> bool:
    """A CoAP ping, which is answered wherever CoAP is spoken."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_KNOCK_SECONDS):
            await loop.sock_connect(sock, address)
            await loop.sock_sendall(sock, _PING)
            return bool(await loop.sock_recv(sock, len(_PING)))
    except OSError:
        return False


def _genuine(record: DemoRecord, control: Path) -> tuple[RecordedThing, Mapping[str, Any]]:
    rows = {row["serial"]: row for row in _ask(control, "thing.list", {}) if row["state"] == _JOINED}
    for thing in record.things:
        if thing.serial in rows and any(associations([thing.home])):
            return thing, rows[thing.serial]
    raise ConfigError("expected a demo whose things have joined; wait until it says so")


def _maker(record: DemoRecord, name: str) -> Maker:
    for directory in record.makers:
        maker = open_maker(directory).maker
        if maker.name == name:
            return maker
    raise ConfigError(f"the demo has no maker {name}")


def _ask(control: Path, operation: str, arguments: Mapping[str, Any]) -> Any:
    with closing(ControlClient(control, timeout=_LONGEST_OPERATION)) as client:
        answer = client.ask({"operation": operation, "arguments": dict(arguments)})
    if "error" in answer:
        raise ConfigError(f"{operation}: {answer['error']['message']}", reason=answer["error"]["reason"])
    return answer["result"]
