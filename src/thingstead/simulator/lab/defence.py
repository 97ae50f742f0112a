"""What stands against an attack: rules in the kernel from the start, and whoever answers a finding."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Protocol

from thingstead.analysis.detectors.detector import Detection
from thingstead.analysis.detectors.scene import Scene
from thingstead.domain.network import FlowRule, NetworkChange, ThingAddress
from thingstead.domain.ports import Enforcement
from thingstead.identifier import ThingId, thing_id_from_random
from thingstead.simulator.lab.cast import Cast, Character
from thingstead.simulator.lab.habit import allowed

__all__ = ["Defence", "KernelDefence"]


class Defence(Protocol):
    """Who answers."""

    async def admit(self, cast: Cast, *, rules: bool) -> None:
        """Let every thing in: to do what its habits need, or without a profile whatever it likes."""
        ...

    def scene(self, cast: Cast) -> Scene:
        """What detectors are told of the site."""
        ...

    async def stop(self, one: Character, detection: Detection) -> Mapping[str, float]:
        """Cut a thing off; plane -> real seconds that it took."""
        ...


class KernelDefence:
    """The kernel's rules alone, and a bar for whoever is found: the network plane without the other five.

    Args:
        kernel: the enforcer of the lab's namespace.
        networks: prefixes of the segment.
    """

    def __init__(self, kernel: Enforcement, networks: tuple[IPv4Network | IPv6Network, ...]) -> None:
        self._kernel = kernel
        self._networks = networks
        self._changes: dict[str, NetworkChange] = {}

    async def admit(self, cast: Cast, *, rules: bool) -> None:
        """Put a change of rules for each in force."""
        for one in cast.things:
            flows = allowed(cast, one) if rules else self._anything()
            addresses = (ThingAddress(one.mac, one.ipv4), *_second(one))
            self._changes[one.name] = NetworkChange(_id(one), addresses, flows)
            await self._kernel.apply(self._changes[one.name])

    def scene(self, cast: Cast) -> Scene:
        """The gateway, and things with their addresses."""
        gateway = cast.gateway
        own = {gateway.ipv4.packed, *([gateway.ipv6.packed] if gateway.ipv6 else [])}
        return Scene(
            gateways=frozenset({gateway.mac}),
            gateway_addresses=frozenset(own),
            local=self._networks,
            things={one.mac: _id(one) for one in cast.things},
            addresses={
                address.packed: one.mac
                for one in (*cast.things, gateway)
                for address in (one.ipv4, one.ipv6)
                if address
            },
        )

    async def stop(self, one: Character, detection: Detection) -> Mapping[str, float]:  # noqa: ARG002  nobody is told
        """Bar it in the kernel."""
        started = time.perf_counter()
        await self._kernel.apply(replace(self._changes[one.name], barred=True))
        return {"network": time.perf_counter() - started}

    def _anything(self) -> frozenset[FlowRule]:
        out = [FlowRule(True, ip_network(every)) for every in ("0.0.0.0/0", "::/0")]
        # Nobody has said that neighbours may not ask it.
        return frozenset((*out, *[FlowRule(False, ip_network(every)) for every in ("0.0.0.0/0", "::/0")]))


def _second(one: Character) -> tuple[ThingAddress, ...]:
    return () if one.ipv6 is None else (ThingAddress(one.mac, one.ipv6),)


def _id(one: Character) -> ThingId:
    return thing_id_from_random(bytes(4) + one.mac)
