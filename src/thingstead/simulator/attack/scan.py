"""Scan: what answers a stranger at all, and to what (RFC 8576 §3 threat 11; RFC 7252 §11)."""

from __future__ import annotations

import asyncio
from collections import Counter

from thingstead.errors import ThingsteadError
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import path
from thingstead.simulator.attack.station import Station
from thingstead.simulator.attack.target import Knock, Target
from thingstead.simulator.attack.verdict import Traffic, Verdict, names

__all__ = ["METHODS", "PATHS", "PUBLIC", "scan"]

_NAME = "scan"

METHODS = (Code.GET, Code.POST, Code.PUT, Code.DELETE, Code.FETCH, Code.PATCH, Code.IPATCH)
"""Every method of CoAP (RFC 7252 §5.8, RFC 8132)."""

_GUESSES = ("/", "/authz-info", "/token", "/introspect", "/ace-group/lamps", "/rd", "/bs", "/config", "/keys", "/admin")
PATHS = tuple(sorted({*_GUESSES, *[getattr(path, name) for name in path.__all__]}))
"""What a domain may serve, and what attackers look for."""

PUBLIC = frozenset({(path.EDHOC, Code.POST), (path.WELL_KNOWN_CORE, Code.GET)})
"""What a stranger may ask: to join, and where that is done."""

_REFUSALS = frozenset({Code.UNAUTHORIZED, Code.NOT_FOUND, Code.METHOD_NOT_ALLOWED})

_IN_USE = (
    "21 22 23 53 80 161 443 502 623 1883 1900 2323 4840 5222 5353 5684 5685 7547 8000 8080 8443 8883 9000 9090 47808"
)
_PORTS = frozenset(int(port) for port in _IN_USE.split())
"""Where things and their gateways have been found open before."""

_MALFORMED = {
    "nothing": "",
    "half a header": "4001",
    "version 0": "00010001",
    "version 3": "c0010001",
    "a token of 15 bytes": "4f010001",
    "a token over the end": "4801000101",
    "an option of reserved length": "400100011f",
    "an option of reserved delta": "40010001f1",
    "an option over the end": "40010001bd",
    "a payload marker without payload": "40010001ff",
    "a path that is not UTF-8": "40010001b1ff",
    "a path that climbs": "40010001b22e2e",
    "an unknown critical option": "40010001e109ff00",
    "a reserved class": "40210001",
    "a response to nothing": "60450001",
    "a reset of nothing": "70000001",
    "an OSCORE option without payload": "4002000190",
    "an OSCORE option of reserved flags": "4002000191e0ff00",
    "an OSCORE kid that nobody has": "40020001960901aabbccddff00112233445566778899",
    "an array of arrays as EDHOC": "40020001bb2e77656c6c2d6b6e6f776e0565646861ff" + "9f" * 200,
    "more than a datagram of ours holds": "40010001ff" + "00" * 1600,
}
"""Datagrams outside RFC 7252, RFC 8613 and RFC 9528, in hexadecimal."""


async def scan(target: Target) -> list[Verdict]:
    """Ask everything in clear, then send what no standard knows."""
    station = Station(target)
    try:
        verdicts = [*[await _path(station, place) for place in PATHS], await _malformed(target, station)]
    finally:
        station.close()
    return verdicts if target.knock is None else [*verdicts, await _ports(target, target.knock)]


async def _ports(target: Target, knock: Knock) -> Verdict:
    ports = sorted({*_PORTS, target.address[1]})
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
    for name, datagram in _MALFORMED.items():
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
        what=f"{len(_MALFORMED)} datagrams that no standard knows",
        expected="each refused or ignored, and a ping answered after it",
        observed="; ".join(wrong) or "each refused or ignored, and a ping answered after it",
        held=not wrong,
        evidence=f"counted: {names(risen)}",
    )
