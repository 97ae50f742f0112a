"""What a detector is, what it tells, and where all of them come from.

A detector is a module of this package with a class under the name ``DETECTOR``; nothing else names it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Protocol

from thingstead.analysis import detectors as package
from thingstead.analysis.detectors.memory import Memory
from thingstead.analysis.detectors.scene import Scene
from thingstead.domain.response_policy import Severity
from thingstead.identifier import ThingId
from thingstead.protocols.packet.packet import Packet

__all__ = ["Detection", "Detector", "Peer", "Severity", "detectors"]

_MOST_EVIDENCE = 8


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom a device contacted.

    Attributes:
        address: packed.
        protocol: of IP; None for the rest.
        port: on that side; None where the protocol has none.
    """

    address: bytes
    protocol: int | None
    port: int | None

    @classmethod
    def of(cls, packet: Packet) -> Peer:
        """Whom a packet is sent to."""
        return cls(packet.destination, packet.protocol, packet.destination_port)


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found, and what shows it.

    Attributes:
        detector: name of the one that tells.
        device: link-layer address of who did it; six octets, empty where the capture has no link layer. Where
            somebody else used it, the name of the port that he is behind follows, and there is no thing.
        thing: the domain's thing of that address.
        subject: what it was done to or with: a port, a name, an address; one device and subject is told once a while.
        first: of what shows it, in seconds since 1970.
        last: likewise.
        evidence: packets or flows, a short line each; no secrets, and at most eight.
        rule: what is counted, and from where on it is told.
        explanation: one sentence for the owner.
        severity: how much of an attack it is.
        peers: contacts that are all there is to it: whose rules name each of them did what it is for. Empty where
            what was found is an attack whoever it is sent to.
    """

    detector: str
    device: bytes
    thing: ThingId | None
    subject: str
    first: float
    last: float
    evidence: tuple[str, ...]
    rule: str
    explanation: str
    severity: Severity
    peers: tuple[Peer, ...] = ()


class Detector(Protocol):
    """Sees every packet once, and tells what it makes of them; bounded in memory whatever comes.

    Attributes:
        name: as in settings and reports.
        spec: where the threat is written down.
        rule: what is counted, and from where on it is told.
        severity: of what it tells.
        memory: what of its memory outlasts a restart; None where all of it is learned within minutes.
    """

    name: ClassVar[str]
    spec: ClassVar[str]
    rule: ClassVar[str]
    severity: ClassVar[Severity] = Severity.ALARM
    memory: Memory | None = None

    def see(self, packet: Packet, scene: Scene) -> Iterable[Detection]:  # noqa: ARG002  those who see say what they use
        """Take one packet into account, in the order of time."""
        return ()

    def tick(self, now: float, scene: Scene) -> Iterable[Detection]:  # noqa: ARG002  likewise
        """Time passed, with packets or without: every few seconds, in seconds since 1970."""
        return ()

    def found(
        self,
        device: bytes,
        scene: Scene,
        *,
        subject: str,
        seen: tuple[float, float],
        evidence: Iterable[str],
        why: str,
        peers: Iterable[Peer] = (),
    ) -> Detection:
        """What this detector tells of a device; `seen` is when it began and when it was seen last."""
        shown = tuple(evidence)[:_MOST_EVIDENCE]
        thing = scene.things.get(device)
        return Detection(self.name, device, thing, subject, *seen, shown, self.rule, why, self.severity, tuple(peers))


def detectors() -> tuple[Detector, ...]:
    """One of each, in the order of their names."""
    return tuple([make() for make in _makers()])


@cache
def _makers() -> tuple[type[Detector], ...]:
    """Looked for once: a process that gives up its rights may not find them afterwards."""
    names = [f"{package.__name__}.{one.name}" for one in pkgutil.iter_modules(package.__path__)]
    modules = [importlib.import_module(name) for name in names]
    return tuple(sorted([one.DETECTOR for one in modules if hasattr(one, "DETECTOR")], key=lambda one: str(one.name)))
