"""A domain behind a lab, with an enforcer that enforces nothing: what is found, and what comes of it."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_network

import pytest

from tests.unit.simulator.lab.people import cast
from thingstead.domain.lifecycle import Restriction
from thingstead.enforcement.dry_run import DryRun
from thingstead.errors import StateError
from thingstead.simulator.lab import frame
from thingstead.simulator.lab.household import Household, Stopwatch
from thingstead.simulator.lab.scenario import Owner
from thingstead.simulator.virtual.clock import VirtualLoop, run

THOSE = cast("camera", "lamp")
CAMERA, LAMP = THOSE.things
NETWORKS = (ip_network("10.77.0.0/16"), ip_network("fd77::/64"))
BEGINNING = datetime(2026, 1, 5, 8, tzinfo=UTC).timestamp()


class Kernel(DryRun):
    def __init__(self):
        super().__init__("a test")
        self.changes = []

    async def apply(self, change):
        self.changes.append(change)
        return await super().apply(change)


class Wire:
    """A tap with frames of our own."""

    macs = frozenset({THOSE.gateway.mac})
    addresses = frozenset({THOSE.gateway.ipv4.packed, THOSE.gateway.ipv6.packed})

    def __init__(self):
        self.frames = []
        self.missed = 0
        self.is_open = True
        self.on_frames = None

    def refresh(self):
        pass

    def take(self, most):
        taken, self.frames = self.frames[:most], self.frames[most:]
        return [(one, len(one), "") for one in taken]

    def lost(self):
        return self.missed

    def listen(self, on_frames):
        self.on_frames = on_frames

    def pause(self):
        pass

    def resume(self):
        if self.frames and self.on_frames is not None:
            asyncio.get_running_loop().call_soon(self.on_frames)

    def close(self):
        self.is_open = False

    def carry(self, *frames):
        self.frames += frames
        self.resume()


def syns(many, *, sender=CAMERA):
    """What a worm sends: one question each to ever other hosts."""
    for number in range(many):
        to = IPv4Address("198.18.0.0") + number, 23
        yield frame.tcp_syn((sender.ipv4, 40_000), to, sequence=number, macs=(sender.mac, THOSE.gateway.mac))


def leak(sender=CAMERA):
    """A login in clear: a weakness, and no attack."""
    said = b"POST / HTTP/1.1\r\n\r\nuser=anna&pass" + b"word=cedar"
    to = IPv4Address("203.0.113.66"), 80
    return frame.udp((sender.ipv4, 40_000), to, said, macs=(sender.mac, THOSE.gateway.mac))


def live(story, *, rules=True, **those):
    """Have a household that everybody has joined, and do something in it."""
    loop, kernel, wire = VirtualLoop(), Kernel(), Wire()
    household = Household(loop, kernel, lambda: wire, NETWORKS, owner=Owner(), beginning=BEGINNING, seed=1)

    async def whole():
        await household.admit(THOSE, rules=rules, **those)
        await household.until(0.0)
        try:
            return await story(household, kernel, wire)
        finally:
            await household.close()
            assert not wire.is_open

    return run(loop, whole())


async def attacked(household, wire):
    wire.carry(*syns(100))
    await household.settle()
    await household.until(1.0)
    return household.responses()


def last_changes(kernel):
    return {change.addresses[0].ip: change for change in kernel.changes if change.addresses}


def test_with_rules_a_thing_may_reach_its_cloud_and_no_other_host():
    async def story(household, kernel, wire):
        return last_changes(kernel)[CAMERA.ipv4].rules

    remotes = {str(rule.remote) for rule in live(story) if rule.outbound}
    assert "192.0.2.11/32" in remotes
    assert {"0.0.0.0/0", "192.0.2.13/32"} & remotes == set()


def test_without_a_profile_a_thing_may_do_anything():
    async def story(household, kernel, wire):
        return last_changes(kernel)[CAMERA.ipv4].rules

    assert any(str(rule.remote) == "0.0.0.0/0" and not rule.outbound for rule in live(story, rules=False))


def test_frames_of_an_attack_cut_their_sender_off_on_six_planes_and_nobody_else():
    async def story(household, kernel, wire):
        return await attacked(household, wire), last_changes(kernel)

    ((who, response),), changes = live(story)
    assert (who, response.detector) == (CAMERA.name, "horizontal_scan")
    assert len(response.planes) == 6
    assert all(0 <= one.milliseconds < 5000 for one in response.planes)
    assert {ip for ip, change in changes.items() if change.barred} == {CAMERA.ipv4}


def test_what_was_told_is_what_the_ledger_has_and_is_told_once():
    async def story(household, kernel, wire):
        await attacked(household, wire)
        return household.alarms(), household.alarms()

    told, again = live(story)
    assert ("horizontal_scan", CAMERA.mac) in {(one.cause, one.details["device"]) for one in told}
    assert again == []


def test_a_weakness_that_shows_cuts_nobody_off():
    async def story(household, kernel, wire):
        wire.carry(leak())
        await household.until(1.0)
        return household.responses(), household.alarms()

    assert live(story)[0] == []


def test_the_same_again_does_nothing_more():
    async def story(household, kernel, wire):
        await attacked(household, wire)
        wire.carry(*syns(100))
        await household.until(2.0)
        return household.responses()

    assert len(live(story)) == 1


def test_one_word_of_the_owner_undoes_it():
    async def story(household, kernel, wire):
        await attacked(household, wire)
        domain = household.domain
        (response,) = await domain.ask("response.list")
        await domain.ask("response.undo", response=response["response"])
        return domain.record(CAMERA.name).restriction, last_changes(kernel)[CAMERA.ipv4].barred

    assert live(story) == (Restriction.NONE, False)


def test_who_falls_silent_is_told_of_unless_it_sleeps_as_planned():
    async def story(household, kernel, wire):
        wire.carry(*syns(1), *syns(1, sender=LAMP))
        await household.until(400.0)
        return [one.details["device"] for one in household.alarms() if one.cause == "silence"]

    assert live(story, asleep=(LAMP.name,)) == [CAMERA.mac]


def test_an_update_is_installed_by_whom_it_is_for_and_by_nobody_else():
    async def story(household, kernel, wire):
        await household.update(["camera", "lamp"])
        await household.until(60.0)
        things = household.domain.controller.planes.software
        return [things.runs(household.domain.record(one.name).id).installed_at is not None for one in THOSE.things]

    assert live(story, updated=(CAMERA.name,)) == [True, False]


def test_frames_that_detectors_did_not_get_to_see_are_counted():
    async def story(household, kernel, wire):
        wire.missed = 3
        return household.unseen()

    assert live(story) == 3


def test_a_controller_that_sees_no_packets_is_no_lab_s():
    async def story(household, kernel, wire):
        await household.domain.crash()
        household.domain.open_tap = None
        await household.domain.start()
        with pytest.raises(StateError):
            household.unseen()

    live(story)


def test_a_stopwatch_adds_the_machine_s_time_only_while_it_is_taken():
    with closing(VirtualLoop()) as loop:
        watch = Stopwatch(loop, datetime(2026, 1, 5, tzinfo=UTC))
        assert (watch.now(), watch.now()) == (0.0, 0.0)
        watch.take(running=True)
        assert watch.now() > 0
        watch.take(running=False)
        assert 0 < watch.now() == watch.now()
