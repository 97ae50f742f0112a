"""A device that speaks none of our protocols lives under rules as all things do: on the ledger and over restarts."""

import json
import subprocess
import sys

import pytest

from tests.scenarios.world import play
from tests.unit.controller.test_brownfield import MAC, file
from thingstead.domain.lifecycle import LifecycleState
from thingstead.identifier import thing_id

DEVICE = {"mac": MAC.hex(":"), "ip": "192.0.2.77,2001:db8::77", "model": "plug", "file": file().decode()}


@pytest.mark.requirement("R-12")
@pytest.mark.requirement("R-81")
def test_an_adopted_device_goes_by_its_own_file_and_after_a_restart_too():
    async def story(world):
        told = await world.domain.ask("device.adopt", **DEVICE)
        thing = thing_id(told["thing"])
        for _ in range(2):
            domain = world.domain.controller
            assert domain.register.thing(thing).state is LifecycleState.OPERATIONAL
            assert domain.planes.network.file(told["mud_url"]) == file()
            places = domain.planes.whereabouts.locate(thing)
            assert [(one.mac, str(one.ip)) for one in places] == [(MAC, "192.0.2.77"), (MAC, "2001:db8::77")]
            await world.domain.crash()
            await world.domain.start()

    play(story)


@pytest.mark.requirement("R-09")
def test_an_adopted_device_is_cut_off_and_retired_like_any():
    async def story(world):
        thing = (await world.domain.ask("device.adopt", **DEVICE))["thing"]
        await world.domain.ask("thing.quarantine", thing=thing)
        assert "error" in await world.domain.answer("device.adopt", **DEVICE)
        await world.domain.ask("thing.restore", thing=thing)
        await world.domain.ask("thing.retire", thing=thing)
        again = await world.domain.ask("device.adopt", **DEVICE)
        assert again["thing"] != thing
        assert world.domain.controller.register.thing(thing_id(thing)).state is LifecycleState.DECOMMISSIONED

    play(story)


@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.requirement("R-81")
def test_what_was_watched_passes_the_kernel_afterwards_and_nothing_else_does():
    done = subprocess.run(
        [sys.executable, "-m", "tests.scenarios.brownfield_stage"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["proposed"] == 1
    assert told["unknown"] == [False, False]
    assert told["adopted"] == [True, False]
    assert told["alarms"] == ["deviation"]
    assert told["both families"] == [[True, False], [True, True]]
