"""The seller's file holds whole or not at all; whoever buys believes none of it without a signature."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.scenarios.world import make_maker
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger import entry as leaf
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.errors import AuthenticationError, DecodeError, ThingsteadError, UntrustedError
from thingstead.identifier import ThingId
from thingstead.phases.manufacture import Model, bear
from thingstead.planes.identity import handover
from thingstead.planes.identity.handover import AuthenticHandover, Handover
from thingstead.planes.identity.registrar import Registrar
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import custody, wipe
from thingstead.protocols.profile.custody import Owner
from thingstead.protocols.profile.papers import Papers
from thingstead.protocols.receipts import receipt
from thingstead.protocols.receipts.merkle import leaf_hash
from thingstead.protocols.receipts.receipt import InclusionProof

pytestmark = pytest.mark.requirement("R-10")

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAKER = make_maker("acme")
THING_KEY, HOME, BUYER, LEDGER, STRANGER = (generate(KeyType.P256) for _ in range(5))
THING, NONCE = ThingId("thing-aaaaaaaaaaaaaaaa"), bytes(16)
REGISTRAR = Registrar({"acme": MAKER.anchor.public})
BORN = bear(
    MAKER,
    Model("LX-1", 2, "https://acme.example/lx-1.json", date(2031, 1, 1)),
    "A1",
    thing_key=THING_KEY.public,
    domain_key=HOME.public,
    at=AT,
    voucher_expires=AT + timedelta(days=30),
)


def wiped(*, thing=THING, nonce=NONCE, key=THING_KEY):
    return wipe.sign(thing, "home", ("association",), at=AT, nonce=nonce, key=key)


def papers(to=BUYER, by=HOME):
    link = custody.extend(
        custody.head(BORN.voucher, ()),
        serial="A1",
        owner=Owner("home", by.public),
        to=Owner("buyer", to.public),
        at=AT,
        key=by,
    )
    return Papers(BORN.maker_identity, BORN.voucher, (link,))


def decided(receipt_, *, kind=Kind.TRANSITION, cause="handed-over", thing=THING, buyer=BUYER):
    details = {"wipe_receipt": digest(receipt_), "next_owner": cose_key.thumbprint(buyer.public)}
    return leaf.encode(Draft(AT, kind, "owner", thing, cause, details).numbered(0))


def proven(entry, key=LEDGER):
    return receipt.issue(leaf_hash(entry), InclusionProof(1, 0, ()), key, signature_id=AlgorithmId.ESP256)


RECEIPT = wiped()
ENTRY = decided(RECEIPT)
SAID = Handover(THING, "home", papers(), NONCE, RECEIPT, ENTRY, proven(ENTRY), LEDGER.public)


def authenticate(data, *, buyer=BUYER.public, registrar=REGISTRAR, server=None):
    return handover.authenticate(data, identify=registrar.identify, server_key={"acme": server}.get, buyer=buyer, at=AT)


def with_entry(entry):
    return replace(SAID, entry=entry, inclusion=proven(entry))


def test_a_file_that_holds_tells_who_it_is_whose_it_was_and_what_it_forgot():
    held = authenticate(handover.sign(SAID, HOME))
    assert (held.identity.serial, held.identity.public) == ("A1", THING_KEY.public)
    assert [owner.key for owner in held.custody.owners] == [HOME.public, BUYER.public]
    assert held.wiped.erased == ("association",)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (replace(SAID, papers=papers(to=STRANGER)), UntrustedError),
        (replace(SAID, papers=papers(by=STRANGER)), UntrustedError),
        (replace(SAID, papers=replace(papers(), links=())), DecodeError),
        (replace(SAID, wipe_receipt=wiped(key=STRANGER)), AuthenticationError),
        (replace(SAID, wipe_receipt=wiped(thing="thing-b")), UntrustedError),
        (replace(SAID, wipe_receipt=b""), DecodeError),
        (replace(SAID, nonce=bytes(8)), UntrustedError),
        (replace(SAID, domain="elsewhere"), UntrustedError),
        (replace(SAID, inclusion=proven(ENTRY, STRANGER)), AuthenticationError),
        (replace(SAID, entry=decided(b"another")), AuthenticationError),
        (with_entry(decided(b"another")), UntrustedError),
        (with_entry(decided(RECEIPT, buyer=STRANGER)), UntrustedError),
        (with_entry(decided(RECEIPT, cause="retired")), UntrustedError),
        (with_entry(decided(RECEIPT, kind=Kind.ALARM)), UntrustedError),
        (with_entry(decided(RECEIPT, thing=None)), UntrustedError),
        (with_entry(b"entry"), DecodeError),
    ],
    ids=[
        "to another buyer",
        "by another seller",
        "no custody",
        "wiped by another",
        "another thing wiped",
        "not wiped",
        "an old wipe",
        "another domain wiped",
        "another ledger",
        "an entry that is not in it",
        "an entry about another wipe",
        "an entry about another buyer",
        "an entry about another end",
        "an entry of another kind",
        "an entry about nobody",
        "no entry",
    ],
)
def test_a_file_of_which_one_part_does_not_hold_is_refused(said, error):
    with pytest.raises(error):
        authenticate(handover.sign(said, HOME))


def without_ledger(**changes):
    """From a seller that has none: of a thing that had nothing to forget."""
    word = wipe.sign("A1", "home", changes.pop("erased", ()), at=AT, nonce=NONCE, key=THING_KEY)
    return replace(Handover("A1", "home", papers(), NONCE, word), **changes)


def test_a_thing_that_had_nothing_to_forget_comes_from_a_seller_without_a_ledger():
    held = authenticate(handover.sign(without_ledger(), HOME))
    assert (held.wiped.erased, held.handover.ledger_key) == ((), None)


@pytest.mark.parametrize(
    ("said", "signer", "error"),
    [
        (without_ledger(erased=("association",)), HOME, UntrustedError),
        (replace(SAID, ledger_key=None), HOME, UntrustedError),
        (without_ledger(), STRANGER, AuthenticationError),
        (without_ledger(papers=papers(to=STRANGER)), HOME, UntrustedError),
        (without_ledger(domain="elsewhere"), HOME, UntrustedError),
        (without_ledger(wipe_receipt=b""), HOME, DecodeError),
        (without_ledger(entry=ENTRY, inclusion=proven(ENTRY), ledger_key=LEDGER.public), HOME, UntrustedError),
    ],
    ids=[
        "was in a domain",
        "a ledger left out",
        "another seller",
        "another buyer",
        "another name",
        "no word",
        "a ledger's",
    ],
)
def test_without_a_ledger_everything_else_still_has_to_hold(said, signer, error):
    with pytest.raises(error):
        authenticate(handover.sign(said, signer))


def test_a_file_that_the_seller_did_not_sign_is_refused():
    with pytest.raises(AuthenticationError):
        authenticate(handover.sign(SAID, STRANGER))


def test_a_file_from_a_maker_that_nobody_trusts_or_for_somebody_else_is_refused():
    data = handover.sign(SAID, HOME)
    with pytest.raises(UntrustedError):
        authenticate(data, registrar=Registrar({}))
    with pytest.raises(UntrustedError):
        authenticate(data, buyer=STRANGER.public)


@pytest.mark.parametrize("data", [b"", BORN.voucher, handover.sign(SAID, HOME)[:-1]], ids=["empty", "voucher", "cut"])
def test_what_is_no_file_is_refused(data):
    with pytest.raises(DecodeError):
        authenticate(data)


def test_flipped_bytes_are_noticed():
    data = handover.sign(SAID, HOME)
    for place in range(0, len(data), 41):
        with pytest.raises(ThingsteadError):
            authenticate(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])


def test_nobody_else_makes_verified_ones():
    held = authenticate(handover.sign(SAID, HOME))
    with pytest.raises(TypeError):
        AuthenticHandover(SAID, held.identity, held.custody, held.wiped, object())
