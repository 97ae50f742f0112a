"""The attacks that are run against a demo, in memory: the domain holds.

That an attack says where a domain does not is in tests/unit/simulator/attack.
"""

import pytest

from tests.scenarios.threats.ground import attacked
from thingstead.phases.knocking import PATHS
from thingstead.simulator.attack.join import join
from thingstead.simulator.attack.replay import replay
from thingstead.simulator.attack.retired import retired
from thingstead.simulator.attack.scan import METHODS, scan
from thingstead.simulator.attack.tamper import tamper
from thingstead.simulator.attack.token import token


async def goes_on(world):
    """The genuine things still report, and the attackers' are gone."""
    accepted = world.domain.controller.planes.data.accepted
    await world.until(lambda: world.domain.controller.planes.data.accepted >= accepted + 2)
    states = {thing.serial: thing.state for thing in world.domain.controller.register.things()}
    assert {serial for serial, state in states.items() if state == "operational"} == {"A0001", "A0002"}


def held(verdicts):
    return all(verdict.held for verdict in verdicts)


@pytest.mark.requirement("R-27")
@pytest.mark.spec("RFC 9528 5.4.3")
def test_strangers_counterfeiters_and_forgers_are_refused_at_message_3_and_nothing_is_kept():
    verdicts = attacked(join, then=goes_on)
    assert held(verdicts), verdicts
    assert len(verdicts) == 3


@pytest.mark.requirement("R-15")
@pytest.mark.spec("RFC 8613 7.4")
def test_what_was_recorded_has_no_effect_when_it_comes_again():
    verdicts = attacked(replay, then=goes_on)
    assert held(verdicts), verdicts


@pytest.mark.slow
@pytest.mark.requirement("R-55")
@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize("seed", range(3))
def test_no_byte_can_be_changed_on_its_way(seed):
    verdicts = attacked(tamper, then=goes_on, seed=seed)
    assert held(verdicts), verdicts


@pytest.mark.slow
@pytest.mark.spec("RFC 7252 11")
def test_a_stranger_finds_one_door():
    verdicts = attacked(scan, then=goes_on)
    assert held(verdicts), verdicts
    assert len(verdicts) == len(PATHS) + 1


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 9237 2.1")
def test_no_member_gets_beyond_its_scope_with_whatever_token():
    verdicts = attacked(token, then=goes_on)
    assert held(verdicts), verdicts
    assert sum(verdict.evidence.count(method.name + " ") for verdict in verdicts for method in METHODS) > len(PATHS)


@pytest.mark.requirement("R-09")
def test_a_retired_thing_finds_every_plane_closed():
    verdicts = attacked(retired, then=goes_on)
    assert held(verdicts), verdicts
    assert {verdict.plane for verdict in verdicts} == {"identity", "access", "groups", "software", "network", "data"}
