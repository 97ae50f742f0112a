"""The groups as they are on disk: every step is durable first, then told where messages come in."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from thingstead.clock import Clock
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.ports import Records
from thingstead.errors import ConfigError
from thingstead.identifier import ThingId
from thingstead.planes.groups import record as group_record
from thingstead.planes.groups.record import GroupRecord
from thingstead.planes.groups.roster import MemberRecord, Rosters
from thingstead.protocols.ace.groupcomm import GroupKeys, Peer
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.ace.groupcomm_rekey import Rekeying

__all__ = ["DOMAIN_ROLES", "Keeper", "Step"]

DOMAIN_ROLES = Role.REQUESTER | Role.RESPONDER

_ACTOR = "plane:groups"
_GROUP = "group/"
_REMEMBERED = 64
"""Changes of a group, by which members that were in it before are told of no more than these."""

Step = Callable[[GroupRecord], GroupRecord]
"""From a record to the next, without effects; the same record is no step."""


@dataclass(frozen=True, slots=True)
class _Change:
    """Who came and went with the epoch after `base`, by Sender ID; no keys."""

    base: int
    came: frozenset[bytes]
    gone: frozenset[bytes]

    @classmethod
    def between(cls, before: GroupRecord, after: GroupRecord) -> _Change:
        """The one between two records."""
        was, now = ({member.sender_id for member in record.members} for record in (before, after))
        return cls(before.num, frozenset(now - was), frozenset(was - now))


class Keeper:
    """Holds the records of all groups; the one place that writes them.

    Args:
        records: the plane's documents.
        rosters: where messages come in, with the domain's own seats.
        domain: the domain as a member, its Sender ID left open.
        gm_credential: the Group Manager's, original bytes.
        validity: how long the keys of one epoch may be used.
        clock: for UTC.
        random_bytes: for secrets and Group Identifiers.
    """

    def __init__(
        self,
        records: Records,
        rosters: Rosters,
        *,
        domain: Peer,
        gm_credential: bytes,
        validity: timedelta,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._records = records
        self._rosters = rosters
        self._domain = domain
        self._gm_credential = gm_credential
        self._validity = validity
        self._clock = clock
        self._random_bytes = random_bytes
        self._lock = asyncio.Lock()
        documents = records.load().items()
        loaded = [group_record.decode(document) for key, document in documents if key.startswith(_GROUP)]
        self._groups = {record.name: record for record in loaded}
        self._steps: dict[str, deque[_Change]] = {}

    def tell(self) -> None:
        """Say how all groups stand; nobody takes a seat by that."""
        for record in self._groups.values():
            self._rosters.keep(record.roster())

    def resume(self) -> None:
        """Take part again after a start; sequence numbers go on above what was reserved."""
        for name in self._groups:
            self.seat(name)

    def seat(self, name: str) -> None:
        """Take the domain's seat in an epoch that it may have had before.

        Raises:
            ConfigError: no such group.
        """
        self._install(self.group(name), fresh=False)

    def find(self, name: str) -> GroupRecord | None:
        """The group of this name."""
        return self._groups.get(name)

    def group(self, name: str) -> GroupRecord:
        """The group of this name.

        Raises:
            ConfigError: there is none.
        """
        record = self._groups.get(name)
        if record is None:
            raise ConfigError(f"no group {name[:40]!r}; `thingstead group create` makes one", reason="unknown-group")
        return record

    def groups(self) -> tuple[GroupRecord, ...]:
        """All groups, by name."""
        return tuple([self._groups[name] for name in sorted(self._groups)])

    async def create(self, name: str) -> GroupRecord:
        """A new group of the domain alone, under a prefix that no other has; one that is there stays as it is."""
        prefixes = {record.prefix for record in self._groups.values()}
        fresh = group_record.create(name, random_bytes=self._random_bytes, at=self._clock.utc())
        while fresh.prefix in prefixes:
            fresh = group_record.create(name, random_bytes=self._random_bytes, at=self._clock.utc())
        return await self._make(name, lambda current: current or fresh, "created", None)

    async def change(self, name: str, step: Step, *, cause: str = "", thing: ThingId | None = None) -> GroupRecord:
        """Make a step durable, then live; with a `cause` it is also an entry of the ledger.

        Until this returns nobody has the new keys. A step whose waiting was cancelled may be on disk and not in
        memory: it is asked for again, or the next step replaces it, and no Gid was in use under two keys.

        Raises:
            ConfigError: no such group.
            StorageError: nothing was kept, and nothing is live.
        """
        self.group(name)
        return await self._make(name, lambda current: current and step(current), cause, thing)

    def next_epoch(self, record: GroupRecord) -> GroupRecord:
        """The same members under fresh keys."""
        return record.rekeyed(self._random_bytes, self._clock.utc())

    def without(self, *things: ThingId) -> Step:
        """The step that puts `things` out and begins an epoch without them; none where they are not in."""

        def step(record: GroupRecord) -> GroupRecord:
            left = _left_by(record, things)
            return left if left is record else self.next_epoch(left)

        return step

    def keys_of(self, record: GroupRecord, member: MemberRecord) -> GroupKeys:
        """What this member has to hold in this epoch."""
        return self._keys(record, member.sender_id)

    def rekeying_of(self, record: GroupRecord, member: MemberRecord) -> GroupKeys | Rekeying:
        """The same for a member whose confirmed epoch is remembered: what changed since, and no more."""
        since = [step for step in self._steps.get(record.name, ()) if step.base >= member.confirmed]
        came = frozenset[bytes]().union(*[step.came for step in since])
        keys = self.keys_of(record, member)
        if not since or since[0].base != member.confirmed or member.sender_id in came:
            return keys
        newcomers = tuple([peer for peer in keys.members if peer.sender_id in came])
        stale = frozenset[bytes]().union(*[step.gone for step in since]) - came
        return Rekeying(member.confirmed, replace(keys, members=newcomers), tuple(sorted(stale)))

    async def _make(
        self,
        name: str,
        step: Callable[[GroupRecord | None], GroupRecord | None],
        cause: str,
        thing: ThingId | None,
    ) -> GroupRecord:
        async with self._lock:
            before = self._groups.get(name)
            after = step(before)
            if after is None or after == before:
                return self.group(name)
            entries = [self._entry(after, cause, thing)] if cause else []
            await self._records.write({_GROUP + name: after.encode()}, entries=entries)
            self._groups[name] = after
            self._rosters.keep(after.roster())
            if before is None or before.gid != after.gid:
                if before is not None:
                    self._steps.setdefault(name, deque(maxlen=_REMEMBERED)).append(_Change.between(before, after))
                self._install(after, fresh=True)
            return after

    def _entry(self, record: GroupRecord, cause: str, thing: ThingId | None) -> Draft:
        details: dict[str, Detail] = {
            "group": record.name,
            "num": record.num,
            "gid": record.gid,
            "members": len(record.members),
        }
        return Draft(self._clock.utc(), Kind.GROUP, _ACTOR, thing, cause, details)

    def _install(self, record: GroupRecord, *, fresh: bool) -> None:
        keys = self._keys(record, record.domain_sender)
        self._rosters.install(keys, reserved=record.reserved, fresh=fresh)

    def _keys(self, record: GroupRecord, sender_id: bytes) -> GroupKeys:
        left = record.rekeyed_at + self._validity - self._clock.utc()
        domain = replace(self._domain, sender_id=record.domain_sender)
        things = [Peer(member.sender_id, member.credential, member.roles, member.scope) for member in record.members]
        return GroupKeys(
            name=record.name,
            num=record.num,
            gid=record.gid,
            master_secret=record.master_secret,
            master_salt=record.master_salt,
            sender_id=sender_id,
            gm_credential=self._gm_credential,
            expires_in=max(0, int(left.total_seconds())),
            members=(domain, *things),
        )


def _left_by(record: GroupRecord, things: Iterable[ThingId]) -> GroupRecord:
    for thing in things:
        record = record.without_member(thing)
    return record
