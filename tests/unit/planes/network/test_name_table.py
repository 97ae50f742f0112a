import asyncio
from ipaddress import ip_network

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.planes.network.fakes import LOCAL, Dns
from thingstead.planes.network.alarm import Alarm, AlarmKind
from thingstead.planes.network.name_table import NameLimits, NameTable


def table(*addresses, ttl=60, **limits):
    alarms: list[Alarm] = []
    dns = Dns(a_example=(addresses, ttl))
    clock = JumpingClock()
    names = NameTable(dns, inside=LOCAL, clock=clock, alarm=alarms.append, limits=NameLimits(**limits))
    asyncio.run(names.refresh(["a.example"]))
    return names, alarms, dns, clock


def test_a_name_stands_for_its_hosts_until_it_is_due():
    names, alarms, dns, clock = table("198.51.100.7", "2001:db8::7")
    assert names.addresses() == {"a.example": (ip_network("198.51.100.7"), ip_network("2001:db8::7"))}
    assert (names.next_due(), names.lifetime("a.example"), alarms) == (60.0, 75, [])
    asyncio.run(clock.wait(59))
    assert asyncio.run(names.refresh(["a.example"])) == frozenset()
    asyncio.run(clock.wait(1))
    assert asyncio.run(names.refresh(["a.example"])) == {"a.example"}
    assert len(dns.asked) == 2


@pytest.mark.parametrize(("ttl", "due"), [(0, 30), (-5, 30), (60, 60), (10**9, 86_400)])
def test_a_time_to_live_is_kept_within_bounds(ttl, due):
    assert table("198.51.100.7", ttl=ttl)[0].next_due() == due


@pytest.mark.requirement("R-80")
@pytest.mark.parametrize("address", ["10.77.3.4", "fd77::9", "127.0.0.1", "::1", "224.0.0.1", "169.254.1.1", "0.0.0.0"])
def test_an_answer_that_points_inside_opens_nothing(address):
    names, alarms, _, _ = table("198.51.100.7", address)
    assert names.addresses()["a.example"] == (ip_network("198.51.100.7"),)
    assert [alarm.kind for alarm in alarms] == [AlarmKind.NAME_POINTS_INSIDE]


@pytest.mark.parametrize("addresses", [("nonsense",), ("198.51.100.7/24",)])
def test_an_answer_that_is_no_address_opens_nothing_and_is_asked_again(addresses):
    names, alarms, _, _ = table(*addresses)
    assert (names.addresses()["a.example"], names.next_due()) == ((), 30.0)
    assert [alarm.kind for alarm in alarms] == [AlarmKind.NAME_UNRESOLVED]


def test_a_name_without_an_answer_is_asked_again_later():
    names, _alarms, dns, clock = table("198.51.100.7")
    asyncio.run(names.refresh(["b.example"]))
    asyncio.run(clock.wait(29))
    asyncio.run(names.refresh(["b.example"]))
    assert dns.asked.count("b.example") == 1


def test_addresses_of_a_name_are_bounded():
    names, _, _, _ = table(*[f"198.51.100.{number}" for number in range(1, 40)], max_addresses=4)
    assert len(names.addresses()["a.example"]) == 4


def test_forgotten_names_are_not_asked_for():
    names, _, _, _ = table("198.51.100.7")
    names.forget_all_but(frozenset())
    assert (names.addresses(), names.next_due()) == ({}, None)
