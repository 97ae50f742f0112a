"""Every secret that anybody in a demo holds, gathered for one purpose: to search the traffic for them (R-24)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from thingstead.agent.program import KEYS
from thingstead.crypto.keystore import FileKeyStore
from thingstead.secret import Secret
from thingstead.simulator.key_log import associations
from thingstead.simulator.scenery import Scenery

__all__ = ["secrets_of"]


def secrets_of(scenery: Scenery) -> dict[str, Secret]:
    """Private keys of domain, makers and things, and the master secrets of all associations, by name.

    Raises:
        StorageError: a store cannot be read.
    """
    stores = [("domain", scenery.domain.keys)]
    stores += [(f"maker {name}", maker.root / "keys") for name, maker in scenery.makers.items()]
    stores += [(thing.serial, thing.home / KEYS) for thing in scenery.things]
    found = {name: secret for owner, path in stores for name, secret in _keys(owner, path)}
    for thing in scenery.things:
        for association in associations([thing.home]):
            found[f"{thing.serial}: OSCORE master secret"] = association.master_secret
    return found


def _keys(owner: str, directory: Path) -> Iterator[tuple[str, Secret]]:
    store = FileKeyStore(directory)
    for name in sorted(store.ids()):
        yield f"{owner}: key {name}", store.handle(name).private_bytes()
