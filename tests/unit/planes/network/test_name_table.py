import asyncio
from ipaddress import ip_address, ip_network

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.planes.network.fakes import LOCAL, Dns, Shelf, holder
from thingstead.domain.instant import microseconds
from thingstead.domain.name import NameAnswer, NameStanding
from thingstead.errors import DecodeError, StorageError
from thingstead.planes.network.alarm import Alarm, AlarmKind
from thingstead.planes.network.name_table import NameLimits, NameTable
from thingstead.protocols.cbor import codec


def table(*addresses, ttl=60, **limits):
    alarms: list[Alarm] = []
    dns = Dns(a_example=(addresses, ttl))
    clock = JumpingClock()
    names = NameTable(dns, inside=LOCAL, clock=clock, holder=holder, alarm=alarms.append, limits=NameLimits(**limits))
    asyncio.run(names.refresh(["a.example"]))
    return names, alarms, dns, clock


def test_a_name_stands_for_its_hosts_until_it_is_due():
    names, alarms, dns, clock = table("198.51.100.7", "2001:db8::7")
    assert names.addresses() == {"a.example": (ip_network("198.51.100.7"), ip_network("2001:db8::7"))}
    assert (names.next_due(), names.lifetime("a.example", ip_network("198.51.100.7")), alarms) == (60.0, 75, [])
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


HOST, OTHER = ip_network("198.51.100.7"), ip_network("198.51.100.8")


def learned(**limits):
    alarms: list[Alarm] = []
    clock = JumpingClock()
    names = NameTable(None, inside=LOCAL, clock=clock, holder=holder, alarm=alarms.append, limits=NameLimits(**limits))
    return names, alarms, clock


def told(*addresses, name="a.example", ttl=60, aliases=()):
    return NameAnswer(name, tuple([(ip_address(one).packed, ttl) for one in addresses]), aliases, b"\x0a\x4d\x01\x01")


@pytest.mark.spec("RFC 9726 3")
def test_a_name_that_is_learned_stands_for_nothing_before_anybody_was_told():
    names, alarms, _ = learned()
    assert asyncio.run(names.refresh(["a.example"])) == frozenset()
    assert (names.addresses(), names.next_due(), alarms) == ({}, None, [])


@pytest.mark.spec("RFC 9726 3")
@pytest.mark.requirement("R-80")
def test_what_a_thing_was_told_stands_for_as_long_as_it_was_told_and_no_longer():
    names, _, clock = learned(grace_seconds=5)
    assert names.learn(told("198.51.100.7", ttl=10))
    assert (names.addresses(), names.lifetime("a.example", HOST)) == ({"a.example": (HOST,)}, 15)
    asyncio.run(clock.wait(14))
    assert asyncio.run(names.refresh(["a.example"])) == frozenset()
    asyncio.run(clock.wait(1))
    assert asyncio.run(names.refresh(["a.example"])) == {"a.example"}
    assert (names.addresses(), names.next_due()) == ({}, None)


def test_a_later_answer_pins_nothing_of_an_earlier_one():
    names, _, clock = learned(grace_seconds=0)
    names.learn(told("198.51.100.7", ttl=10))
    asyncio.run(clock.wait(5))
    names.learn(told("198.51.100.8", ttl=10))
    assert names.addresses() == {"a.example": (OTHER, HOST)}
    asyncio.run(clock.wait(5))
    assert asyncio.run(names.refresh(["a.example"])) == {"a.example"}
    assert names.addresses() == {"a.example": (OTHER,)}


def test_the_same_answer_again_makes_an_address_stay_and_a_shorter_one_does_not_cut_it():
    names, _, clock = learned(grace_seconds=0)
    names.learn(told("198.51.100.7", ttl=10))
    asyncio.run(clock.wait(5))
    names.learn(told("198.51.100.7", ttl=2))
    assert names.lifetime("a.example", HOST) == 5
    names.learn(told("198.51.100.7", ttl=20))
    assert names.lifetime("a.example", HOST) == 20


def test_what_is_told_now_stands_whatever_else_was_told_for_longer():
    names, _, _ = learned(max_addresses=2)
    names.learn(told("198.51.100.7", "198.51.100.8", ttl=9000))
    names.learn(told("198.51.100.9", ttl=5))
    assert ip_network("198.51.100.9") in names.addresses()["a.example"]
    assert len(names.addresses()["a.example"]) == 2


@pytest.mark.parametrize(("ttl", "seconds"), [(0, 15), (-1, 15), (10**9, 86_415)])
def test_no_answer_opens_a_way_for_ever(ttl, seconds):
    names, _, _ = learned()
    names.learn(told("198.51.100.7", ttl=ttl))
    assert names.lifetime("a.example", HOST) == seconds


@pytest.mark.requirement("R-80")
@pytest.mark.parametrize("address", ["10.77.3.4", "fd77::9", "127.0.0.1", "::1", "224.0.0.1", "169.254.1.1", "0.0.0.0"])
def test_an_answer_to_a_thing_that_points_inside_teaches_nothing(address):
    names, alarms, _ = learned()
    assert not names.learn(told(address))
    assert (names.addresses(), [alarm.kind for alarm in alarms]) == ({}, [AlarmKind.NAME_POINTS_INSIDE])


def test_an_answer_without_addresses_teaches_nothing():
    names, alarms, _ = learned()
    assert not names.learn(told())
    assert (names.addresses(), alarms) == ({}, [])


def test_answers_that_change_each_time_do_not_fill_the_table():
    names, _, _ = learned(max_addresses=3)
    for number in range(1, 9):
        names.learn(told(f"198.51.100.{number}", ttl=number))
    assert names.addresses()["a.example"] == tuple(ip_network(f"198.51.100.{number}") for number in (8, 7, 6))


@pytest.mark.spec("RFC 9726 4.3")
def test_a_name_that_leads_to_a_server_of_many_is_flagged_once():
    names, alarms, _ = learned()
    for _ in range(2):
        names.learn(told("198.51.100.7", aliases=("b.a.example", "d1.cdn.invalid")))
    assert [alarm.kind for alarm in alarms] == [AlarmKind.NAME_SHARED]
    assert "alias of d1.cdn.invalid" in names.standings()[0].shared


@pytest.mark.spec("RFC 9726 4.3")
def test_a_name_that_has_the_address_of_a_stranger_s_name_is_flagged():
    names, alarms, _ = learned()
    names.learn(told("198.51.100.7"))
    names.learn(told("198.51.100.7", name="cloud.other.invalid"))
    assert [one.shared for one in names.standings()] == ["", "has an address in common with a.example"]
    assert [alarm.kind for alarm in alarms] == [AlarmKind.NAME_SHARED]


@pytest.mark.spec("RFC 9726 4.3")
def test_a_name_that_a_company_lets_to_its_customers_is_flagged():
    names, alarms, _ = learned()
    names.learn(told("198.51.100.7", name="maker.cdn.invalid"))
    assert names.standings()[0].shared == "is under cdn.invalid, as names of others are"
    assert [alarm.kind for alarm in alarms] == [AlarmKind.NAME_SHARED]


@pytest.mark.spec("RFC 9726 4.3")
def test_names_that_we_ask_for_ourselves_are_flagged_too():
    names, alarms, dns, _ = table("198.51.100.7")
    dns.names["maker.cdn.invalid"] = (("198.51.100.7",), 60)
    asyncio.run(names.refresh(["maker.cdn.invalid"]))
    assert [one.shared for one in names.standings()] == ["", "is under cdn.invalid, as names of others are"]
    assert [alarm.kind for alarm in alarms] == [AlarmKind.NAME_SHARED]


def test_a_name_whose_addresses_all_lead_inside_shares_nothing():
    names, alarms, _ = learned()
    assert not names.learn(told("10.77.1.2", name="maker.cdn.invalid"))
    assert [alarm.kind for alarm in alarms] == [AlarmKind.NAME_POINTS_INSIDE]


def test_names_of_one_owner_may_share_an_address():
    names, alarms, _ = learned()
    names.learn(told("198.51.100.7", name="a.acme.example", aliases=("edge.acme.example",)))
    names.learn(told("198.51.100.7", name="b.acme.example"))
    assert ([one.shared for one in names.standings()], alarms) == (["", ""], [])


def test_how_a_name_stands_says_for_how_long():
    names, _, clock = learned()
    names.learn(told("198.51.100.7", ttl=60))
    asyncio.run(clock.wait(10))
    assert names.standings() == (NameStanding("a.example", ((ip_address("198.51.100.7").packed, 65),), ""),)


def kept(records, clock, **limits):
    alarms: list[Alarm] = []
    return NameTable(
        None,
        inside=LOCAL,
        clock=clock,
        holder=holder,
        alarm=alarms.append,
        records=records,
        limits=NameLimits(**limits),
    )


def test_what_was_learned_counts_over_a_restart_for_as_long_as_it_holds():
    records, clock = Shelf(), JumpingClock()
    names = kept(records, clock)
    names.learn(told("198.51.100.7", ttl=60, aliases=("cdn.invalid",)))
    asyncio.run(names.keep())
    asyncio.run(clock.wait(30))
    again = kept(records, clock)
    assert again.standings() == names.standings()
    assert again.lifetime("a.example", HOST) == 45
    asyncio.run(clock.wait(45))
    assert kept(records, clock).addresses() == {}


def test_it_is_written_down_now_and_then_and_not_with_each_answer():
    records, clock = Shelf(), JumpingClock()
    names = kept(records, clock, keep_seconds=10)
    for seconds, written in ((0, 1), (1, 1), (9, 2)):
        asyncio.run(clock.wait(seconds))
        names.learn(told("198.51.100.7", name=f"{seconds}.example"))
        asyncio.run(names.keep())
        assert (len(records.documents) > 1) == (written > 1)
    assert len(records.documents) == 3


def test_a_name_that_stands_for_nothing_any_more_is_not_kept():
    records, clock = Shelf(), JumpingClock()
    names = kept(records, clock, grace_seconds=0, keep_seconds=0)
    names.learn(told("198.51.100.7", ttl=5))
    names.learn(told("198.51.100.8", name="b.example", ttl=500))
    asyncio.run(names.keep())
    asyncio.run(clock.wait(5))
    asyncio.run(names.refresh(["a.example"]))
    names.forget_all_but(frozenset({"a.example"}))
    asyncio.run(names.keep())
    assert records.documents == {}


def test_a_disk_that_was_full_is_written_to_again():
    class Full(Shelf):
        room = False

        async def write(self, changes, *, entries=()):
            if not self.room:
                raise StorageError("full")
            await super().write(changes)

    records, clock = Full(), JumpingClock()
    names = kept(records, clock)
    names.learn(told("198.51.100.7"))
    with pytest.raises(StorageError):
        asyncio.run(names.keep())
    records.room = True
    asyncio.run(names.keep())
    assert len(records.documents) == 1


@pytest.mark.parametrize("later", [10**9, 10**12])
def test_no_document_makes_an_address_stay_for_longer_than_an_answer_could(later):
    records, clock = Shelf(), JumpingClock()
    end = microseconds(clock.utc()) + later * 10**6
    records.documents["x"] = codec.encode(["a.example", [[ip_address("198.51.100.7").packed, end]], ""])
    assert kept(records, clock).lifetime("a.example", HOST) == 86_415


@pytest.mark.parametrize(
    "value", [1, ["a"], ["a", 1, ""], ["a", [[b"abc", 1]], ""], ["a", [[b"abcd", "1"]], ""], ["a", [1], ""]]
)
def test_what_is_no_document_of_the_table_is_refused(value):
    records = Shelf()
    records.documents["x"] = codec.encode(value)
    with pytest.raises(DecodeError):
        kept(records, JumpingClock())


def test_who_asks_by_itself_keeps_nothing():
    records, clock = Shelf(), JumpingClock()
    records.documents["x"] = codec.encode(1)
    dns = Dns(a_example=(("198.51.100.7",), 60))
    names = NameTable(dns, inside=LOCAL, clock=clock, holder=holder, alarm=lambda _alarm: None, records=records)
    asyncio.run(names.refresh(["a.example"]))
    asyncio.run(names.keep())
    assert len(records.documents) == 1
