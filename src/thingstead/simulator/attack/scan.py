"""Scan: what answers a stranger at all, and to what (RFC 8576 §3 threat 11; RFC 7252 §11)."""

from __future__ import annotations

import asyncio
from collections import Counter

from thingstead.errors import ThingsteadError
from thingstead.phases.knocking import MALFORMED, PATHS, PORTS
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import path
from thingstead.simulator.attack.station import Station
from thingstead.simulator.attack.target import Knock, Target
from thingstead.simulator.attack.verdict import Traffic, Verdict, names

__all__ = ["METHODS", "PUBLIC", "scan"]

_NAME = "scan"

METHODS = (Code.GET, Code.POST, Code.PUT, Code.DELETE, Code.FETCH, Code.PATCH, Code.IPATCH)
"""Every method of CoAP (RFC 7252 §5.8, RFC 8132)."""

PUBLIC = frozenset({(path.EDHOC, Code.POST), (path.WELL_KNOWN_CORE, Code.GET)})
"""What a stranger may ask: to join, and where that is done."""

_REFUSALS = frozenset({Code.UNAUTHORIZED, Code.NOT_FOUND, Code.METHOD_NOT_ALLOWED})


async def scan(target: Target) -> list[Verdict]:
    """Ask everything in clear, then send what no standard knows."""
    station = Station(target)
    try:
        verdicts = [*[await _path(station, place) for place in PATHS], await _malformed(target, station)]
    finally:
        station.close()
    return verdicts if target.knock is None else [*verdicts, await _ports(target, target.knock)]


async def _ports(target: Target, knock: Knock) -> Verdict:
    ports = sorted({*PORTS, target.address[1]})
    answers = await asyncio.gather(*[knock(port) for port in ports])
    found = [f"{name} {port}" for port, protocols in zip(ports, answers, strict=True) for name in sorted(protocols)]
    return Verdict(
        attack=_NAME,
        plane="network",
        what=f"{len(ports)} ports of the domain from a thing's place, over TCP and UDP",
        expected=f"UDP {target.address[1]} alone",
        observed=", ".join(found) or "nothing",
        held=found == [f"UDP {target.address[1]}"],
    )


async def _path(station: Station, place: str) -> Verdict:
    answers = {method: await station.ask(request(method, place)) for method in METHODS}
    private = {method: answer for method, answer in answers.items() if (place, method) not in PUBLIC}
    public = [f"{method.name} {answers[method]}" for method in METHODS if (place, method) in PUBLIC]
    return Verdict(
        attack=_NAME,
        plane="access",
        what=f"{place} in clear, by {len(METHODS)} methods",
        expected="refused" if not public else "public by one method alone",
        observed=names(Counter([answer.code for answer in private.values()])),
        held=all(answer.code in _REFUSALS for answer in private.values()),
        evidence=", ".join(public),
    )


async def _malformed(target: Target, station: Station) -> Verdict:
    before = await Traffic.of(target)
    wrong: list[str] = []
    for name, datagram in MALFORMED.items():
        try:
            heard = await station.throw([bytes.fromhex(datagram)])
        except ThingsteadError:
            wrong.append(f"{name}: no answer to a ping after it")
            break
        wrong += [f"{name}: {data.hex()[:16]}" for data in heard if data[1] >> 5 == 2]
    risen = (await Traffic.of(target)).since(before)
    return Verdict(
        attack=_NAME,
        plane="access",
        what=f"{len(MALFORMED)} datagrams that no standard knows",
        expected="each refused or ignored, and a ping answered after it",
        observed="; ".join(wrong) or "each refused or ignored, and a ping answered after it",
        held=not wrong,
        evidence=f"counted: {names(risen)}",
    )
