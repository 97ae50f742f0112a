import asyncio
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT
from thingstead.controller.notary import Notary
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger import entry, head
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.ledger.head import TreeHead
from thingstead.domain.ledger.refusal import RefusalCounter
from thingstead.domain.unit import Unit
from thingstead.errors import AuthenticationError, StorageError
from thingstead.protocols.receipts import receipt
from thingstead.storage.memory import MemoryStore

_KEY = generate(KeyType.P256)
_ENTRY = Unit(entries=(Draft(AT, Kind.CONFIGURATION, "operator:anna"),))


class _Keeper:
    """Keeps every head it was given."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    def load(self) -> bytes | None:
        return self.heads[-1] if self.heads else None

    async def keep(self, signed: bytes) -> None:
        self.heads.append(signed)


def _notary(store: MemoryStore, keeper: _Keeper, key: Any = _KEY) -> Notary:
    return Notary(store, keeper, key=key, domain="home", clock=JumpingClock())


def _sealed(entries: int) -> tuple[MemoryStore, _Keeper]:
    store, keeper = MemoryStore(), _Keeper()

    async def run():
        notary = _notary(store, keeper)
        for _ in range(entries):
            await store.commit(_ENTRY)
        await notary.seal()

    asyncio.run(run())
    return store, keeper


@pytest.mark.requirement("R-02")
def test_a_head_covers_all_that_is_on_disk_and_is_kept_outside():
    _, keeper = _sealed(5)
    signed = head.authenticate(keeper.heads[-1], _KEY.public, domain="home").head
    assert (signed.size, signed.at) == (5, AT)


def test_nothing_new_is_not_signed_again():
    store, keeper = _sealed(3)

    async def run():
        notary = _notary(store, keeper)
        assert (notary.size, notary.sealed) == (3, 3)
        assert await notary.seal() is None
        await store.commit(_ENTRY)
        assert await notary.seal() is not None
        assert (notary.size, notary.sealed) == (4, 4)

    asyncio.run(run())
    assert len(keeper.heads) == 2


@pytest.mark.requirement("R-02")
def test_a_ledger_shorter_than_its_head_is_not_gone_on_with():
    _, keeper = _sealed(3)
    with pytest.raises(StorageError, match="has 0 entries; a head was signed over 3"):
        _notary(MemoryStore(), keeper)


@pytest.mark.requirement("R-02")
def test_another_ledger_than_the_one_signed_is_not_gone_on_with():
    store, keeper = _sealed(3)
    keeper.heads.append(head.sign(TreeHead(2, bytes(32), AT, "home"), _KEY))
    with pytest.raises(StorageError, match="not those that were signed"):
        _notary(store, keeper)


def test_a_head_of_another_key_is_not_gone_on_with():
    store, keeper = _sealed(3)
    with pytest.raises(AuthenticationError):
        _notary(store, keeper, generate(KeyType.P256))


@pytest.mark.spec("RFC 9942 5.2.1")
def test_every_entry_has_a_receipt_that_holds_for_it_alone():
    store, keeper = _sealed(6)
    notary = _notary(store, keeper)
    leaves = list(store.leaves())
    accept = frozenset({int(AlgorithmId.ESP256)})
    for index, leaf in enumerate(leaves):
        proven = receipt.authenticate(notary.receipt(index), leaf, public=_KEY.public, accept=accept)
        assert proven.proof.index == index
        with pytest.raises(AuthenticationError):
            receipt.authenticate(notary.receipt(index), leaves[index - 1], public=_KEY.public, accept=accept)


def test_refusals_are_written_down_when_their_minute_has_ended_and_the_rest_at_the_end():
    async def run():
        store, keeper, clock, refusals = MemoryStore(), _Keeper(), JumpingClock(), RefusalCounter()
        notary = Notary(store, keeper, key=_KEY, domain="home", clock=clock, refusals=refusals)
        sizes = []

        async def wait(seconds):
            sizes.append(notary.size)
            if len(sizes) == 4:
                raise asyncio.CancelledError
            refusals.count("replay", at=clock.utc(), source="192.0.2.1")
            await clock.wait(seconds)

        with pytest.raises(asyncio.CancelledError):
            await notary.run(30.0, wait=wait)
        await notary.close()
        return sizes, notary.size, notary.sealed, [entry.decode(leaf) for leaf in store.leaves()]

    sizes, size, sealed, entries = asyncio.run(run())
    assert (sizes, size, sealed) == ([0, 0, 1, 1], 2, 2)
    assert [(one.kind, one.details["count"]) for one in entries] == [(Kind.REFUSAL, 2), (Kind.REFUSAL, 1)]


def test_it_seals_as_long_as_it_runs():
    async def run():
        store, keeper, clock = MemoryStore(), _Keeper(), JumpingClock()
        notary = Notary(store, keeper, key=_KEY, domain="home", clock=clock)

        async def wait(seconds):
            if len(keeper.heads) == 3:
                raise asyncio.CancelledError
            await store.commit(_ENTRY)
            await clock.wait(seconds)

        with pytest.raises(asyncio.CancelledError):
            await notary.run(2.0, wait=wait)
        return clock.seconds

    assert asyncio.run(run()) == 6.0


@pytest.mark.parametrize("slow", ["commit", "keep"])
def test_a_notary_that_is_cancelled_while_it_seals_leaves_no_task_and_seals_at_the_end(slow):
    async def run():
        store, keeper, gate, reached = MemoryStore(), _Keeper(), asyncio.Event(), asyncio.Event()
        commit, keep = store.commit, keeper.keep

        async def wait_first(call, argument):
            reached.set()
            await gate.wait()
            return await call(argument)

        notary = _notary(store, keeper)
        await commit(_ENTRY)
        patched: Any = store if slow == "commit" else keeper
        setattr(patched, slow, lambda argument: wait_first(commit if slow == "commit" else keep, argument))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(notary.run(0.0))
            await reached.wait()
            running.cancel()
        gate.set()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await notary.close()
        return notary.sealed, head.authenticate(keeper.heads[-1], _KEY.public, domain="home").head.size

    assert asyncio.run(run()) == (1, 1)
