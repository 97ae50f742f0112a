import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import json, socket, sys
from pyroute2 import IPRoute
from thingstead.enforcement.bridge_ports import BridgePorts
from thingstead.enforcement.namespace import Site
from thingstead.enforcement.netlink import NetlinkError

site = Site.create()
ports = BridgePorts((site.interface, "lo", "absent0"))
def held(name):
    found = [int.from_bytes(one.key, sys.byteorder) for one in ports.elements() if one.set == name]
    return [socket.if_indextoname(index) for index in found]
seen = {"at first": ports.changed(), "none": held("ports")}
site.attach(1)
seen["attached"] = ports.changed()
seen["one"] = [held("ports"), held("gateway_mac")]
seen["own"] = sorted({one.key.hex() for one in ports.elements() if one.set == "known4"})
with IPRoute() as route:
    route.link("del", index=route.link_lookup(ifname="t1")[0])
seen["gone"] = [ports.changed(), held("ports")]
ports.close()
try:
    ports.changed()
except NetlinkError as error:
    seen["closed"] = error.reason
print(json.dumps(seen))
"""


@pytest.mark.namespace
@pytest.mark.slow
def test_ports_are_looked_up_when_the_kernel_says_that_one_came_or_went():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["at first"], seen["none"]) == (True, [])
    assert seen["attached"] is True
    assert seen["one"] == [["t1"], ["t1"]]
    assert {"0a4d0001", "7f000001"} == set(seen["own"])
    assert seen["gone"] == [True, []]
    assert seen["closed"] == "kernel"
