"""What it takes to know of known vulnerabilities: records read and indexed, and the parts of a release matched."""

from __future__ import annotations

import json
import random
import time

from bench.figure import Figure
from thingstead.analysis.osv import parse_record
from thingstead.analysis.package_url import parse_purl
from thingstead.analysis.sbom import Component
from thingstead.analysis.vulnerability import Feed

_RECORDS, _NAMES, _PARTS = 50_000, 8_000, 500


def figures() -> list[Figure]:
    """Made-up records of one ecosystem with a range each, and a release of many parts."""
    chance = random.Random(1)
    encoded = [_record(number, chance) for number in range(_RECORDS)]
    start = time.perf_counter()
    feed = Feed(parse_record(one) for one in encoded)
    read = time.perf_counter() - start
    parts = [
        Component(f"p{number}", "3.1.0", parse_purl(f"pkg:npm/p{number}@3.1.0"), (), f"/components/{number}")
        for number in range(_PARTS)
    ]
    start = time.perf_counter()
    found = feed.match(parts)
    matched = time.perf_counter() - start
    return [
        Figure(f"{_RECORDS} records read and indexed", "s", round(read, 2)),
        Figure(f"{_PARTS} parts matched with them", "ms", round(1000 * matched, 1)),
        Figure("vulnerabilities found in the parts", "rows", len(found)),
    ]


def _record(number: int, chance: random.Random) -> bytes:
    fixed = f"{chance.randrange(9)}.{chance.randrange(9)}.0"
    row = {"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}
    package = {"name": f"p{number % _NAMES}", "ecosystem": "npm"}
    return json.dumps({"id": f"X-{number}", "affected": [{"package": package, "ranges": [row]}]}).encode()
