"""A domain's directory begun again from a backup: built beside its place, and moved there whole (ADR 0013).

The ledger goes on under a key of its own, and so do tokens: none of before counts with a thing that has joined again,
whatever was revoked since. Where the head kept outside does not show that nothing was decided since, each thing waits
for a person.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from thingstead.clock import Clock
from thingstead.controller import config as configuration
from thingstead.controller import revocation
from thingstead.controller.at_rest import at_rest
from thingstead.controller.backup import AuthenticBackup, Backup
from thingstead.controller.composition import compose
from thingstead.controller.config import ControllerConfig
from thingstead.controller.directory import KEYS, REVOKED, DomainDirectory
from thingstead.controller.installers import DELEGATES
from thingstead.controller.restoration import has_to_join, newer_entries, take_up, why_held
from thingstead.controller.revocation import AuthenticRevocations
from thingstead.crypto.key import PublicKey
from thingstead.crypto.keystore import FileKeyStore
from thingstead.errors import ConfigError
from thingstead.identifier import KeyId
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.storage.directory import private_directory, write_whole
from thingstead.storage.head_file import HeadFile
from thingstead.storage.policy_file import parse_policy
from thingstead.storage.sqlite import SqliteStore

__all__ = ["RENEWED", "Restored", "finish", "ledger_key", "restore"]

RENEWED = frozenset({"access", "ledger"})
"""Two ledgers, or two lists of what was revoked, must not stand under one key: no backup knows of every token."""

_HEAD = "first.head"
_TO_COMPARE = ".of-backup"
_APPROVE_EACH = """\
# Written by a restore: more may have been decided than the backup knows. Take it out when you are sure.
approve_each = true

"""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it.

    Attributes:
        directory: where the domain is.
        domain: its name.
        backup_of: the instant that it goes on from.
        things: how many are known.
        to_join: of them, those that have to join again.
        entries: of the ledger, taken over.
        newer: entries that were signed after the backup and are lost; None where no head says.
        revoked: things that the second place says have left or are held back.
        why_held: why each thing waits for a person now; empty where none waits by that.
        approve_each: whether each thing waits for a person now.
        operators: the file `operators` is as it was; else it lies beside, for the owner to look through.
        installers: how many delegations to installers count.
        kept: where the head and key of the ledger before are kept; empty where there were none.
    """

    directory: str
    domain: str
    backup_of: datetime
    things: int
    to_join: int
    entries: int
    newer: int | None
    revoked: int
    why_held: str
    approve_each: bool
    operators: bool
    installers: int
    kept: str


def ledger_key(keys: Path) -> PublicKey:
    """The key that a backup of the domain with these keys is signed with.

    Raises:
        ConfigError: no such directory.
        StorageError: it has no ledger key, or others can read it.
    """
    if not keys.is_dir():
        raise ConfigError(f"expected the directory with the domain's keys at {keys}: a backup holds none")
    return FileKeyStore(keys).handle(KeyId("ledger")).public


async def restore(
    backup: AuthenticBackup, directory: DomainDirectory, *, keys: Path, head: Path | None, clock: Clock
) -> Restored:
    """Begin a domain again in a directory that is empty or not there; whatever fails leaves it so.

    Args:
        backup: what it was.
        directory: where it shall be.
        keys: the key directory of the domain that it was; those of ledger and access are not taken from there.
        head: the newest signed head in the second place, beside which is what was revoked; None for the one where
            the settings say, if there is one.
        clock: both times.

    Raises:
        ConfigError: the directory is not empty, the settings or policy of the backup cannot be obeyed here, or the
            keys are not those of the backup.
        SecurityError, ProtocolError: what is in the second place is another ledger's, or a plane refuses what it
            should take up.
        StorageError: the head contradicts the ledger of the backup, or the disk does not keep what it should.
    """
    saved = backup.backup
    if directory.root.exists() and (not directory.root.is_dir() or any(directory.root.iterdir())):
        raise ConfigError(f"expected {directory.root} to be empty or not there; a restore writes over nothing")
    config = configuration.parse(saved.settings, name="the settings in the backup")
    outside = directory.heads(config)
    second = outside if head is None else head
    newer = newer_entries(backup, HeadFile(second).load())
    revoked = _revoked(HeadFile(second.with_suffix(REVOKED)).load(), backup)
    reason, policy = why_held(backup, newer, revoked), saved.policy
    if reason and not parse_policy(policy).join.approve_each:
        policy = _APPROVE_EACH + policy
    directory.root.parent.mkdir(parents=True, exist_ok=True)
    staging = DomainDirectory(Path(tempfile.mkdtemp(prefix=f".{directory.root.name}.", dir=directory.root.parent)))
    try:
        _lay_out(staging, saved, policy, keys)
        if saved.operators:
            # A line that was taken out since must not come back by itself: that was a decision, on the ledger.
            write_whole(staging.operators.with_suffix(_TO_COMPARE if reason else ""), saved.operators.encode())
        installers = await _fill(staging, backup, config, newer, revoked, clock)
        staging.root.rename(directory.root)
    except BaseException:
        shutil.rmtree(staging.root, ignore_errors=True)
        raise
    # From here on the domain is there: what is left for the second place, its next start gives it too.
    kept = finish(directory, outside, clock)
    return Restored(
        directory=str(directory.root),
        domain=saved.domain,
        backup_of=saved.at,
        things=len(saved.things),
        to_join=sum(has_to_join(thing) for thing in saved.things),
        entries=len(saved.leaves),
        newer=newer,
        revoked=0 if revoked is None else len(revoked.revocations.things),
        why_held=reason,
        approve_each=parse_policy(policy).join.approve_each,
        operators=not (reason and saved.operators),
        installers=installers,
        kept=kept,
    )


def finish(directory: DomainDirectory, outside: Path, clock: Clock) -> str:
    """Give the second place the new ledger key, head and revocations, where a restore has left them to be given.

    What lay there is evidence, and kept under another name.

    Args:
        directory: of the domain.
        outside: the head in its second place.
        clock: for UTC.

    Returns:
        where the head of before is; empty if there was none, or nothing was left to do.

    Raises:
        StorageError: the second place does not take it; it is left to be given.
    """
    first = directory.root / _HEAD
    if not first.exists():
        return ""
    private_directory(outside.parent)
    kept = outside.with_name(f"{outside.stem}-until-{clock.utc():%Y%m%dT%H%M%SZ}.head")
    new = {
        ".key": codec.encode(cose_key.public_map(directory.public("ledger"))),
        REVOKED: _read(first.with_suffix(REVOKED), outside.with_suffix(REVOKED)),
        ".head": first.read_bytes(),
    }
    for suffix, data in new.items():
        before = outside.with_suffix(suffix)
        if before.exists() and before.read_bytes() != data:
            write_whole(kept.with_suffix(suffix), before.read_bytes())
    for suffix, data in new.items():
        write_whole(outside.with_suffix(suffix), data)
    # The head last: while it is here, all of it is given again.
    first.with_suffix(REVOKED).unlink(missing_ok=True)
    first.unlink()
    return str(kept) if kept.exists() else ""


def _revoked(kept: bytes | None, backup: AuthenticBackup) -> AuthenticRevocations | None:
    return None if kept is None else revocation.authenticate(kept, backup.signer, domain=backup.backup.domain)


def _lay_out(staging: DomainDirectory, saved: Backup, policy: str, keys: Path) -> None:
    for path in (staging.keys, staging.trust, staging.releases):
        private_directory(path)
    old, store = FileKeyStore(keys), FileKeyStore(staging.keys)
    for name in KEYS:
        if cose_key.thumbprint(old.handle(KeyId(name)).public) != saved.keys.get(name):
            raise ConfigError(f"the key {name} in {keys} is not the one that the domain had")
        if name in RENEWED:
            store.create(KeyId(name), KEYS[name])
        else:
            write_whole(staging.keys / name, (keys / name).read_bytes())
    if DELEGATES in saved.keys and (keys / DELEGATES).exists():
        if cose_key.thumbprint(old.handle(DELEGATES).public) != saved.keys[DELEGATES]:
            raise ConfigError(f"the key {DELEGATES} in {keys} is not the one that the domain had")
        write_whole(staging.keys / DELEGATES, (keys / DELEGATES).read_bytes())
    for anchor in saved.anchors:
        staging.trust_maker(anchor)
    write_whole(staging.policy, policy.encode())
    write_whole(staging.configuration, saved.settings.encode())


async def _fill(
    staging: DomainDirectory,
    backup: AuthenticBackup,
    config: ControllerConfig,
    newer: int | None,
    revoked: AuthenticRevocations | None,
    clock: Clock,
) -> int:
    """Have the planes take up what they kept; what goes to the second place stands in the staging directory then."""
    store = SqliteStore(staging.root)
    try:
        # A group that nobody enters: nothing that is deferred begins here.
        still = at_rest(staging, config, store=store, heads=staging.root / _HEAD, clock=clock)
        controller = compose(still, asyncio.TaskGroup())
        await take_up(controller, backup, newer, revoked)
        await controller.second_place.settle()
        await controller.notary.seal()
        return len(list(controller.people.installers))
    finally:
        await store.close()


def _read(first: Path, given: Path) -> bytes:
    """What is to be given, or was already by somebody who came no further."""
    return (first if first.exists() else given).read_bytes()
