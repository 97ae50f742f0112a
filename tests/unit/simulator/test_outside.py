"""In a namespace, as a program: a process that is in a site never comes back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

pytestmark = [pytest.mark.namespace, pytest.mark.slow]

PROGRAM = """
import asyncio, json
from thingstead.clock import SystemClock
from thingstead.enforcement.namespace import Site
from thingstead.simulator.outside import ALLOWED_PORT, FORBIDDEN_PORT, Outside, try_connection

async def main():
    site = Site.create()
    one, two = site.attach(1), site.attach(2)
    outside = Outside(site, clock=SystemClock())
    host = str(site.internet)
    seen = {"before": await try_connection(one, (host, ALLOWED_PORT))}
    await outside.start()
    seen["allowed"] = await try_connection(one, (host, ALLOWED_PORT), seconds=30.0)
    seen["forbidden"] = await try_connection(one, (host, FORBIDDEN_PORT), seconds=30.0)
    seen["nobody"] = await try_connection(one, (host, 9))
    seen["silence"] = await try_connection(one, ("203.0.113.1", ALLOWED_PORT), seconds=0.1)
    while len(outside.accepted) < 2:
        await asyncio.sleep(0)
    seen["accepted"] = [[source == str(one.ipv4), port] for source, port in sorted(outside.accepted)]
    first = outside.accepted[str(one.ipv4), ALLOWED_PORT]
    await try_connection(one, (host, ALLOWED_PORT), seconds=30.0)
    while outside.accepted[str(one.ipv4), ALLOWED_PORT] == first:
        await asyncio.sleep(0)
    seen["sources"] = len(outside.accepted)
    outside.close()
    seen["after"] = await try_connection(two, (host, ALLOWED_PORT))
    site.close()
    print(json.dumps(seen))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def seen():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize("what", ["before", "nobody", "silence", "after"])
def test_where_nobody_listens_nothing_is_accepted(seen, what):
    assert seen[what] is False


@pytest.mark.parametrize("what", ["allowed", "forbidden"])
def test_without_rules_both_ports_are_open(seen, what):
    assert seen[what] is True


def test_it_remembers_who_came_to_which_port_and_when_last(seen):
    assert seen["accepted"] == [[True, 6667], [True, 8443]]
    assert seen["sources"] == 2
