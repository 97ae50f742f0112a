from dataclasses import replace
from ipaddress import IPv4Network, ip_address, ip_network

import pytest

from thingstead.analysis.reach import LOCAL, OUTSIDE, Hold, Neighbourhood, Opening, Station, Step, paths
from thingstead.identifier import thing_id_from_random

CAMERA, HUB, LOCK, LAMP = (thing_id_from_random(bytes([number]) * 10) for number in range(4))
ADDRESSES = {CAMERA: "10.0.0.1", HUB: "10.0.0.2", LOCK: "10.0.0.3", LAMP: "10.0.0.4"}
SITE = "10.0.0.0/16"
FAIR = (Hold.FAIR, "")


def opening(outbound, remote, *, port=None, protocol=6, words=""):
    network = ip_network(remote)
    ports = (0, 65535) if port is None else (port, port)
    here, there = ((0, 65535), ports) if outbound else (ports, (0, 65535))
    return Opening(outbound, network.network_address.packed, network.prefixlen, protocol, there, here, words or remote)


def out(remote, **kwargs):
    return opening(True, remote, **kwargs)


def into(remote, **kwargs):
    return opening(False, remote, **kwargs)


def host(thing):
    return f"{ADDRESSES[thing]}/32"


def station(thing, *openings, refused=()):
    return Station(thing, (ip_address(ADDRESSES[thing]).packed,), openings, tuple(refused))


def found(*stations, holds=None):
    site = ip_network(SITE)
    neighbourhood = Neighbourhood(((site.network_address.packed, site.prefixlen),), stations)
    return paths(neighbourhood, lambda thing: (holds or {}).get(thing, FAIR))


CLOUD = out("198.51.100.7/32", port=443)
HOME = (
    station(CAMERA, into("0.0.0.0/0", port=80), out(host(HUB), port=1900)),
    station(HUB, into(host(CAMERA), port=1900), out(host(LOCK), port=5000)),
    station(LOCK, into(host(HUB), port=5000)),
)


@pytest.mark.spec("RFC 8576 5.7")
@pytest.mark.requirement("R-85")
def test_two_right_rules_together_lead_to_a_thing_that_nobody_outside_may_contact():
    told = found(*HOME)
    assert [(path.target, path.cost, path.is_combination) for path in told] == [
        (CAMERA, 3, False),
        (HUB, 7, True),
        (LOCK, 11, True),
    ]
    assert [step.source for step in told[2].steps] == [OUTSIDE, CAMERA, HUB]
    assert told[2].steps[1].words == "10.0.0.2/32, and there 10.0.0.1/32"


@pytest.mark.requirement("R-85")
@pytest.mark.parametrize("controller", ["127.0.0.1/32", "::1/128"])
@pytest.mark.parametrize("opened", [into, out])
def test_a_controller_at_loopback_is_nobody_on_the_internet(opened, controller):
    assert found(station(LAMP, opened(controller, port=5683))) == ()


@pytest.mark.requirement("R-85")
def test_a_thing_that_the_site_is_refused_is_not_reached_from_this_machine():
    (one,) = found(station(LAMP, into("0.0.0.0/0", port=80), refused=[into(SITE)]))
    assert [step.source for step in one.steps] == [OUTSIDE]


@pytest.mark.requirement("R-85")
def test_the_weakest_path_goes_by_the_thing_that_holds_least():
    lamp = station(LAMP, out("198.51.100.7/32", port=80), out(host(LOCK), port=5000))
    lock = station(LOCK, into(SITE, port=5000))
    direct = {path.target: path for path in found(lamp, lock)}
    assert [step.source for step in direct[LOCK].steps] == [LOCAL]
    broken = found(lamp, lock, holds={LAMP: (Hold.BROKEN, "OSV-1 is known")})
    assert [path.target for path in broken] == [LAMP, LOCK]
    (_, through) = broken
    assert ([step.source for step in through.steps], through.cost) == ([OUTSIDE, LAMP], 5)
    assert through.weakest == Step(OUTSIDE, LAMP, "198.51.100.7/32; OSV-1 is known", 1)


@pytest.mark.requirement("R-85")
@pytest.mark.parametrize(
    "lock",
    [
        station(LOCK),
        station(LOCK, into(host(LAMP), port=5000)),
        station(LOCK, into(host(HUB), port=5001)),
        station(LOCK, into(host(HUB), port=5000, protocol=17)),
        station(LOCK, into(host(HUB), port=5000), refused=[into(SITE, protocol=None)]),
        station(LOCK, into(host(HUB), port=5000), refused=[into(host(HUB), port=5000)]),
        station(LOCK, out(host(HUB), port=5000)),
    ],
    ids=["no rule", "another thing", "another port", "another protocol", "refused", "refused there", "only out"],
)
def test_a_step_takes_the_word_of_both_things_and_none_of_the_owner_against_it(lock):
    assert LOCK not in {path.target for path in found(*HOME[:2], lock)}


@pytest.mark.requirement("R-85")
@pytest.mark.parametrize("no", [out(SITE, port=5000), out(host(LOCK), protocol=None)])
def test_a_refusal_at_the_first_thing_ends_the_path_too(no):
    hub = replace(HOME[1], refused=(no,))
    assert [path.target for path in found(HOME[0], hub, HOME[2])] == [CAMERA, HUB]


@pytest.mark.parametrize("no", [out(host(LOCK), port=5001), out(host(LOCK), protocol=17), into(host(LOCK), port=5000)])
def test_a_refusal_of_something_else_ends_nothing(no):
    hub = replace(HOME[1], refused=(no,))
    assert LOCK in {path.target for path in found(HOME[0], hub, HOME[2])}


@pytest.mark.parametrize(
    ("entry", "source", "cost"),
    [
        (into("0.0.0.0/0", port=80), OUTSIDE, 0),
        (into("203.0.113.0/24", port=22), OUTSIDE, 0),
        (into("203.0.113.9/32", port=22), OUTSIDE, 4),
        (out("198.51.100.7/32", port=80), OUTSIDE, 1),
        (out("198.51.100.7/32", protocol=None), OUTSIDE, 1),
        (out("198.51.100.7/32", port=443), OUTSIDE, 4),
        (into(SITE, port=80), LOCAL, 3),
        (into("10.0.7.0/24", port=80), LOCAL, 3),
    ],
)
def test_every_way_in_has_its_cost(entry, source, cost):
    (path,) = found(station(LAMP, entry))
    assert (path.steps[0].source, path.cost) == (source, cost + Hold.FAIR)


@pytest.mark.parametrize(
    "entry",
    [
        into(host(HUB), port=80),
        out(SITE, port=80),
        out("224.0.0.251/32", protocol=17, port=5353),
        out("255.255.255.255/32", protocol=17),
        out("198.51.100.7/32", protocol=1),
        opening(True, "ff02::fb/128", protocol=17, port=5353),
    ],
)
def test_what_leads_to_neighbours_groups_or_an_echo_is_no_way_in(entry):
    assert found(station(LAMP, entry)) == ()


@pytest.mark.parametrize("no", [out("198.51.100.0/24", protocol=None), CLOUD])
def test_a_way_in_that_the_owner_refuses_is_none(no):
    assert found(station(LAMP, CLOUD, refused=[no])) == ()
    assert len(found(station(LAMP, CLOUD, refused=[out("198.51.100.0/24", port=80)]))) == 1


@pytest.mark.requirement("R-85")
def test_a_refusal_in_pieces_around_the_controller_closes_a_door_to_everybody():
    door = into("0.0.0.0/0", port=80)
    pieces = [into(str(one), port=80) for one in IPv4Network("0.0.0.0/0").address_exclude(IPv4Network("10.0.0.250/32"))]
    assert found(station(LAMP, door, refused=pieces)) == ()
    assert len(found(station(LAMP, door, refused=pieces[1:]))) == 1
    outside = [into("0.0.0.0/5", port=80), into("8.0.0.0/7", port=80), into("10.0.0.0/8", port=80)]
    assert [path.steps[0].source for path in found(station(LAMP, door, refused=outside))] == [OUTSIDE]
    assert [path.steps[0].source for path in found(station(LAMP, door, refused=[into(SITE, port=80)]))] == [OUTSIDE]


def test_things_of_both_families_are_told_apart():
    six = replace(station(HUB, opening(False, "fd00::/64", port=80)), addresses=(ip_address("fd00::2").packed,))
    four = station(CAMERA, into("0.0.0.0/0", port=80), out("0.0.0.0/0"), opening(True, "::/0"))
    assert {path.target for path in found(four, six)} == {CAMERA, HUB}
    alone = replace(four, addresses=(ip_address("fd01::9").packed,))
    assert [path.steps[0].source for path in found(alone, six)] == [OUTSIDE, OUTSIDE]


def test_a_ring_of_things_ends():
    ring = [
        station(one, CLOUD, out(host(other)), into(SITE)) for one, other in ((HUB, LOCK), (LOCK, LAMP), (LAMP, HUB))
    ]
    assert {path.target for path in found(*ring)} == {HUB, LOCK, LAMP}
