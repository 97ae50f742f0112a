import asyncio
import base64
from itertools import pairwise

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.notary import Notary
from thingstead.controller.operation import Operations
from thingstead.controller.operation_ledger import rows
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger import head
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.unit import Unit
from thingstead.errors import AuthenticationError
from thingstead.protocols.receipts import receipt
from thingstead.simulator.virtual.memory import MemoryHeads
from thingstead.storage.memory import MemoryStore

KEY = generate(KeyType.P256)
ONE, TWO = a_thing(1).id, a_thing(2).id


class Ledger:
    """A ledger whose entries are numbered by their cause; every third is of `ONE`, every fifth a refusal."""

    def __init__(self, entries=0):
        self.store = MemoryStore()
        self.notary = Notary(self.store, MemoryHeads(), key=KEY, domain="home", clock=JumpingClock())
        self.table = Operations(*rows(self.store, self.notary))
        for number in range(entries):
            kind = Kind.CONFIGURATION if number % 5 else Kind.REFUSAL
            self.add(Draft(AT, kind, "operator:test", TWO if number % 3 else ONE, str(number), {"key": b"\1\2"}))

    def add(self, draft):
        asyncio.run(self.store.commit(Unit(entries=(draft,))))

    def seal(self):
        asyncio.run(self.notary.seal())

    def ask(self, operation, **arguments):
        return asyncio.run(self.table.answer({"operation": f"ledger.{operation}", "arguments": arguments}))

    def shown(self, **arguments):
        return [row["index"] for row in self.ask("show", **arguments)["result"]]

    def why_not(self, operation, **arguments):
        return self.ask(operation, **arguments)["error"]["message"]


@pytest.mark.parametrize("count", [0, -1, 1001, 1 << 70])
def test_a_count_out_of_its_range_is_refused(count):
    assert "count" in Ledger(3).why_not("show", count=count)


@pytest.mark.parametrize("kind", ["refusals", "REFUSAL", "x" * 500])
def test_a_kind_that_there_is_not_is_refused_with_those_that_there_are(kind):
    message = Ledger(3).why_not("show", kind=kind)
    assert "there are" in message
    assert all(known in message for known in Kind)
    assert len(message) < 600


def test_an_empty_ledger_shows_nothing():
    assert Ledger().shown() == []
    assert Ledger().shown(after=7) == []


def test_the_newest_entries_come_in_the_order_in_which_they_were_made():
    assert Ledger(30).shown(count=3) == [27, 28, 29]
    assert len(Ledger(30).shown()) == 20


@pytest.mark.parametrize(
    ("after", "count", "shown"),
    [(-1, 3, [0, 1, 2]), (-99, 1, [0]), (26, 20, [27, 28, 29]), (29, 20, []), (1 << 40, 20, [])],
)
def test_who_reads_on_gets_what_came_after(after, count, shown):
    assert Ledger(30).shown(after=after, count=count) == shown


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"thing": ONE}, [0, 3, 6, 9, 12]),
        ({"kind": "refusal"}, [0, 5, 10]),
        ({"thing": ONE, "kind": "refusal"}, [0]),
        ({"thing": ONE, "count": 2}, [9, 12]),
        ({"thing": ONE, "after": 3}, [6, 9, 12]),
        ({"thing": "thing-of-nobody"}, []),
    ],
)
def test_only_what_was_asked_for_is_shown(asked, shown):
    assert Ledger(15).shown(**asked) == shown


def test_a_long_ledger_is_read_piece_by_piece_without_a_gap():
    ledger = Ledger()
    asyncio.run(ledger.store.commit(Unit(entries=(Draft(AT, Kind.CONFIGURATION, "operator:test"),) * 1100)))
    newest, oldest = ledger.shown(count=1000), ledger.shown(count=1000, after=-1)
    assert (newest[0], newest[-1], oldest[0], oldest[-1]) == (100, 1099, 0, 999)
    assert all(one + 1 == other for row in (newest, oldest) for one, other in pairwise(row))


def test_bytes_are_shown_as_hexadecimal_digits():
    (row,) = Ledger(1).ask("show")["result"]
    assert (row["details"], row["thing"], row["cause"], row["kind"]) == ({"key": "0102"}, ONE, "0", "refusal")


@pytest.mark.parametrize(("entries", "index"), [(3, 3), (3, -1), (3, 1 << 70), (0, 0)])
def test_nothing_is_proved_that_is_not_there(entries, index):
    assert Ledger(entries).why_not("proof", index=index).startswith(f"the ledger has {entries} entries, none of number")


@pytest.mark.requirement("R-02")
@pytest.mark.spec("RFC 9942 5.2.1")
def test_a_proof_convinces_who_has_the_key_and_the_leaf():
    ledger = Ledger(7)
    proof = ledger.ask("proof", index=4)["result"]
    assert proof["size"] == 7
    assert proof["entry"]["cause"] == "4"
    signed = base64.b64decode(proof["receipt"]), base64.b64decode(proof["leaf"])
    accept = frozenset({AlgorithmId.ESP256})
    assert receipt.authenticate(*signed, public=KEY.public, accept=accept).entry == signed[1]
    with pytest.raises(AuthenticationError):
        receipt.authenticate(signed[0], next(ledger.store.leaves(3, 4)), public=KEY.public, accept=accept)


def test_before_the_first_head_nothing_is_signed():
    shown = Ledger(3).ask("head")["result"]
    assert (shown["entries"], shown["signed"], shown["at"], shown["root"]) == (3, 0, None, "")


def test_the_newest_head_is_told_beside_what_came_since():
    ledger = Ledger(3)
    ledger.seal()
    ledger.add(Draft(AT, Kind.CONFIGURATION, "operator:test"))
    shown = ledger.ask("head")["result"]
    assert (shown["entries"], shown["signed"]) == (4, 3)
    newest = ledger.notary.newest_head()
    assert newest is not None
    assert shown["root"] == head.authenticate(newest.encoded, KEY.public, domain="home").head.root.hex()
