"""What the checks of a release came to is vouched for by the ledger's key as it was recorded, or not at all."""

from dataclasses import replace

import pytest

from tests.unit.domain.things import AT
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, generate
from thingstead.domain import release_result, vouched
from thingstead.domain.check import Check, Outcome
from thingstead.domain.ledger import entry as leaf
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.ledger.tree import MerkleTree
from thingstead.domain.release_result import Result, SignedResult, Verdict
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.receipts import receipt
from thingstead.protocols.receipts.receipt import InclusionProof

pytestmark = pytest.mark.requirement("R-84")
KEY = generate(KeyType.P256)
PASSED = Check("signatures", Outcome.PASSED)
RESULT = Result(
    bytes(32),
    bytes(32),
    "acme",
    "LX-1",
    "1.1.0",
    2,
    True,
    AT,
    Verdict.PUBLISHED,
    (PASSED, Check("network_grows", Outcome.HELD, ("mud.json: it may contact b.example",))),
    {"image-scan rules": "aa"},
)
ENCODED = release_result.encode(RESULT)


def entry_of(encoded=ENCODED, kind=Kind.RELEASE, **details):
    said = {"result": digest(encoded), **details}
    return leaf.encode(Draft(AT, kind, "owner", None, "published", said).numbered(1))


def recorded(entry, key=KEY, signature_id=AlgorithmId.ESP256):
    """A receipt for an entry with one before it."""
    leaves = [b"first", entry]

    def leaves_between(start=0, stop=None):
        return iter(leaves[start:stop])

    tree = MerkleTree(leaves_between)
    for one in leaves:
        tree.append(one)
    proof = InclusionProof(2, 1, tree.inclusion_path(1))
    return receipt.issue(tree.root(), proof, key, signature_id=signature_id)


def enclosed(encoded=ENCODED, entry=None, **changes):
    entry = entry_of(encoded) if entry is None else entry
    return vouched.enclose(encoded, entry, recorded(entry, **changes))


@pytest.mark.spec("RFC 9942 5.2.1")
def test_the_ledgers_key_alone_proves_a_result_and_who_brought_the_release():
    proved = release_result.authenticate(enclosed(), KEY.public)
    assert (proved.result, proved.entry.actor, proved.entry.cause) == (RESULT, "owner", "published")


def test_a_signed_result_is_made_by_its_verification_alone():
    proved = release_result.authenticate(enclosed(), KEY.public)
    with pytest.raises(TypeError):
        SignedResult(RESULT, proved.entry, object())


def test_another_ledgers_key_proves_nothing():
    with pytest.raises(AuthenticationError):
        release_result.authenticate(enclosed(key=generate(KeyType.P256)), KEY.public)


def test_an_algorithm_that_no_ledger_signs_with_is_refused():
    key = generate(KeyType.ED25519)
    with pytest.raises(UnsupportedError):
        release_result.authenticate(enclosed(key=key, signature_id=AlgorithmId.ED25519), key.public)


def test_another_result_than_the_one_recorded_is_refused():
    entry = entry_of()
    better = release_result.encode(replace(RESULT, checks=(PASSED,)))
    with pytest.raises(UntrustedError) as refusal:
        release_result.authenticate(vouched.enclose(better, entry, recorded(entry)), KEY.public)
    assert refusal.value.reason == "entry"


def test_an_entry_that_is_not_in_the_ledger_is_refused():
    better = release_result.encode(replace(RESULT, checks=(PASSED,)))
    with pytest.raises(AuthenticationError):
        release_result.authenticate(vouched.enclose(better, entry_of(better), recorded(entry_of())), KEY.public)


@pytest.mark.parametrize("kind", [Kind.OPERATION, Kind.INSTALLATION, Kind.ALARM])
def test_an_entry_of_another_kind_vouches_for_no_result(kind):
    with pytest.raises(UntrustedError):
        release_result.authenticate(enclosed(entry=entry_of(kind=kind)), KEY.public)


def test_an_entry_without_a_result_vouches_for_none():
    with pytest.raises(UntrustedError):
        release_result.authenticate(enclosed(entry=entry_of(result=None)), KEY.public)


@pytest.mark.parametrize("data", [b"", b"\x80", codec.encode([2, b"", b"", b""]), codec.encode([True, b"", b"", b""])])
def test_what_is_no_such_file_is_refused(data):
    with pytest.raises(DecodeError):
        release_result.authenticate(data, KEY.public)


def test_a_result_is_read_as_it_was_written():
    assert release_result.decode(ENCODED) == RESULT


def changed(place, value):
    fields = codec.decode(ENCODED)
    fields[place] = value
    return codec.encode(fields)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, 2),
        (0, True),
        (1, bytes(31)),
        (1, bytes(65)),
        (2, b""),
        (3, ["acme", "LX-1"]),
        (4, -1),
        (4, False),
        (5, 1),
        (6, "now"),
        (7, "perfect"),
        (7, "refused"),
        (8, []),
        (8, [["signatures", "passed"]]),
        (8, [["signatures", "fine", []]]),
        (8, [["signatures", "passed", [1]]]),
        (8, [["signatures", "passed", ["x" * 301]]]),
        (8, [["signatures", "passed", ["x"] * 33]]),
        (8, [["x" * 201, "passed", []]]),
        (8, [[str(number), "passed", []] for number in range(33)]),
        (8, [["signatures", "passed", []]] * 2),
        (9, {"rules": 1}),
        (9, {str(number): "x" for number in range(17)}),
    ],
)
def test_what_is_outside_the_format_is_refused(place, value):
    with pytest.raises(DecodeError):
        release_result.decode(changed(place, value))


def test_another_encoding_of_the_same_is_refused():
    with pytest.raises(DecodeError):
        release_result.decode(ENCODED[:1] + b"\x18\x01" + ENCODED[2:])


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        (Verdict.PUBLISHED, Outcome.REFUSED),
        (Verdict.PUBLISHED, Outcome.NOT_RUN),
        (Verdict.HELD, Outcome.PASSED),
        (Verdict.HELD, Outcome.REFUSED),
        (Verdict.REFUSED, Outcome.HELD),
    ],
)
def test_no_verdict_goes_against_its_checks(verdict, outcome):
    with pytest.raises(DecodeError):
        replace(RESULT, verdict=verdict, checks=(PASSED, Check("image-scan", outcome)))


def test_nothing_is_published_that_nobody_checked():
    with pytest.raises(DecodeError):
        replace(RESULT, checks=())


def test_a_check_says_no_more_than_a_result_has_room_for():
    checks = tuple(
        Check.of(str(number), Outcome.REFUSED, ("\N{GRINNING FACE}" * 400 for _ in range(99))) for number in range(32)
    )
    full = replace(RESULT, verdict=Verdict.REFUSED, checks=checks[:13], version="x" * 9000)
    assert release_result.decode(release_result.encode(full)) == full
