"""What a domain takes up from a backup, so that nothing that ended comes back with it (ADR 0013).

No association returns, so every thing joins again; the planes are asked anew for what each thing's state demands; the
ledger begins with the entries that it had, and then says where it comes from.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from thingstead.controller.backup import AuthenticBackup
from thingstead.controller.controller import Controller
from thingstead.controller.revocation import AuthenticRevocations
from thingstead.domain import lifecycle
from thingstead.domain.ledger import entry as leaf
from thingstead.domain.ledger import head as tree_head
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.ledger.tree import MerkleTree
from thingstead.domain.lifecycle import TRANSITIONS, Cause
from thingstead.domain.plane import OBLIGATIONS, Obligation
from thingstead.domain.thing import Thing
from thingstead.domain.unit import Unit
from thingstead.errors import DecodeError, StorageError
from thingstead.identifier import ThingId
from thingstead.protocols.cose import key as cose_key

__all__ = ["has_to_join", "newer_entries", "take_up", "why_held"]

_ACTOR = "restore"
_CHUNK = 512


def newer_entries(backup: AuthenticBackup, head: bytes | None) -> int | None:
    """How many entries were signed since the backup; None where no head says.

    Raises:
        SecurityError, ProtocolError: the head is not of the key that signed the backup, or of another domain.
        StorageError: the head is over other entries than the backup has.
    """
    if head is None:
        return None
    signed = tree_head.authenticate(head, backup.signer, domain=backup.backup.domain).head
    known = backup.backup.leaves[: signed.size]
    tree = MerkleTree(lambda start, stop: known[start:stop])
    for one in known:
        tree.append(one)
    if tree.size == signed.size and tree.root() != signed.root:
        raise StorageError(f"the first {signed.size} ledger entries of the backup are not those that the head is over")
    return signed.size - tree.size


def why_held(backup: AuthenticBackup, newer: int | None, revoked: AuthenticRevocations | None) -> str:
    """Why each thing has to wait for a person; empty where nothing that was taken away can come back.

    Args:
        backup: what it was.
        newer: see `newer_entries`.
        revoked: what the second place says was taken away; None if it says nothing.
    """
    if newer == 0:
        return ""
    if newer is None:
        return "no head says whether anything was decided after this backup"
    if revoked is None:
        return "nothing in a second place says what was taken away after this backup"
    if revoked.revocations.decided > len(backup.backup.leaves):
        return "rules, makers, members of groups or data were changed after this backup"
    return ""


async def take_up(
    controller: Controller, backup: AuthenticBackup, newer: int | None, revoked: AuthenticRevocations | None = None
) -> None:
    """Fill a domain that is empty, and serves nobody yet, with what a backup holds less what was revoked since.

    Args:
        controller: composed over an empty store.
        backup: what it was.
        newer: see `newer_entries`; for the ledger.
        revoked: what the second place says was taken away.

    Raises:
        DecodeError: the ledger in the backup is not one.
        SecurityError, ProtocolError: a plane refuses what it should take up.
        StorageError: the disk does not keep it.
    """
    saved, store = backup.backup, controller.foundation.store
    for start in range(0, len(saved.leaves), _CHUNK):
        chunk = saved.leaves[start : start + _CHUNK]
        entries = await store.commit(Unit(entries=tuple([_draft(one) for one in chunk])))
        if tuple([leaf.encode(one) for one in entries]) != chunk:
            raise DecodeError(f"the ledger in the backup has an entry out of place behind {start}")
    epoch = 1 + (sum(_is_restore(one) for one in saved.leaves) if revoked is None else revoked.revocations.epoch)
    await controller.second_place.begin(epoch)
    details: dict[str, Detail] = {
        "backup": backup.digest,
        "epoch": epoch,
        "entries": len(saved.leaves),
        "newer": newer,
        "ledger_key": cose_key.thumbprint(backup.signer),
    }
    at = controller.foundation.clock.utc()
    await store.commit(Unit(entries=(Draft(at, Kind.CONFIGURATION, _ACTOR, None, "restored", details),)))
    for plane in controller.planes:
        await plane.restore(saved.planes[plane.name])
    if newer == 0 or (newer is not None and revoked is not None):
        # Where nobody knows what was ended since, nobody is an installer by a backup.
        ended = () if revoked is None else revoked.revocations.delegations
        await controller.people.installers.restore(saved.delegations, ended=ended)
        await controller.admission.room.recall(_let_in(saved.leaves))
    things = _things(saved.things, () if revoked is None else revoked.revocations.things)
    for start in range(0, len(things), _CHUNK):
        # Together: the store writes what waits at one time in one go.
        await asyncio.gather(*[store.commit(_unit(thing, at)) for thing in things[start : start + _CHUNK]])


def has_to_join(thing: Thing) -> bool:
    """Whether the thing is in, and so has to come in again."""
    return (thing.state, Cause.RE_BOOTSTRAP_REQUIRED) in TRANSITIONS


def _things(saved: Iterable[Thing], revoked: Iterable[Thing]) -> tuple[Thing, ...]:
    """Each as it was last, those also that joined and were taken away after the backup."""
    newest = {thing.id: thing for thing in saved}
    for thing in revoked:
        if thing.id not in newest or newest[thing.id].version <= thing.version:
            newest[thing.id] = thing
    return tuple(newest.values())


def _let_in(leaves: Iterable[bytes]) -> set[tuple[bytes, ThingId]]:
    """By which delegations which things were let in, as the ledger has it."""
    found: set[tuple[bytes, ThingId]] = set()
    for one in map(leaf.decode, leaves):
        if one.kind is not Kind.APPROVAL or one.thing is None:
            continue
        name = one.details.get("delegation")
        if one.cause == "undone":
            found = {kept for kept in found if kept[1] != one.thing}
        elif isinstance(name, bytes):
            found.add((name, one.thing))
    return found


def _is_restore(one: bytes) -> bool:
    read = leaf.decode(one)
    return read.kind is Kind.CONFIGURATION and read.actor == _ACTOR


def _draft(one: bytes) -> Draft:
    read = leaf.decode(one)
    return Draft(read.at, read.kind, read.actor, read.thing, read.cause, read.details)


def _unit(thing: Thing, at: datetime) -> Unit:
    """The thing without what it had: it has to join again, and each plane owes anew what its state demands."""
    after = thing
    entries: tuple[Draft, ...] = ()
    if has_to_join(thing):
        cause = Cause.RE_BOOTSTRAP_REQUIRED
        after = thing.evolve(state=lifecycle.advance(thing.state, cause))
        details: dict[str, Detail] = {"version": after.version, "from": thing.state.value, "to": after.state.value}
        entries = (Draft(at, Kind.TRANSITION, _ACTOR, thing.id, cause.value, details),)
    demands = OBLIGATIONS[after.state, after.restriction]
    opened = tuple(
        [
            Obligation(after.transition_id, thing.id, plane, demand, "restored", at)
            for plane, demand in demands.items()
            if demand is not None
        ]
    )
    return Unit(things=tuple(_versions(thing, after)), entries=entries, opened=opened)


def _versions(thing: Thing, after: Thing) -> Iterator[Thing]:
    """A store takes a record from its first version on; the ones before this one are seen by nobody."""
    for version in range(1, thing.version + 1):
        yield replace(thing, version=version)
    if after is not thing:
        yield after
