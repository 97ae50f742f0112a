"""Who had an owner before comes by papers that were accepted, or waits for somebody who has it in hand."""

import asyncio
from dataclasses import replace

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.planes.identity.test_handover import (
    AT,
    BORN,
    BUYER,
    HOME,
    RECEIPT,
    REGISTRAR,
    SAID,
    STRANGER,
    decided,
    papers,
    proven,
)
from thingstead.domain.ledger import entry as leaf
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import PlaneName
from thingstead.errors import AuthenticationError, DecodeError, UntrustedError
from thingstead.planes.identity import handover
from thingstead.planes.identity.ownership import IN_HAND, Ownership
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import custody
from thingstead.protocols.profile.custody import Owner
from thingstead.storage.memory import MemoryStore
from thingstead.storage.records import PlaneRecords

pytestmark = pytest.mark.requirement("R-10")


class Desk:
    """A buyer's desk over what was kept."""

    def __init__(self, store=None):
        self.store = store or MemoryStore()
        self.has_left = False
        self.ownership = Ownership(
            PlaneRecords(PlaneName.IDENTITY, self.store, prefix="custody/"),
            identify=REGISTRAR.identify,
            server_key=lambda _maker: None,
            owner=BUYER.public,
            has_left=lambda maker, serial: self.has_left,
            clock=JumpingClock(),
        )

    def accept(self, data):
        return asyncio.run(self.ownership.accept(data, by="owner"))

    def objection(self, said):
        identity = REGISTRAR.authenticate(BORN.maker_identity, at=AT)
        return self.ownership.objection(identity, said)


def test_what_was_accepted_comes_in_by_its_own_word_after_a_restart_too():
    desk = Desk()
    head = desk.accept(handover.sign(SAID, HOME)).custody.head
    assert desk.objection(head) == Desk(desk.store).objection(head) == ""
    (entry,) = map(leaf.decode, desk.store.leaves())
    assert (entry.kind, entry.cause, entry.details["owners"]) == (Kind.AUTHENTICATION, "handed-over", "home, buyer")


def test_whose_releases_count_by_the_papers_is_kept_and_what_was_kept_before_is_still_read():
    desk = Desk()
    identity = REGISTRAR.authenticate(BORN.maker_identity, at=AT)
    head = desk.accept(handover.sign(SAID, HOME)).custody.head
    assert desk.ownership.release_keys(identity) == ()
    thumbprint = cose_key.thumbprint(STRANGER.public)
    for document, keys in ((codec.encode([head, thumbprint]), (thumbprint,)), (head, ())):
        desk.store._records[PlaneName.IDENTITY]["custody/acme/A1"] = document
        again = Desk(desk.store)
        assert again.ownership.release_keys(identity) == keys
        assert again.objection(head) == ""


@pytest.mark.parametrize("document", [b"", codec.encode([]), codec.encode(["head"]), codec.encode([b"head", 1])])
def test_a_document_of_another_kind_is_refused(document):
    store = MemoryStore()
    store._records[PlaneName.IDENTITY] = {"custody/acme/A1": document}
    with pytest.raises(DecodeError):
        Desk(store)


@pytest.mark.parametrize("said", [b"", bytes(32)])
def test_whose_papers_nobody_accepted_waits_for_somebody_who_has_it_in_hand(said):
    desk = Desk()
    desk.accept(handover.sign(SAID, HOME))
    assert IN_HAND in desk.objection(said)
    assert IN_HAND in Desk().objection(papers().head)


def test_what_comes_from_its_maker_needs_no_papers():
    assert Desk().objection(None) == ""


def sold_on(shown, by, to):
    """Papers with one more link, and the file that its seller signs."""
    names = {HOME.public: "home", BUYER.public: "buyer", STRANGER.public: "stranger"}
    owner, buyer = (Owner(names[key.public], key.public) for key in (by, to))
    before = custody.head(shown.voucher, shown.links)
    link = custody.extend(before, serial="A1", owner=owner, to=buyer, at=AT, key=by)
    more = replace(shown, links=(*shown.links, link))
    entry = decided(RECEIPT, buyer=to)
    return more, handover.sign(replace(SAID, papers=more, entry=entry, inclusion=proven(entry)), by)


def test_papers_of_before_it_left_bring_a_thing_back_neither_once_more_nor_after_newer_ones():
    desk = Desk()
    first = handover.sign(SAID, HOME)
    desk.accept(first)
    gone, _ = sold_on(SAID.papers, BUYER, STRANGER)
    back, second = sold_on(gone, STRANGER, BUYER)
    desk.has_left = True
    with pytest.raises(UntrustedError, match="of before A1 left us"):
        desk.accept(first)
    newer = desk.accept(second).custody.head
    for stale in (first, second):
        with pytest.raises(UntrustedError, match="of before A1 left us"):
            desk.accept(stale)
    assert desk.objection(newer) == ""
    again, _ = sold_on(back, BUYER, HOME)
    assert desk.accept(sold_on(again, HOME, BUYER)[1]).custody.head != newer


def test_a_thing_that_came_from_its_maker_and_left_comes_back_by_papers_that_name_us_as_who_sold_it():
    desk = Desk()
    desk.has_left = True
    with pytest.raises(UntrustedError, match="of before A1 left us"):
        desk.accept(handover.sign(SAID, HOME))
    _, returned = sold_on(sold_on(SAID.papers, BUYER, STRANGER)[0], STRANGER, BUYER)
    assert desk.accept(returned).custody.owner.key == BUYER.public


def test_a_file_that_does_not_hold_changes_nothing():
    desk = Desk()
    with pytest.raises(AuthenticationError):
        desk.accept(handover.sign(SAID, STRANGER))
    assert list(desk.store.leaves()) == []
    assert desk.objection(papers().head)
