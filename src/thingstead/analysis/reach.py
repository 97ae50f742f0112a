"""Paths that things and rules open together (RFC 8576 §5.7): who gets where by taking over one thing after the other.

Each rule may be right by itself, and their combination still lead from outside to a thing that nobody outside may
contact. Every step has a cost, from 0 for a door that is open; the path of the lowest sum is the weakest. Costs order
paths; they are no probabilities.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from thingstead.domain.network import ANY_PORTS
from thingstead.identifier import ThingId

__all__ = ["LOCAL", "OUTSIDE", "Hold", "Neighbourhood", "Opening", "Path", "Station", "Step", "paths"]

OUTSIDE, LOCAL = "the Internet", "the local network"
_CLEAR = {(6, 21), (6, 23), (6, 80), (6, 554), (6, 1883), (17, 69)}
_PING = (1, 58)
_THIS_MACHINE = {4: ((0x7F00_0000, 0x7FFF_FFFF),), 16: ((1, 1),)}
"""Loopback (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3): a controller that listens there is nobody on the Internet."""
_FEW = 2


class Hold(IntEnum):
    """What it costs to take over a thing that can be reached."""

    BROKEN = 0
    POOR = 1
    FAIR = 3


class _Entry(IntEnum):
    """What it costs to get at the first thing, or from one to the next."""

    OPEN = 0
    CLEAR = 1
    BETWEEN = 1
    NEAR = 3
    NAMED = 4


@dataclass(frozen=True, slots=True)
class Opening:
    """A flow that may be opened, or that may not; plain values, so that it crosses between processes.

    Attributes:
        outbound: True where the thing sends the first packet.
        remote: network address of the other side, packed.
        bits: length of the prefix.
        protocol: IP protocol number, None for all.
        remote_ports: first and last port on the other side.
        thing_ports: first and last port on the thing.
        words: the rule as its reader reads it.
    """

    outbound: bool
    remote: bytes
    bits: int
    protocol: int | None = None
    remote_ports: tuple[int, int] = ANY_PORTS
    thing_ports: tuple[int, int] = ANY_PORTS
    words: str = ""

    def covers(self, address: bytes) -> bool:
        """Whether an address is on the other side."""
        return len(address) == len(self.remote) and _shifted(address, self.bits) == _shifted(self.remote, self.bits)


@dataclass(frozen=True, slots=True)
class Station:
    """A thing under rules.

    Attributes:
        thing: which.
        addresses: packed.
        openings: what it may open and who may open what to it.
        refused: what may not be opened all the same.
    """

    thing: ThingId
    addresses: tuple[bytes, ...]
    openings: tuple[Opening, ...]
    refused: tuple[Opening, ...] = ()


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Everything that the rules in force let happen.

    Attributes:
        local: network address and length of each prefix of the site.
        stations: the things.
    """

    local: tuple[tuple[bytes, int], ...]
    stations: tuple[Station, ...]


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """From one place to a thing.

    Attributes:
        source: `OUTSIDE`, `LOCAL`, or a thing.
        target: the thing.
        words: what is used for it.
        cost: of getting there and taking it over.
    """

    source: str
    target: ThingId
    words: str
    cost: int


@dataclass(frozen=True, slots=True)
class Path:
    """The cheapest way to one thing.

    Attributes:
        target: the thing.
        steps: from outside.
        cost: of all of them.
    """

    target: ThingId
    steps: tuple[Step, ...]
    cost: int

    @property
    def is_combination(self) -> bool:
        """Whether it leads through another thing, so that no rule alone opens it."""
        return len(self.steps) > 1

    @property
    def weakest(self) -> Step:
        """The step that costs least: where the path is closed best is for its reader to say."""
        return min(self.steps, key=lambda step: step.cost)


def paths(neighbourhood: Neighbourhood, hold: Callable[[ThingId], tuple[Hold, str]]) -> tuple[Path, ...]:
    """The weakest path to each thing that can be reached at all, the weakest of all first.

    Args:
        neighbourhood: the things and their rules.
        hold: what a thing holds against who reaches it, and why.
    """
    graph = _Graph(neighbourhood)
    holds = {one.thing: hold(one.thing) for one in neighbourhood.stations}
    queue: list[tuple[int, int, str, tuple[Step, ...]]] = []
    for station in neighbourhood.stations:
        for source, words, cost in graph.entries(station):
            _push(queue, Step(source, station.thing, *_taken(words, cost, *holds[station.thing])), ())
    found: dict[ThingId, Path] = {}
    while queue:
        cost, _, _, steps = heapq.heappop(queue)
        here = steps[-1].target
        if here in found:
            continue
        found[here] = Path(here, steps, cost)
        for target, words in graph.from_thing(here):
            _push(queue, Step(here, target, *_taken(words, _Entry.BETWEEN, *holds[target])), steps)
    return tuple(sorted(found.values(), key=lambda path: (path.cost, len(path.steps), path.target)))


def _push(queue: list[tuple[int, int, str, tuple[Step, ...]]], step: Step, before: tuple[Step, ...]) -> None:
    steps = (*before, step)
    heapq.heappush(queue, (sum(one.cost for one in steps), len(steps), step.target, steps))


def _taken(words: str, cost: int, hold: Hold, why: str) -> tuple[str, int]:
    return f"{words}; {why}" if why else words, cost + hold


class _Graph:
    """Who may open what to whom."""

    def __init__(self, neighbourhood: Neighbourhood) -> None:
        self._local = [Opening(True, address, bits) for address, bits in neighbourhood.local]
        self._stations = {one.thing: one for one in neighbourhood.stations}
        self._at = {address: one for one in neighbourhood.stations for address in one.addresses}
        self._told: set[ThingId] = set()
        self._open = [one for one in neighbourhood.stations if any(not opening.outbound for opening in one.openings)]

    def entries(self, station: Station) -> Iterator[tuple[str, str, int]]:
        """How somebody gets at a thing without any other: source, words and cost of each."""
        for opening in station.openings:
            if _is_group(opening):
                continue
            refused = [_span(no) for no in station.refused if _speaks_of(no, opening)]
            local = [_span(one) for one in self._local if len(one.remote) == len(opening.remote)]
            if _left(_span(opening), [*refused, *local, *_THIS_MACHINE.get(len(opening.remote), ())]):
                yield OUTSIDE, opening.words, _entry_cost(opening)
            # One or two hosts are the controller's; more are also those that are no things of the domain.
            near = [_common(_span(opening), one) for one in local]
            if not opening.outbound and sum(_left(one, refused) for one in near if one is not None) > _FEW:
                yield LOCAL, opening.words, _Entry.NEAR

    def from_thing(self, thing: ThingId) -> Iterator[tuple[ThingId, str]]:
        """The things that may be contacted from one: its own rules and theirs have both to say so.

        Each is told once: things are asked in the order of what it costs to have them, so that who comes later to the
        same place comes no cheaper.
        """
        here = self._stations[thing]
        for opening in here.openings:
            if not opening.outbound or _is_group(opening):
                continue
            for there in self._targets(opening):
                words = None if there is here or there.thing in self._told else _meeting(here, opening, there)
                if words is not None:
                    self._told.add(there.thing)
                    yield there.thing, words

    def _targets(self, opening: Opening) -> Iterable[Station]:
        if opening.bits == len(opening.remote) * 8:
            found = self._at.get(opening.remote)
            return () if found is None else (found,)
        self._open = [one for one in self._open if one.thing not in self._told]
        return [one for one in self._open if any(opening.covers(address) for address in one.addresses)]


def _meeting(here: Station, opening: Opening, there: Station) -> str | None:
    """What the second thing's rules make of what the first may open; None where they have nothing in common."""
    for back in there.openings:
        if back.outbound or not any(back.covers(address) for address in here.addresses):
            continue
        if None not in (opening.protocol, back.protocol) and opening.protocol != back.protocol:
            continue
        ports, sources = (
            _common(opening.remote_ports, back.thing_ports),
            _common(opening.thing_ports, back.remote_ports),
        )
        if ports is None or sources is None:
            continue
        if not _is_refused(here, there, opening.protocol if back.protocol is None else back.protocol, ports):
            return f"{opening.words}, and there {back.words}"
    return None


def _is_refused(here: Station, there: Station, protocol: int | None, ports: tuple[int, int]) -> bool:
    """Whether the owner refuses on either side all of a flow into these ports of the second thing."""
    out = [(no, no.remote_ports, there) for no in here.refused if no.outbound and no.thing_ports == ANY_PORTS]
    into = [(no, no.thing_ports, here) for no in there.refused if not no.outbound and no.remote_ports == ANY_PORTS]
    return any(
        no.protocol in (None, protocol) and _inside(ports, refused) and any(map(no.covers, other.addresses))
        for no, refused, other in (*out, *into)
    )


def _speaks_of(no: Opening, opening: Opening) -> bool:
    """Whether a refusal is about all flows of an opening, as far as its addresses go."""
    return (
        no.outbound is opening.outbound
        and len(no.remote) == len(opening.remote)
        and no.protocol in (None, opening.protocol)
        and _inside(opening.remote_ports, no.remote_ports)
        and _inside(opening.thing_ports, no.thing_ports)
    )


def _entry_cost(opening: Opening) -> int:
    if not opening.outbound:
        # A rule for one host outside is that host's door; a wider one is everybody's.
        return _Entry.NAMED if opening.bits == len(opening.remote) * 8 else _Entry.OPEN
    ports = opening.remote_ports
    is_clear = opening.protocol is None or (ports[0] == ports[1] and (opening.protocol, ports[0]) in _CLEAR)
    return _Entry.CLEAR if is_clear else _Entry.NAMED


def _is_group(opening: Opening) -> bool:
    """Multicast, broadcast and ping take nothing over."""
    first = opening.remote[0] if opening.bits else 0
    is_multicast = first == 0xFF if len(opening.remote) == 16 else first >= 0xE0
    return is_multicast or opening.protocol in _PING


def _inside(ports: tuple[int, int], outer: tuple[int, int]) -> bool:
    return outer[0] <= ports[0] and ports[1] <= outer[1]


def _span(opening: Opening) -> tuple[int, int]:
    first = int.from_bytes(opening.remote, "big")
    return first, first + (1 << (len(opening.remote) * 8 - opening.bits)) - 1


def _left(span: tuple[int, int], taken: Iterable[tuple[int, int]]) -> int:
    """How many addresses of a span nothing takes; refusals come in pieces, around the controller's own address."""
    at, last = span
    left = 0
    for start, end in sorted(taken):
        if end >= at and start <= last:
            left += max(0, start - at)
            at = end + 1
    return left + max(0, last - at + 1)


def _common(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int] | None:
    first, last = max(one[0], other[0]), min(one[1], other[1])
    return (first, last) if first <= last else None


def _shifted(address: bytes, bits: int) -> int:
    return int.from_bytes(address, "big") >> (len(address) * 8 - bits)
