"""Files in their time: asked for again when they are stale, and whatever comes of that, what was good stays."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import CLOUD, PEERS, URL, World, described
from tests.unit.planes.network.test_mud_library import ACME, AT, SPAN, policy_of
from thingstead.crypto.authority import make_signer
from thingstead.planes.network.alarm import AlarmKind
from thingstead.protocols.mud.builder import Description, render

THING = a_thing()
SIGNER = make_signer("Acme files", ACME, **SPAN)
HOUR = 3600


def signed(*services, hours=48):
    document = render(Description(URL, AT, "A lamp", "Acme", "LX-1", services, cache_validity=hours))
    return {URL: document, f"{URL}.p7s": SIGNER.sign_detached(document)}


class Later:
    """A thing goes by a good file; then time passes, and the server says something else."""

    def __init__(self, *services, hours=48):
        self.world = World(pages=signed(*services, hours=hours), policy_of=policy_of)
        asyncio.run(self.world.admit(THING))
        self.first = self.world.kernel.rules(THING.id)
        self.world.alarms.clear()

    def pages(self, pages, *, after):
        self.world.web.pages = pages
        self.world.clock.seconds += after
        asyncio.run(self.world.manager.refresh())
        return self

    @property
    def rules(self):
        return self.world.kernel.rules(THING.id)

    @property
    def alarms(self):
        return [alarm.kind for alarm in self.world.alarms]


@pytest.mark.spec("RFC 8520 3.5")
@pytest.mark.parametrize("hours", [1, 48, 168])
def test_a_file_is_asked_for_again_when_its_maker_says_and_not_before(hours):
    later = Later(CLOUD, hours=hours)
    later.pages(signed(PEERS, hours=hours), after=hours * HOUR - 1)
    assert later.world.web.asked.count(URL) == 1
    later.pages(signed(PEERS, hours=hours), after=1)
    assert later.world.web.asked.count(URL) == 2


@pytest.mark.spec("RFC 8520 3.5")
def test_a_newer_file_is_in_force_and_what_it_widens_is_told():
    later = Later(CLOUD).pages(signed(CLOUD, PEERS), after=48 * HOUR)
    assert AlarmKind.MUD_CHANGED in later.alarms


BAD = {
    "gone": {},
    "no JSON": {URL: b"{"},
    "unsigned": {URL: described(PEERS)},
    "changed behind its signature": {**signed(PEERS), URL: signed(PEERS)[URL] + b" "},
    "of another signature": {**signed(PEERS), f"{URL}.p7s": signed(CLOUD)[f"{URL}.p7s"]},
    "without its signature": {URL: signed(PEERS)[URL]},
    "of another thing": {
        key: value.replace(b"lx-1", b"lx-2") if key == URL else value for key, value in signed(PEERS).items()
    },
    "too large": {URL: b" " * (1 << 19)},
}


@pytest.mark.requirement("R-80")
@pytest.mark.parametrize("pages", BAD.values(), ids=BAD)
def test_a_bad_file_never_changes_the_rules_in_force(pages):
    later = Later(CLOUD).pages(pages, after=48 * HOUR)
    assert later.rules == later.first
    assert later.alarms == [AlarmKind.MUD_UNAVAILABLE]


def test_offline_the_last_good_file_counts_for_as_long_as_it_takes():
    later = Later(CLOUD)
    for _ in range(10):
        later.pages({}, after=7 * 24 * HOUR)
    assert later.rules == later.first
    assert later.pages(signed(CLOUD), after=HOUR).world.web.asked.count(URL) == 12


def test_offline_a_restart_loses_nothing():
    later = Later(CLOUD).pages({}, after=100 * HOUR)
    again = World(pages={}, policy_of=policy_of, records=later.world.records, clock=later.world.clock)
    asyncio.run(again.admit(THING))
    assert again.kernel.rules(THING.id) == later.first


def test_a_file_that_came_back_counts_again():
    later = Later(CLOUD).pages({}, after=48 * HOUR).pages(signed(CLOUD), after=HOUR)
    later.world.alarms.clear()
    later.pages({}, after=int(timedelta(hours=47).total_seconds()))
    assert later.alarms == []
