"""A domain behind a lab, with an enforcer that enforces nothing: what is found, and what comes of it."""

from contextlib import closing
from datetime import UTC, datetime
from ipaddress import ip_network

from tests.unit.simulator.lab.people import cast
from thingstead.analysis.detectors.detector import Detection, Severity
from thingstead.domain.lifecycle import Restriction
from thingstead.enforcement.dry_run import DryRun
from thingstead.simulator.lab.household import Household, Stopwatch
from thingstead.simulator.virtual.clock import VirtualLoop, run

THOSE = cast("camera", "lamp")
CAMERA = THOSE.things[0]
NETWORKS = (ip_network("10.77.0.0/16"), ip_network("fd77::/64"))
BEGINNING = datetime(2026, 1, 5, 8, tzinfo=UTC).timestamp()


class Kernel(DryRun):
    def __init__(self):
        super().__init__("a test")
        self.changes = []

    async def apply(self, change):
        self.changes.append(change)
        return await super().apply(change)


def live(story, *, rules=True):
    """Have a household that everybody has joined, and do something in it."""
    loop, kernel = VirtualLoop(), Kernel()
    household = Household(loop, kernel, NETWORKS, beginning=BEGINNING, seed=1)

    async def whole():
        await household.admit(THOSE, rules=rules)
        try:
            return await story(household, kernel)
        finally:
            await household.close()

    return run(loop, whole())


def detection(household, severity=Severity.ALARM):
    thing = household.scene(THOSE, installs={}).things[CAMERA.mac]
    at = BEGINNING + 600
    return Detection(
        "flood", CAMERA.mac, thing, "192.0.2.1", at, at, ("500 datagrams",), "a rule", "It floods.", severity
    )


def last_changes(kernel):
    return {change.addresses[0].ip: change for change in kernel.changes if change.addresses}


def test_with_rules_a_thing_may_reach_its_cloud_and_no_other_host():
    async def story(household, kernel):
        return last_changes(kernel)[CAMERA.ipv4].rules

    remotes = {str(rule.remote) for rule in live(story) if rule.outbound}
    assert "192.0.2.11/32" in remotes
    assert {"0.0.0.0/0", "192.0.2.13/32"} & remotes == set()


def test_without_a_profile_a_thing_may_do_anything():
    async def story(household, kernel):
        return last_changes(kernel)[CAMERA.ipv4].rules

    assert any(str(rule.remote) == "0.0.0.0/0" and not rule.outbound for rule in live(story, rules=False))


def test_an_alarm_cuts_its_thing_off_on_six_planes_and_nobody_else():
    async def story(household, kernel):
        return await household.stop(detection(household)), last_changes(kernel)

    planes, changes = live(story)
    assert len(planes) == 6
    assert all(0 <= seconds < 5 for seconds in planes.values())
    assert {ip for ip, change in changes.items() if change.barred} == {CAMERA.ipv4}


def test_a_weakness_that_shows_cuts_nobody_off():
    async def story(household, kernel):
        return await household.stop(detection(household, Severity.NOTICE)), last_changes(kernel)

    planes, changes = live(story)
    assert planes == {}
    assert not any(change.barred for change in changes.values())


def test_the_same_finding_again_does_nothing_more():
    async def story(household, kernel):
        await household.stop(detection(household))
        return await household.stop(detection(household))

    assert live(story) == {}


def test_one_word_of_the_owner_undoes_it():
    async def story(household, kernel):
        await household.stop(detection(household))
        domain = household.domain
        (response,) = await domain.ask("response.list")
        await domain.ask("response.undo", response=response["response"])
        return domain.record(CAMERA.name).restriction, last_changes(kernel)[CAMERA.ipv4].barred

    assert live(story) == (Restriction.NONE, False)


def test_detectors_know_the_gateway_and_whose_every_address_is():
    async def story(household, kernel):
        return household.scene(THOSE, installs={})

    scene = live(story)
    assert scene.gateways == {THOSE.gateway.mac}
    assert scene.addresses[THOSE.things[1].ipv6.packed] == THOSE.things[1].mac
    assert set(scene.things) == {one.mac for one in THOSE.things}


def test_detectors_know_who_was_updated_and_when():
    async def story(household, kernel):
        return household.scene(THOSE, installs={CAMERA.name: BEGINNING + 300})

    scene = live(story)
    assert scene.installs == {scene.things[CAMERA.mac]: BEGINNING + 300}


def test_who_sleeps_as_planned_may_be_silent_for_longer():
    async def story(household, kernel):
        return household.scene(THOSE, installs={}, asleep=(CAMERA.name,))

    scene = live(story)
    assert sorted(scene.intervals.values()) == [90.0, 86_400.0]
    assert scene.intervals[scene.things[CAMERA.mac]] == 86_400.0


def test_a_stopwatch_adds_the_machine_s_time_only_while_it_is_taken():
    with closing(VirtualLoop()) as loop:
        watch = Stopwatch(loop, datetime(2026, 1, 5, tzinfo=UTC))
        assert (watch.now(), watch.now()) == (0.0, 0.0)
        watch.take(running=True)
        assert watch.now() > 0
        watch.take(running=False)
        assert watch.now() == 0.0
