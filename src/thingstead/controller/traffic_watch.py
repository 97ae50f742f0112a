"""Shows what passes on the things' network to the detectors, and has what they find answered (R-38)."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from thingstead.analysis.detectors.detector import Detection
from thingstead.analysis.detectors.panel import Panel
from thingstead.analysis.detectors.port_book import PortBook
from thingstead.analysis.detectors.scene import HOME, Scene
from thingstead.analysis.detectors.sight import foreign
from thingstead.analysis.kept import rows
from thingstead.clock import Clock
from thingstead.controller.allowed_peers import Explain, are_named
from thingstead.controller.standing import GONE
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.name import NameStanding
from thingstead.domain.network import NO_MAC, ThingAddress
from thingstead.domain.register import Register
from thingstead.errors import DecodeError, ProtocolError
from thingstead.identifier import ThingId
from thingstead.protocols.cbor import codec
from thingstead.protocols.packet.packet import Packet, decode_frame

__all__ = ["Limits", "Surroundings", "Tap", "TrafficWatch"]

_FORM, _MOST, _DAY = 1, 4096, 86_400
"""Of the document of what detectors remember, things in it, and seconds for which an update counts there."""

_KEPT = codec.Limits(max_bytes=4 << 20)
_LAST = 1 << 37


class Tap(Protocol):
    """Where frames come from."""

    @property
    def macs(self) -> frozenset[bytes]:
        """Link-layer addresses of this machine there."""
        ...

    @property
    def addresses(self) -> frozenset[bytes]:
        """IP addresses of this machine there, packed."""
        ...

    def refresh(self) -> None:
        """Look whether the links are still the same."""
        ...

    def take(self, most: int) -> list[tuple[bytes, int, str]]:
        """Frames that wait: what is kept of each, its octets on the wire, and the port of a bridge it came in by."""
        ...

    def lost(self) -> int:
        """Frames that came faster than they were taken."""
        ...

    def listen(self, on_frames: Callable[[], None]) -> None:
        """Have somebody called whenever frames wait."""
        ...

    def pause(self) -> None:
        """Call nobody until `resume`."""
        ...

    def resume(self) -> None:
        """Call again."""
        ...

    def close(self) -> None:
        """Look no more."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a processor, and of memory, frames may take.

    Attributes:
        batch: frames of one wake-up.
        per_look: frames between two looks, a second apart; beyond it nothing is read until the next.
        busy: seconds between two looks that they may take; likewise, for some frames take ten times as long as others.
        waiting: detections that wait for their answer.
        scene: seconds for which the site is taken to be as it was.
    """

    batch: int = 128
    per_look: int = 5000
    busy: float = 0.4
    waiting: int = 256
    scene: float = 5.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What detectors are told of the site, and from whom.

    Attributes:
        register: the things.
        located: where each of them is.
        interval: how often a thing is declared to speak; None where nobody said.
        longest: what counts for those.
        gateways: link-layer addresses of routers and servers beside this machine.
        local: prefixes of the site, beside private ones and those of this machine's own addresses.
        named: names that rules open a way to, as they stand: they outlast a restart, which look-ups do not.
        hold_ports: rules hold each thing to the port behind which it was admitted.
        explain: what rules say of conversations; None where nobody is asked.
    """

    register: Register
    located: Callable[[], Mapping[ThingId, tuple[ThingAddress, ...]]]
    interval: Callable[[ThingId], timedelta | None]
    longest: timedelta
    gateways: frozenset[bytes] = frozenset()
    local: tuple[IPv4Network | IPv6Network, ...] = ()
    named: Callable[[], Iterable[NameStanding]] = tuple
    hold_ports: bool = False
    explain: Explain | None = None

    def scene(self, tap: Tap, installs: dict[ThingId, float], before: Scene, *, now: float) -> Scene:
        """The site as it is now; what was learned of names stays, and what rules know of them is learned."""
        for one in self.named():
            for address, _ in one.hosts:
                before.names.learn(one.name, address, at=now, ttl=0)
        here = {one.id: one for one in self.register.things() if one.state not in GONE}
        located = {thing: one for thing, one in self.located().items() if thing in here}
        places = {thing: [one for one in some if one.mac != NO_MAC] for thing, some in located.items()}
        intervals = {
            thing: (self.interval(thing) or self.longest).total_seconds()
            for thing, some in places.items()
            # Who is held or cut off cannot speak, and is not waited for.
            if some and here[thing].restriction is Restriction.NONE
        }
        return replace(
            before,
            gateways=self.gateways | tap.macs,
            gateway_addresses=tap.addresses,
            local=(*HOME, *self.local, *_own_links(tap.addresses)),
            things={one.mac: thing for thing, some in places.items() for one in some},
            addresses={one.ip.packed: one.mac for some in places.values() for one in some},
            installs={thing: at for thing, at in installs.items() if thing in here},
            intervals=intervals,
        )


class TrafficWatch:
    """Reads frames in batches, within bounds, and hands detections on one by one.

    Args:
        tap: where frames come from.
        surroundings: what detectors are told of the site.
        alarm: takes a detection; on the ledger when it returns.
        clock: for UTC.
        limits: bounds.

    Attributes:
        seen: packets that were looked at.
        refused: frames that were none.
        told: detections by the name of their detector, since the start.
        overlooked: detections for which there was no room.
        allowed: detections of what the thing's rules allow by name.
    """

    def __init__(
        self,
        tap: Tap,
        surroundings: Surroundings,
        *,
        alarm: Callable[[Detection], Awaitable[object]],
        clock: Clock,
        limits: Limits | None = None,
    ) -> None:
        self._tap = tap
        self._surroundings = surroundings
        self._alarm = alarm
        self._clock = clock
        self._limits = limits or Limits()
        self._panel = Panel(Scene())
        self._ports = PortBook(held=surroundings.hold_ports)
        self._macs: dict[ThingId, bytes] = {}
        self._own: frozenset[bytes] = frozenset()
        self._installs: dict[ThingId, float] = {}
        self._looked: float | None = None
        self._left, self._spent = self._limits.per_look, 0.0
        self._found: deque[Detection] = deque()
        self._waiting = asyncio.Event()
        self.listeners: list[Callable[[Packet], None]] = []
        """Who else is shown every packet."""
        self.seen = self.refused = self.overlooked = self.allowed = 0
        self.told: Counter[str] = Counter()

    def begin(self) -> None:
        """Look at frames from now on; on the event loop that the tap is read on."""
        self._look_around()
        self._tap.listen(self.take)

    def close(self) -> None:
        """Look no more."""
        self._tap.close()

    def note(self, thing: ThingId) -> None:
        """A thing says that it runs another release: what it does from now on is compared with what it did."""
        self._installs[thing] = self._clock.utc().timestamp()

    def verify(self, thing: ThingId) -> None:
        """A message of it verified: it is where frames of its come from just now, and nowhere else."""
        mac = self._macs.get(thing)
        if mac is not None:
            self._ports.verify(mac, self._clock.utc().timestamp())

    def kept(self) -> bytes | None:
        """What a restart shall not forget, in 4 MiB: where that is too little, of the things that were heard last.

        None where the domain has no things whose place is known: nothing that was kept is to be lost for that.
        """
        things, now = self._panel.scene.things, int(self._clock.utc().timestamp())
        most, document = _MOST if things else 0, None
        while most and (document is None or len(document) > _KEPT.max_bytes):
            parts = {
                "detectors": self._panel.kept(most),
                "homes": self._ports.kept(things, most),
                "installs": [[thing, int(at)] for thing, at in self._installs.items() if now - at < _DAY][-most:],
                "names": self._panel.scene.names.kept(now, most),
            }
            document, most = codec.encode([_FORM, now, parts]), most // 2
        return document

    def take_up(self, document: bytes) -> datetime:
        """Go on from what `kept` gave before a restart; before `begin`. Returns when that was.

        Raises:
            DecodeError: it gave nothing like that; nothing of it is taken up.
        """
        now = self._clock.utc().timestamp()
        match codec.decode(document, limits=_KEPT):
            case [int(form), int(at), dict(parts)] if type(at) is int and form == _FORM and 0 <= at <= _LAST:
                panel, ports = Panel(Scene()), PortBook(held=self._surroundings.hold_ports)
            case _:
                raise DecodeError(f"expected what detectors remember, in form {_FORM}")
        detectors = parts.get("detectors")
        if not isinstance(detectors, dict):
            raise DecodeError("expected what each detector remembers")
        panel.take_up(detectors, now)
        panel.scene.names.take_up(parts.get("names"), now)
        ports.take_up(parts.get("homes"), now)
        installs = {ThingId(thing): min(float(one), now) for thing, one in rows(parts.get("installs"), str, int)}
        self._panel, self._ports, self._installs = panel, ports, installs
        return datetime.fromtimestamp(at, UTC)

    def take(self) -> None:
        """Look at frames that wait; a batch of them, so that others get their turn."""
        at, started = self._clock.utc().timestamp(), self._clock.now()
        frames = self._tap.take(self._limits.batch)
        for frame, length, port in frames:
            self._see(frame, length, port, at)
        self._left -= len(frames)
        self._spent += self._clock.now() - started
        if self._left <= 0 or self._spent >= self._limits.busy:
            self._tap.pause()

    async def look(self) -> None:
        """Once a second: look for what is missing, and at the site anew now and then."""
        self._left, self._spent = self._limits.per_look, 0.0
        self._tap.resume()
        now = self._clock.utc().timestamp()
        if self._looked is None or now - self._looked >= self._limits.scene:
            self._look_around()
        self._keep(self._panel.tick(now))

    async def answer(self) -> None:
        """Wait for detections, and have each answered; what could not be written down is tried again.

        Raises:
            StorageError: it could not be put on the ledger.
        """
        await self._waiting.wait()
        while self._found:
            found, explain = self._found[0], self._surroundings.explain
            if explain is not None and await are_named(found, explain):
                self.allowed += 1
                self._panel.forget(found)
            else:
                await self._alarm(found)
            self._found.popleft()
        self._waiting.clear()

    @property
    def unseen(self) -> int:
        """Packets of strangers beyond those that are looked at."""
        return self._panel.unseen

    @property
    def lost(self) -> int:
        """Frames that were not looked at, for they came too fast."""
        return self._tap.lost()

    def _see(self, frame: bytes, length: int, port: str, at: float) -> None:
        try:
            packet = decode_frame(frame, at=at, length=length)
        except ProtocolError:
            self.refused += 1
            return
        self.seen += 1
        packet.source_mac = self._sender(packet.source_mac, port, at)
        for listener in self.listeners:
            listener(packet)
        self._keep(self._panel.see(packet))

    def _sender(self, mac: bytes, port: str, at: float) -> bytes:
        """Whom a frame is put down to: nobody is accused of what another sends under his address."""
        if not port:
            return mac
        if mac in self._own:
            return foreign(mac, port)
        return self._ports.sender(mac, port, at) if mac in self._panel.scene.things else mac

    def _keep(self, detections: tuple[Detection, ...]) -> None:
        for one in detections:
            self.told[one.detector] += 1
            if len(self._found) >= self._limits.waiting:
                self.overlooked += 1
                continue
            self._found.append(one)
            self._waiting.set()

    def _look_around(self) -> None:
        self._looked = self._clock.utc().timestamp()
        self._tap.refresh()
        self._panel.scene = self._surroundings.scene(self._tap, self._installs, self._panel.scene, now=self._looked)
        self._own = self._tap.macs
        self._macs = {thing: mac for mac, thing in self._panel.scene.things.items()}


def _own_links(addresses: frozenset[bytes]) -> list[IPv6Network]:
    """Links that this machine has an address of (RFC 4291 §2.5.4): things there make theirs of the same prefix."""
    return [IPv6Network((address[:8] + bytes(8), 64)) for address in addresses if len(address) == 16]
