"""A domain that nobody serves: its controller over its files, which enforces nothing and asks nobody."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from pathlib import Path

from thingstead.analysis.image_scan import Finding
from thingstead.clock import Clock
from thingstead.controller.composition import compose
from thingstead.controller.config import ControllerConfig
from thingstead.controller.directory import REVOKED, DomainDirectory
from thingstead.controller.foundation import Foundation
from thingstead.controller.network import fetcher, resolver
from thingstead.domain.plane import Expiry
from thingstead.domain.ports import Store
from thingstead.enforcement.dry_run import DryRun
from thingstead.enforcement.neighbour import NeighbourTable
from thingstead.storage.head_file import HeadFile
from thingstead.storage.policy_file import parse_policy
from thingstead.storage.sqlite import SqliteStore

__all__ = ["at_rest", "expiries_at_rest"]


def at_rest(
    directory: DomainDirectory, config: ControllerConfig, *, store: Store, heads: Path, clock: Clock
) -> Foundation:
    """What a controller stands on that serves nobody; `heads` is its head outside.

    Raises:
        ConfigError: the policy or an anchor cannot be read.
    """
    alone = replace(config.network, offline=True, mud_ca="")
    return Foundation(
        config=config,
        files=directory,
        policy=parse_policy(directory.policy_text()),
        anchors=directory.anchors(),
        keys=directory.key_store(),
        store=store,
        heads=HeadFile(heads),
        revocations=HeadFile(heads.with_suffix(REVOKED)),
        enforcement=DryRun("nobody serves this domain"),
        fetcher=fetcher(alone, root=directory.root),
        resolver=resolver(alone),
        segment=NeighbourTable(),
        scan_image=_nothing,
        clock=clock,
        random_bytes=secrets.token_bytes,
    )


async def expiries_at_rest(directory: DomainDirectory, clock: Clock) -> list[Expiry]:
    """Everything that the planes of a stopped domain watch.

    Raises:
        ConfigError: no domain is here, a controller runs on it, or its settings are wrong.
        StorageError: the data cannot be read, or the ledger is not what its head says.
    """
    config = directory.load()
    heads = directory.heads(config)
    store = SqliteStore(directory.root)
    try:
        # A group that nobody enters: nothing that is deferred begins here.
        controller = compose(at_rest(directory, config, store=store, heads=heads, clock=clock), asyncio.TaskGroup())
        controller.remember()
        return controller.overview.expiries()
    finally:
        await store.close()


async def _nothing(_image: bytes) -> list[Finding]:
    return []
