"""Whose a thing is, by its own memory: nobody takes it over but its owner, or whoever has it in hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.scenarios.world import make_maker
from thingstead.agent import wiping
from thingstead.agent.ownership import Ownership, claim
from thingstead.crypto.key import KeyType, generate
from thingstead.crypto.keystore import MemoryKeyStore
from thingstead.errors import AuthenticationError, DecodeError, ForbiddenError, ThingsteadError, UntrustedError
from thingstead.identifier import KeyId
from thingstead.phases.manufacture import Model, bear, bear_unsold
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import custody
from thingstead.protocols.profile.birth import BIRTH, IDENTITY_KEY
from thingstead.protocols.profile.custody import Owner
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.simulator.virtual.memory import Fate, HomeLife

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAKER = make_maker("acme")
HOME, NEXT, STRANGER = (generate(KeyType.P256) for _ in range(3))
RELEASES = generate(KeyType.P256).public

LAST_MINUTE = datetime(2027, 1, 1, 23, 59, tzinfo=UTC)
"""In which the maker of these tests' thing still mends it."""


class Thing:
    """A thing sold to HOME, or one that asks a server, and its memory."""

    def __init__(self, *, at=AT, asks=None):
        self.at = at
        self.keys = MemoryKeyStore()
        key = self.keys.create(IDENTITY_KEY, KeyType.P256).public
        model = Model("LX-1", 2, "https://acme.example/lx-1.json", date(2027, 1, 1))
        self.birth = bear(
            MAKER,
            model,
            "A1",
            thing_key=key,
            domain_key=HOME.public,
            at=AT,
            voucher_expires=AT + timedelta(days=30),
        )
        if asks is not None:
            self.birth = bear_unsold(MAKER, model, "A1", thing_key=key, server=asks, at=AT)
        self.disk = {BIRTH: birth_record.encode(self.birth)}
        self.home = HomeLife(self.disk, Fate())
        self.ownership = Ownership(self.home, self.birth, utc=lambda: self.at)

    def link(self, key=HOME, to=NEXT, *, by=None, releases=(), dated=None):
        before = self.ownership.papers.head
        owner, buyer = Owner("home", (by or key).public), Owner("next", to.public, release_keys=releases)
        return custody.extend(before, serial="A1", owner=owner, to=buyer, at=dated or self.at, key=key)


def test_a_new_thing_has_no_owner_but_by_its_maker_s_word():
    thing = Thing()
    assert (thing.ownership.owner, thing.ownership.statement) == (None, None)
    assert thing.ownership.born() == thing.birth


@pytest.mark.requirement("R-10")
def test_its_owner_hands_it_on_and_it_says_so_over_a_wipe_too():
    thing = Thing()
    thing.ownership.follow(thing.link(), HOME.public)
    assert thing.ownership.owner == NEXT.public
    assert thing.ownership.statement == thing.ownership.papers.head
    wiping.erase(thing.home, thing.keys)
    assert thing.ownership.owner == NEXT.public


@pytest.mark.requirement("R-10")
@pytest.mark.parametrize(
    ("key", "by", "said_by", "error"),
    [
        (STRANGER, None, HOME, UntrustedError),
        (STRANGER, HOME, HOME, AuthenticationError),
        (HOME, None, STRANGER, UntrustedError),
        (HOME, None, None, UntrustedError),
    ],
    ids=["another key", "under the owner's name", "from another domain", "from nobody"],
)
def test_nobody_else_hands_it_on(key, by, said_by, error):
    thing = Thing()
    before = dict(thing.disk)
    with pytest.raises(error):
        thing.ownership.follow(thing.link(key, by=by), None if said_by is None else said_by.public)
    assert thing.disk == before


@pytest.mark.requirement("R-10")
def test_whose_it_was_hands_it_on_no_more():
    thing = Thing()
    thing.ownership.follow(thing.link(), HOME.public)
    with pytest.raises(UntrustedError):
        thing.ownership.follow(thing.link(HOME, STRANGER), HOME.public)
    assert thing.ownership.owner == NEXT.public


@pytest.mark.requirement("R-78")
def test_its_owner_takes_over_the_updates_of_a_thing_that_its_maker_mends_no_more():
    thing = Thing(at=datetime(2027, 1, 2, tzinfo=UTC))
    thing.ownership.follow(thing.link(HOME, HOME, releases=(RELEASES,)), HOME.public)
    assert thing.ownership.born().release_anchors == (RELEASES,)
    assert thing.ownership.owner == HOME.public


@pytest.mark.requirement("R-78")
@pytest.mark.parametrize(
    ("dated", "clock", "error"),
    [
        (AT, AT, UntrustedError),
        (LAST_MINUTE, LAST_MINUTE, UntrustedError),
        (LAST_MINUTE, LAST_MINUTE + timedelta(minutes=1), UntrustedError),
        (LAST_MINUTE + timedelta(minutes=1), LAST_MINUTE, ForbiddenError),
    ],
    ids=["long before", "the last minute", "by its date", "by its own clock"],
)
def test_nobody_takes_over_the_updates_of_a_thing_that_its_maker_still_mends(dated, clock, error):
    thing = Thing(at=clock)
    with pytest.raises(error):
        thing.ownership.follow(thing.link(HOME, HOME, releases=(RELEASES,), dated=dated), HOME.public)
    assert thing.ownership.born() == thing.birth


@pytest.mark.requirement("R-78")
def test_without_the_owner_s_authority_nobody_takes_over_updates_at_all():
    thing = Thing(at=datetime(2027, 1, 2, tzinfo=UTC))
    with pytest.raises(UntrustedError):
        thing.ownership.follow(thing.link(STRANGER, STRANGER, releases=(RELEASES,)), STRANGER.public)
    assert thing.ownership.born() == thing.birth


def test_who_has_it_in_hand_resets_it_and_it_says_that_nobody_handed_it_over():
    thing = Thing()
    thing.home.save("association", b"secret")
    thing.keys.create(KeyId("group"), KeyType.ED25519)
    claim(thing.home, thing.keys, NEXT.public)
    assert set(thing.disk) == {BIRTH, custody.CLAIM}
    assert thing.keys.ids() == {IDENTITY_KEY}
    assert (thing.ownership.owner, thing.ownership.statement) == (NEXT.public, b"")
    wiping.erase(thing.home, thing.keys)
    assert thing.ownership.owner == NEXT.public


def test_a_chain_that_is_damaged_belongs_to_nobody():
    thing = Thing()
    thing.home.save(custody.CUSTODY, b"\xff")
    with pytest.raises(DecodeError):
        _ = thing.ownership.owner


SERVER = generate(KeyType.P256)
CARD = MakerServer("acme", "coap://192.0.2.1", STRANGER.public, SERVER.public)


def first(to=HOME, *, key=SERVER, by=None, serial="A1", before=None, releases=()):
    """The link that a maker's server signs."""
    owner, buyer = Owner("acme", (by or key).public), Owner("home", to.public, release_keys=releases)
    follows = custody.head(b"", ()) if before is None else before
    return custody.extend(follows, serial=serial, owner=owner, to=buyer, at=AT, key=key)


@pytest.mark.requirement("R-11")
def test_the_maker_s_server_says_whose_it_is_first_and_owners_after_that():
    thing = Thing(asks=CARD)
    assert (thing.ownership.owner, thing.ownership.statement) == (None, None)
    thing.ownership.begin(first(), HOME.public)
    # Its maker's word is all there is yet, as with a written voucher.
    assert (thing.ownership.owner, thing.ownership.statement) == (HOME.public, None)
    wiping.erase(thing.home, thing.keys)
    assert thing.ownership.owner == HOME.public
    thing.ownership.follow(thing.link(), HOME.public)
    assert (thing.ownership.owner, thing.ownership.statement) == (NEXT.public, thing.ownership.papers.head)


@pytest.mark.requirement("R-11")
@pytest.mark.parametrize(
    "link",
    [
        first(NEXT),
        first(key=STRANGER),
        first(key=STRANGER, by=SERVER),
        first(key=HOME),
        first(serial="A2"),
        first(before=bytes(32)),
        first(releases=(RELEASES,)),
        b"",
        first()[:-1] + b"\0",
    ],
    ids=["for-another", "by-another", "forged", "by-us", "thing", "later", "takes-over", "empty", "altered"],
)
def test_a_first_link_that_is_not_the_server_s_for_us_begins_nothing(link):
    thing = Thing(asks=CARD)
    before = dict(thing.disk)
    with pytest.raises(ThingsteadError):
        thing.ownership.begin(link, HOME.public)
    assert thing.disk == before


@pytest.mark.requirement("R-11")
def test_no_server_begins_a_chain_of_a_thing_with_a_written_voucher():
    thing = Thing()
    with pytest.raises(ThingsteadError):
        thing.ownership.begin(first(), HOME.public)
    assert thing.ownership.owner is None
