"""What an attack needs of the demo it is run against; the only targets there are, are demos of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from thingstead.clock import Clock
from thingstead.crypto.key import PublicKey
from thingstead.endpoint.event import Address
from thingstead.phases.manufacture import Maker, Model
from thingstead.transport.udp import DatagramCore

__all__ = ["Carrier", "Knock", "Target"]


class Carrier(Protocol):
    """Carries datagrams between one core and the network."""

    def flush(self) -> None:
        """Send what the core wants sent."""
        ...

    def close(self) -> None:
        """Carry nothing more."""
        ...


Knock = Callable[[int], Awaitable[frozenset[str]]]
"""Tries a port of the domain's address, and tells over which of TCP and UDP something answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A domain of ours, and a place beside it.

    Attributes:
        address: of the domain's endpoint.
        attach: connects a core to the network, under an address of its own.
        ask: asks the domain's controller, as its owner: what did it see, and what did it keep?
        clock: both times.
        random_bytes: a source of randomness.
        maker: one that the domain trusts; makes the attacker a thing, as anybody may buy one.
        model: what that thing is; the domain lets things of it join.
        domain_key: what vouchers for this domain name.
        copied_identity: maker identity of a genuine thing; no secret, but no key either.
        series: a series that the domain collects.
        knock: tries a port of the domain; None where its address is not its alone.
    """

    address: Address
    attach: Callable[[DatagramCore], Carrier]
    ask: Callable[[str, Mapping[str, Any]], Awaitable[Any]]
    clock: Clock
    random_bytes: Callable[[int], bytes]
    maker: Maker
    model: Model
    domain_key: PublicKey
    copied_identity: bytes
    series: str
    knock: Knock | None = None
