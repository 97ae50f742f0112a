"""``thingstead exposure``: have somebody elsewhere knock at the domain's things, and take up what answered there."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

import msgspec

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import read_file
from thingstead.cli.remote import AS, DOMAIN, ask
from thingstead.clock import SystemClock
from thingstead.errors import ConfigError, ExpiredError
from thingstead.phases.doors import open_doors
from thingstead.storage.directory import write_whole
from thingstead.transport.stranger import SocketStranger

__all__ = ["KNOCK", "PLAN", "TELL"]

_LARGEST = 1 << 21
_FRESH = timedelta(hours=24)
_WITHIN, _DOORS_AT_ONCE, _ADDRESSES_AT_ONCE = 1.0, 8, 16
_PLACES = ("site", "internet")


class _Plan(msgspec.Struct, forbid_unknown_fields=True):
    domain: str
    made_at: Annotated[datetime, msgspec.Meta(tz=True)]
    addresses: Annotated[list[str], msgspec.Meta(max_length=20_000)]


class _Door(msgspec.Struct, forbid_unknown_fields=True):
    address: str
    protocol: int
    port: int


class _Found(msgspec.Struct, forbid_unknown_fields=True):
    domain: str
    knocked: list[str]
    open: list[_Door]


def _plan(session: Session) -> int:
    told = ask(session, "exposure.plan", {})
    _write(session.path("plan"), told)
    session.console.show({"addresses": len(told["addresses"]), "plan": session.options["plan"]})
    session.console.next("thingstead exposure knock PLAN --output FOUND, on a machine elsewhere")
    return 0


def _knock(session: Session) -> int:
    plan = _read(session.path("plan"), _Plan)
    age = SystemClock().utc() - plan.made_at
    if not -_FRESH < age < _FRESH:
        # Addresses are lent: whose this one was yesterday is not who has it today.
        raise ExpiredError(f"expected a plan of the last 24 hours, got one of {plan.made_at.isoformat()}")
    for address in plan.addresses:
        _require_one(address)
    opened = asyncio.run(_knock_at(plan.addresses))
    doors = [{"address": address, "protocol": protocol, "port": port} for address, protocol, port in opened]
    _write(session.path("output"), {"domain": plan.domain, "knocked": plan.addresses, "open": doors})
    session.console.show({"knocked": len(plan.addresses), "open": doors})
    session.console.next("thingstead exposure tell FOUND --place site, where the domain is")
    return 0


def _tell(session: Session) -> int:
    found = _read(session.path("found"), _Found)
    doors = [msgspec.to_builtins(one) for one in found.open]
    arguments = {"place": session.options["place"], "knocked": found.knocked, "open": doors}
    session.console.show(ask(session, "exposure.tell", arguments))
    session.console.next("thingstead network exposure")
    return 0


async def _knock_at(addresses: list[str]) -> list[tuple[str, int, int]]:
    stranger, turns = SocketStranger(), asyncio.Semaphore(_ADDRESSES_AT_ONCE)

    async def one(address: str) -> list[tuple[str, int, int]]:
        async with turns:
            found = await open_doors(stranger, address, within=_WITHIN, at_once=_DOORS_AT_ONCE)
        return [(address, *door) for door in found]

    return [door for found in await asyncio.gather(*map(one, addresses)) for door in found]


def _require_one(text: str) -> None:
    try:
        address = ip_address(text)
    except ValueError:
        raise ConfigError(f"expected an address, got {text[:60]!r}") from None
    is_near = address.is_loopback or address.is_link_local
    if is_near or address.is_multicast or address.is_unspecified or address.is_reserved:
        raise ConfigError(f"expected the address of one machine elsewhere, got {text}")


def _read(path: Path, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(read_file(path, max_bytes=_LARGEST), type=kind)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path.name}: {error}") from None


def _write(path: Path, value: Any) -> None:
    write_whole(path, json.dumps(value, indent=2).encode())


PLAN = Action(
    (Parameter("plan", "file to write"), DOMAIN, AS),
    _plan,
    "Addresses that are one thing's alone, and those of this machine: where somebody elsewhere may knock for you.\n"
    "From here the rules keep back what they keep back; whether there is a way past them shows from elsewhere.",
)
KNOCK = Action(
    (Parameter("plan", "as the domain wrote it"), Parameter("--output", "file for what was found", required=True)),
    _knock,
    "On another machine of the site, or outside of it; it needs no domain. One connection request or datagram goes\n"
    "to each port on which things have been found open before. Only for your own things; plans end after a day.",
)
TELL = Action(
    (
        Parameter("found", "what `thingstead exposure knock` wrote"),
        Parameter("--place", "where it knocked", choices=_PLACES, required=True),
        DOMAIN,
        AS,
    ),
    _tell,
    "What answered there although the rules let nobody reach it from there is an alarm:\n"
    "there is a way past this machine.",
)
