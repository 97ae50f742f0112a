"""An endpoint with bounds that a test reaches, and where it is over one."""

from typing import Any

from thingstead.endpoint.config import Retention
from thingstead.endpoint.endpoint import Endpoint
from thingstead.protocols.coap import block

SMALL = Retention(
    max_duplicates=8,
    max_duplicate_bytes=4096,
    uploads=block.Limits(max_body=600, max_bodies=4, max_bodies_per_peer=2, max_total=1000),
    representations=block.Limits(max_bodies=4, max_total=4000),
    max_exchanges=6,
    max_observers=4,
    max_observers_per_peer=2,
)
BOUNDS: dict[str, Any] = {
    "strangers": SMALL,
    "max_counted_sources": 8,
    "max_held": 4,
    "max_peers": 8,
    "lazy_contexts": True,
}


def over_bound(side: Endpoint) -> dict[str, int]:
    """What `side` holds for strangers beyond `BOUNDS`; empty as it should be."""
    memory = side._layer.strangers
    held = {
        "duplicates": (len(memory.duplicates), SMALL.max_duplicates),
        "duplicate bytes": (memory.duplicates.held, SMALL.max_duplicate_bytes + 3000),
        "uploads": (memory.uploads.held, SMALL.uploads.max_total),
        "representations": (memory.representations.held, SMALL.representations.max_total),
        "open": (len(memory.open), SMALL.max_exchanges),
        "observing": (len(memory.observing), SMALL.max_observers),
        "sources": (len(side.counters_by_source), 8),
        "held": (len(side._server._held), 4),
        "resets": (len(side._responder._resets), SMALL.max_observers),
        "reasons": (len(side.counters), 40),
    }
    return {name: size for name, (size, bound) in held.items() if size > bound}
