"""What the owner wrote, taken up anew by a domain that runs: the files stay the source of truth."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Protocol

from thingstead.clock import Clock
from thingstead.controller.admission import Admission
from thingstead.controller.software_engine import RemoteTracker
from thingstead.crypto.digest import digest
from thingstead.domain import anchor as anchor_file
from thingstead.domain.anchor import TrustAnchor, dropped_steps
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.peer_policy import PeerRule
from thingstead.domain.policy import OwnerPolicy
from thingstead.domain.ports import Committer
from thingstead.domain.register import Register
from thingstead.domain.unit import Unit
from thingstead.errors import ConfigError
from thingstead.planes.identity.registrar import Registrar
from thingstead.planes.software.campaigns import Campaigns
from thingstead.planes.software.migration import Migrations
from thingstead.planes.software.status_tracker import StatusTracker
from thingstead.storage.policy_file import parse_policy

__all__ = ["Owner", "OwnerFiles", "PolicyReport", "TrustReport", "Trusted"]

_ACTOR = "owner"
_AT_ONCE = ("peers", "plan", "release", "vulnerability", "crypto", "response")
"""Parts of the policy, beside the join's rules, that are taken up while the domain runs."""


class OwnerFiles(Protocol):
    """Where the owner writes."""

    def settings_text(self) -> str:
        """The settings, as they are written."""
        ...

    def policy_text(self) -> str:
        """The policy, as it is written."""
        ...

    def operators_text(self) -> str:
        """Who may ask beside the owner, as it is written; empty where nothing is.

        Raises:
            ConfigError: it cannot be read.
        """
        ...

    def anchors(self) -> tuple[TrustAnchor, ...]:
        """The makers that are trusted.

        Raises:
            ConfigError: a file that is no anchor, naming it.
        """
        ...


@dataclass(slots=True)
class Trusted:
    """The makers trusted at this moment, for whoever asks each time; changed by `Owner` alone."""

    anchors: tuple[TrustAnchor, ...]


@dataclass(frozen=True, slots=True)
class TrustReport:
    """What came of looking at the anchors again.

    Attributes:
        makers: who is trusted now.
        added: of them, those that were not, or had other keys.
        removed: who is trusted no more.
        staying: things of makers that are trusted no more; they stay in until somebody puts them out.
        dropped: makers whose things were on their way to other update keys, of which their anchor knows nothing now.
    """

    makers: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    staying: tuple[str, ...]
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """What came of reading the policy again.

    Attributes:
        rules: how many there are now.
        scopes: names of the rights that they give.
        approve_each: whether each thing waits for a person.
        changed: whether anything is other than before.
    """

    rules: int
    scopes: tuple[str, ...]
    approve_each: bool
    changed: bool


class Owner:
    """Reads the owner's files while the domain runs; what cannot be read changes nothing.

    Args:
        files: where they are.
        policy: as in force.
        trusted: as in force.
        registrar: who asks for a maker at a join.
        software: who asks for a maker's release keys.
        migrations: who takes makers' steps to other release keys.
        admission: who asks the policy.
        register: things that are here.
        store: where the change is put on the ledger.
        clock: for UTC.
        make_groups: makes the groups that a policy names.
        campaigns: who go by its plan where a release has none.
    """

    def __init__(
        self,
        files: OwnerFiles,
        policy: OwnerPolicy,
        trusted: Trusted,
        *,
        registrar: Registrar,
        software: StatusTracker | RemoteTracker,
        migrations: Migrations,
        admission: Admission,
        register: Register,
        store: Committer,
        clock: Clock,
        make_groups: Callable[[OwnerPolicy], Awaitable[None]],
        campaigns: Campaigns,
    ) -> None:
        self._files = files
        self._policy = policy
        self._trusted = trusted
        self._registrar = registrar
        self._software = software
        self._migrations = migrations
        self._admission = admission
        self._register = register
        self._store = store
        self._clock = clock
        self._make_groups = make_groups
        self._campaigns = campaigns
        campaigns.default = policy.plan

    @property
    def peers(self) -> tuple[PeerRule, ...]:
        """What things may do at each other, as in force."""
        return self._policy.peers

    @property
    def policy(self) -> OwnerPolicy:
        """All of it, as in force."""
        return self._policy

    @property
    def anchors(self) -> tuple[TrustAnchor, ...]:
        """The makers that are trusted, as in force."""
        return self._trusted.anchors

    async def reload_trust(self) -> TrustReport:
        """Trust the makers that have an anchor now, and no other; what joined before stays where it is.

        Raises:
            ConfigError: a file that is no anchor; nothing changed.
            StorageError: the change could not be put on the ledger; nothing changed.
        """
        anchors = self._migrations.overlay(self._files.anchors())
        before = {one.maker: one for one in self._trusted.anchors}
        after = {one.maker: one for one in anchors}
        added = tuple([maker for maker in after if after[maker] != before.get(maker)])
        removed = tuple([maker for maker in before if maker not in after])
        ended = {maker: dropped_steps(after[maker], before[maker]) for maker in before if maker in after}
        steps = {maker: number for maker, number in ended.items() if number}
        if added or removed:
            details: dict[str, Detail] = {maker: digest(anchor_file.encode(after[maker])) for maker in added}
            await self._note("trust", details | dict.fromkeys(removed))
            if steps:
                await self._note("update-keys-dropped", dict(steps))
            self._trusted.anchors = anchors
            self._registrar.trust({one.maker: one.identity_key for one in anchors})
            self._software.trust(anchors)
            self._migrations.trust(anchors)
        staying = tuple([thing.id for thing in self._register.things() if thing.maker not in after])
        return TrustReport(tuple(after), added, removed, staying, tuple(steps))

    async def reload_policy(self) -> PolicyReport:
        """Decide joins and releases by what is written now; rights given before stay as they were given.

        Raises:
            ConfigError: it cannot be read, or something else in it changed; nothing changed.
            StorageError: the change could not be put on the ledger; nothing changed.
        """
        text = self._files.policy_text()
        policy = parse_policy(text)
        join = policy.join
        before = replace(self._policy.join, profile=join.profile)
        free = {name: getattr(self._policy, name) for name in _AT_ONCE}
        if replace(policy, join=before, **free) != self._policy:
            raise ConfigError("the policy's profile, granted or series changed: they are taken up at the next start")
        changed = policy != self._policy
        if changed:
            await self._note("policy", {"sha256": digest(text.encode()), "rules": len(join.rules)})
            self._policy = policy
            self._admission.apply(policy)
            self._campaigns.default = policy.plan
            await self._make_groups(policy)
        return PolicyReport(len(join.rules), tuple(sorted(join.scopes)), join.approve_each, changed)

    async def _note(self, cause: str, details: dict[str, Detail]) -> None:
        entry = Draft(self._clock.utc(), Kind.CONFIGURATION, _ACTOR, None, cause, details)
        await self._store.commit(Unit(entries=(entry,)))
