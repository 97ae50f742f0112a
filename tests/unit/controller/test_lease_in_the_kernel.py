"""A thing renews its DHCP lease by what every thing may do, through the kernel's rules."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import asyncio, json, socket
from tests.unit.controller.test_network import plane
from tests.unit.domain.things import a_thing
from tests.unit.enforcement.stage import bound
from thingstead.controller.config import CoapConfig
from thingstead.domain.network import NetworkChange, ThingAddress
from thingstead.enforcement.namespace import Site, inside
from thingstead.enforcement.nftables import Nftables, NftablesConfig

async def main(allowed, here):
    site, thing = Site.create(), a_thing()
    place = site.attach(1)
    kernel = Nftables(NftablesConfig((site.interface,), site.networks))
    server = bound(socket.SOCK_DGRAM, "0.0.0.0", 67)
    server.settimeout(0.5)

    def hears(destination):
        def send():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
                client.bind((str(place.ipv4), 68))
                client.sendto(b"renewal", (destination, 67))
        inside(place.namespace, send)
        try:
            return server.recv(100).decode()
        except TimeoutError:
            return None

    addresses, seen = (ThingAddress(place.mac, place.ipv4),), {}
    for name, rules in (("nothing", frozenset()), ("baseline", allowed)):
        await kernel.apply(NetworkChange(thing.id, addresses, rules))
        seen[name] = [hears(here), hears("255.255.255.255")]
    print(json.dumps(seen))

HERE = str(Site.controller_ipv4)
asyncio.run(main(plane(coap=CoapConfig(host=HERE))._book.allowed(a_thing()), HERE))
"""


@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.requirement("R-80")
@pytest.mark.spec("RFC 2131 4.4.5")
def test_a_lease_is_renewed_by_the_server_and_by_anybody():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"nothing": [None, None], "baseline": ["renewal", "renewal"]}
