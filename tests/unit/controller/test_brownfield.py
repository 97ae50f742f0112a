"""Invariant: a device that proves nothing is held by the network alone, under a file that is its own."""

import asyncio
import random
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from tests.unit.controller.planes import House
from tests.unit.domain.things import AT, a_thing
from thingstead.analysis.traffic.proposal import learned_url
from thingstead.controller.brownfield import ADOPTED, Brownfield, Find, Ground, adopted_and_present, is_adopted
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Cause, LifecycleState, Restriction
from thingstead.domain.network import ThingAddress
from thingstead.domain.plane import Demand, PlaneName
from thingstead.errors import ConfigError, DecodeError, PolicyError, StorageError, TransitionError
from thingstead.identifier import ThingId
from thingstead.protocols.mud.builder import Description, render
from thingstead.storage.memory import MemoryStore

MAC, OTHER_MAC = bytes.fromhex("027700000001"), bytes.fromhex("027700000009")


def file(url=""):
    return render(Description(url or learned_url(MAC), AT, "Learned", "", "plug", ()))


HERE = ip_address("10.77.0.7")
FIND = Find(MAC, (HERE,), "plug", "hall", file())


GROUND = Ground(
    (ip_network("10.77.0.0/16"), ip_network("fd77::/64"), ip_network("10.78.0.0/31"), ip_network("16.0.0.0/8")),
    frozenset({ip_address("10.77.0.1").packed}),
    frozenset({bytes.fromhex("027700000005")}),
)


class Field:
    """A house where devices are taken in."""

    def __init__(self):
        self.house = House(MemoryStore())
        self.vouched = []
        self.places = []
        self.located: dict[ThingId, tuple[ThingAddress, ...]] = {}
        self.fails = False
        self.brownfield = Brownfield(
            self.house.conductor,
            self.house.register,
            vouch=self.vouch,
            place=self.place,
            network=self.house.planes[PlaneName.NETWORK],
            located=lambda: self.located,
            ground=GROUND,
            clock=self.house.clock,
            random_bytes=random.Random(1).randbytes,
        )

    async def vouch(self, document):
        if self.fails:
            raise StorageError("the disk is full")
        self.vouched.append(document)

    async def place(self, thing, ips, mac):
        self.places.append((thing, ips, mac))

    def adopt(self, **changes):
        return asyncio.run(self.brownfield.adopt(replace(FIND, **changes), by="owner"))


def test_a_device_is_taken_in_where_it_is_with_its_own_file():
    field = Field()
    thing = field.adopt()
    assert (thing.state, thing.maker, thing.serial) == (LifecycleState.OPERATIONAL, ADOPTED, "02:77:00:00:00:01")
    assert (thing.mud_url, thing.zone, thing.keys) == (learned_url(MAC), "hall", ())
    assert field.places == [(thing.id, ("10.77.0.7",), MAC)]
    assert field.vouched == [FIND.document]
    assert all(plane.calls[-1][1] is Demand.ADMIT for plane in field.house.planes.values())
    assert is_adopted(thing)


def test_the_ledger_says_that_it_proves_nothing_and_not_where_it_is():
    field = Field()
    field.adopt()
    (registration,) = field.house.entries(Kind.REGISTRATION)
    assert dict(registration.details)["maker"] == ADOPTED
    joined = field.house.entries(Kind.TRANSITION)[-1]
    assert dict(joined.details)["speaks"] == "nothing of ours"
    assert b"02:77" not in b"".join(field.house.store.leaves())


def test_once_more_gives_it_another_file_and_leaves_it_the_same_thing():
    field = Field()
    first = field.adopt()
    again = field.adopt(
        document=file() + b" ", model="smart plug", ips=(ip_address("10.77.0.8"), ip_address("fd77::8"))
    )
    assert again.id == first.id
    assert again.model == "smart plug"
    assert field.vouched[-1].endswith(b" ")
    assert field.places[-1][1] == ("10.77.0.8", "fd77::8")
    # Its addresses are in force at once, not from the next start on.
    assert field.house.planes[PlaneName.NETWORK].calls[-1][1] is Demand.ADMIT
    assert field.house.planes[PlaneName.NETWORK].calls[-1][0] == first.id


def test_what_is_not_said_once_more_stays():
    field = Field()
    first = field.adopt()
    again = field.adopt(document=b"", model="", zone="", ips=(ip_address("10.77.0.8"),))
    assert (again.id, again.model, again.zone, len(field.vouched)) == (first.id, "plug", "hall", 1)
    assert field.places[-1][1] == ("10.77.0.8",)


def test_nobody_mends_it_any_more_and_no_other_file_opens_its_way_again():
    field = Field()
    thing = field.adopt()
    asyncio.run(field.house.conductor.transition(thing.id, Cause.SUPPORT_ENDED, actor="owner"))
    network = field.house.planes[PlaneName.NETWORK]
    before = list(network.calls)
    assert field.adopt(model="old plug").state is LifecycleState.END_OF_LIFE
    assert network.calls == before


@pytest.mark.parametrize("missing", [{"document": b""}, {"model": ""}])
def test_of_a_device_that_is_new_all_is_said(missing):
    field = Field()
    with pytest.raises(ConfigError, match="new here"):
        field.adopt(**missing)
    assert list(field.house.register.things()) == []


def test_after_a_restore_it_comes_in_again_like_this():
    field = Field()
    thing = field.adopt()
    asyncio.run(field.house.conductor.transition(thing.id, Cause.RE_BOOTSTRAP_REQUIRED, actor="owner"))
    assert field.adopt().state is LifecycleState.OPERATIONAL


@pytest.mark.parametrize(
    "url", ["https://maker.example/plug.json", learned_url(bytes.fromhex("027700000002")), "https://x.invalid/l.json"]
)
def test_another_devices_file_is_refused(url):
    field = Field()
    with pytest.raises(PolicyError, match="this device's and nobody else's"):
        field.adopt(document=file(url))
    assert (field.vouched, list(field.house.register.things())) == ([], [])


def test_what_is_no_mud_file_is_refused():
    with pytest.raises(DecodeError):
        Field().adopt(document=b"{}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"mac": b"\xff" * 6},
        {"mac": bytes.fromhex("01005e000001")},
        {"mac": bytes(6)},
        {"mac": MAC[:5]},
        {"ips": (ip_address("224.0.0.1"),)},
        {"ips": (HERE, ip_address("0.0.0.0"))},
        {"ips": (ip_address("127.0.0.1"),)},
        {"ips": (HERE, ip_address("ff02::1"))},
        {"ips": ()},
        {"ips": (ip_address("10.77.0.1"),)},
        {"ips": (ip_address("10.77.0.0"),)},
        {"ips": (HERE, ip_address("10.77.255.255"))},
        {"ips": (ip_address("198.51.100.7"),)},
        {"ips": (HERE, ip_address("2001:db8::7"))},
        {"mac": bytes.fromhex("027700000005")},
        {"ips": tuple([ip_address(number) for number in range(1 << 24, (1 << 24) + 9)])},
        {"model": "a" * 129},
        {"model": "\x1b[2J"},
        {"zone": "\n"},
    ],
)
def test_what_is_no_device_is_not_taken_in(wrong):
    field = Field()
    with pytest.raises(ConfigError):
        field.adopt(**wrong)
    assert field.vouched == []


@pytest.mark.parametrize("ip", ["fe80::7", "fd77::", "10.78.0.1", "10.78.0.0"])
def test_a_device_may_be_anywhere_within_the_site(ip):
    assert Field().adopt(ips=(HERE, ip_address(ip))).state is LifecycleState.OPERATIONAL


def test_where_nobody_says_what_the_site_is_no_address_is_outside_of_it():
    Ground().require(replace(FIND, ips=(ip_address("198.51.100.7"),)))


def test_a_file_that_cannot_be_kept_takes_nobody_in():
    field = Field()
    field.fails = True
    with pytest.raises(StorageError):
        field.adopt()
    assert list(field.house.register.things()) == []


def test_who_is_cut_off_is_not_let_in_again_by_this():
    field = Field()
    thing = field.adopt()
    asyncio.run(field.house.conductor.restrict(thing.id, Restriction.QUARANTINED, actor="owner", cause="test"))
    with pytest.raises(TransitionError, match="quarantined: `thingstead thing restore"):
        field.adopt()
    assert len(field.vouched) == 1


@pytest.mark.requirement("R-09")
def test_a_device_that_left_comes_back_as_another_thing_and_the_old_one_lets_go_of_its_place():
    field = Field()
    before = field.adopt()
    asyncio.run(field.house.conductor.transition(before.id, Cause.RETIRED, actor="owner"))
    after = field.adopt()
    assert (after.id != before.id, after.serial) == (True, before.serial)
    assert field.house.register.thing(before.id).state is LifecycleState.DECOMMISSIONED
    assert field.places[1:] == [(before.id, (), MAC), (after.id, ("10.77.0.7",), MAC)]
    withdrawn = [call for call in field.house.planes[PlaneName.NETWORK].calls if call[1] is Demand.WITHDRAW]
    assert [call[0] for call in withdrawn] == [before.id, before.id]
    assert field.adopt(model="once more").id == after.id


def test_who_is_cut_off_and_came_back_once_is_not_let_in_by_its_earlier_life():
    field = Field()
    before = field.adopt()
    asyncio.run(field.house.conductor.transition(before.id, Cause.RETIRED, actor="owner"))
    after = field.adopt()
    asyncio.run(field.house.conductor.restrict(after.id, Restriction.QUARANTINED, actor="owner", cause="test"))
    with pytest.raises(TransitionError, match="quarantined: `thingstead thing restore"):
        field.adopt()


def test_an_adopted_device_is_heard_of_by_its_interface_alone():
    field = Field()
    thing, other = field.adopt(), a_thing(9, state=LifecycleState.INSTALLED)
    asyncio.run(field.house.conductor.register(other, actor="owner", evidence={}))
    place = ThingAddress(MAC, HERE)
    located = {thing.id: (place,), other.id: (ThingAddress(OTHER_MAC, HERE),)}
    here = [place, *located[other.id]]
    register = field.house.register
    assert adopted_and_present(register, located, here) == {thing.id}
    assert adopted_and_present(register, located, []) == frozenset()


@pytest.mark.requirement("R-34")
@pytest.mark.parametrize(
    ("place", "why"),
    [
        (ThingAddress(MAC, ip_address("10.77.0.9")), "has that interface"),
        (ThingAddress(OTHER_MAC, HERE), "is at 10.77.0.7: the device needs one of its own"),
    ],
    ids=["interface", "address"],
)
def test_the_place_of_a_thing_that_is_in_is_no_other_devices(place, why):
    field = Field()
    other = a_thing(9, state=LifecycleState.INSTALLED)
    asyncio.run(field.house.conductor.register(other, actor="owner", evidence={}))
    field.located = {other.id: (ThingAddress(bytes(6), ip_address("fd77::1")), place)}
    with pytest.raises(PolicyError, match=why):
        field.adopt()
    assert field.vouched == []
    assert [one.id for one in field.house.register.things()] == [other.id]


def test_its_own_place_is_no_other_devices():
    field = Field()
    thing = field.adopt()
    field.located = {thing.id: (ThingAddress(MAC, HERE),)}
    assert field.adopt().id == thing.id


def test_a_place_of_which_the_thing_left_is_free():
    field = Field()
    other = a_thing(9, state=LifecycleState.INSTALLED)
    asyncio.run(field.house.conductor.register(other, actor="owner", evidence={}))
    asyncio.run(field.house.conductor.transition(other.id, Cause.RETIRED, actor="owner"))
    field.located = {other.id: (ThingAddress(MAC, HERE),)}
    assert field.adopt().state is LifecycleState.OPERATIONAL
