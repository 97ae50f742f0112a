"""Settings of one thing's program."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from thingstead.agent.envelope import Envelope

__all__ = ["AgentConfig"]


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """What `thingstead agent run` is told.

    Attributes:
        home: the thing's state directory.
        controller_host: IP address of the domain's CoAP endpoint.
        controller_port: its UDP port.
        host: the thing's own IP address.
        port: the thing's own UDP port; 0 lets the kernel choose.
        multicast_group: IPv4 group address its groups are commanded on; empty for none.
        multicast_port: UDP port of that group.
        telemetry_interval: seconds between two readings.
        update_interval: seconds between two polls for a release.
        trial_deadline: seconds after a start in which a new release has to show that the thing works with it.
        group_interval: seconds between two looks for newer keys of its groups.
        revocation_interval: seconds between two full looks at which tokens are revoked, beside observing that.
        registration_lifetime: seconds that a registration at the resource directory is for (RFC 9176 §5).
        leisure: seconds over which answers to a group's message are spread (RFC 7252 §8.2).
        retry_interval: seconds before a refused or unanswered join is tried again, doubling up to 32 times that;
            by chance up to half as much again (RFC 7252 §4.2).
        envelope: levels and changes of its lamp that are safe, whoever commands it.
        has_clock: it knows what time it is when it starts; without, rights at it have to say how long they count from
            when they first come (RFC 9200 §5.10.3).
        wants_fresh: others show it only tokens that were issued since it asked for that (RFC 9200 §5.3.1); then they
            cannot come while the domain is away.
        hybrid_keys: it joins by a key exchange that a quantum computer does not undo, wherever its domain takes that.
        telemetry_file: CSV or ``.csv.xz`` to report instead of the host's own figures.
    """

    home: Path
    controller_host: str = "127.0.0.1"
    controller_port: int = 5683
    host: str = "127.0.0.1"
    port: int = 0
    multicast_group: str = ""
    multicast_port: int = 5683
    telemetry_interval: float = 2.0
    update_interval: float = 3.0
    trial_deadline: float = 300.0
    group_interval: float = 30.0
    revocation_interval: float = 60.0
    registration_lifetime: float = 90_000.0
    leisure: float = 1.0
    retry_interval: float = 1.0
    envelope: Envelope = field(default_factory=Envelope)
    has_clock: bool = True
    wants_fresh: bool = False
    hybrid_keys: bool = False
    telemetry_file: Path | None = None
