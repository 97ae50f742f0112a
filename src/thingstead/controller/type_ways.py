"""The ways to things by which their types are tested, of what a controller is put together from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from thingstead.controller.foundation import Foundation
from thingstead.controller.server import DomainServer
from thingstead.controller.software_engine import RemoteTracker
from thingstead.controller.type_watch import Ways
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.register import Register
from thingstead.identifier import ThingId
from thingstead.phases.bait import BAITS, Bait, Known, baits
from thingstead.planes.software.status_tracker import StatusTracker
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import path
from thingstead.protocols.suit.identifier import class_identifier

__all__ = ["ways"]

_PATIENCE = 10.0
_NO_VENDOR = "its maker has no anchor here"


def ways(
    foundation: Foundation,
    server: DomainServer,
    tracker: StatusTracker | RemoteTracker,
    register: Register,
    *,
    anchors: Callable[[], tuple[TrustAnchor, ...]],
) -> Ways:
    """Those of a running domain; where the settings say so, nothing is tested."""

    async def overheard(thing: ThingId) -> Sequence[bytes]:
        return await server.overheard(thing, request(Code.GET, path.WELL_KNOWN_CORE), within=_PATIENCE)

    def to_be_refused(thing: ThingId) -> tuple[tuple[Bait, ...], Mapping[str, str]]:
        known, ran = register.thing(thing), tracker.runs(thing)
        vendor = next((one.vendor_id for one in anchors() if one.maker == known.maker), b"")
        if not vendor:
            return (), dict.fromkeys(BAITS, _NO_VENDOR)
        published = [
            Known(line.target.class_id, number, encoded) for line, number, encoded in tracker.envelopes(vendor)
        ]
        class_id, manifest = class_identifier(vendor, known.model), ran.manifest_digest
        return baits(vendor, class_id, runs=ran.sequence_number, manifest=manifest, published=published)

    return Ways(
        stranger=foundation.stranger if foundation.config.watch.test_types else None,
        accepts=tracker.accepts,
        runs=tracker.runs,
        address=server.address_of,
        overheard=overheard,
        baits=to_be_refused,
    )
