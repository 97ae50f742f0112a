"""Aiming finds demos of ours on real sockets, and refuses everything else."""

import asyncio
import contextlib
import os
import secrets
from dataclasses import replace

import pytest

from tests.port import free_port
from thingstead.agent import program
from thingstead.agent.config import AgentConfig
from thingstead.clock import SystemClock
from thingstead.controller.app import running
from thingstead.errors import ConfigError, TransportError
from thingstead.simulator.attack.aim import Places, aim, on_loopback
from thingstead.simulator.attack.join import join
from thingstead.simulator.attack.replay import replay
from thingstead.simulator.demo_record import DemoRecord, RecordedThing
from thingstead.simulator.scenery import MAKERS, prepare

CLOCK = SystemClock()


@pytest.fixture
def scenery(tmp_path):
    ports = dict.fromkeys(MAKERS, 8443)
    return prepare(tmp_path, things=1, site=None, coap=("127.0.0.1", free_port()), mud_ports=ports, at=CLOCK.utc())


@pytest.fixture
def record(scenery):
    coap = scenery.domain.load().coap
    return DemoRecord(
        os.getpid(),
        scenery.domain.root,
        (coap.host, coap.port),
        tuple(RecordedThing(one.serial, one.home, one.maker, one.model) for one in scenery.things),
        tuple(maker.root for maker in scenery.makers.values()),
    )


def nowhere(_core):
    raise AssertionError("an attack began")


def taken(record):
    return aim(record, Places(nowhere), clock=CLOCK, random_bytes=secrets.token_bytes)


@pytest.mark.parametrize("site", [False, True])
@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1", "2001:db8::1", "0.0.0.0"])
def test_nothing_but_a_demo_of_ours_is_a_target(record, host, site):
    with pytest.raises(ConfigError, match="nothing else is attacked"):
        taken(replace(record, controller=(host, 5683), site=site))


def test_loopback_is_no_place_of_a_site(record):
    with pytest.raises(ConfigError, match="nothing else is attacked"):
        taken(replace(record, site=True))


def test_a_demo_without_its_controller_cannot_be_aimed_at(record):
    with pytest.raises(TransportError):
        taken(record)


@pytest.mark.slow
def test_attacks_run_over_sockets_against_a_demo_whose_things_have_joined(record, scenery):
    host, port = record.controller

    async def story():
        async with running(scenery.domain) as controller:
            with pytest.raises(ConfigError, match="have joined"):
                await asyncio.to_thread(taken, record)
            config = AgentConfig(home=record.things[0].home, controller_host=host, controller_port=port, port=0)
            living = asyncio.get_running_loop().create_task(program.run([config]))
            while not controller.planes.data.accepted:  # noqa: ASYNC110  a counter has nobody to set an event
                await asyncio.sleep(0.02)
            places = on_loopback(CLOCK)
            target = await asyncio.to_thread(aim, record, places, clock=CLOCK, random_bytes=secrets.token_bytes)
            verdicts = [*await join(target), *await replay(target)]
            living.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await living
        return verdicts

    verdicts = asyncio.run(asyncio.wait_for(story(), 100))
    assert all(verdict.held for verdict in verdicts), verdicts
    assert len(verdicts) == 7
