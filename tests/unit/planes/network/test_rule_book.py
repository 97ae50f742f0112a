"""What a thing may do comes from its maker, its owner and the domain, and each conversation is told by whose word."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest

from tests.unit.domain.things import AT, a_thing
from tests.unit.planes.network.fakes import CLOUD, World
from thingstead.analysis.reach import Neighbourhood
from thingstead.analysis.traffic.flow import Flow
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.owner_rule import OwnerRule, Way
from thingstead.errors import ConfigError, TransportError
from thingstead.planes.network.rule_book import NOBODY
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind
from thingstead.transport.engine_socket import plain, typed

LAMP = a_thing()
MORE = OwnerRule("r1", False, (), "floor-1", "", Way.OUT, "192.0.2.0/24", 6, (80, 80), "casting", "", "owner", AT)
LESS = replace(MORE, id="r2", refuses=True, remote="any", ports=(443, 443), cause="a hole in TLS")


def flow(remote="192.0.2.9", port=80, *, names=(), outbound=True, protocol=6, device_port=40000):
    packed = ip_address(remote).packed
    ports = (port, device_port) if outbound else (device_port, port)
    return Flow(bytes(6), outbound, True, packed, names, 0x0800, protocol, *ports, None, 0.0, 1.0, 2, 120, 1, 60)


def told(*steps, thing=LAMP, world=None):
    """Admit a lamp, take the steps, and return the world."""
    world = world or World(CLOUD)

    async def story():
        await world.admit(thing)
        for step in steps:
            await step(world.manager)

    asyncio.run(story())
    return world


def put(rule):
    return lambda manager: manager.put_rule(rule, rule.by)


def explained(world, *flows, thing=LAMP):
    return asyncio.run(world.manager.explain(thing.id, flows))


def in_force(world, thing=LAMP):
    change = next(one for one in reversed(world.kernel.applied) if one.thing == thing.id)
    return {(str(one.remote), one.remote_ports[0]) for one in change.rules or ()}, change.denied


@pytest.mark.requirement("R-81")
def test_each_conversation_is_told_by_whose_word():
    world = told(put(MORE))
    maker, owner, domain, nobody = explained(
        world,
        flow("198.51.100.7", 443, names=("cloud.acme.example",)),
        flow(),
        flow("10.77.0.1", 5683, protocol=17),
        flow("203.0.113.5", 23),
    )
    assert (maker.allowed, maker.by) == (True, "maker")
    assert maker.words == "its maker says: it may contact cloud.acme.example, by TCP on port 443 (web)"
    assert (owner.allowed, owner.by, owner.rule) == (True, "owner", "r1")
    assert owner.words.startswith("you said: it may contact 192.0.2.0/24")
    assert (domain.allowed, domain.by) == (True, "domain")
    assert (nobody.allowed, nobody.by) == (False, "nobody")
    assert "203.0.113.5" in nobody.words


@pytest.mark.requirement("R-81")
def test_a_file_that_the_owner_vouched_for_is_not_told_as_the_makers():
    url = "https://02-77-00-00-00-01.invalid/learned.json"
    service = Service(Remote(RemoteKind.DNS_NAME, "cloud.acme.example"), 6, remote_port=443)
    document = render(Description(url, AT, "Learned", "", "plug", (service,)))
    thing, world = replace(LAMP, mud_url=url), World(CLOUD)
    asyncio.run(world.manager.vouch(document))
    told(thing=thing, world=world)
    (reason,) = explained(world, flow("198.51.100.7", 443, names=("cloud.acme.example",)), thing=thing)
    assert reason.words == "your file says: it may contact cloud.acme.example, by TCP on port 443 (web)"


@pytest.mark.requirement("R-89")
def test_a_refusal_is_stronger_than_the_makers_word_and_goes_to_the_enforcer_as_such():
    world = told(put(LESS))
    (reason,) = explained(world, flow("198.51.100.7", 443, names=("cloud.acme.example",)))
    assert (reason.allowed, reason.by, reason.rule) == (False, "owner", "r2")
    assert reason.words == "you refuse it: a hole in TLS"
    allowed, denied = in_force(world)
    assert ("198.51.100.7/32", 443) in allowed
    assert denied
    assert all(one.remote_ports == (443, 443) and one.lifetime is None for one in denied)
    assert {str(one.remote) for one in denied} == {"0.0.0.0/0", "::/0"}


@pytest.mark.requirement("R-89")
def test_whatever_is_refused_the_controller_is_reached():
    world = told(put(replace(LESS, way=Way.BOTH, protocol=None, ports=(0, 65535))))
    assert {str(one.remote) for one in in_force(world)[1]} == {"0.0.0.0/0", "::/0"}
    spared = world.kernel.applied[-1].repair
    assert {(str(one.remote), one.outbound) for one in spared} == {("10.77.0.1/32", True), ("10.77.0.1/32", False)}
    assert explained(world, flow("10.77.0.1", 5683, protocol=17))[0].by == "domain"


def test_a_rule_is_in_force_until_it_is_revoked():
    world = told(put(MORE))
    assert ("192.0.2.0/24", 80) in in_force(world)[0]
    gone = asyncio.run(world.manager.remove_rule("r1", "owner"))
    assert gone == MORE
    assert ("192.0.2.0/24", 80) not in in_force(world)[0]
    with pytest.raises(ConfigError):
        asyncio.run(world.manager.remove_rule("r1", "owner"))


def test_a_rule_ends_by_itself():
    world = told(put(replace(MORE, until=AT + timedelta(hours=1))))
    asyncio.run(world.manager.refresh())
    assert ("192.0.2.0/24", 80) in in_force(world)[0]
    world.clock.seconds += 3600
    asyncio.run(world.manager.refresh())
    assert ("192.0.2.0/24", 80) not in in_force(world)[0]
    assert asyncio.run(world.manager.owner_rules()) == ()


def test_a_rule_ends_by_itself_while_no_server_answers(monkeypatch):
    """As when the Internet is gone, and each question takes as long as it may."""
    urls = [f"https://mud.acme.example/{number}.json" for number in range(5)]
    world = World(CLOUD, pages={})

    async def hang(url, *, max_bytes):
        world.web.asked.append(url)
        world.clock.seconds += 10
        raise TransportError("no time left")

    monkeypatch.setattr(world.web, "fetch", hang)
    things = [a_thing(number, mud_url=url) for number, url in enumerate(urls)]
    for thing in things:
        told(thing=thing, world=world)
    told(put(replace(MORE, until=AT + timedelta(hours=1))), thing=things[0], world=world)
    world.clock.seconds += 3600
    world.web.asked.clear()
    asyncio.run(world.manager.refresh())
    assert ("192.0.2.0/24", 80) not in in_force(world, things[0])[0]
    assert world.web.asked == urls[:1]
    for _ in urls[1:]:
        asyncio.run(world.manager.refresh())
    assert set(urls) <= set(world.web.asked)


def test_a_rule_by_name_has_its_addresses_at_once():
    world = World(CLOUD, cloud_acme_example=(("198.51.100.7",), 60), cast_example=(("203.0.113.9",), 60))
    told(put(replace(MORE, remote="cast.example")), world=world)
    assert ("203.0.113.9/32", 80) in in_force(world)[0]
    told(put(replace(LESS, remote="cast.example")), world=world)
    assert {str(one.remote) for one in in_force(world)[1]} == {"203.0.113.9/32"}


def test_only_who_a_rule_is_about_is_asked_for_again():
    world = told(put(replace(MORE, zone="elsewhere")))
    assert ("192.0.2.0/24", 80) not in in_force(world)[0]
    assert len(world.kernel.applied) == 1


def test_what_the_enforcer_did_not_take_is_owed_and_done_later():
    world = told()
    take, failing = world.kernel.apply, [True]

    async def apply(change):
        if failing:
            failing.pop()
            raise TransportError("busy")
        return await take(change)

    world.kernel.apply = apply
    with pytest.raises(TransportError):
        asyncio.run(world.manager.put_rule(LESS, "owner"))
    assert not in_force(world)[1]
    asyncio.run(world.manager.refresh())
    assert in_force(world)[1]


def slow(world, seconds, meanwhile=None):
    """Have each change take its time, in which something else may happen."""
    take = world.kernel.apply

    async def apply(change):
        world.clock.seconds += seconds
        if meanwhile is not None:
            await meanwhile()
        return await take(change)

    world.kernel.apply = apply


def test_rules_for_many_come_into_force_turn_by_turn():
    world, things = World(CLOUD, at_once=1), [a_thing(number) for number in range(6)]
    for one in things:
        told(thing=one, world=world)
    slow(world, 3)
    first = asyncio.run(world.manager.put_rule(LESS, "owner"))
    assert len(first) == 2
    asyncio.run(world.manager.refresh())
    asyncio.run(world.manager.refresh())
    assert all(in_force(world, one)[1] for one in things)


def test_who_is_barred_while_others_get_their_rules_does_not_come_back():
    world, first, last = World(CLOUD, at_once=1), *sorted([LAMP, a_thing(1)], key=lambda one: one.id)
    for one in (first, last):
        told(thing=one, world=world)
    held = last.evolve(restriction=Restriction.QUARANTINED)
    done: list[bool] = []

    async def bar():
        if not done:
            done.append(True)
            await world.restrict(held)

    slow(world, 0, bar)
    asyncio.run(world.manager.put_rule(LESS, "owner"))
    asyncio.run(world.manager.refresh())
    assert in_force(world, first)[1]
    assert next(one for one in reversed(world.kernel.applied) if one.thing == last.id).barred
    assert asyncio.run(world.kernel.standing(last.id)).barred


def test_who_could_not_be_barred_yet_gets_no_rules_meanwhile():
    world = told()

    async def refuse():
        raise TransportError("busy")

    slow(world, 0, refuse)
    with pytest.raises(TransportError):
        asyncio.run(world.restrict(LAMP.evolve(restriction=Restriction.QUARANTINED)))
    before = len(world.kernel.applied)
    asyncio.run(world.manager.put_rule(LESS, "owner"))
    assert len(world.kernel.applied) == before


@pytest.mark.requirement("R-70")
def test_no_word_of_the_owner_leads_a_thing_to_the_internet_that_verifies_nothing():
    plain = a_thing(2, verifies=frozenset())
    world = told(put(MORE), thing=plain)
    assert ("192.0.2.0/24", 80) not in in_force(world, plain)[0]
    assert not explained(world, flow(), thing=plain)[0].allowed


def test_nobody_opens_more_for_a_thing_that_nobody_mends():
    old = a_thing(3, state=LifecycleState.END_OF_LIFE)
    world = told(put(MORE))
    asyncio.run(world.restrict(old))
    assert in_force(world, old)[0] == {("10.77.0.1/32", 5683), ("10.77.0.1/32", 0)}


def test_who_is_not_here_has_no_rules():
    assert explained(told(), flow(), thing=a_thing(9)) == (NOBODY,)


def test_the_owners_rules_are_in_the_backup():
    world = told(put(MORE), put(LESS))
    there = World(CLOUD)
    asyncio.run(there.manager.restore(world.manager.snapshot()))
    assert {one.id for one in asyncio.run(there.manager.owner_rules())} == {"r1", "r2"}


@pytest.mark.requirement("R-85")
def test_what_the_rules_open_is_told_with_their_words_and_what_the_owner_refuses():
    world = told(put(MORE), put(LESS))
    neighbourhood = typed(plain(asyncio.run(world.manager.reach())), Neighbourhood)
    assert [bits for _, bits in neighbourhood.local] == [16, 64]
    (station,) = neighbourhood.stations
    assert (station.thing, station.addresses) == (LAMP.id, (ip_address("10.77.1.1").packed,))
    assert {(one.words, one.remote_ports) for one in station.openings if one.outbound and len(one.remote) == 4} == {
        ("it may contact cloud.acme.example, by TCP on port 443 (web)", (443, 443)),
        ("it may contact 192.0.2.0/24, by TCP on port 80 (web in clear)", (80, 80)),
        ("it may contact the local name server, by UDP on port 53 (names)", (53, 53)),
        ("it may contact the local name server, by TCP on port 53 (names)", (53, 53)),
        ("it may contact this domain's controller, by UDP on port 5683 (CoAP)", (5683, 5683)),
    }
    assert {(one.outbound, one.protocol, one.remote_ports) for one in station.refused} == {(True, 6, (443, 443))}


@pytest.mark.requirement("R-85")
def test_a_thing_that_is_barred_is_on_no_path():
    async def story():
        world = World(CLOUD)
        await world.admit(LAMP)
        await world.restrict(LAMP)
        return await world.manager.reach()

    assert asyncio.run(story()).stations == ()


@pytest.mark.requirement("R-80")
@pytest.mark.parametrize("addresses", [(("198.51.100.7",), 60), ((), 60)], ids=["stands", "stands for nothing"])
def test_the_enforcer_is_told_of_names_whatever_they_stand_for(addresses):
    world = told(world=World(CLOUD, cloud_acme_example=addresses))
    ways = world.kernel.applied[-1].named
    assert len(ways) == 2
    assert all("cloud.acme.example" in way for way in ways)
    asyncio.run(put(replace(MORE, remote="mirror.acme.example"))(world.manager))
    assert len(world.kernel.applied[-1].named - ways) == 2
    asyncio.run(world.manager.remove_rule("r1", "owner"))
    assert world.kernel.applied[-1].named == ways
