"""The operation that writes a backup: what each plane says must be kept, what the owner wrote, and the ledger."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from thingstead.clock import Clock
from thingstead.controller import backup as backup_file
from thingstead.controller.backup import Backup
from thingstead.controller.directory import KEYS
from thingstead.controller.installers import DELEGATES
from thingstead.controller.notary import Notary
from thingstead.controller.operation import Operation
from thingstead.controller.owner import OwnerFiles
from thingstead.crypto.keystore import KeyStore
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import Plane
from thingstead.domain.ports import Store
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.domain.unit import Unit
from thingstead.errors import ConfigError
from thingstead.identifier import KeyId
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.delegation import VerifiedDelegation
from thingstead.storage.directory import write_whole

__all__ = ["BackUp", "rows"]

_ACTOR = "owner"


@dataclass(frozen=True, slots=True)
class BackUp:
    """Where to.

    Attributes:
        path: absolute path of a file that is not there yet.
    """

    path: str


def rows(
    planes: Iterable[Plane],
    register: Register,
    *,
    files: OwnerFiles,
    keys: KeyStore,
    store: Store,
    notary: Notary,
    delegations: Callable[[], Iterable[VerifiedDelegation]],
    domain: str,
    clock: Clock,
) -> tuple[Operation[Any], ...]:
    """The table."""
    everyone = tuple(planes)

    def taken() -> Backup:
        return Backup(
            domain=domain,
            at=clock.utc(),
            settings=files.settings_text(),
            policy=files.policy_text(),
            anchors=files.anchors(),
            keys={name: cose_key.thumbprint(keys.handle(KeyId(name)).public) for name in _names(keys)},
            things=tuple(register.things()),
            planes={plane.name: plane.snapshot() for plane in everyone},
            leaves=(),
            operators=files.operators_text(),
            delegations=tuple([one.encoded for one in delegations()]),
        )

    def written(path: Path, backup: Backup, size: int) -> int:
        whole = replace(backup, leaves=tuple(store.leaves(0, size)))
        data = backup_file.sign(whole, keys.handle(KeyId("ledger")))
        write_whole(path, data)
        return len(data)

    async def back_up(request: BackUp) -> dict[str, Any]:
        path = _new(request.path)
        # On the ledger first: whoever restores this one finds in it that it was made.
        entry = Draft(clock.utc(), Kind.DISCLOSURE, _ACTOR, None, "backup")
        await store.commit(Unit(entries=(entry,)))
        # In one step of the event loop, so that records and the length of the ledger are of the same instant.
        backup, size = taken(), notary.size
        data = await asyncio.to_thread(written, path, backup, size)
        return {
            "path": request.path,
            "bytes": data,
            "things": len(backup.things),
            "entries": size,
            **{plane.value: len(documents) for plane, documents in backup.planes.items()},
        }

    return (
        Operation("backup", BackUp, Right.OWN, "write what a restore needs, keys excepted, into a new file", back_up),
    )


def _names(keys: KeyStore) -> set[str]:
    """The keys that a domain has, and the one that delegations are signed with where there is one."""
    return {*KEYS, *({DELEGATES} & keys.ids())}


def _new(name: str) -> Path:
    path = Path(name)
    if not path.is_absolute():
        raise ConfigError(f"expected the absolute path of a new file, got {name!r}")
    # Before it is on the ledger that there is one; with `up --separate` the domain is not who asks.
    if os.access(path.parent, os.F_OK) != os.access(path.parent, os.W_OK | os.X_OK):
        raise ConfigError(
            f"user {os.geteuid()}, whom the domain runs as, may not write in {path.parent}; name a place in its own"
        )
    if os.access(path, os.F_OK):
        raise ConfigError(f"{path} is there already; a backup writes over nothing")
    return path
