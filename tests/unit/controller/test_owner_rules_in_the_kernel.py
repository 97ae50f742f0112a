"""On real packets: what the owner refuses is dropped and explained, and the command that is told lets it through."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import asyncio, json, socket
from tests.unit.controller.planes import JumpingClock
from tests.unit.controller.test_virtual_patch import HOLE
from tests.unit.domain.things import a_thing
from tests.unit.enforcement.stage import PATIENCE, bound
from tests.unit.planes.network.fakes import CLOUD, World
from thingstead.controller.drop_watch import DropWatch
from thingstead.controller.flow_history import FlowHistory
from thingstead.controller.flow_watch import FlowWatch
from thingstead.controller.neighbourhood import Neighbourhood
from thingstead.controller.operation_network import AllowFlow, BlockFlow, NetworkAnswers, RevokeRule, TalkOf
from thingstead.controller.virtual_patch import VirtualPatches
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.network import ThingAddress
from thingstead.domain.owner_rule import Way
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot
from thingstead.enforcement.link import ports_of
from thingstead.enforcement.namespace import Site, inside
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.protocols.packet.packet import decode_frame
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords
from thingstead.transport.packet_tap import PacketTap

def connects(place, port):
    def attempt():
        with socket.socket() as client:
            client.settimeout(PATIENCE)
            try:
                client.connect((str(Site.internet), port))
            except TimeoutError:
                return False
            return True
    return inside(place.namespace, attempt)

async def holes():
    return [HOLE]

async def main():
    site = Site.create()
    place, thing, clock = site.attach(1), a_thing(), JumpingClock()
    kernel = Nftables(NftablesConfig((site.interface,), site.networks))
    tap = PacketTap([site.interface], ports_of=ports_of)
    world = World(CLOUD, kernel=kernel, clock=clock, cloud_acme_example=((str(site.internet),), 60))
    manager, here = world.manager, ThingAddress(place.mac, place.ipv4)
    manager._locate = lambda _: (here,)
    known = Neighbourhood(lambda: {thing.id: (here,)}, clock=clock)
    await known.look()
    records = PlaneRecords(PlaneName.NETWORK, MemoryStore())
    history = FlowHistory(records, explain=manager.explain, named=known.name, clock=clock)
    flows = FlowWatch(known, history, clock=clock, apart=tap.macs)
    drops = DropWatch(manager.drops, known, history, is_cut_off=lambda _: True, names_of=lambda *_: ())
    patches = VirtualPatches(holes, rules=manager.owner_rules, put=manager.put_rule)
    register = Register(Snapshot(things=(thing,)))
    local = tuple(site.networks)
    of_thing = {"addresses": known.devices, "local": local}
    answers = NetworkAnswers(manager, history, patches, register, **of_thing, days=7, clock=clock)
    servers = [inside(site.outside, lambda port=port: bound(socket.SOCK_STREAM, "0.0.0.0", port)) for port in (443, 80)]
    of = TalkOf(thing=thing.id)

    async def refused():
        await drops.look()
        return [[row["by"], row["port"], row["undo"]] for row in await answers.drops(of)]

    await world.admit(thing)
    seen = {"named": connects(place, 443)}
    for frame, length, _port in tap.take(1000):
        flows.see(decode_frame(frame, at=clock.utc().timestamp(), length=length))
    clock.seconds += 600
    await manager.refresh()
    await flows.look()
    seen["talk"] = [[row["by"], row["port"], row["allowed"], row["octets_out"] > 0] for row in await answers.talk(of)]
    told = await answers.block(BlockFlow(cve="CVE-2026-1", port="443", way=Way.OUT, by="owner"))
    seen["breaks"] = [row["who"] for row in told["breaks"]]
    seen["blocked"], seen["rule"] = connects(place, 443), told["rule"]
    seen["refused"] = await refused()
    await answers.revoke(RevokeRule(rule=told["rule"], by="owner"))
    seen["revoked"] = connects(place, 443)
    seen["unnamed"] = connects(place, 80)
    seen["undo"] = [row[2] for row in await refused() if row[1] == 80]
    allowed = AllowFlow(to=str(site.internet), thing=thing.id, port="80", by="owner")
    await answers.allow(allowed)
    seen["allowed"] = connects(place, 80)
    await world.restrict(thing.evolve(restriction=Restriction.QUARANTINED))
    seen["barred"] = connects(place, 443)
    seen["why"] = sorted({row[0] for row in await refused()})
    tap.close()
    print(json.dumps(seen))

asyncio.run(main())
"""


@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.requirement("R-81")
@pytest.mark.requirement("R-89")
def test_the_owners_word_is_the_kernels_and_each_drop_has_its_way_back():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["named"], seen["blocked"], seen["revoked"]) == (True, False, True)
    assert seen["talk"] == [["maker", 443, True, True]]
    assert len(seen["breaks"]) == 1
    assert seen["refused"] == [["owner", 443, f"thingstead network revoke {seen['rule']}"]]
    assert (seen["unnamed"], seen["allowed"], seen["barred"]) == (False, True, False)
    assert seen["undo"][0].startswith("thingstead network allow ")
    assert seen["undo"][0].endswith(" --protocol tcp --port 80")
    assert "barred" in seen["why"]
