"""The whole domain seen at one instant: its figures, its dates, its planes, and the assurance drawn from them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thingstead.analysis.assurance import Assurance, Trace, assess
from thingstead.analysis.crypto_inventory import Held
from thingstead.analysis.neglect import Neglected
from thingstead.analysis.question import QUESTIONS
from thingstead.analysis.sunset import own_dates
from thingstead.clock import Clock
from thingstead.controller import evidence
from thingstead.controller.alarm_tally import AlarmTally
from thingstead.controller.attention import Attention
from thingstead.controller.engines import remote_engine
from thingstead.controller.figures import Figures
from thingstead.controller.network_engine import RemoteNetwork
from thingstead.controller.notary import Notary
from thingstead.controller.server import DomainServer
from thingstead.crypto.judgement import Quantum
from thingstead.crypto.lifetime import judgement
from thingstead.domain.crypto_asset import CryptoAsset
from thingstead.domain.crypto_policy import HYBRID_AGREEMENT, CryptoPolicy
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.tally import Tally
from thingstead.domain.plane import Expiry, Finding, Plane
from thingstead.domain.ports import Store
from thingstead.domain.register import Register
from thingstead.endpoint.resource import Resources
from thingstead.errors import DecodeError, SecurityError, StorageError
from thingstead.phases.bootstrap import Bootstrap
from thingstead.planes.network.mud_manager import MudManager
from thingstead.protocols.profile import join

__all__ = ["Overview", "PlaneMode"]

_CHUNK = 512
_LIVE = "live"


@dataclass(frozen=True, slots=True)
class PlaneMode:
    """How one plane acts.

    Attributes:
        plane: its name.
        mode: ``live``, or in capitals what it does not do.
        owed: demands that it has not met yet.
    """

    plane: str
    mode: str
    owed: int


class Overview:
    """Reads everything and changes nothing.

    Args:
        domain: its name.
        planes: all six.
        register: the things.
        store: the ledger's leaves.
        notary: the ledger's tree and heads.
        resources: what is served.
        server: the live endpoint.
        bootstrap: handshakes under way.
        max_half_open: how many may be.
        is_offline: it asks no resolver for names outside.
        attention: looks for what is forgotten.
        waiting: how many things wait for a person.
        cut_off: how many things an alarm has cut off, and nobody let go.
        own_assets: what above the planes holds because of an algorithm.
        crypto: the owner's dates of algorithms.
        makers: what came of asking makers' servers, by maker and reason.
        dates: what expires and is no plane's alone.
        separate: what runs in processes of their own.
        clock: both times; uptime counts from here.
    """

    def __init__(
        self,
        domain: str,
        planes: Iterable[Plane],
        *,
        register: Register,
        store: Store,
        notary: Notary,
        resources: Resources,
        server: DomainServer,
        bootstrap: Bootstrap,
        max_half_open: int,
        is_offline: bool,
        attention: Attention,
        waiting: Callable[[], int],
        cut_off: Callable[[], int],
        own_assets: Callable[[], Iterable[CryptoAsset]],
        crypto: Callable[[], CryptoPolicy],
        makers: Callable[[], Mapping[str, Mapping[str, int]]],
        dates: Callable[[], Iterable[Expiry]],
        separate: Sequence[str] = (),
        clock: Clock,
    ) -> None:
        self._domain = domain
        self._planes = tuple(planes)
        self._register = register
        self._store = store
        self._notary = notary
        self._resources = resources
        self._server = server
        self._bootstrap = bootstrap
        self._max_half_open = max_half_open
        self._is_offline = is_offline
        self._attention = attention
        self._waiting = waiting
        self._own_assets = own_assets
        self._crypto = crypto
        self._makers = makers
        self._dates = dates
        self._separate = tuple(separate)
        self._clock = clock
        self._started = clock.now()
        self._tally = Tally()
        self._alarms = AlarmTally(store, notary.size, cut_off=cut_off, clock=clock)
        self._counting = asyncio.Lock()

    @property
    def clock(self) -> Clock:
        """The controller's."""
        return self._clock

    async def assurance(self, trace: Trace | None = None) -> Assurance:
        """Ask every plane and the controller every question, now."""
        figures = await self._figures()
        found = [one for question in QUESTIONS for plane in self._planes for one in plane.findings(question)]
        found += evidence.findings(figures)
        found.append(self._about_itself(len(found)))
        return assess(QUESTIONS.values(), found, domain=self._domain, at=figures.at, trace=trace)

    def expiries(self) -> list[Expiry]:
        """Everything that the planes watch, and the last days of keys that makers replace."""
        ended = own_dates(self.assets, self._crypto(), today=self._clock.utc().date(), suites=join.SUITES)
        return [*(expiry for plane in self._planes for expiry in plane.expiries()), *self._dates(), *ended]

    def assets(self) -> list[Held]:
        """Everything that holds because of an algorithm, of every plane and above them."""
        held: list[Held] = [(plane.name, asset) for plane in self._planes for asset in plane.assets()]
        return [*[(None, asset) for asset in self._own_assets()], *held]

    def forgotten(self) -> tuple[Neglected, ...]:
        """What nobody looks after, looked for now."""
        return self._attention.look()

    async def status(self) -> dict[str, Any]:
        """How the domain stands, for whoever has ten seconds.

        Raises:
            StorageError: the ledger cannot be read.
        """
        things = list(self._register.things())
        return {
            "domain": self._domain,
            "uptime_seconds": round(self._clock.now() - self._started),
            "things": len(things),
            "states": dict(sorted(Counter(thing.state.value for thing in things).items())),
            "restrictions": dict(sorted(Counter(thing.restriction.value for thing in things).items())),
            "waiting": self._waiting(),
            "alarms": await self._alarms.told(),
            "forgotten": {neglect.value: count for neglect, count in sorted(self._attention.counts.items())},
            "planes": self.modes(),
            "associations": sum(self._server.is_live(thing.id) for thing in things),
            "handshakes": self._bootstrap.half_open,
            "ledger": {"entries": self._notary.size, "signed": self._notary.sealed},
            "refused": dict(sorted(self._resources.refused.items())),
            "dropped": dict(sorted(self._server.counters.items())),
            "makers": self._makers(),
            "separate": list(self._separate),
        }

    def modes(self) -> list[PlaneMode]:
        """Each plane, and loudly what it does not do."""
        owed = Counter(one.plane for one in self._register.obligations())
        return [PlaneMode(plane.name.value, _mode(plane), owed[plane.name]) for plane in self._planes]

    async def _figures(self) -> Figures:
        await self._count()
        things = tuple(self._register.things())
        assets = [asset for _, asset in self.assets()]
        return Figures(
            at=self._clock.utc(),
            things=things,
            live=frozenset(thing.id for thing in things if self._server.is_live(thing.id)),
            owed=len(self._register.obligations()),
            tally=self._tally,
            sealed=self._sealed(),
            half_open=self._bootstrap.half_open,
            max_half_open=self._max_half_open,
            refused=dict(self._resources.refused),
            dropped=dict(self._server.counters),
            paths=tuple(self._resources.paths(public=False)),
            public=tuple(self._resources.paths(public=True)),
            expiries=len(self.expiries()),
            idle=tuple([plane.name for plane in self._planes if _mode(plane) != _LIVE]),
            is_offline=self._is_offline,
            assets=Counter([_is_undone(asset) for asset in assets]),
            hybrid=sum(HYBRID_AGREEMENT in asset.algorithms for asset in assets),
            forgotten=Counter([one.neglect.value for one in self.forgotten()]),
        )

    async def _count(self) -> None:
        """Bring the tally up to the ledger, piece by piece, so that things are served meanwhile."""
        async with self._counting:
            while self._tally.size < self._notary.size:
                for leaf in self._store.leaves(self._tally.size, min(self._tally.size + _CHUNK, self._notary.size)):
                    self._tally.take(entry.decode(leaf))
                await asyncio.sleep(0)

    def _sealed(self) -> int | None:
        try:
            newest = self._notary.newest_head()
        except (DecodeError, SecurityError, StorageError):
            return None
        return 0 if newest is None else newest.head.size

    def _about_itself(self, found: int) -> Finding:
        return Finding(
            "R-90",
            None,
            "this document is drawn from live findings, and a question without one is a row too",
            f"{len(QUESTIONS)} questions asked of {len(self._planes)} planes and the controller, {found} findings",
            "a finding says what its author knew to look at",
            holds=found > 0,
        )


def _is_undone(asset: CryptoAsset) -> bool:
    return any(judgement(name).quantum is not Quantum.RESISTANT for name in asset.algorithms)


def _mode(plane: Plane) -> str:
    engine = remote_engine(plane)
    if engine is not None and engine.trouble:
        return f"NOT ANSWERING: {engine.trouble}"
    if isinstance(plane, MudManager | RemoteNetwork) and plane.mode != "nftables":
        return f"{plane.mode.upper()}: NOT ENFORCED"
    return _LIVE
