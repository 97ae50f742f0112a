import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.planes.network.fakes import CLOUD, URL, Shelf, Web, World, described
from thingstead.crypto.authority import make_authority, make_signer
from thingstead.errors import DecodeError, PolicyError, StorageError, TransportError
from thingstead.planes.network.alarm import AlarmKind
from thingstead.planes.network.mud_library import MudLibrary
from thingstead.protocols.cbor import codec
from thingstead.protocols.mud.builder import Description, render
from thingstead.protocols.mud.signature import AdmissionPolicy

AT = JumpingClock().utc()
SPAN = {"not_before": AT - timedelta(days=1), "not_after": AT + timedelta(days=365)}
ACME, OTHER = make_authority("Acme", **SPAN), make_authority("Other", **SPAN)
SIGNED = render(Description(URL, AT, "A lamp", "Acme", "LX-1", (CLOUD,)))


def policy_of(url):
    anchors = {"acme.example": (ACME.certificate,)}
    return AdmissionPolicy("makers", anchors=anchors.get(url.split("/")[2], ()))


def refreshed(pages, **kwargs):
    world = World(pages=pages, policy_of=policy_of, **kwargs)
    asyncio.run(world.library.refresh(URL))
    return world


@pytest.mark.requirement("R-80")
def test_a_file_signed_by_its_maker_is_kept_with_its_signer():
    signature = make_signer("Acme files", ACME, **SPAN).sign_detached(SIGNED)
    world = refreshed({URL: SIGNED, f"{URL}.p7s": signature})
    rules = world.library.rules(URL)
    assert rules is not None
    assert (rules.signer, rules.policy) == ("CN=Acme files", "makers")
    assert len(world.records.documents) == 1
    assert {expiry.what.split(" ")[0] for expiry in world.manager.expiries()} == {"MUD", "signer"}


@pytest.mark.requirement("R-80")
@pytest.mark.parametrize(
    "pages",
    [
        {URL: SIGNED},
        {URL: SIGNED, f"{URL}.p7s": make_signer("x", OTHER, **SPAN).sign_detached(SIGNED)},
        {URL: SIGNED + b" ", f"{URL}.p7s": make_signer("x", ACME, **SPAN).sign_detached(SIGNED)},
        {URL: described(CLOUD)},
        {URL: b"{"},
        {},
    ],
    ids=["no signature", "another maker's", "changed", "unsigned", "no JSON", "nothing"],
)
def test_a_file_that_is_not_its_makers_gives_no_rules(pages):
    world = refreshed(pages)
    assert world.library.rules(URL) is None
    assert world.records.documents == {}
    assert [alarm.kind for alarm in world.alarms] == [AlarmKind.MUD_UNAVAILABLE]


def test_a_file_of_another_url_gives_no_rules():
    world = World(pages={URL: described(CLOUD, url="https://acme.example/other")})
    asyncio.run(world.library.refresh(URL))
    assert world.library.rules(URL) is None


def test_an_absent_file_is_not_asked_for_again_at_once():
    world = World(pages={})

    async def story():
        for _ in range(3):
            await world.library.refresh(URL)
        assert len(world.web.asked) == 1
        await world.clock.wait(600)
        await world.library.refresh(URL)
        assert len(world.web.asked) == 2

    asyncio.run(story())


def test_a_kept_file_is_verified_again_when_it_is_read():
    world = World(CLOUD)
    asyncio.run(world.library.refresh(URL))
    again = World(pages={}, policy_of=policy_of, records=world.records)
    assert again.library.rules(URL) is None
    assert [alarm.kind for alarm in again.alarms] == [AlarmKind.MUD_UNAVAILABLE]


@pytest.mark.requirement("R-74")
def test_a_kept_file_outlives_the_certificate_of_its_signer_and_a_newer_one_does_not_come_by_it():
    world = refreshed(signed_pages())

    async def story():
        await world.clock.wait(366 * 86_400)
        again = World(pages=signed_pages(), policy_of=policy_of, records=world.records, clock=world.clock)
        assert again.library.rules(URL) is not None
        await again.library.refresh(URL)
        assert again.library.rules(URL) is not None
        assert "expired" in again.alarms[-1].detail
        fresh = World(pages=signed_pages(), policy_of=policy_of, clock=world.clock)
        await fresh.library.refresh(URL)
        assert fresh.library.rules(URL) is None

    asyncio.run(story())


def test_what_is_no_kept_file_is_refused():
    shelf = Shelf()
    shelf.documents["x"] = codec.encode(["https://a", 1])
    with pytest.raises(DecodeError, match="expected a kept MUD file"):
        World(records=shelf)


def signed_pages():
    return {URL: SIGNED, f"{URL}.p7s": make_signer("Acme files", ACME, **SPAN).sign_detached(SIGNED)}


def test_of_two_that_want_a_file_at_once_one_asks_and_both_have_it():
    world = World(pages=signed_pages(), policy_of=policy_of)
    seen = []

    async def want():
        await world.library.refresh(URL)
        seen.append(world.library.rules(URL) is not None)

    async def both():
        await asyncio.gather(want(), want())

    asyncio.run(both())
    assert seen == [True, True]
    assert world.web.asked.count(URL) == 1


def test_a_file_that_could_not_be_had_is_asked_for_again_soon_and_then_more_rarely():
    world = refreshed({})
    for seconds, asked in ((9, 1), (1, 2), (19, 2), (1, 3)):
        world.clock.seconds += seconds
        asyncio.run(world.library.refresh(URL))
        assert world.web.asked.count(URL) == asked


OWN_URL = "https://02-77-00-00-00-01.invalid/learned.json"
OWN = described(CLOUD, url=OWN_URL)


@pytest.mark.requirement("R-81")
def test_a_file_of_the_owners_counts_by_the_owners_word_and_stays_over_a_restart():
    world = World(policy_of=policy_of)
    asyncio.run(world.library.vouch(OWN))
    again = World(policy_of=policy_of, records=world.records)
    for one in (world, again):
        rules = one.library.rules(OWN_URL)
        assert rules is not None
        assert (rules.signer, rules.policy) == (None, "the owner's own word")
    assert again.library.file(OWN_URL) == OWN


def test_a_file_of_the_owners_is_asked_for_nowhere_and_never_stale():
    world = World(policy_of=policy_of, pages={OWN_URL: described(url=OWN_URL)})
    asyncio.run(world.library.vouch(OWN))
    world.clock.seconds += 1_000_000
    assert asyncio.run(world.library.refresh(OWN_URL)) is False
    assert world.web.asked == []
    assert world.manager.expiries() == ()
    assert world.library.file(OWN_URL) == OWN


def test_a_url_of_nobody_brings_no_file_by_itself():
    """Whoever can answer for a name under .invalid here must not speak for the owner."""
    world = World(policy_of=policy_of, pages={OWN_URL: OWN})
    asyncio.run(world.library.refresh(OWN_URL))
    assert world.library.rules(OWN_URL) is None


@pytest.mark.parametrize("url", [URL, "https://invalid.acme.example/x", "https://x.invalid.example/x"])
def test_the_owners_word_is_no_makers_file(url):
    world = World(policy_of=policy_of)
    with pytest.raises(PolicyError, match="its maker's"):
        asyncio.run(world.library.vouch(described(CLOUD, url=url)))
    assert world.records.documents == {}


def test_what_is_no_file_is_not_vouched_for():
    world = World(policy_of=policy_of)
    with pytest.raises(DecodeError):
        asyncio.run(world.library.vouch(b"{"))
    assert world.records.documents == {}


def renewed(first, second, *, policy):
    """A world in which the files of `second` came after those of `first`."""
    world = World(pages=dict(first), policy_of=lambda _: policy)

    async def story():
        await world.library.refresh(URL)
        world.web.pages = dict(second)
        world.clock.seconds += 49 * 3600
        return await world.library.refresh(URL)

    assert asyncio.run(story()) is False
    return world


def by_acme(data):
    return {URL: data, f"{URL}.p7s": make_signer("Acme files", ACME, **SPAN).sign_detached(data)}


@pytest.mark.requirement("R-80")
@pytest.mark.spec("RFC 8520 13.2")
def test_a_file_that_was_signed_is_not_followed_by_one_that_is_not_even_where_such_are_taken():
    both = AdmissionPolicy("both", anchors=(ACME.certificate,), insecure_unsigned=True)
    world = renewed(by_acme(SIGNED), {URL: described()}, policy=both)
    rules = world.library.rules(URL)
    assert rules is not None
    assert rules.signer == "CN=Acme files"
    assert "expected a signature as by CN=Acme files before, got none" in world.alarms[-1].detail


@pytest.mark.requirement("R-80")
@pytest.mark.spec("RFC 8520 3.4")
def test_an_older_file_of_the_maker_is_not_brought_back():
    older = render(Description(URL, AT - timedelta(days=1), "A lamp", "Acme", "LX-1", (CLOUD, CLOUD)))
    world = renewed(by_acme(SIGNED), by_acme(older), policy=policy_of(URL))
    assert world.library.file(URL) == SIGNED
    assert "or later, got one of" in world.alarms[-1].detail


def test_what_could_not_be_kept_is_not_in_force():
    class Full(Shelf):
        async def write(self, changes, *, entries=()):
            raise StorageError("the disk is full")

    world = World(CLOUD, records=Full())
    with pytest.raises(StorageError):
        asyncio.run(world.library.refresh(URL))
    assert world.library.rules(URL) is None
    assert world.library.documents() == {}


def test_servers_that_take_their_time_keep_others_waiting_for_one_turn_only():
    urls = [f"https://acme.example/{name}.json" for name in "abcd"]
    world = World(pages={})

    class Slow(Web):
        async def fetch(self, url, *, max_bytes):
            await world.clock.wait(3.0)
            return await super().fetch(url, max_bytes=max_bytes)

    web = Slow({})
    library = MudLibrary(web, Shelf(), policy_of=policy_of, clock=world.clock, alarm=world.alarms.append)
    assert asyncio.run(library.renew(urls)) == set()
    assert web.asked == urls[:2]
    asyncio.run(library.renew(urls))
    assert web.asked == urls
    assert asyncio.run(library.renew([URL])) == set()


def test_a_renewal_names_the_files_that_say_something_else_now():
    world = World(CLOUD)
    assert asyncio.run(world.library.renew([URL, f"{URL}.other"])) == {URL}
    assert asyncio.run(world.library.renew([URL])) == set()


@pytest.mark.parametrize(
    ("url", "reason"),
    [("https://learned.invalid/lamp.json", "its owner brings it"), (f"{URL}.absent", "is not there")],
)
def test_who_needs_a_file_that_cannot_be_had_is_told_why(url, reason):
    with pytest.raises(TransportError, match=reason):
        asyncio.run(World(CLOUD).library.obtain(url))
