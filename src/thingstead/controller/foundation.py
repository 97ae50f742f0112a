"""What a controller stands on: what is below it is files and a kernel, or memory and a clock that jumps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from thingstead.clock import Clock
from thingstead.controller.config import ControllerConfig
from thingstead.controller.owner import OwnerFiles
from thingstead.controller.traffic_watch import Tap
from thingstead.crypto.keystore import KeyStore
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.plane import PlaneName
from thingstead.domain.policy import OwnerPolicy
from thingstead.domain.ports import Enforcement, Fetcher, HeadKeeper, Resolver, Segment, Store, Stranger, Witness
from thingstead.planes.software.status_tracker import ImageScan
from thingstead.transport.engine_socket import EngineSocket

__all__ = ["Foundation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """What a controller stands on: files and the machine's clock, or memory and a clock that jumps.

    Attributes:
        config: its settings.
        files: where the owner writes.
        policy: what the owner wrote.
        anchors: the makers the owner trusts.
        keys: a key of each name in `directory.KEYS`.
        store: what lasts.
        heads: where signed ledger heads are also kept.
        revocations: where what was taken away is also kept.
        enforcement: who keeps the network's rules; None where that plane's engine is another process's.
        fetcher: HTTPS, for MUD files.
        resolver: names to addresses.
        segment: the link that things are on.
        scan_image: looks for secrets in an image.
        clock: both times.
        random_bytes: a source of randomness.
        tap: frames of the things' network, for the detectors; None where nobody looks at them.
        witness: who signs heads, where that is another process.
        engines: those that are other processes'.
        separate: what runs in processes of their own.
        stranger: somebody on the network whom no thing knows; None where no type of things is tested.
    """

    config: ControllerConfig
    files: OwnerFiles
    policy: OwnerPolicy
    anchors: tuple[TrustAnchor, ...]
    keys: KeyStore
    store: Store
    heads: HeadKeeper
    revocations: HeadKeeper
    enforcement: Enforcement | None
    fetcher: Fetcher
    resolver: Resolver
    segment: Segment
    scan_image: ImageScan
    clock: Clock
    random_bytes: Callable[[int], bytes]
    tap: Tap | None = None
    witness: Witness | None = None
    engines: Mapping[PlaneName, EngineSocket] = field(default_factory=dict)
    separate: tuple[str, ...] = ()
    stranger: Stranger | None = None
