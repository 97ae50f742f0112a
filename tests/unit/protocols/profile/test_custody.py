"""A chain of custody holds from the maker to the present owner, or not at all."""

from datetime import UTC, datetime, timedelta

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, ThingsteadError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.profile import custody
from thingstead.protocols.profile.custody import Custody, Owner
from thingstead.protocols.voucher import voucher

pytestmark = pytest.mark.requirement("R-11")

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAKER, REBADGER, SELLER, HOME, STRANGER = (generate(KeyType.P256) for _ in range(5))
RELEASES, OTHER_RELEASES = (generate(KeyType.P256).public for _ in range(2))
VOUCHER = voucher.issue(REBADGER.public, MAKER, serial="A1", at=AT, expires=AT + timedelta(days=30))
CONTEXT = b"thingstead custody link 1"


def owner(name, key, **more):
    return Owner(name, key.public, **more)


def link(before, key, to, *, by=None, serial="A1"):
    return custody.extend(before, serial=serial, owner=owner("somebody", by or key), to=to, at=AT, key=key)


def chain(*steps, first=None):
    """Links from each to the next, the first from the re-badger that the voucher names."""
    links: tuple[bytes, ...] = ()
    for key, to in steps:
        links = (*links, link(custody.head(first or VOUCHER, links), key, to))
    return links


def authenticate(links, *, anchor=MAKER.public, serial="A1", first=VOUCHER, until=AT + timedelta(days=365)):
    return custody.authenticate(first, links, anchor=anchor, serial=serial, supported_until=until)


SOLD = chain((REBADGER, owner("seller", SELLER)), (SELLER, owner("home", HOME)))
START = custody.head(VOUCHER, ())
THIEF = owner("thief", STRANGER)


def test_maker_rebadger_seller_and_owner_each_stand_under_their_own_key():
    held = authenticate(SOLD)
    assert [one.key for one in held.owners] == [REBADGER.public, SELLER.public, HOME.public]
    assert (held.owner.name, held.owner.since, held.release_keys) == ("home", AT, ())
    assert held.head == custody.head(VOUCHER, SOLD)


FROM_MAKER = voucher.issue(MAKER.public, MAKER, serial="A1", at=AT, expires=AT + timedelta(days=30))
REBADGED = owner("re-badger", REBADGER, release_keys=(RELEASES,))
RESOLD = owner("seller", SELLER, release_keys=(OTHER_RELEASES,))


def test_each_may_bring_an_update_source_of_its_own_by_the_word_of_the_one_before():
    from_maker = chain((MAKER, REBADGED), first=FROM_MAKER)
    held = authenticate(from_maker, first=FROM_MAKER)
    assert (held.release_keys, held.took_over) == ((RELEASES,), False)
    resold = chain((MAKER, REBADGED), (REBADGER, RESOLD), (SELLER, owner("home", HOME)), first=FROM_MAKER)
    held = authenticate(resold, first=FROM_MAKER)
    assert (held.mender.name, held.release_keys) == ("seller", (OTHER_RELEASES,))
    kept = chain(
        (MAKER, REBADGED), (REBADGER, owner("seller", SELLER)), (SELLER, owner("home", HOME)), first=FROM_MAKER
    )
    assert authenticate(kept, first=FROM_MAKER).mender.name == "re-badger"


@pytest.mark.requirement("R-78")
@pytest.mark.parametrize(
    "steps",
    [
        [(MAKER, owner("re-badger", REBADGER)), (REBADGER, RESOLD)],
        [(MAKER, owner("re-badger", REBADGER)), (REBADGER, REBADGED)],
        [(MAKER, REBADGED), (REBADGER, owner("seller", SELLER)), (SELLER, RESOLD)],
        [
            (MAKER, REBADGED),
            (REBADGER, RESOLD),
            (SELLER, owner("home", HOME)),
            (HOME, owner("home", HOME, release_keys=(RELEASES,))),
        ],
    ],
    ids=["the next one's", "one's own", "past the re-badger", "past the seller"],
)
def test_whose_releases_do_not_count_names_nobody_s_while_the_maker_mends_it(steps):
    links = chain(*steps, first=FROM_MAKER)
    with pytest.raises(UntrustedError) as refusal:
        authenticate(links, first=FROM_MAKER, until=AT + timedelta(seconds=1))
    assert refusal.value.reason == "updates"
    assert authenticate(links, first=FROM_MAKER, until=AT).took_over


@pytest.mark.parametrize(
    ("links", "error"),
    [
        ((), DecodeError),
        (SOLD * 17, DecodeError),
        (SOLD[1:], UntrustedError),
        (SOLD[::-1], UntrustedError),
        ((*SOLD, SOLD[1]), UntrustedError),
        ((*SOLD, link(custody.head(VOUCHER, SOLD), STRANGER, THIEF)), UntrustedError),
        ((link(START, STRANGER, THIEF),), UntrustedError),
        ((link(START, STRANGER, THIEF, by=REBADGER),), AuthenticationError),
        ((link(START, REBADGER, owner("home", HOME), serial="A2"),), UntrustedError),
        ((link(bytes(32), REBADGER, owner("home", HOME)),), UntrustedError),
        ((b"link",), DecodeError),
    ],
    ids=[
        "no link",
        "too many",
        "first one missing",
        "turned round",
        "one twice",
        "a thief behind it",
        "a thief in front",
        "a thief under the owner's name",
        "another thing",
        "after nothing",
        "no link at all",
    ],
)
def test_a_chain_with_a_link_that_does_not_hold_is_none(links, error):
    with pytest.raises(error):
        authenticate(links)


@pytest.mark.parametrize(
    "wrong",
    [
        {"anchor": STRANGER.public},
        {"serial": "A2"},
        {"first": voucher.issue(REBADGER.public, MAKER, serial="A1", at=AT, expires=AT + timedelta(days=31))},
        {"first": b""},
    ],
    ids=["maker", "thing", "voucher", "no voucher"],
)
def test_a_chain_of_another_maker_thing_or_voucher_is_none(wrong):
    with pytest.raises(ThingsteadError):
        authenticate(SOLD, **wrong)


def test_every_flipped_byte_of_a_link_is_noticed():
    data = SOLD[0]
    for place in range(0, len(data), 3):
        broken = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(ThingsteadError):
            authenticate((broken, SOLD[1]))


def test_no_other_signature_of_an_owner_passes_for_a_link():
    payload = sign1.decode(SOLD[0]).payload or b""
    with pytest.raises(AuthenticationError):
        authenticate((sign1.sign(payload, REBADGER, signature_id=AlgorithmId.ESP256),))
    with pytest.raises(UnsupportedError):
        authenticate((sign1.sign(payload, REBADGER, signature_id=AlgorithmId.ES256, external_aad=CONTEXT),))


def test_nobody_else_makes_a_verified_chain():
    with pytest.raises(TypeError):
        Custody("A1", (), b"", False, object())


@pytest.mark.parametrize("value", [1, {}, [1], ["text"], [b""] * 33])
def test_what_are_no_links_is_refused(value):
    with pytest.raises(DecodeError):
        custody.decode_links(codec.encode(value))


@pytest.mark.parametrize("payload", [[], [2, "A1", b"", "", {}, "", {}, 0, []], [1, "A1", b"", "", {}, "", {}, 0, [1]]])
def test_what_is_signed_and_no_link_is_refused(payload):
    data = sign1.sign(codec.encode(payload), REBADGER, signature_id=AlgorithmId.ESP256, external_aad=CONTEXT)
    with pytest.raises(DecodeError):
        authenticate((data,))


def test_links_are_kept_as_they_are():
    assert custody.decode_links(custody.encode_links(SOLD)) == SOLD
    assert custody.decode_links(None) == ()
    assert custody.names(SOLD, HOME.public)
    assert not custody.names(SOLD, SELLER.public)
    assert not custody.names((), HOME.public)


SERVER = generate(KeyType.P256)
BY_SERVER = link(custody.head(b"", ()), SERVER, owner("seller", SELLER))
ASKED = (BY_SERVER, link(custody.head(b"", (BY_SERVER,)), SELLER, owner("home", HOME)))


def by_server(links, *, server=SERVER.public, first=b"", serial="A1"):
    return custody.authenticate(first, links, anchor=MAKER.public, serial=serial, supported_until=AT, server=server)


def test_without_a_voucher_the_makers_server_names_the_first_owner():
    held = by_server(ASKED)
    assert [one.key for one in held.owners] == [SERVER.public, SELLER.public, HOME.public]


@pytest.mark.parametrize("server", [None, STRANGER.public, MAKER.public], ids=["none", "another", "anchor"])
def test_a_first_link_of_somebody_else_begins_nothing(server):
    with pytest.raises(UntrustedError) as refused:
        by_server(ASKED, server=server)
    assert refused.value.reason == "custody"


@pytest.mark.parametrize(
    ("links", "first", "serial"),
    [
        (ASKED[1:], b"", "A1"),
        (ASKED, VOUCHER, "A1"),
        (SOLD, b"", "A1"),
        (ASKED, b"", "A2"),
        ((link(custody.head(VOUCHER, ()), SERVER, THIEF),), b"", "A1"),
        ((BY_SERVER, link(custody.head(b"", ()), SERVER, THIEF)), b"", "A1"),
        ((BY_SERVER, link(custody.head(b"", (BY_SERVER,)), SERVER, THIEF)), b"", "A1"),
    ],
    ids=["headless", "voucher-before", "voucher-lost", "other-thing", "follows-voucher", "twice", "server-again"],
)
def test_a_chain_of_the_server_holds_whole_or_not_at_all(links, first, serial):
    with pytest.raises(ThingsteadError):
        by_server(links, first=first, serial=serial)
