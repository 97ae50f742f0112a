"""The verifier against the writer: they share no code, so each checks the other."""

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT
from thingstead.controller.notary import Notary
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, SoftwareKey, generate
from thingstead.domain.ledger import entry, head
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.ledger.head import TreeHead
from thingstead.domain.unit import Unit
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose.key import public_map
from thingstead.protocols.cose.sign1 import sign
from thingstead.protocols.receipts.merkle import leaf_hash
from thingstead.storage.head_file import HeadFile
from thingstead.storage.sqlite import DATABASE, SqliteStore
from thingstead_verifier import verify

_SIZE = 13
_SEALS = (3, 4, 9, _SIZE)
_KEY = generate(KeyType.P256)
_SPANS = list(zip((0, *_SEALS), _SEALS, strict=False))


def _write(place: Path, key: SoftwareKey, signature_id: int = AlgorithmId.ESP256) -> None:
    """A ledger of 13 entries, sealed after some of them, as the controller writes it."""

    async def run():
        store = SqliteStore(place / "data")
        notary = Notary(
            store,
            HeadFile(place / "head"),
            key=key,
            domain="home",
            clock=JumpingClock(),
            signature_id=signature_id,
        )
        for number in range(_SIZE):
            draft = Draft(AT + timedelta(seconds=number), Kind.CONFIGURATION, "operator:anna", None, f"change {number}")
            await store.commit(Unit(entries=(draft,)))
            if number + 1 in _SEALS:
                await notary.seal()
        await store.close()

    asyncio.run(run())
    (place / "key").write_bytes(codec.encode(public_map(key.public)))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    place = tmp_path_factory.mktemp("ledger")
    _write(place, _KEY)
    return place


@pytest.fixture
def ledger(written, tmp_path):
    """A copy that a test may damage."""
    for name in (f"data/{DATABASE}", "head", "key"):
        target = tmp_path / Path(name).name
        target.write_bytes((written / name).read_bytes())
    return tmp_path


def _check(place: Path) -> verify.Verdict:
    return verify.check(place / DATABASE, (place / "head").read_bytes(), (place / "key").read_bytes())


def _alter(place: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(place / DATABASE)) as connection:
        connection.execute(statement, values)
        connection.commit()


def _leaf(place: Path, index: int) -> bytes:
    with closing(sqlite3.connect(place / DATABASE)) as connection:
        leaf: bytes = connection.execute("SELECT leaf FROM ledger WHERE place = ?", (index,)).fetchone()[0]
        return leaf


def _forge(place: Path, index: int, leaf: bytes) -> None:
    """Replace an entry and the hash beside it, as someone who knows the format does."""
    _alter(place, "UPDATE ledger SET leaf = ?, leaf_hash = ? WHERE place = ?", leaf, leaf_hash(leaf), index)


def _found(verdict: verify.Verdict) -> set[tuple[str, int, int]]:
    return {(one.kind, one.first, one.last) for one in verdict.findings}


@pytest.mark.requirement("R-02")
@pytest.mark.parametrize(
    ("key_type", "signature_id"),
    [(KeyType.P256, AlgorithmId.ESP256), (KeyType.ML_DSA_44, AlgorithmId.ML_DSA_44)],
)
def test_a_ledger_as_it_was_written_holds(tmp_path, key_type, signature_id):
    _write(tmp_path, generate(key_type), signature_id)
    verdict = verify.check(
        tmp_path / "data" / DATABASE, (tmp_path / "head").read_bytes(), (tmp_path / "key").read_bytes()
    )
    assert (verdict.holds, verdict.size, verdict.signed, verdict.findings) == (True, _SIZE, _SIZE, ())


@pytest.mark.requirement("R-02")
@pytest.mark.parametrize("index", range(_SIZE))
def test_a_flipped_bit_is_found_in_its_entry(ledger, index):
    leaf = bytearray(_leaf(ledger, index))
    leaf[index * 5 % len(leaf)] ^= 1 << index % 8
    _alter(ledger, "UPDATE ledger SET leaf = ? WHERE place = ?", bytes(leaf), index)
    assert ("changed", index, index) in _found(_check(ledger))


@pytest.mark.requirement("R-02")
@pytest.mark.parametrize("index", range(_SIZE))
def test_a_rewritten_entry_is_found_between_the_heads_around_it(ledger, index):
    was = entry.decode(_leaf(ledger, index))
    _forge(ledger, index, entry.encode(Draft(was.at, was.kind, "operator:eve", None, was.cause).numbered(index)))
    first, last = next(span for span in _SPANS if index < span[1])
    assert _found(_check(ledger)) == {("changed", first, last - 1)}


@pytest.mark.requirement("R-02")
@pytest.mark.parametrize("index", range(_SIZE - 1))
def test_a_removed_entry_is_found_in_its_place(ledger, index):
    _alter(ledger, "DELETE FROM ledger WHERE place = ?", index)
    assert ("removed", index, index) in _found(_check(ledger))


@pytest.mark.requirement("R-02")
@pytest.mark.parametrize("index", range(_SIZE - 1))
def test_a_removed_entry_is_found_though_the_rest_was_moved_up(ledger, index):
    _alter(ledger, "DELETE FROM ledger WHERE place = ?", index)
    for place in range(index + 1, _SIZE):
        _alter(ledger, "UPDATE ledger SET place = ? WHERE place = ?", place - 1, place)
    assert ("removed", index, index) in _found(_check(ledger))


@pytest.mark.requirement("R-02")
@pytest.mark.parametrize("index", range(_SIZE - 1))
def test_two_entries_in_each_other_s_place_are_found(ledger, index):
    one, other = _leaf(ledger, index), _leaf(ledger, index + 1)
    _forge(ledger, index, other)
    _forge(ledger, index + 1, one)
    assert {("reordered", index, index), ("reordered", index + 1, index + 1)} <= _found(_check(ledger))


@pytest.mark.requirement("R-02")
@pytest.mark.parametrize("left", range(_SIZE))
def test_a_cut_tail_is_found_by_the_head_kept_outside(ledger, left):
    _alter(ledger, "DELETE FROM ledger WHERE place >= ?", left)
    _alter(ledger, "DELETE FROM ledger_head WHERE size > ?", left)
    verdict = _check(ledger)
    assert not verdict.holds
    assert ("cut", left, _SIZE - 1) in _found(verdict)


@pytest.mark.requirement("R-02")
def test_a_whole_new_history_under_a_head_of_another_key_is_found(ledger, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    _write(other, generate(KeyType.P256))
    (ledger / "head").write_bytes((other / "head").read_bytes())
    verdict = _check(ledger)
    assert not verdict.holds
    assert "head" in {one.kind for one in verdict.findings}


def test_a_stored_hash_that_was_changed_is_found(ledger):
    _alter(ledger, "UPDATE ledger SET leaf_hash = zeroblob(32) WHERE place = 7")
    assert _found(_check(ledger)) == {("changed", 7, 7)}


@pytest.mark.parametrize("value", [b"", b"\xa0", b"\x80", b"\xff\xff", b"\xa1\x00\x61x"])
def test_an_entry_that_is_none_is_found(ledger, value):
    _forge(ledger, 5, value)
    assert ("changed", 5, 5) in _found(_check(ledger))


def test_an_entry_of_another_type_than_bytes_is_found(ledger):
    _alter(ledger, "UPDATE ledger SET leaf = 'text' WHERE place = 2")
    assert ("changed", 2, 2) in _found(_check(ledger))


@pytest.mark.parametrize("document", [b"", b"\xd2\x80", b"\xd2\x84\x40\xa0\x40\x40", b"\x00"])
def test_a_forged_head_beside_the_ledger_is_found(ledger, document):
    _alter(ledger, "UPDATE ledger_head SET document = ? WHERE size = 4", document)
    assert _found(_check(ledger)) == {("head", 0, 3)}


def test_a_head_that_is_something_else_the_key_signed_is_not_taken(ledger):
    (ledger / "head").write_bytes(sign(codec.encode({0: 1, 1: b"", 2: 0, 3: "home"}), _KEY, signature_id=-9))
    verdict = _check(ledger)
    assert "something else" in verdict.findings[-1].text
    assert verdict.signed == 0


def test_a_head_of_another_domain_of_the_same_key_is_found(ledger):
    document = head.sign(TreeHead(3, bytes(32), AT, "office"), _KEY)
    _alter(ledger, "UPDATE ledger_head SET document = ? WHERE size = 3", document)
    assert ("head", 0, 2) in _found(_check(ledger))


def test_entries_newer_than_the_head_kept_outside_are_said_to_be(ledger, capsys):
    (ledger / "head").write_bytes(_head_of(ledger, 9))
    assert _main(ledger) == 0
    assert "13 entries; 4 newer than the head kept outside" in capsys.readouterr().out


def _head_of(place, size):
    with closing(sqlite3.connect(place / DATABASE)) as connection:
        return connection.execute("SELECT document FROM ledger_head WHERE size = ?", (size,)).fetchone()[0]


def _main(place, *more):
    return verify.main([str(place / DATABASE), "--head", str(place / "head"), "--key", str(place / "key"), *more])


def test_exit_codes_and_texts_tell_the_three_ends_apart(ledger, capsys):
    assert _main(ledger) == 0
    assert "the ledger holds: 13 entries" in capsys.readouterr().out
    _alter(ledger, "DELETE FROM ledger WHERE place = 5")
    assert _main(ledger) == 1
    assert "entry 5: removed" in capsys.readouterr().out
    (ledger / "key").write_bytes(b"no key")
    assert _main(ledger) == 2
    assert "could not check" in capsys.readouterr().err


def test_programs_get_the_same_verdict_as_json(ledger, capsys):
    _alter(ledger, "DELETE FROM ledger WHERE place >= 11")
    assert _main(ledger, "--json") == 1
    printed = json.loads(capsys.readouterr().out)
    assert (printed["holds"], printed["size"], printed["signed"]) == (False, 11, 13)
    assert printed["findings"][0] == {
        "kind": "cut",
        "first": 11,
        "last": 12,
        "text": "cut: a head was signed over 13 entries, 11 are here",
    }


@pytest.mark.parametrize("name", [DATABASE, "head", "key"])
def test_without_one_of_its_inputs_nothing_is_said(ledger, capsys, name):
    (ledger / name).unlink()
    assert _main(ledger) == 2
    assert "could not check" in capsys.readouterr().err


@pytest.mark.parametrize(
    "key", [b"", b"\xa0", codec.encode({1: 2, -1: 1, -2: b"", -3: b""}), codec.encode({1: 4, -1: b"secret"})]
)
def test_a_key_of_another_kind_is_not_used(ledger, capsys, key):
    (ledger / "key").write_bytes(key)
    assert _main(ledger) == 2


def test_a_file_that_is_no_ledger_is_not_judged(ledger, capsys):
    (ledger / DATABASE).write_bytes(b"something else " * 100)
    assert _main(ledger) == 2


def test_an_empty_ledger_has_the_root_of_nothing(tmp_path):
    asyncio.run(SqliteStore(tmp_path / "data").close())
    empty = head.sign(TreeHead(0, bytes(32), AT, "home"), _KEY)
    verdict = verify.check(tmp_path / "data" / DATABASE, empty, codec.encode(public_map(_KEY.public)))
    assert verdict.root == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert not verdict.holds
