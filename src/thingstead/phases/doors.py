"""Which services answer a stranger at one address: a connection request or one datagram to each port, and no more."""

from __future__ import annotations

import asyncio

from thingstead.domain.ports import Stranger
from thingstead.phases.knocking import PORTS

__all__ = ["DOORS", "open_doors"]

_TCP, _UDP = 6, 17
_PROBES = {
    53: bytes.fromhex("000101000001000000000000") + b"\x07example\x00\x00\x01\x00\x01",
    123: b"\x23" + bytes(47),
    1900: b'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n',
    5683: bytes.fromhex("40000001"),
}
"""A question that each service has to answer: DNS (RFC 1035), NTP (RFC 5905), SSDP, and a CoAP ping (RFC 7252 §1.2)."""


DOORS = (*[(_TCP, port) for port in sorted(PORTS)], *[(_UDP, port) for port in sorted(_PROBES)])
"""Protocol and port of all that is tried."""


async def open_doors(stranger: Stranger, address: str, *, within: float, at_once: int) -> tuple[tuple[int, int], ...]:
    """Protocol and port of what answers there.

    Args:
        stranger: knocks.
        address: of one machine.
        within: seconds for an answer.
        at_once: ports.
    """
    turns = asyncio.Semaphore(at_once)

    async def knock(protocol: int, port: int) -> bool:
        async with turns:
            if protocol == _TCP:
                return await stranger.knock(address, port, within=within)
            said = await stranger.say(_PROBES[port], (address, port), within=within, until=lambda _answer: True)
            return bool(said)

    answered = await asyncio.gather(*[knock(*door) for door in DOORS])
    return tuple([door for door, is_open in zip(DOORS, answered, strict=True) if is_open])
