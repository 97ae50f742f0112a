"""Things are knocked at as a stranger would, nobody else is, and what answers unasked is told once."""

import asyncio
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.exposure_scan import DOCUMENTS, ExposureScan
from thingstead.domain.ledger import entry
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState
from thingstead.domain.network import ThingAddress
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.domain.unit import Snapshot
from thingstead.errors import ConfigError, DecodeError, StorageError
from thingstead.phases.knocking import PORTS
from thingstead.planes.network.rule_book import Reason
from thingstead.protocols.cbor import codec
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

pytestmark = pytest.mark.requirement("R-89")
LAMP, OTHER, GONE = a_thing(0), a_thing(1), a_thing(2, state=LifecycleState.DECOMMISSIONED)
MAC = bytes.fromhex("020000000001")
HERE, THERE = "10.77.0.2", "10.77.0.3"


class Site:
    """Things with doors, and somebody who knocks."""

    def __init__(self):
        self.doors: Any = {HERE: {(6, 22)}, THERE: set(), "10.77.0.1": set()}
        self.knocked: Any = []
        self.allowed, self.mode = frozenset[str](), "nftables"
        self.own: Any = ("10.77.0.1", "127.0.0.1")
        self.places = {LAMP.id: HERE, OTHER.id: THERE}
        self.store, self.clock = MemoryStore(), JumpingClock()
        self.stranger: Any = self
        self.restart()

    def restart(self):
        self.scan = ExposureScan(
            self.stranger,
            lambda: {
                thing: tuple([ThingAddress(MAC, ip_address(ip)) for ip in ips.split()])
                for thing, ips in self.places.items()
            },
            Register(Snapshot(things=(LAMP, OTHER, GONE))),
            explain=self.explain,
            mode=lambda: self.mode,
            own=self.own,
            doors={(17, 5683)},
            local=(ip_network("10.77.0.0/16"),),
            records=PlaneRecords(PlaneName.NETWORK, self.store, prefix=DOCUMENTS),
            clock=self.clock,
        )
        return self

    async def knock(self, host, port, *, within):
        self.knocked.append((host, 6, port))
        return (6, port) in self.doors[host]

    async def say(self, datagram, address, *, within, until):
        self.knocked.append((address[0], 17, address[1]))
        assert datagram
        return (b"answer",) if (17, address[1]) in self.doors[address[0]] else ()

    async def explain(self, thing, flows):
        return tuple([self.reason(str(ip_address(flow.remote)), flow) for flow in flows])

    def reason(self, remote, flow):
        assert not flow.outbound
        place = {"10.77.0.1": "controller", "10.77.255.254": "site", "192.0.2.1": "internet"}[remote]
        if place in self.allowed:
            return Reason(allowed=True, by="maker", rule="", words="its maker says so")
        return Reason(allowed=False, by="nobody", rule="", words="no rule names it")

    def run(self, thing=None):
        return asyncio.run(self.scan.scan(thing))

    def look(self):
        asyncio.run(self.scan.look())
        return self

    def told(self, kind):
        found = [entry.decode(leaf) for leaf in self.store.leaves()]
        return [one for one in found if one.kind is kind]


def test_what_answers_is_told_with_its_service():
    site = Site()
    (one,) = site.run()
    assert (one.thing, one.address, one.protocol, one.port, one.since) == (LAMP.id, HERE, 6, 22, AT)
    assert (one.expected, one.open_to, one.why) == (False, (), "no rule names it")
    (alarm,) = site.told(Kind.ALARM)
    assert (alarm.thing, alarm.cause, alarm.actor) == (LAMP.id, "open-service", "exposure-scan")
    assert "remote login" in alarm.details["service"]


def test_every_port_on_which_things_were_found_open_is_tried_once():
    site = Site()
    site.run(LAMP.id)
    assert {port for _, protocol, port in site.knocked if protocol == 6} == PORTS
    assert {port for _, protocol, port in site.knocked if protocol == 17} == {53, 123, 1900, 5683}
    assert len(site.knocked) == len(set(site.knocked))
    assert {host for host, _, _ in site.knocked} == {HERE}


def test_datagram_services_answer_too():
    site = Site()
    site.doors[HERE] = {(17, 5683), (17, 1900)}
    assert [one.port for one in site.run()] == [1900, 5683]


@pytest.mark.parametrize(
    ("mode", "allowed", "open_to", "expected"),
    [
        ("nftables", {"controller"}, ("controller",), True),
        ("nftables", {"controller", "site"}, ("controller", "site"), True),
        ("nftables", {"internet"}, ("internet",), True),
        ("dry_run", set(), ("controller", "site", "internet"), False),
        ("nobody yet", {"site"}, ("controller", "site", "internet"), True),
    ],
)
def test_to_whom_it_is_open_the_rules_say_where_somebody_keeps_them(mode, allowed, open_to, expected):
    site = Site()
    site.mode, site.allowed = mode, frozenset(allowed)
    (one,) = site.run()
    assert (one.open_to, one.expected) == (open_to, expected)
    assert ("nobody enforces" in one.why) == (mode != "nftables")
    assert len(site.told(Kind.ALARM)) == (not expected)


def test_a_service_is_an_alarm_once_and_keeps_its_date():
    site = Site()
    site.run()
    site.clock.seconds = 3600
    (one,) = site.restart().run()
    assert one.since == AT
    assert len(site.told(Kind.ALARM)) == 1
    site.doors[HERE] = set()
    assert site.run() == site.scan.found() == ()
    site.doors[HERE] = {(6, 22)}
    assert site.run()[0].since == AT + timedelta(hours=1)
    assert len(site.told(Kind.ALARM)) == 2


@pytest.mark.parametrize("ip", ["127.0.0.1", "::1", "10.77.0.1", THERE])
def test_nobody_is_knocked_at_who_may_be_somebody_else(ip):
    site = Site()
    site.places = {LAMP.id: ip, OTHER.id: THERE if ip == THERE else ip}
    site.own = ("10.77.0.1",)
    site.run()
    assert {host for host, _, _ in site.knocked} == {"10.77.0.1"}
    site.knocked.clear()
    with pytest.raises(ConfigError, match="its own alone"):
        site.run(LAMP.id)


def test_each_address_of_a_thing_that_is_its_own_alone_is_knocked_at():
    site = Site()
    site.places = {LAMP.id: f"{HERE} 10.77.0.22", OTHER.id: f"{THERE} {HERE}"}
    site.doors["10.77.0.22"] = {(6, 80)}
    (one,) = site.run()
    assert (one.thing, one.address, one.port) == (LAMP.id, "10.77.0.22", 80)
    assert {"10.77.0.22", THERE} <= {host for host, _, _ in site.knocked}
    assert HERE not in {host for host, _, _ in site.knocked}


@pytest.mark.parametrize("thing", [GONE.id, a_thing(9).id])
def test_what_is_no_thing_of_ours_is_not_knocked_at(thing):
    site = Site()
    site.places[thing] = "10.77.0.9"
    with pytest.raises(ConfigError):
        site.run(thing)
    site.run()
    assert "10.77.0.9" not in {host for host, _, _ in site.knocked}


def test_the_domain_itself_is_knocked_at_too_where_others_could():
    site = Site()
    site.doors["10.77.0.1"] = {(17, 5683), (6, 22)}
    mine = [one for one in site.run() if one.thing == ""]
    assert [(one.port, one.expected, one.address) for one in mine] == [
        (22, False, "10.77.0.1"),
        (5683, True, "10.77.0.1"),
    ]
    assert [one.thing for one in site.told(Kind.ALARM)] == [LAMP.id, None]
    assert site.restart().scan.found() == (*mine, *[one for one in site.scan.found() if one.thing])
    assert "127.0.0.1" not in {host for host, _, _ in site.knocked}


def test_only_loopback_is_nobodys_to_knock_at():
    site = Site()
    site.own, site.places = ("127.0.0.1", "::1", "0.0.0.0"), {}
    site.restart().run()
    assert site.knocked == []


def test_it_is_done_by_itself_once_a_day_and_not_at_each_start():
    site = Site().look()
    site.clock.seconds = 86_000
    site.restart().look()
    assert site.knocked == []
    site.clock.seconds = 86_400
    assert site.restart().look().knocked
    (scan,) = site.told(Kind.APPRAISAL)
    assert scan.details == {"things": 2, "services": 1, "unexpected": 1}
    site.knocked.clear()
    site.clock.seconds += 80_000
    assert site.restart().look().knocked == []
    site.clock.seconds += 10_000
    assert site.look().knocked


def test_what_left_is_not_told_any_more():
    site = Site()
    site.run()
    del site.places[LAMP.id]
    site.run()
    assert site.scan.found() == site.restart().scan.found() == ()


def test_what_could_not_be_kept_is_done_again(monkeypatch):
    site = Site()
    with monkeypatch.context() as patch:

        async def full(unit):
            raise StorageError("full")

        patch.setattr(site.store, "commit", full)
        with pytest.raises(StorageError):
            site.run()
    assert site.run()
    assert len(site.told(Kind.ALARM)) == 1


def test_where_nobody_knocks_it_is_said():
    site = Site()
    site.stranger = None
    with pytest.raises(ConfigError, match="nobody knocks"):
        site.restart().run()
    site.clock.seconds = 10**6
    assert site.look().scan.found() == ()


def test_what_is_not_ours_on_the_disk_is_refused():
    site = Site()
    records = PlaneRecords(PlaneName.NETWORK, site.store, prefix=DOCUMENTS)
    asyncio.run(records.write({LAMP.id: codec.encode([1])}))
    with pytest.raises(DecodeError):
        site.restart()
