"""A whole domain behind a lab: its things have joined, its controller watches the bridge, and its rules are the site's.

Controller, planes and agents are the product's own, put together by the product's own `compose`: frames go from the
packet tap to the traffic watch, what detectors find goes on the ledger and to the responder, and that has six planes
cut a thing off. Joins go over a network in memory, at the addresses that the dummies have on the segment; what the
network plane decides goes into the kernel that the dummies' packets meet.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from thingstead.controller.config import CoapConfig, DomainConfig, NetworkConfig, WatchConfig
from thingstead.controller.response_record import Response
from thingstead.controller.traffic_watch import Tap, TrafficWatch
from thingstead.crypto.authority import make_authority, make_signer
from thingstead.domain.ledger.entry import Entry, Kind
from thingstead.domain.network import ThingAddress
from thingstead.domain.ports import Enforcement
from thingstead.domain.unit import Committed
from thingstead.errors import StateError
from thingstead.identifier import ThingId
from thingstead.phases.manufacture import Model
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Direction, Remote, RemoteKind
from thingstead.simulator.lab.cast import KINDS, Cast, Character
from thingstead.simulator.lab.habit import cloud_name
from thingstead.simulator.lab.scenario import Owner
from thingstead.simulator.maker_release import build
from thingstead.simulator.virtual.clock import VirtualClock, VirtualLoop
from thingstead.simulator.virtual.domain import LivingDomain
from thingstead.simulator.virtual.thing import LivingThing
from thingstead.simulator.virtual.world import SUPPORT_END, World
from thingstead.transport.resolver import HostsResolver

__all__ = ["Household", "Stopwatch"]

_MAKER = "acme"
_DETECTOR = "detector:"
_TCP, _UDP, _COAP = 6, 17, 5683
_DNS, _NTP = "urn:ietf:params:mud:dns", "urn:ietf:params:mud:ntp"
_BEFORE = timedelta(minutes=2)
"""How long before a scenario begins its things join, by the lab's clock."""

_FILES_LAST = timedelta(days=10 * 365)
"""What signs MUD files outlasts support: else a release waits for somebody to say that it may not."""

_INTERVAL, _DAY = 90.0, 86_400.0
"""Seconds that a thing may stay silent: three reports of telemetry; and one that sleeps."""

_OFTEN, _SELDOM = 5.0, 7 * _DAY
"""Seconds between two looks for a release: of those that are to be updated, and of the others."""

_MOMENT = 1e-5
"""Seconds in which all is done that is due; patterns send at most a hundred times more slowly."""

_SLEEPERS_SERIES = "daily"
_POLICY = """
profile = "home"

[scope.member]
"/senml" = ["POST"]
"/credential" = ["FETCH"]
"/update" = ["GET"]
"/update/image" = ["GET"]
"/update/report" = ["POST"]

[[rule]]
name = "everything of Acme"
makers = ["acme"]
zone = "home"
scope = "member"

[release]
sbom_missing = "allow"

[[series]]
name = "readings"
purpose = "to see that it lives"
retention_days = 30

[[series]]
name = "{sleepers}"
purpose = "to see that it lives, though it sleeps"
retention_days = 30
every_seconds = {day:.0f}

[response]
quarantine_from = "{owner.quarantine_from}"
"""


class Stopwatch(VirtualClock):
    """The lab's clock, which stands still while the machine works; while it is taken, the machine's time is added.

    So a duration has both parts: what was waited for on the network in memory, and what was computed. What was added
    stays: a monotonic clock does not go back.
    """

    def __init__(self, loop: VirtualLoop, start: datetime) -> None:
        super().__init__(loop, start)
        self._added = 0.0
        self._taken: float | None = None

    def now(self) -> float:
        """The loop's seconds, and the machine's while it was taken."""
        return super().now() + self._added + (0.0 if self._taken is None else time.perf_counter() - self._taken)

    def take(self, *, running: bool) -> None:
        """Begin to add the machine's time, or end it."""
        if self._taken is not None:
            self._added += time.perf_counter() - self._taken
        self._taken = time.perf_counter() if running else None


class Household:
    """A controller whose alarms are taken from its ledger, and whose responses are its own.

    Args:
        loop: on which everything of it runs.
        kernel: the enforcer of the lab's namespace.
        open_tap: opens what its detectors see frames by.
        networks: prefixes of the segment.
        owner: what the owner has set.
        beginning: of the scenario, in seconds since 1970.
        seed: of keys and numbers.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        kernel: Enforcement,
        open_tap: Callable[[], Tap],
        networks: tuple[IPv4Network | IPv6Network, ...],
        *,
        owner: Owner,
        beginning: float,
        seed: int,
    ) -> None:
        self._loop = loop
        self._networks = networks
        self._owner = owner
        self._world = world = World(
            loop, seed=seed, policy=_POLICY.format(owner=owner, sleepers=_SLEEPERS_SERIES, day=_DAY)
        )
        self._clock = Stopwatch(loop, datetime.fromtimestamp(beginning, UTC) - _BEFORE)
        world.clock = self._clock
        self.domain.enforcement = kernel
        self.domain.open_tap = open_tap
        self._names: dict[ThingId, str] = {}
        self._alarms: list[Entry] = []

    @property
    def domain(self) -> LivingDomain:
        """The domain, to be asked as its owner asks."""
        return self._world.domain

    async def admit(
        self, cast: Cast, *, rules: bool, updated: Collection[str] = (), asleep: Collection[str] = ()
    ) -> None:
        """Start the domain, and have every thing join it under a signed MUD file.

        Args:
            cast: who is there.
            rules: whether files allow what habits need, or anything.
            updated: names of things that look for releases often.
            asleep: names of those that sleep for long, as planned.

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
                hold_ports=self._owner.hold_ports,
                controllers={_DNS: [str(cast.resolver)], _NTP: [str(cast.time_server)]},
            ),
            watch=WatchConfig(interval_seconds=_INTERVAL, test_types=False),
        )
        domain.segment.present = tuple([ThingAddress(one.mac, one.ipv4) for one in cast.things])
        domain.resolver = HostsResolver(
            {cloud_name(name): (str(kind.cloud),) for name, kind in KINDS.items()}, offline=True
        )
        self._publish(rules=rules)
        await domain.start()
        domain.controller.second_place.listen(self._follow)
        # Messages that verify go over the network in memory: they say nothing of who is behind which port.
        domain.controller.clones.listeners.clear()
        things = {one.name: self._bear(one, updated=updated, asleep=asleep) for one in cast.things}
        for thing in things.values():
            thing.start()
        await self._world.until(lambda: all(one.is_joined and one.has_reported for one in things.values()))
        self._names = {thing.id: name for name, thing in things.items()}

    async def until(self, seconds: float) -> None:
        """Let everything happen that is due until so many seconds since the scenario began, in its order."""
        await asyncio.sleep(max(0.0, _BEFORE.total_seconds() + seconds - self._loop.time()))

    async def settle(self) -> None:
        """Let everything happen that is due now: what waits at the tap is seen, judged and answered."""
        await asyncio.sleep(_MOMENT)
        self._clock.take(running=False)

    def alarms(self) -> list[Entry]:
        """What detectors told, as the ledger has it, since this was asked last."""
        told, self._alarms = self._alarms, []
        return told

    def responses(self) -> list[tuple[str, Response]]:
        """Whom that cut off on every plane, and how; the oldest first."""
        made = reversed(self.domain.controller.lookout.responder.responses())
        return [(self._names[one.thing], one) for one in made if one.planes]

    def unseen(self) -> int:
        """Frames that the detectors did not get to see, and findings for which there was no room."""
        return self._traffic.lost + self._traffic.overlooked

    async def update(self, kinds: Collection[str]) -> None:
        """Publish another release for things of these kinds."""
        with tempfile.TemporaryDirectory(prefix="thingstead-lab-") as folder:
            for kind in kinds:
                files = build(Path(folder), self._world.makers[_MAKER], kind, version="1.1.0", sequence=2)
                await self.domain.ask("release.publish", envelope=str(files.envelope), image=str(files.image))

    async def close(self) -> None:
        """Switch everything off."""
        await self._world.close()

    @property
    def _traffic(self) -> TrafficWatch:
        traffic = self.domain.controller.lookout.traffic
        if traffic is None:
            raise StateError("the lab's controller sees no packets")
        return traffic

    def _follow(self, committed: Committed) -> None:
        """Take alarms up; of those that cut a thing off, the machine's time begins to count."""
        for entry in committed.entries:
            if entry.kind is Kind.ALARM and entry.actor.startswith(_DETECTOR):
                self._alarms.append(entry)
                if not str(entry.details["response"]).startswith("none"):
                    self._clock.take(running=True)

    def _bear(self, one: Character, *, updated: Collection[str], asleep: Collection[str]) -> LivingThing:
        world = self._world
        config: dict[str, Any] = {
            "telemetry_interval": _DAY if one.name in asleep else _INTERVAL / 3,
            "update_interval": _OFTEN if one.name in updated else _SELDOM,
            "group_interval": _SELDOM,
            "revocation_interval": _SELDOM,
        }
        thing = LivingThing(
            world,
            one.name,
            address=(str(one.ipv4), _COAP),
            maker=world.makers[_MAKER],
            model=Model(one.kind, 2, _url(one.kind), SUPPORT_END),
            sold_to=self.domain.public,
            config=config,
        )
        if one.name in asleep:
            thing.sensor.series = _SLEEPERS_SERIES
        world.things[one.name] = thing
        return thing

    def _publish(self, *, rules: bool) -> None:
        at = self._clock.utc()
        span = {"not_before": at - timedelta(days=1), "not_after": at + _FILES_LAST}
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
