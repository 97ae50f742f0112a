"""On real packets: a service of a thing is exposed where a rule opens the way to it, and is not where none does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import asyncio, json, socket
from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.enforcement.stage import bound
from tests.unit.planes.network.fakes import CLOUD, World
from tests.unit.planes.network.test_rule_book import MORE
from dataclasses import replace
from thingstead.controller.exposure_scan import ExposureScan, Limits
from thingstead.domain.network import ThingAddress
from thingstead.domain.owner_rule import Way
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot
from thingstead.enforcement.namespace import Site, inside
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords
from thingstead.transport.stranger import SocketStranger

async def main():
    site = Site.create()
    place, thing, clock = site.attach(1), a_thing(), JumpingClock()
    kernel = Nftables(NftablesConfig((site.interface,), site.networks))
    world = World(CLOUD, kernel=kernel, clock=clock, cloud_acme_example=((str(site.internet),), 60))
    manager, here = world.manager, ThingAddress(place.mac, place.ipv4)
    manager._locate = lambda _: (here,)
    await world.admit(thing)
    doors = [inside(place.namespace, lambda port=port: bound(socket.SOCK_STREAM, "0.0.0.0", port)) for port in (22, 80)]
    scan = ExposureScan(
        SocketStranger(),
        lambda: {thing.id: (here,)},
        Register(Snapshot(things=(thing,))),
        explain=manager.explain,
        mode=lambda: manager.mode,
        own=(str(site.controller_ipv4),),
        doors=(),
        local=tuple(site.networks),
        records=PlaneRecords(PlaneName.NETWORK, MemoryStore()),
        clock=clock,
        limits=Limits(within=0.2, at_once=32),
    )

    async def found():
        return [[one.port, one.expected, *one.open_to] for one in await scan.scan(thing.id)]

    seen = {"closed": await found()}
    rule = replace(MORE, way=Way.IN, remote="local", zone="", ports=(80, 80))
    await manager.put_rule(rule, "owner")
    seen["opened"] = await found()
    await manager.put_rule(replace(rule, id="r2", refuses=True), "owner")
    seen["refused"] = await found()
    print(json.dumps(seen))

asyncio.run(main())
"""


@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.requirement("R-89")
def test_what_a_rule_opens_answers_and_nothing_else():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen == {"closed": [], "opened": [[80, True, "controller", "site"]], "refused": []}
