"""The groups plane where messages come in: keys that the Group Manager made are handed round, and members asked.

New keys are on disk before they are here, and are handed round afterwards, so nobody who is asleep, silent or gone can
stop a rekey; what members answer is the next thing that the Group Manager is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from thingstead.clock import Clock
from thingstead.domain.crypto_asset import CryptoAsset
from thingstead.domain.plane import Expiry, Finding, Plane, PlaneName, Probe, Receipt
from thingstead.domain.ports import GroupAssociations
from thingstead.domain.thing import Thing
from thingstead.errors import ConfigError, ForbiddenError
from thingstead.identifier import ThingId, TransitionId
from thingstead.planes.groups.group_manager import Parcel
from thingstead.planes.groups.relying_party import Ask, RelyingParties
from thingstead.planes.groups.roster import Roster, Rosters
from thingstead.planes.groups.standing import probe_of
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm import group_rights
from thingstead.protocols.coap.message import Message

__all__ = ["Courier", "Epochs", "Send"]

_MAX_BACK_OFF = 300.0

Send = Callable[[str, Message, int], Awaitable[Mapping[bytes, Message]]]
"""Sends one message to a group as its member, and collects so many responses by kid, or fewer in a bounded time."""


class Epochs(Plane, Protocol):
    """What the Group Manager is asked, wherever it is; each may be asked again. Errors are as `GroupManager` says."""

    async def resume(self) -> None:
        """Take seats again after a start."""
        ...

    async def seat(self, name: str) -> None:
        """Tell of one epoch, for a seat in it."""
        ...

    async def create(self, name: str) -> None:
        """Make a group."""
        ...

    async def rekey(self, name: str, cause: str) -> None:
        """Begin a new epoch."""
        ...

    async def evict(self, name: str, thing: ThingId, cause: str) -> None:
        """Put a thing out of one group."""
        ...

    async def readmit(self, name: str, thing: ThingId) -> None:
        """Lift that."""
        ...

    async def reserve(self, name: str, gid: bytes, upto: int) -> bool:
        """Make durable that the domain's numbers below `upto` are spent under `gid`."""
        ...

    async def challenge(self, thing: ThingId, name: str, scope: bytes) -> bytes:
        """What an empty Join Request is answered by."""
        ...

    async def join(self, thing: ThingId, name: str, payload: bytes, scope: bytes) -> bytes:
        """Answer a Join Request."""
        ...

    async def keys(self, thing: ThingId, name: str, scope: bytes) -> bytes:
        """What a member has to hold now."""
        ...

    async def parcels(self, name: str, after: bytes) -> tuple[Parcel, ...]:
        """A page of what members lack that are behind."""
        ...

    async def whole(self, name: str, thing: ThingId) -> Parcel:
        """All of an epoch for one member."""
        ...

    async def confirm(self, name: str, num: int, sender_ids: tuple[bytes, ...]) -> None:
        """Keep who said that they have epoch `num`."""
        ...

    async def renew(self, ended: tuple[tuple[str, ThingId], ...]) -> None:
        """Put out whose right has ended, and renew old keys."""
        ...


class Courier:
    """Fits where a plane does, with the Group Manager behind it.

    Args:
        epochs: the Group Manager.
        rosters: what it told of its groups.
        live: the domain's own seats, at the endpoint.
        scope_of: what a thing's token lets it do now.
        ask: sends a request to a thing.
        send: sends a message to a group.
        clock: both times.
        within: seconds that one member has to take keys or to answer a question.

    Attributes:
        epochs: as given.
        on_join: told of a group that has somebody behind.
        withholds: whether a member has to wait for keys newer than it has; nobody does by default.
    """

    name = PlaneName.GROUPS

    def __init__(
        self,
        epochs: Epochs,
        rosters: Rosters,
        live: GroupAssociations,
        *,
        scope_of: Callable[[ThingId], Scope | None],
        ask: Ask,
        send: Send,
        clock: Clock,
        within: float = 2.0,
    ) -> None:
        self.epochs = epochs
        self._rosters = rosters
        self._live = live
        self._scope_of = scope_of
        self._send = send
        self._clock = clock
        self._parties = RelyingParties(ask, within=within)
        self._last_response: dict[ThingId, datetime] = {}
        self._retries: dict[bytes, tuple[int, float]] = {}
        self.on_join: Callable[[str], None] = lambda _name: None
        self.withholds: Callable[[ThingId], bool] = lambda _thing: False

    async def resume(self) -> None:
        """Take part in all groups again after a start."""
        await self.epochs.resume()

    # --- what the owner asks

    def groups(self) -> tuple[Roster, ...]:
        """All groups, by name."""
        return self._rosters.all()

    def group(self, name: str) -> Roster:
        """One group.

        Raises:
            ConfigError: there is none of this name.
        """
        roster = self._rosters.find(name)
        if roster is None:
            raise ConfigError(f"no group {name[:40]!r}; `thingstead group create` makes one", reason="unknown-group")
        return roster

    async def create(self, name: str) -> Roster:
        """Make a group, of which the domain is the first member; errors as of the Group Manager."""
        await self.epochs.create(name)
        return self.group(name)

    async def rekey(self, name: str, *, cause: str = "operator") -> Roster:
        """Have a new epoch begun with the same members, and hand its keys round; errors as of the Group Manager."""
        await self.epochs.rekey(name, cause)
        return await self.distribute(name)

    async def leave_behind(self, thing: ThingId, *, cause: str) -> None:
        """New keys for every group of which it has the newest; whether it gets them is for `withholds` to say.

        Raises:
            StorageError: one could not be kept.
        """
        for roster in self.groups():
            if roster.member(thing) is not None and all(one.thing != thing for one in roster.behind()):
                await self.rekey(roster.name, cause=cause)

    async def evict(self, name: str, thing: ThingId, *, cause: str = "evicted") -> Roster:
        """Have a thing put out of one group until `readmit`, whatever its scope says; errors as of `rekey`."""
        await self.epochs.evict(name, thing, cause)
        return await self.distribute(name)

    async def readmit(self, name: str, thing: ThingId) -> Roster:
        """Let an evicted thing join again, where its scope says so; errors as of the Group Manager."""
        await self.epochs.readmit(name, thing)
        return self.group(name)

    async def command(self, name: str, message: Message) -> dict[ThingId, Message]:
        """Send one message to all members, and tell what each answered in time.

        Raises:
            ConfigError: no such group.
        """
        by_kid = {member.sender_id: member.thing for member in self.group(name).members}
        answers = await self._send(name, message, len(by_kid))
        known = {by_kid[kid]: answer for kid, answer in answers.items() if kid in by_kid}
        self._last_response.update(dict.fromkeys(known, self._clock.utc()))
        return known

    async def reserve(self, name: str, upto: int) -> None:
        """Have it made durable that the domain's numbers below `upto` are spent in this epoch (RFC 8613 B.1.1).

        Raises:
            ConfigError: no such group.
        """
        gid = self._rosters.seat(name) or self.group(name).gid
        is_kept = await self.epochs.reserve(name, gid, upto)
        # What was kept for one epoch lets nobody speak in the next.
        if is_kept and self._rosters.seat(name) == gid:
            self._live.group_sequence_reserved(name, upto)

    # --- what things ask

    async def challenge(self, thing: ThingId, name: str) -> bytes:
        """The payload that an empty Join Request is refused with; errors as of the Group Manager."""
        return await self.epochs.challenge(thing, name, self._scope(thing))

    async def join(self, thing: ThingId, name: str, payload: bytes) -> bytes:
        """Have a thing taken in; the others get the new keys from `distribute`, which `on_join` is to start.

        Raises:
            ForbiddenError: it may not join, or may not any more.
            SecurityError, ProtocolError: as the Group Manager says.
        """
        answer = await self.epochs.join(thing, name, payload, self._scope(thing))
        self.on_join(name)
        if self.group(name).member(thing) is None or not self._is_entitled(thing, name):
            raise ForbiddenError(f"{thing} was put out of {name} meanwhile", spec="RFC 9594 §4.3.1", reason="member")
        return answer

    async def keys(self, thing: ThingId, name: str) -> bytes:
        """What a member has to hold now; errors as of the Group Manager."""
        return await self.epochs.keys(thing, name, self._scope(thing))

    # --- handing round

    async def distribute(self, name: str) -> Roster:
        """Hand the newest keys to every member that has not confirmed them, and have kept who did.

        Raises:
            ConfigError: no such group.
        """
        await self._take_seat(self.group(name))
        parcels = await self._parcels(name)
        answers = await self._parties.push({thing: parcel.payload for thing, parcel in parcels.items()})
        # Who cannot follow from where it was taken to be gets all of it.
        lost = [thing for thing, has_them in answers.items() if not has_them]
        for parcel in await asyncio.gather(*[self._replace(name, thing) for thing in lost]):
            if parcel is not None:
                parcels[parcel.thing] = parcel
                answers[parcel.thing] = True
        told: dict[int, list[bytes]] = {}
        for parcel in parcels.values():
            if answers.get(parcel.thing):
                told.setdefault(parcel.num, []).append(parcel.sender_id)
        for num, sender_ids in told.items():
            await self.epochs.confirm(name, num, tuple(sender_ids))
        return self.group(name)

    def heard(self, thing: ThingId) -> None:
        """A thing that nobody knew how to reach has spoken: where it is behind, it is not made to wait."""
        for roster in self.groups():
            if any(member.thing == thing for member in roster.behind()):
                self._retries.pop(roster.gid, None)
                self.on_join(roster.name)

    async def tidy(self) -> None:
        """Do what is due: have put out whose right has ended, old keys renewed, and try again whoever is behind."""
        members = [(roster.name, member.thing) for roster in self.groups() for member in roster.members]
        await self.epochs.renew(tuple([(name, thing) for name, thing in members if not self._is_entitled(thing, name)]))
        for roster in self.groups():
            await self._take_seat(roster)
            if self._is_due(roster):
                await self.distribute(roster.name)

    # --- Plane

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Let the thing join the groups of its scope when it asks."""
        return await self.epochs.admit(thing, cause=cause, transition_id=transition_id)

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Have the thing put out of all its groups; after the next `admit` it has to join them anew."""
        left = self._places(thing.id)
        receipt = await self.epochs.restrict(thing, cause=cause, transition_id=transition_id)
        return replace(receipt, detail=await self._tell_others(thing.id, left))

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Have the thing put out of all its groups."""
        left = self._places(thing.id)
        receipt = await self.epochs.withdraw(thing, cause=cause, transition_id=transition_id)
        return replace(receipt, detail=await self._tell_others(thing.id, left))

    async def probe(self, thing: Thing) -> Probe:
        """Ask the other members of every group that the thing is or was in."""
        return await probe_of(
            thing.id,
            self.groups(),
            self._parties,
            live=self._live,
            utc=self._clock.utc,
            last_response=lambda: self._last_response.get(thing.id),
        )

    def expiries(self) -> Sequence[Expiry]:
        """When each group's keys end."""
        return self.epochs.expiries()

    def assets(self) -> Sequence[CryptoAsset]:
        """The groups' keys."""
        return self.epochs.assets()

    def findings(self, question: str) -> Sequence[Finding]:
        """What the groups show."""
        return self.epochs.findings(question)

    def snapshot(self) -> Mapping[str, bytes]:
        """Names, and who was put out; no keys."""
        return self.epochs.snapshot()

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Have the groups of a snapshot made that are missing."""
        await self.epochs.restore(documents)

    # --- within

    async def _parcels(self, name: str) -> dict[ThingId, Parcel]:
        """For all that are behind and need not wait, before anybody is waited for."""
        found: dict[ThingId, Parcel] = {}
        after = b""
        while page := await self.epochs.parcels(name, after):
            found |= {parcel.thing: parcel for parcel in page if not self.withholds(parcel.thing)}
            after = page[-1].sender_id
        return found

    async def _replace(self, name: str, thing: ThingId) -> Parcel | None:
        """All of the epoch, one member at a time; None if it does not take that either, or is in no more."""
        try:
            parcel = await self.epochs.whole(name, thing)
        except ForbiddenError:
            return None
        return parcel if (await self._parties.push({thing: parcel.payload})).get(thing) else None

    async def _take_seat(self, roster: Roster) -> None:
        """Where the answer was lost that would have brought the epoch."""
        if self._rosters.seat(roster.name) != roster.gid:
            await self.epochs.seat(roster.name)

    def _places(self, thing: ThingId) -> set[str]:
        return {roster.name for roster in self.groups() if roster.member(thing) is not None}

    async def _tell_others(self, thing: ThingId, left: set[str]) -> str:
        # Also where an earlier attempt ended before the others were told.
        behind = {one.name for one in self.groups() if one.credential_of(thing) is not None and one.behind()}
        told = await asyncio.gather(*[self.distribute(name) for name in sorted(left | behind)])
        return "; ".join([_progress(roster) for roster in told]) or "in no group"

    def _scope(self, thing: ThingId) -> bytes:
        """What its token lets it do; who has none may join nothing."""
        return aif.encode(self._scope_of(thing) or Scope({}))

    def _is_entitled(self, thing: ThingId, name: str) -> bool:
        scope = self._scope_of(thing)
        return scope is not None and name in group_rights(scope)

    def _is_due(self, roster: Roster) -> bool:
        """Whether members that are behind are to be tried now: at once, then after 2, 4, 8 .. 300 seconds."""
        now = self._clock.now()
        attempts, not_before = self._retries.get(roster.gid, (0, now))
        if not roster.behind() or now < not_before:
            return False
        self._retries = {gid: row for gid, row in self._retries.items() if gid[:-1] != roster.gid[:-1]}
        self._retries[roster.gid] = (attempts + 1, now + min(2.0 ** (attempts + 1), _MAX_BACK_OFF))
        return True


def _progress(roster: Roster) -> str:
    return f"{roster.name}: {len(roster.members) - len(roster.behind())} of {len(roster.members)} have the new keys"
