"""A whole domain behind a lab: its things have joined, its six planes answer, and its kernel rules are the site's.

Planes, conductor, responder and agents are the product's own. Joins go over a network in memory, at the addresses that
the dummies have on the segment; what the network plane decides goes into the kernel that the dummies' packets meet.
"""

from __future__ import annotations

import time
from collections.abc import Container, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network

from thingstead.analysis.detectors.detector import Detection
from thingstead.analysis.detectors.scene import Scene
from thingstead.controller.config import CoapConfig, DomainConfig, NetworkConfig
from thingstead.crypto.authority import make_authority, make_signer
from thingstead.domain.network import ThingAddress
from thingstead.domain.ports import Enforcement
from thingstead.identifier import ThingId
from thingstead.phases.manufacture import Model
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Direction, Remote, RemoteKind
from thingstead.simulator.lab.cast import KINDS, Cast, Character
from thingstead.simulator.lab.habit import cloud_name
from thingstead.simulator.virtual.clock import VirtualClock, VirtualLoop
from thingstead.simulator.virtual.domain import LivingDomain
from thingstead.simulator.virtual.thing import LivingThing
from thingstead.simulator.virtual.world import SUPPORT_END, World
from thingstead.transport.resolver import HostsResolver

__all__ = ["Household", "Stopwatch"]

_MAKER = "acme"
_TCP, _UDP, _COAP = 6, 17, 5683
_DNS, _NTP = "urn:ietf:params:mud:dns", "urn:ietf:params:mud:ntp"
_BEFORE = timedelta(minutes=2)
"""How long before a scenario begins its things join, by the lab's clock."""

_INTERVAL, _DAY = 90.0, 86_400.0
"""Seconds that a thing may stay silent: three reports of telemetry; and one that sleeps."""

_POLICY = """
profile = "home"

[scope.member]
"/senml" = ["POST"]
"/credential" = ["FETCH"]

[[rule]]
name = "everything of Acme"
makers = ["acme"]
zone = "home"
scope = "member"

[[series]]
name = "readings"
purpose = "to see that it lives"
retention_days = 30
"""


class Stopwatch(VirtualClock):
    """The lab's clock, which stands still while the machine works; while it is taken, the machine's time is added.

    So a duration has both parts: what was waited for on the network in memory, and what was computed.
    """

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        super().__init__(loop, start)
        self._taken: float | None = None

    def now(self) -> float:
        """The loop's seconds, and the machine's since `take`."""
        return super().now() + (0.0 if self._taken is None else time.perf_counter() - self._taken)

    def take(self, *, running: bool) -> None:
        """Begin to add the machine's time, or end it."""
        self._taken = time.perf_counter() if running else None


class Household:
    """The owner's response policy decides about a finding, and all six planes do what follows.

    Args:
        loop: on which everything of it runs.
        kernel: the enforcer of the lab's namespace.
        networks: prefixes of the segment.
        beginning: of the scenario, in seconds since 1970.
        seed: of keys and numbers.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        kernel: Enforcement,
        networks: tuple[IPv4Network | IPv6Network, ...],
        *,
        beginning: float,
        seed: int,
    ) -> None:
        self._networks = networks
        self._beginning = beginning
        self._world = world = World(loop, seed=seed, policy=_POLICY)
        self._clock = Stopwatch(loop, datetime.fromtimestamp(beginning, UTC) - _BEFORE)
        world.clock = self._clock
        self.domain.enforcement = kernel
        self._names: dict[str, ThingId] = {}

    @property
    def domain(self) -> LivingDomain:
        """The domain, to be asked as its owner asks."""
        return self._world.domain

    async def admit(self, cast: Cast, *, rules: bool) -> None:
        """Start the domain, and have every thing join it under a signed MUD file.

        Raises:
            TimeoutError: one did not get in.
        """
        domain, gateway = self.domain, str(cast.gateway.ipv4)
        domain.address = (gateway, _COAP)
        domain.config = replace(
            domain.config,
            domain=DomainConfig(name="lab"),
            coap=CoapConfig(host=gateway, port=_COAP),
            network=NetworkConfig(
                local=[str(network) for network in self._networks],
                controllers={_DNS: [str(cast.resolver)], _NTP: [str(cast.time_server)]},
            ),
        )
        domain.segment.present = tuple([ThingAddress(one.mac, one.ipv4) for one in cast.things])
        domain.resolver = HostsResolver(
            {cloud_name(name): (str(kind.cloud),) for name, kind in KINDS.items()}, offline=True
        )
        self._publish(rules=rules)
        await domain.start()
        things = {one.name: self._bear(one) for one in cast.things}
        for thing in things.values():
            thing.start()
        await self._world.until(lambda: all(one.is_joined and one.has_reported for one in things.values()))
        self._names = {name: thing.id for name, thing in things.items()}

    def scene(self, cast: Cast, *, installs: Mapping[str, float], asleep: Container[str] = ()) -> Scene:
        """The gateway, and things under the domain's names for them.

        Args:
            cast: who is there.
            installs: seconds since 1970 when things began to run another release, by name.
            asleep: names of those that sleep for long, as planned.
        """
        gateway = cast.gateway
        people = (*cast.things, gateway)
        return Scene(
            gateways=frozenset({gateway.mac}),
            gateway_addresses=frozenset(address.packed for address in (gateway.ipv4, gateway.ipv6) if address),
            local=self._networks,
            intervals={name: _DAY if one in asleep else _INTERVAL for one, name in self._names.items()},
            installs={self._names[name]: at for name, at in installs.items()},
            things={one.mac: self._names[one.name] for one in cast.things},
            addresses={address.packed: one.mac for one in people for address in (one.ipv4, one.ipv6) if address},
        )

    async def stop(self, detection: Detection) -> Mapping[str, float]:
        """Bring a finding to the domain, at the time that it is by the lab's clock.

        Returns:
            Plane -> seconds that it took to cut the thing off; nothing where the policy does not have it cut off.
        """
        elapsed = detection.last - self._clock.start.timestamp()
        self._world.jump(max(0.0, elapsed - self._clock.now()))
        self._clock.take(running=True)
        try:
            response = await self.domain.controller.lookout.responder.alarm(detection)
        finally:
            self._clock.take(running=False)
        if response is None:
            return {}
        return {part.plane.value: part.milliseconds / 1000 for part in response.planes if part.milliseconds is not None}

    async def close(self) -> None:
        """Switch everything off."""
        await self._world.close()

    def _bear(self, one: Character) -> LivingThing:
        world = self._world
        model = Model(one.kind, 2, _url(one.kind), SUPPORT_END)
        thing = LivingThing(
            world,
            one.name,
            address=(str(one.ipv4), _COAP),
            maker=world.makers[_MAKER],
            model=model,
            sold_to=self.domain.public,
            config={},
        )
        world.things[one.name] = thing
        return thing

    def _publish(self, *, rules: bool) -> None:
        at = self._clock.utc()
        span = {"not_before": at - timedelta(days=1), "not_after": at + timedelta(days=365)}
        authority = make_authority("Acme", **span)
        signer = make_signer("Acme files", authority, **span)
        self._world.mud_authorities[_MAKER] = (authority.certificate.der,)
        for kind in KINDS:
            services = _habits(kind) if rules else _ANYTHING
            file = render(Description(_url(kind), at, f"A {kind}", "Acme", kind, services))
            documents = {_url(kind): file, f"{_url(kind)}.p7s": signer.sign_detached(file)}
            self.domain.mud_files.documents |= documents


def _url(kind: str) -> str:
    return f"https://mud.example/{kind}.json"


def _habits(kind: str) -> tuple[Service, ...]:
    return (
        Service(Remote(RemoteKind.DNS_NAME, cloud_name(kind)), _TCP, remote_port=443),
        Service(Remote(RemoteKind.CONTROLLER, _DNS), _UDP, remote_port=53),
        Service(Remote(RemoteKind.CONTROLLER, _NTP), _UDP, remote_port=123),
    )


_ANYBODY = Remote(RemoteKind.PREFIX, prefix=IPv4Network("0.0.0.0/0"))
_ANYTHING = (
    Service(_ANYBODY, _TCP),
    Service(_ANYBODY, _TCP, opened_by=Direction.TO_DEVICE),
    Service(_ANYBODY, _UDP),
)
"""A file that forbids nothing: what a thing may do of which nobody knows a profile, said by its maker."""
