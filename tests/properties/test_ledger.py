"""Invariant: any tree proves each of its entries and each of its beginnings, no altered proof holds, and a
ledger that was changed in any way below its newest head kept outside is never said to hold."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.domain.things import AT
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger import head
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.ledger.head import TreeHead
from thingstead.domain.ledger.tree import MerkleTree
from thingstead.domain.unit import Committed, HeadRecord, Unit
from thingstead.errors import AuthenticationError, DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose.key import public_map
from thingstead.protocols.receipts import merkle
from thingstead.storage.sqlite import DATABASE, SqliteStore
from thingstead_verifier import verify

KEY = generate(KeyType.P256)
COSE_KEY = codec.encode(public_map(KEY.public))
SIZES = st.integers(1, 70)


def grown(size: int) -> MerkleTree:
    leaves = [number.to_bytes(2, "big") for number in range(size)]
    tree = MerkleTree(lambda start, stop: leaves[start:stop], height=3)
    for leaf in leaves:
        tree.append(leaf)
    return tree


def altered(path: tuple[bytes, ...], data: st.DataObject) -> tuple[bytes, ...]:
    at = data.draw(st.integers(0, len(path) - 1))
    flipped = bytearray(path[at])
    flipped[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))
    return data.draw(
        st.sampled_from(
            [
                (*path[:at], bytes(flipped), *path[at + 1 :]),
                (*path[:at], *path[at + 1 :]),
                (*path[:at], path[at], *path[at:]),
            ]
        )
    )


@pytest.mark.spec("RFC 9162 2.1.3")
@given(SIZES, st.data())
def test_an_inclusion_proof_holds_for_its_entry_and_no_altered_one_does(size, data):
    tree, index = grown(size), data.draw(st.integers(0, size - 1))
    path, leaf = tree.inclusion_path(index), merkle.leaf_hash(index.to_bytes(2, "big"))
    assert merkle.root_of_inclusion(leaf, index=index, size=size, path=path) == tree.root()
    if path:
        try:
            root = merkle.root_of_inclusion(leaf, index=index, size=size, path=altered(path, data))
        except DecodeError:
            return
        assert root != tree.root()


@pytest.mark.spec("RFC 9162 2.1.4")
@given(SIZES, st.data())
def test_a_consistency_proof_holds_for_its_trees_and_no_altered_one_does(size, data):
    tree, first = grown(size), data.draw(st.integers(1, size))
    path = tree.consistency_path(first)
    trees = {"first_size": first, "first_root": tree.root(first), "second_size": size, "second_root": tree.root()}
    merkle.verify_consistency(**trees, path=path)
    if path:
        with pytest.raises((AuthenticationError, DecodeError)):
            merkle.verify_consistency(**trees, path=altered(path, data))


def follow(tree: MerkleTree, committed: Committed) -> None:
    for leaf in committed.leaves:
        tree.append(leaf)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Twenty entries, a head beside them after every fourth, and the newest head."""
    directory = tmp_path_factory.mktemp("property") / "data"

    async def run():
        store = SqliteStore(directory)
        tree = MerkleTree(store.leaves, height=2)
        store.listen(lambda committed: follow(tree, committed))
        for number in range(20):
            await store.commit(Unit(entries=(Draft(AT, Kind.CONFIGURATION, "operator:anna", None, str(number)),)))
            if number % 4 == 3:
                signed = head.sign(TreeHead(tree.size, tree.root(), AT, "home"), KEY)
                await store.commit(Unit(heads=(HeadRecord(tree.size, signed),)))
        await store.close()
        return signed

    signed = asyncio.run(run())
    return (directory / DATABASE).read_bytes(), signed


CHANGES = st.one_of(
    st.tuples(st.just("flip"), st.integers(0, 19), st.integers(0, 10_000)),
    st.tuples(st.just("forge"), st.integers(0, 19), st.integers(0, 10_000)),
    st.tuples(st.just("remove"), st.integers(0, 19), st.integers(0, 0)),
    st.tuples(st.just("swap"), st.integers(0, 19), st.integers(0, 19)).filter(lambda change: change[1] != change[2]),
    st.tuples(st.just("cut"), st.integers(0, 19), st.integers(0, 0)),
)


def change(connection: sqlite3.Connection, kind: str, one: int, other: int) -> None:
    rows = dict(connection.execute("SELECT place, leaf FROM ledger"))
    flipped = bytearray(rows[one])
    flipped[other % len(flipped)] ^= 1 << other % 8
    update = "UPDATE ledger SET leaf = ?, leaf_hash = ? WHERE place = ?"
    if kind == "flip":
        connection.execute("UPDATE ledger SET leaf = ? WHERE place = ?", (bytes(flipped), one))
    elif kind == "forge":
        connection.execute(update, (bytes(flipped), merkle.leaf_hash(bytes(flipped)), one))
    elif kind == "remove":
        connection.execute("DELETE FROM ledger WHERE place = ?", (one,))
    elif kind == "swap":
        for place, leaf in ((one, rows[other]), (other, rows[one])):
            connection.execute(update, (leaf, merkle.leaf_hash(leaf), place))
    else:
        connection.execute("DELETE FROM ledger WHERE place >= ?", (one,))
        connection.execute("DELETE FROM ledger_head WHERE size > ?", (one,))


@pytest.mark.requirement("R-02")
@settings(deadline=None, max_examples=60)
@given(made=CHANGES, stored_heads=st.booleans())
def test_no_changed_ledger_holds_and_the_place_is_within_what_is_found(written, made, stored_heads):
    database, signed = written
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / DATABASE
        path.write_bytes(database)
        with closing(sqlite3.connect(path)) as connection:
            if not stored_heads:
                connection.execute("DELETE FROM ledger_head")
            change(connection, *made)
            connection.commit()
        verdict = verify.check(path, signed, COSE_KEY)
    assert not verdict.holds
    assert any(found.first <= made[1] <= found.last for found in verdict.findings)
