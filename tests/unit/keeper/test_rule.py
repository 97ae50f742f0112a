"""A keeper signs what is of its plane: what its own plane makes passes, and nothing that another plane makes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from tests.unit.controller.test_backup import BACKUP
from thingstead.controller import backup, revocation
from thingstead.controller.revocation import Revocations
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger import head
from thingstead.domain.ledger.head import TreeHead
from thingstead.domain.ledger.tree import MerkleTree
from thingstead.errors import ForbiddenError, StorageError
from thingstead.identifier import ThingId
from thingstead.keeper.rule import FILE_TYPES, GroupRule, HandshakeRule, LedgerRule, RuledKey, TokenRule
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm_join import kdc_proof_input
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import credential
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.profile import delegation, signed_request
from thingstead.protocols.receipts import receipt
from thingstead.protocols.receipts.receipt import InclusionProof

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
THING = ThingId("thing-aaaaaaaaaaaaaaaa")
SUBJECT = frozenset({Claim.ISS, Claim.SUB, Claim.EXP, Claim.IAT, Claim.CTI, Claim.CNF})
ACCESS = frozenset({Claim.AUD, Claim.SCOPE})


class Recorder:
    """A key that notes what it is given to sign."""

    def __init__(self):
        self.key, self.seen = generate(KeyType.P256), []

    @property
    def public(self):
        return self.key.public

    def sign(self, data, signature_id):
        self.seen.append(data)
        return self.key.sign(data, signature_id)


def tree_of(leaves):
    tree = MerkleTree(lambda start, stop: leaves[start:stop])
    for leaf in leaves:
        tree.append(leaf)
    return tree


LEAVES = [bytes([number]) for number in range(7)]
TREE = tree_of(LEAVES)


def said(make):
    recorder = Recorder()
    make(recorder)
    return recorder.seen[0]


def credentials(key, *, domain="home", at=AT, lasts=DAY):
    public = generate(KeyType.P256).public
    credential.issue_domain_credential(
        public, key, domain=domain, thing=THING, at=at, expires=at + lasts, cti=b"1", signature_id=AlgorithmId.ESP256
    )


def tokens(key, *, issuer="home", at=AT, lasts=DAY):
    token.issue(
        generate(KeyType.P256).public,
        key,
        issuer=issuer,
        subject="s",
        audience="a",
        scope=Scope({"/light": 1}),
        at=at,
        expires=at + lasts,
        cti=b"1",
        signature_id=AlgorithmId.ESP256,
    )


def delegations(key):
    delegation.issue(
        generate(KeyType.P256).public,
        key,
        domain="home",
        installer="ben",
        zones=["a"],
        classes=[1],
        at=AT,
        expires=AT + DAY,
        cti=b"1",
    )


MADE = {
    "credential": said(credentials),
    "token": said(tokens),
    "delegation": said(delegations),
    "head": said(lambda key: head.sign(TreeHead(7, TREE.root(), AT, "home"), key)),
    "receipt": said(
        lambda key: receipt.issue(
            TREE.root(), InclusionProof(7, 1, TREE.inclusion_path(1)), key, signature_id=AlgorithmId.ESP256
        )
    ),
    "revocations": said(lambda key: revocation.sign(Revocations("home", 1, 0, 0, ()), key)),
    "backup": said(lambda key: backup.sign(replace(BACKUP, leaves=tuple(LEAVES)), key)),
    "request": said(lambda key: signed_request.sign("x", {}, key, domain="home", challenge=bytes(16))),
    "join": kdc_proof_input(cnonce=bytes(8), kdc_nonce=bytes(8)),
    "group message": codec.encode(["CounterSignature0", b"", b"", b"aad", b"ciphertext"]),
    "nothing": b"",
    "rubbish": b"\xff\xff",
    "a map": codec.encode({1: 2}),
}


def ledger(*, signed=(0, b""), keep=lambda size, root: None):
    return LedgerRule("home", signed, keep=keep)


def shown():
    rule = ledger()
    rule.extend(7, TREE.root(), ())
    return rule


class Rules:
    of: ClassVar = {
        "domain": (HandshakeRule, set()),
        "identity": (lambda: TokenRule("home", SUBJECT, ACCESS, 90 * DAY), {"credential"}),
        "access": (
            lambda: TokenRule("home", SUBJECT | ACCESS, frozenset({Claim.ZONES, Claim.DEVICE_CLASSES}), 30 * DAY),
            {"token"},
        ),
        "groups": (GroupRule, {"join", "group message"}),
        "ledger": (shown, {"head", "receipt", "revocations", "backup"}),
    }


@pytest.mark.parametrize("plane", Rules.of)
@pytest.mark.parametrize("what", MADE)
def test_each_key_signs_what_its_own_plane_makes_and_nothing_else(plane, what):
    make, own = Rules.of[plane]
    if what in own:
        make().check_signature(MADE[what], AT)
    else:
        with pytest.raises(ForbiddenError):
            make().check_signature(MADE[what], AT)


@pytest.mark.requirement("R-65")
@pytest.mark.parametrize("what", MADE)
def test_a_member_s_key_signs_messages_of_its_group_and_not_what_the_group_manager_proves(what):
    rule = GroupRule(proves=False)
    if what == "group message":
        rule.check_signature(MADE[what], AT)
    else:
        with pytest.raises(ForbiddenError):
            rule.check_signature(MADE[what], AT)


@pytest.mark.parametrize("plane", Rules.of)
def test_only_handshakes_and_groups_agree_on_secrets(plane):
    rule = Rules.of[plane][0]()
    if plane in {"domain", "groups"}:
        rule.check_agreement()
    else:
        with pytest.raises(ForbiddenError):
            rule.check_agreement()


@pytest.mark.parametrize(
    "changed",
    [{"issuer": "another"}, {"at": AT - DAY}, {"at": AT + DAY}, {"lasts": 31 * DAY}],
    ids=["another issuer", "from yesterday", "from tomorrow", "without a near end"],
)
def test_tokens_beyond_the_bounds_are_not_signed(changed):
    with pytest.raises(ForbiddenError):
        Rules.of["access"][0]().check_signature(said(lambda key: tokens(key, **changed)), AT)


@pytest.mark.spec("RFC 9162 2.1.4.2")
def test_a_ledger_that_grows_is_signed_again_and_again():
    kept = []
    rule = ledger(keep=lambda *signed: kept.append(signed))
    for size in (1, 3, 4, 7):
        first = rule.size
        path = TREE.consistency_path(first, size) if first else ()
        rule.extend(size, TREE.root(size), path)
        rule.check_signature(said(lambda key: head.sign(TreeHead(size, TREE.root(size), AT, "home"), key)), AT)  # noqa: B023
    assert [size for size, _ in kept] == [1, 3, 4, 7]
    rule.extend(7, TREE.root(), ())
    assert len(kept) == 4


@pytest.mark.spec("RFC 9162 2.1.4.2")
def test_a_ledger_that_contradicts_what_was_signed_is_not():
    other = tree_of([b"another", *LEAVES[1:], b"more"])
    rule = shown()
    for size, root, path in [
        (8, other.root(), other.consistency_path(7)),
        (8, other.root(), ()),
        (7, other.root(7), ()),
        (6, TREE.root(6), ()),
        (8, b"short", ()),
        (8, other.root(), [b"short"]),
    ]:
        with pytest.raises(ForbiddenError):
            rule.extend(size, root, path)
    assert rule.size == 7


@pytest.mark.parametrize(("size", "root", "domain"), [(8, None, "home"), (7, bytes(32), "home"), (7, None, "other")])
def test_a_head_over_what_was_not_shown_is_not_signed(size, root, domain):
    data = said(lambda key: head.sign(TreeHead(size, root or TREE.root(), AT, domain), key))
    with pytest.raises(ForbiddenError):
        shown().check_signature(data, AT)


def test_what_was_signed_is_remembered_over_a_restart():
    rule = ledger(signed=(7, TREE.root()))
    with pytest.raises(ForbiddenError):
        rule.extend(3, TREE.root(3), ())


def test_a_head_that_could_not_be_remembered_is_not_signed():
    def keep(size, root):
        raise StorageError("full")

    rule = ledger(keep=keep)
    with pytest.raises(StorageError):
        rule.extend(7, TREE.root(), ())
    with pytest.raises(ForbiddenError):
        rule.check_signature(MADE["head"], AT)


def test_files_of_another_domain_are_not_signed():
    with pytest.raises(ForbiddenError):
        shown().check_signature(said(lambda key: revocation.sign(Revocations("other", 1, 0, 0, ()), key)), AT)


@pytest.mark.parametrize("leaves", [(), LEAVES[:6], [*LEAVES[:6], b"another"], [b"another", *LEAVES]])
def test_a_backup_over_another_ledger_than_was_signed_is_not_signed(leaves):
    with pytest.raises(ForbiddenError, match="entries that were signed"):
        shown().check_signature(said(lambda key: backup.sign(replace(BACKUP, leaves=tuple(leaves)), key)), AT)


def test_a_backup_over_more_than_was_signed_is():
    longer = replace(BACKUP, leaves=(*LEAVES, b"more"))
    shown().check_signature(said(lambda key: backup.sign(longer, key)), AT)


@pytest.mark.parametrize(("epoch", "entries"), [(1, 4), (0, 9)])
def test_a_list_of_what_was_revoked_is_followed_by_no_older_one(epoch, entries):
    rule = shown()
    for number in (5, 5, 6, 6):
        rule.check_signature(revoked(1, number), AT)
    with pytest.raises(ForbiddenError, match="after"):
        rule.check_signature(revoked(epoch, entries), AT)


def revoked(epoch, entries):
    return said(lambda key: revocation.sign(Revocations("home", epoch, entries, 0, ()), key))


def test_a_key_with_a_rule_does_what_that_passes_and_nothing_else():
    key = generate(KeyType.P256)
    groups, handshake = (RuledKey(key, rule, utc=lambda: AT) for rule in (GroupRule(), HandshakeRule()))
    assert groups.public == key.public
    assert groups.sign(MADE["join"], AlgorithmId.ESP256)
    assert handshake.agree(key.public).reveal() == key.agree(key.public).reveal()
    with pytest.raises(ForbiddenError):
        groups.sign(MADE["token"], AlgorithmId.ESP256)
    with pytest.raises(ForbiddenError):
        RuledKey(key, ledger(), utc=lambda: AT).agree(key.public)


def test_the_files_are_those_that_the_controller_signs():
    assert {backup._TYPE, revocation._TYPE} == FILE_TYPES
