import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]

PROGRAM = """
import asyncio, json, socket
from tests.unit.domain.things import a_thing
from tests.unit.enforcement.stage import PATIENCE, bound
from tests.unit.planes.network.fakes import CLOUD, World
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.network import ThingAddress
from thingstead.enforcement.namespace import Site, inside
from thingstead.enforcement.nftables import Nftables, NftablesConfig

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

async def main():
    site = Site.create()
    place, thing = site.attach(1), a_thing()
    kernel = Nftables(NftablesConfig((site.interface,), site.networks))
    world = World(CLOUD, kernel=kernel, cloud_acme_example=((str(site.internet),), 60))
    world.manager._locate = lambda _: (ThingAddress(place.mac, place.ipv4), ThingAddress(place.mac, place.ipv6))
    servers = [inside(site.outside, lambda port=port: bound(socket.SOCK_STREAM, "0.0.0.0", port)) for port in (443, 80)]
    seen = {"before": [connects(place, 443), (await world.manager.probe(thing)).standing]}
    seen["receipt"] = (await world.admit(thing)).detail
    seen["named"] = [connects(place, 443), (await world.manager.probe(thing)).standing]
    await world.manager.watch()
    seen["unnamed"] = connects(place, 80)
    seen["alarms"] = [[alarm.kind, alarm.thing == thing.id] for alarm in await world.manager.watch()]
    held = thing.evolve(restriction=Restriction.QUARANTINED)
    await world.restrict(held)
    seen["quarantined"] = [connects(place, 443), (await world.manager.probe(held)).standing]
    await world.admit(thing)
    seen["restored"] = connects(place, 443)
    await world.withdraw(thing)
    seen["withdrawn"] = [connects(place, 443), (await world.manager.probe(thing)).standing]
    seen["party"] = (await world.manager.probe(thing)).relying_party
    print(json.dumps(seen))

asyncio.run(main())
"""


@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.requirement("R-80")
def test_a_mud_file_decides_on_real_packets_from_admission_to_withdrawal():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["before"] == [False, "absent"]
    assert seen["named"] == [True, "accepted"]
    assert seen["unnamed"] is False
    assert seen["alarms"] == [["deviation", True]]
    assert seen["quarantined"] == [False, "refused"]
    assert seen["restored"] is True
    assert seen["withdrawn"] == [False, "refused"]
    assert seen["party"] == "kernel (nftables)"
    assert "ms (nftables)" in seen["receipt"]
