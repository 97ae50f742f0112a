"""A lookup in a resource directory of 10,000 endpoints with two links each, from query to rendered links.

Median of many; the criteria are what things ask: a name, a rare type, a page of a common one, one on each side. Beside
it, where there is one criterion, aiocoap's directory with the same content; with two it finds nothing.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter_ns

from bench.figure import Figure
from thingstead.domain.ledger.entry import Draft
from thingstead.identifier import thing_id_from_random
from thingstead.planes.access.resource_directory import ResourceDirectory
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.registration import read_lookup, read_registration

__all__ = ["figures"]

_ROOT = Path(__file__).resolve().parents[1]
_PEER = _ROOT / "build" / "peers" / "python" / "bin" / "python"
_ENDPOINTS, _ROUNDS = 10_000, 2_000
_LOOKUPS = {
    "endpoint by name": ("ep", ("ep=node5000",)),
    "resource by rare type": ("res", ("rt=rare5000",)),
    "first 10 of 10,000 by type": ("res", ("rt=light", "count=10")),
    "resource by type and endpoint": ("res", ("rt=light", "ep=node9999")),
    "names by prefix, 11 of them": ("ep", ("ep=node777*",)),
}


class _Clock:
    def utc(self) -> datetime:
        """One instant."""
        return datetime(2026, 11, 23, tzinfo=UTC)

    def now(self) -> float:
        """No time passes."""
        return 0.0


class _Nowhere:
    """Records that keep nothing."""

    def load(self) -> Mapping[str, bytes]:
        """Nothing."""
        return {}

    async def write(self, changes: Mapping[str, bytes | None], *, entries: Sequence[Draft] = ()) -> None:
        """Do nothing."""


def figures() -> list[Figure]:
    """Microseconds of each kind of lookup, and of a registration."""
    directory = ResourceDirectory(_Nowhere(), is_in=lambda _thing: True, clock=_Clock())
    began = perf_counter_ns()
    asyncio.run(_fill(directory))
    filled = (perf_counter_ns() - began) / _ENDPOINTS / 1000
    found = [Figure("directory: registration among 10,000", "us", filled)]
    peer = _aiocoap()
    for name, (kind, queries) in _LOOKUPS.items():
        find = directory.endpoints if kind == "ep" else directory.resources
        times = []
        for _ in range(_ROUNDS):
            began = perf_counter_ns()
            shown = link.render(find(read_lookup(queries)))
            times.append(perf_counter_ns() - began)
            if not shown:
                raise RuntimeError(f"nothing was found: {name}")
        title, took, theirs = f"directory of 10,000: {name}", median(times) / 1000, peer.get(name)
        if theirs is None:
            found.append(Figure(title, "us", took))
        else:
            found.append(Figure(title, "us", took, median(theirs) / 1000, "aiocoap-rd"))
    return found


def _aiocoap() -> dict[str, list[int]]:
    """Nanoseconds of each lookup by one criterion."""
    if not _PEER.exists():
        print("ABSENT: build/peers; no lookup beside aiocoap (make peers)", file=sys.stderr)
        return {}
    asked = json.dumps({name: lookup for name, lookup in _LOOKUPS.items() if len(lookup[1]) == 1})
    command = [str(_PEER), "bench/peer/aiocoap_rd.py", str(_ENDPOINTS)]
    done = subprocess.run(command, cwd=_ROOT, input=asked, stdout=subprocess.PIPE, text=True, check=True)
    times: dict[str, list[int]] = json.loads(done.stdout)
    return times


async def _fill(directory: ResourceDirectory) -> None:
    for number in range(_ENDPOINTS):
        links = f"</light>;rt=light;if=core.a,</s>;rt=rare{number}".encode()
        source = (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 5683)
        owner = thing_id_from_random(number.to_bytes(10, "big"))
        await directory.register(owner, read_registration([f"ep=node{number}"], links, source))
