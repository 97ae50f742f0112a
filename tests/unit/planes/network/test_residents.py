from ipaddress import ip_address

from tests.unit.domain.things import a_thing
from thingstead.domain.network import ThingAddress
from thingstead.domain.plane import Demand
from thingstead.planes.network.residents import Resident, Residents

ONE, TWO = a_thing(), a_thing(1)


def resident(thing, *ips, demand=Demand.ADMIT):
    return Resident(thing, tuple(ThingAddress(bytes(6), ip_address(ip)) for ip in ips), demand)


def all_of(*residents):
    made = Residents()
    for one in residents:
        made.put(one)
    return made


def test_a_resident_is_found_by_thing_and_by_address():
    one = resident(ONE, "10.0.0.1", "fd77::1")
    residents = all_of(one)
    assert (residents.of(ONE.id), residents.at(ip_address("fd77::1"))) == (one, one)
    assert residents.with_url(ONE.mud_url) == (ONE.id,)


def test_nobody_is_where_nobody_was_put():
    residents = all_of(resident(ONE, "10.0.0.1"))
    assert (residents.of(TWO.id), residents.at(ip_address("10.0.0.2")), residents.with_url("")) == (None, None, ())


def test_who_moved_is_no_more_where_it_was():
    residents = all_of(resident(ONE, "10.0.0.1"), resident(ONE, "10.0.0.2"))
    assert residents.at(ip_address("10.0.0.1")) is None
    assert residents.at(ip_address("10.0.0.2")) == residents.of(ONE.id)


def test_who_lost_an_address_to_another_does_not_take_it_along():
    residents = all_of(resident(ONE, "10.0.0.1"), resident(TWO, "10.0.0.1"), resident(ONE, "10.0.0.3"))
    assert residents.at(ip_address("10.0.0.1")) == residents.of(TWO.id)


def test_the_admitted_are_those_of_whom_that_was_asked():
    residents = all_of(resident(ONE, "10.0.0.1"), resident(TWO, "10.0.0.2", demand=Demand.RESTRICT))
    assert [one.thing for one in residents.admitted()] == [ONE]
    assert len(list(residents)) == 2


def test_what_is_taken_back_leaves_everybody_where_they_were():
    residents = all_of(resident(ONE, "10.0.0.1"), resident(TWO, "10.0.0.2"))
    before, claim = residents.of(TWO.id), resident(TWO, "10.0.0.1")
    residents.put(claim)
    residents.take_back(claim, before)
    assert residents.at(ip_address("10.0.0.1")) == residents.of(ONE.id)
    assert residents.at(ip_address("10.0.0.2")) == before


def test_who_was_nowhere_before_is_nowhere_after_it_was_taken_back():
    residents = all_of(claim := resident(ONE, "10.0.0.1"))
    residents.take_back(claim, None)
    assert (residents.of(ONE.id), residents.at(ip_address("10.0.0.1"))) == (None, None)


def test_what_was_done_since_is_not_taken_back():
    residents = all_of(claim := resident(ONE, "10.0.0.1"))
    residents.put(barred := resident(ONE, "10.0.0.1", demand=Demand.RESTRICT))
    residents.take_back(claim, None)
    assert residents.of(ONE.id) is residents.at(ip_address("10.0.0.1")) is barred
