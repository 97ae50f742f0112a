"""The kernel's tables of neighbours: who is not in them whole has no link-layer address to bind to."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from thingstead.domain.network import NO_MAC
from thingstead.enforcement.neighbour import NeighbourTable

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import json, socket
from thingstead.enforcement.namespace import Site, inside
from thingstead.enforcement.neighbour import NeighbourTable

site = Site.create()
one, two, three = (site.attach(index) for index in (1, 2, 3))
table = NeighbourTable([site.interface, "absent0"])
before = len(table.neighbours())

def knock(place, family, target):
    def send():
        with socket.socket(family, socket.SOCK_DGRAM) as client:
            client.sendto(b"", (str(target), 5683))
    inside(place.namespace, send)

def heard(family, address):
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind((str(address), 5683))
    server.settimeout(5)
    return server

with heard(socket.AF_INET, site.controller_ipv4) as four, heard(socket.AF_INET6, site.controller_ipv6) as six:
    knock(one, socket.AF_INET, site.controller_ipv4)
    four.sendto(b"", four.recvfrom(1)[1])
    knock(two, socket.AF_INET6, site.controller_ipv6)
    six.sendto(b"", six.recvfrom(1)[1])
    # To one that never answers: the kernel has begun to look for it, and holds nothing.
    four.sendto(b"", ("10.77.9.9", 5683))

print(json.dumps({
    "before": before,
    "macs": {ip: table.mac_of(ip).hex() for ip in (
        str(one.ipv4), str(two.ipv6), str(three.ipv4), "10.77.9.9", str(site.internet),
        "127.0.0.1", "::1", "fe80::1%br0",
    )},
    "seen": sorted([near.mac.hex(), str(near.ip)] for near in table.neighbours()),
    "elsewhere": len(NeighbourTable(["up0"]).neighbours()),
}))
"""


@pytest.fixture(scope="module")
def told():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.requirement("R-34")
def test_who_was_heard_is_found_by_either_family_s_address(told):
    assert told["macs"]["10.77.1.1"] == "027700000001"
    assert told["macs"]["fd77::102"] == "027700000002"


@pytest.mark.namespace
@pytest.mark.slow
def test_who_was_not_heard_has_no_address(told):
    unheard = ("10.77.1.3", "10.77.9.9", "127.0.0.1", "::1", "fe80::1%br0")
    assert {told["macs"][ip] for ip in unheard} == {NO_MAC.hex()}


@pytest.mark.namespace
@pytest.mark.slow
def test_neighbours_are_those_behind_the_interfaces_named(told):
    assert told["before"] == told["elsewhere"] == 0
    assert ["027700000001", "10.77.1.1"] in told["seen"]
    assert ["027700000002", "fd77::102"] in told["seen"]
    assert not [ip for _, ip in told["seen"] if ip == "10.77.9.9"]


def test_on_loopback_nobody_has_a_link_layer_address():
    assert NeighbourTable().mac_of("127.0.0.1") == NO_MAC
    assert NeighbourTable().mac_of("::1") == NO_MAC


def test_without_interfaces_nobody_is_a_neighbour():
    assert NeighbourTable().neighbours() == ()
    assert NeighbourTable(["thingstead-absent"]).neighbours() == ()


def test_what_no_way_leads_to_has_no_address():
    assert NeighbourTable().mac_of("240.0.0.1") == NO_MAC
    assert NeighbourTable().mac_of("fe80::1%absent0") == NO_MAC


def test_a_name_is_not_an_address():
    with pytest.raises(ValueError, match="does not appear to be"):
        NeighbourTable().mac_of("thing.example")
