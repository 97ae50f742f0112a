"""What a thing's own rules say of what a detector tells of it: a camera that may send mail is no alarm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from ipaddress import ip_address

from thingstead.analysis.detectors.detector import Detection, Peer
from thingstead.analysis.traffic.flow import Flow
from thingstead.errors import TransportError
from thingstead.identifier import ThingId
from thingstead.planes.network.rule_book import Reason
from thingstead.protocols.packet.packet import EtherType

__all__ = ["Explain", "are_named"]

Explain = Callable[[ThingId, tuple[Flow, ...]], Awaitable[tuple[Reason, ...]]]
"""By whose word conversations of a thing are allowed."""

_STRANGERS = {4: ("192.0.2.1", "198.51.100.1", "203.0.113.1"), 16: ("2001:db8::1",)}
"""Addresses of examples (RFC 5737, RFC 3849): rules that let a thing speak to these name nobody."""


async def are_named(detection: Detection, explain: Explain) -> bool:
    """Whether rules of the thing name each peer of a detection: who may speak to anybody is told of all the same.

    The rules go by addresses that the domain itself looked up, and not by answers that the thing got.
    """
    if detection.thing is None or not detection.peers:
        return False
    asked = [_flow(one, detection.last) for one in detection.peers]
    others = [_flow(one, detection.last) for peer in detection.peers for one in _strangers(peer)]
    try:
        reasons = await explain(detection.thing, (*asked, *others))
    except TransportError:
        # Who keeps the rules does not answer: what was found stands.
        return False
    return all(one.allowed for one in reasons[: len(asked)]) and not any(one.allowed for one in reasons[len(asked) :])


def _strangers(peer: Peer) -> list[Peer]:
    """Others that would be contacted likewise, one of them in the other half of all addresses."""
    far = bytes([peer.address[0] ^ 0x80]) + peer.address[1:]
    known = [ip_address(one).packed for one in _STRANGERS[len(peer.address)]]
    return [replace(peer, address=one) for one in (far, *known) if one != peer.address]


def _flow(peer: Peer, at: float) -> Flow:
    kind = EtherType.IPV4 if len(peer.address) == 4 else EtherType.IPV6
    return Flow(b"", True, True, peer.address, (), kind, peer.protocol, peer.port, None, None, at, at, 1, 0, 0, 0)
