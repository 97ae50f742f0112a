"""A name belongs to whom it was given to; a lookup finds what fits all it asks, and shows nobody who is not in."""

import asyncio

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.access.test_authorization_server import SlowRecords
from thingstead.errors import DecodeError, ForbiddenError, StateError, StorageError
from thingstead.planes.access.resource_directory import ResourceDirectory
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.registration import read_lookup, read_registration

ONE, TWO, THREE = (a_thing(number).id for number in range(3))


class Desk:
    def __init__(self, documents=None):
        self.clock = JumpingClock()
        self.records = SlowRecords(documents)
        self.out: set[str] = set()
        self.directory = ResourceDirectory(self.records, is_in=lambda thing: thing not in self.out, clock=self.clock)

    def register(self, owner, *queries, links=b'</light>;rt="light lamp";if=core.a,</temp>;rt=temperature', port=5683):
        said = read_registration(queries, links, ("192.0.2.1", port))
        asyncio.run(self.directory.register(owner, said))

    def update(self, owner, *queries):
        asyncio.run(self.directory.update(owner, read_registration(queries, b"", ("192.0.2.1", 5683))))

    def endpoints(self, *queries):
        return [one.attribute("ep") for one in self.directory.endpoints(read_lookup(queries))]

    def resources(self, *queries):
        return [one.target for one in self.directory.resources(read_lookup(queries))]


@pytest.fixture
def desk():
    made = Desk()
    made.register(ONE, "ep=one", "et=lamp", port=1)
    made.register(TWO, "ep=two", "d=floor", "lt=60", links=b"</temp>;rt=temperature;ct=40", port=2)
    return made


@pytest.mark.requirement("R-34")
@pytest.mark.parametrize("name", ["my lamp", "50%", "a?b&c=d#e", "\u00fc", "a/b", "[x]"])
def test_no_name_of_one_thing_hides_what_others_registered(desk, name):
    desk.register(THREE, f"ep={name}", port=3)
    shown = desk.directory.endpoints(read_lookup([]))
    assert [one.attribute("ep") for one in link.parse(link.render(shown))] == ["one", "two", name]


@pytest.mark.spec("RFC 9176 6.1")
def test_links_about_others_are_found_by_what_they_are_about_made_absolute():
    desk = Desk()
    desk.register(ONE, "ep=one", links=b'</t>;anchor="/temp";rel=alternate')
    (shown,) = desk.directory.resources(read_lookup(["anchor=coap://192.0.2.1:5683/temp"]))
    assert (shown.target, shown.attribute("anchor")) == ("coap://192.0.2.1:5683/t", "coap://192.0.2.1:5683/temp")


@pytest.mark.spec("RFC 9176 6.3")
@pytest.mark.parametrize(
    ("queries", "found"),
    [
        ((), ["one", "two"]),
        (("ep=one",), ["one"]),
        (("ep=o*",), ["one"]),
        (("ep=*",), ["one", "two"]),
        (("d=floor",), ["two"]),
        (("et=lamp",), ["one"]),
        (("rt=temperature",), ["one", "two"]),
        (("rt=lamp",), ["one"]),
        (("rt=light lamp",), []),
        (("rt=temperature", "rt=lamp"), ["one"]),
        (("rt=temp*", "ep=two"), ["two"]),
        (("ep=two", "rt=l*"), []),
        (("href=/light",), ["one"]),
        (("href=coap://192.0.2.1:1/light",), ["one"]),
        (("rt=core.rd-ep",), ["one", "two"]),
        (("ep=three",), []),
        (("count=1",), ["one"]),
        (("page=1", "count=1"), ["two"]),
        (("page=2", "count=1"), []),
        (("count=0",), []),
    ],
)
def test_endpoints_are_found_by_themselves_and_by_their_links(desk, queries, found):
    assert desk.endpoints(*queries) == found


@pytest.mark.spec("RFC 9176 6.2")
@pytest.mark.parametrize(
    ("queries", "found"),
    [
        (("rt=light",), ["coap://192.0.2.1:1/light"]),
        (("rt=temperature",), ["coap://192.0.2.1:1/temp", "coap://192.0.2.1:2/temp"]),
        (("rt=temperature", "ep=two"), ["coap://192.0.2.1:2/temp"]),
        (("rt=temperature", "rt=light"), []),
        (("ep=one",), ["coap://192.0.2.1:1/light", "coap://192.0.2.1:1/temp"]),
        (("href=/temp", "ct=40"), ["coap://192.0.2.1:2/temp"]),
        (("href=coap://192.0.2.1:2/*",), ["coap://192.0.2.1:2/temp"]),
        (("rt=t*", "page=1", "count=1"), ["coap://192.0.2.1:2/temp"]),
    ],
)
def test_links_are_found_by_themselves_and_by_their_endpoint(desk, queries, found):
    assert desk.resources(*queries) == found


def test_an_endpoint_says_its_base_and_lifetime(desk):
    (shown,) = desk.directory.endpoints(read_lookup(["ep=two"]))
    assert dict(shown.attributes) == {
        "ep": "two",
        "d": "floor",
        "base": "coap://192.0.2.1:2",
        "lt": "60",
        "rt": "core.rd-ep",
    }


@pytest.mark.requirement("R-34")
@pytest.mark.spec("RFC 9176 7.1")
def test_a_name_that_is_claimed_is_nobody_elses_while_it_lives_and_after(desk):
    for seconds in (0, 61):
        desk.clock.seconds += seconds
        with pytest.raises(ForbiddenError):
            desk.register(THREE, "ep=two", "d=floor")
    desk.register(THREE, "ep=two")
    desk.register(TWO, "ep=two", "d=floor")


@pytest.mark.requirement("R-34")
def test_a_things_id_is_a_name_for_itself_alone(desk):
    with pytest.raises(ForbiddenError):
        desk.register(ONE, f"ep={TWO}")
    desk.register(ONE, f"ep={ONE}")
    assert desk.endpoints() == ["two", ONE]


def test_a_thing_has_one_registration_and_the_newer_takes_its_place(desk):
    desk.register(ONE, "ep=other", links=b"</x>")
    assert desk.endpoints() == ["two", "other"]
    assert desk.resources("rt=light") == []
    desk.register(THREE, "ep=one")


@pytest.mark.spec("RFC 9176 5.3.1")
def test_an_update_renews_and_changes_what_it_says_and_nothing_else(desk):
    desk.clock.seconds += 50
    desk.update(TWO, "base=coap://192.0.2.1:99", "et=sensor")
    desk.clock.seconds += 50
    assert desk.resources("et=sensor") == ["coap://192.0.2.1:99/temp"]
    desk.clock.seconds += 11
    assert desk.endpoints("et=sensor") == []


@pytest.mark.spec("RFC 9176 5.3")
def test_who_has_no_registration_or_a_lapsed_one_cannot_renew_or_remove_it(desk):
    desk.clock.seconds += 61
    for owner in (TWO, THREE):
        with pytest.raises(StateError):
            desk.update(owner)
        with pytest.raises(StateError):
            asyncio.run(desk.directory.remove(owner))


@pytest.mark.spec("RFC 9176 5.3.2")
def test_what_is_removed_is_gone_from_disk_and_its_name_is_free(desk):
    asyncio.run(desk.directory.remove(ONE))
    assert desk.endpoints() == ["two"]
    assert Desk(desk.records.documents).endpoints() == ["two"]
    desk.register(THREE, "ep=one")


@pytest.mark.requirement("R-34")
def test_who_is_not_in_is_not_shown_and_loses_its_name_when_its_time_is_over(desk):
    desk.out.add(TWO)
    assert desk.endpoints() == ["one"]
    asyncio.run(desk.directory.tidy())
    with pytest.raises(ForbiddenError):
        desk.register(THREE, "ep=two", "d=floor")
    desk.clock.seconds += 61
    asyncio.run(desk.directory.tidy())
    desk.register(THREE, "ep=two", "d=floor")


def test_who_is_in_keeps_its_name_when_its_registration_lapses(desk):
    desk.clock.seconds += 61
    asyncio.run(desk.directory.tidy())
    assert len(desk.directory) == 2
    asyncio.run(desk.directory.tidy())
    desk.update(ONE, "lt=5")


def test_registrations_survive_a_restart_with_what_is_left_of_their_time(desk):
    again = Desk(desk.records.documents)
    assert again.resources("rt=light") == ["coap://192.0.2.1:1/light"]
    again.clock.seconds += 61
    assert again.endpoints() == ["one"]


def test_what_is_not_on_disk_is_not_found_and_its_name_is_free(desk):
    async def refuse(_changes, *, entries=()):
        raise StorageError("full")

    desk.records.write = refuse
    with pytest.raises(StorageError):
        desk.register(THREE, "ep=three")
    assert desk.endpoints("ep=three") == []
    del desk.records.write
    desk.register(ONE, "ep=three")
    assert desk.endpoints("ep=three") == ["three"]


def test_a_damaged_record_is_noticed():
    with pytest.raises(DecodeError):
        Desk({"one\n": b"\x80"})


@pytest.mark.requirement("R-34")
@pytest.mark.spec("RFC 9176 7.1")
def test_of_two_that_claim_one_name_at_once_one_gets_it_and_the_other_ends_nothing_of_it():
    desk = Desk()
    one, two = [read_registration(["ep=hall"], links, ("192.0.2.1", 1)) for links in (b"</one>", b"</two>")]

    async def at_once():
        directory = desk.directory
        return await asyncio.gather(directory.register(ONE, one), directory.register(TWO, two), return_exceptions=True)

    first, second = asyncio.run(at_once())
    assert (first, type(second)) == (None, ForbiddenError)
    assert desk.resources() == ["coap://192.0.2.1:1/one"]
    with pytest.raises(StateError):
        asyncio.run(desk.directory.remove(TWO))
    assert desk.endpoints() == ["hall"]


@pytest.mark.requirement("R-34")
def test_a_thing_that_claims_many_names_at_once_has_one_in_the_end():
    desk = Desk()

    async def at_once():
        said = [read_registration([f"ep=n{number}"], b"</x>", ("192.0.2.1", 1)) for number in range(20)]
        await asyncio.gather(*[desk.directory.register(ONE, one) for one in said])

    asyncio.run(at_once())
    assert (desk.endpoints(), len(desk.directory), len(desk.records.documents)) == (["n19"], 1, 1)
    desk.register(TWO, "ep=n0")


def test_a_thing_that_comes_back_while_its_name_is_freed_keeps_it(desk):
    desk.clock.seconds += 61.0
    desk.out.add(TWO)

    async def come_back():
        await asyncio.sleep(0)
        desk.out.clear()
        said = read_registration(["ep=two", "d=floor"], b"</new>", ("192.0.2.1", 2))
        await desk.directory.register(TWO, said)

    async def at_once():
        await asyncio.gather(desk.directory.tidy(), come_back())

    asyncio.run(at_once())
    assert desk.resources("ep=two") == ["coap://192.0.2.1:2/new"]
    assert set(desk.records.documents) == set(desk.directory._entries)
