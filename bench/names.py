"""What it costs that a resolver of ours stands between things and names: an answer decoded, learned, and said again."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

from bench.figure import Figure
from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import CLOUD, World
from tests.unit.transport.name_world import answered
from thingstead.clock import SystemClock
from thingstead.domain.network import ThingAddress
from thingstead.enforcement.namespace import Site
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.errors import ConfigError
from thingstead.protocols.dns.message import Question, RecordType, encode_query
from thingstead.transport.name_relay import NameRelay

_NAME = "cloud.acme.example"
_ROUNDS = 1000
_THING = a_thing()


def figures() -> Iterator[Figure]:
    """In memory, and with the kernel where this machine lets us have a network of our own."""
    yield Figure("an answer to a name that no file has", "us", _seconds(_world(), "evil.example") * 1e6)
    yield Figure("an answer to a name of the thing's file, dry run", "us", _seconds(_world(), _NAME) * 1e6)
    done = subprocess.run([sys.executable, "-m", "bench.names"], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        found = json.loads(done.stdout.splitlines()[-1])
        yield Figure("an answer to a name of the thing's file, in the kernel before it is told", "us", found * 1e6)


def _world(kernel: Nftables | None = None) -> Any:
    made: Any = World
    return made(CLOUD, learns=True, kernel=kernel, clock=SystemClock())


def _seconds(world: Any, name: str, site: Site | None = None) -> float:
    """Of one answer, on average; the zone out there is in memory."""

    async def answers() -> float:
        if site is not None:
            place = site.attach(1)
            world.manager._locate = lambda _: (ThingAddress(place.mac, place.ipv4),)
        await world.admit(_THING)
        asker = str(world.manager._locate(_THING.id)[0].ip)
        query = encode_query(Question(name, RecordType.A), id=7)
        said = answered(encode_query(Question(name, RecordType.A), id=0), (name, 60, "A", "198.51.100.2"))

        async def ask(_query: bytes) -> bytes:
            return said

        inside = (ip_network("10.77.0.0/16"),)
        relay = NameRelay(ask, hosts={}, inside=inside, learn=world.manager.learn, random_bytes=bytes)
        started = time.perf_counter()
        for _ in range(_ROUNDS):
            await relay.answer(query, asker)
        return (time.perf_counter() - started) / _ROUNDS

    return asyncio.run(answers())


def main() -> int:
    """In a network namespace of this process's own."""
    try:
        site = Site.create()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    kernel = Nftables(NftablesConfig((site.interface,), site.networks))
    print(json.dumps(_seconds(_world(kernel), _NAME, site)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
