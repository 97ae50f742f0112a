"""The groups plane: the Group Manager (RFC 10021 §12, RFC 9594).

An epoch is on disk before anybody has its keys, and whoever leaves or joins begins a new one: a leaver cannot read
what comes after it, a joiner not what came before. New keys are committed first and handed round afterwards, so
nobody who is asleep, silent or gone can stop a rekey; keys that nobody renews end by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from thingstead.clock import Clock
from thingstead.crypto.key import PrivateKey
from thingstead.domain.plane import Demand, Expiry, Finding, PlaneName, Probe, Receipt
from thingstead.domain.ports import GroupAssociations, Records
from thingstead.domain.thing import Thing
from thingstead.errors import ForbiddenError
from thingstead.identifier import ThingId, TransitionId, thing_id
from thingstead.planes.groups.enrolment import Enrolment
from thingstead.planes.groups.finding import findings_of
from thingstead.planes.groups.keeper import DOMAIN_ROLES, Keeper
from thingstead.planes.groups.record import GroupRecord
from thingstead.planes.groups.relying_party import Ask, RelyingParties
from thingstead.planes.groups.standing import probe_of
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm import GroupKeys, Peer, group_name, group_rights
from thingstead.protocols.ace.groupcomm_join import JoinResponse
from thingstead.protocols.coap.message import Message
from thingstead.protocols.cwt import ccs

__all__ = ["GroupManager", "Send", "Settings"]

_ADMITTED = "admitted/"
_MAX_BACK_OFF = 300.0

Send = Callable[[str, Message, int], Awaitable[Mapping[bytes, Message]]]
"""Sends one message to a group as its member, and collects so many responses by kid, or fewer in a bounded time."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the plane works.

    Attributes:
        domain: its name, in the domain's own credentials.
        right: what the domain may ask of members by a group message.
        renewal: keys are renewed at the latest after this; after twice this no member uses them any more.
        within: seconds that one member has to take keys or to answer a question.
    """

    domain: str
    right: Scope
    renewal: timedelta
    within: float = 2.0


class GroupManager:
    """Makes groups, takes things in and puts them out.

    Args:
        records: the plane's documents: one per group, one per admitted thing; they hold master secrets.
        key: the plane's own signing key: the Group Manager's and the domain's as a member (ESP256).
        live: the domain's own membership, at the endpoint.
        settings: names, rights and times.
        scope_of: what a thing's token lets it do now.
        ask: sends a request to a thing.
        send: sends a message to a group.
        clock: both times.
        random_bytes: for secrets, challenges and Group Identifiers.
    """

    name = PlaneName.GROUPS

    def __init__(
        self,
        records: Records,
        key: PrivateKey,
        live: GroupAssociations,
        *,
        settings: Settings,
        scope_of: Callable[[ThingId], Scope | None],
        ask: Ask,
        send: Send,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._records = records
        self._live = live
        self._settings = settings
        self._scope_of = scope_of
        self._send = send
        self._clock = clock
        self._keeper = Keeper(
            records,
            live,
            domain=Peer(b"", ccs.encode(key.public, subject=settings.domain), DOMAIN_ROLES, settings.right),
            gm_credential=ccs.encode(key.public, subject=f"{settings.domain} group manager"),
            validity=2 * settings.renewal,
            clock=clock,
            random_bytes=random_bytes,
        )
        self._enrolment = Enrolment(self._keeper, key, clock=clock, random_bytes=random_bytes)
        self._parties = RelyingParties(ask, within=settings.within)
        self._last_response: dict[ThingId, datetime] = {}
        self._retries: dict[bytes, tuple[int, float]] = {}
        names = [name.removeprefix(_ADMITTED) for name in records.load() if name.startswith(_ADMITTED)]
        self._admitted = {thing_id(name) for name in names}
        self.on_join: Callable[[str], None] = lambda _name: None

    def resume(self) -> None:
        """Take part in all groups again after a start."""
        self._keeper.resume()

    # --- what the owner asks

    def groups(self) -> tuple[GroupRecord, ...]:
        """All groups, by name."""
        return self._keeper.groups()

    def group(self, name: str) -> GroupRecord:
        """One group.

        Raises:
            ConfigError: there is none of this name.
        """
        return self._keeper.group(name)

    async def create(self, name: str) -> GroupRecord:
        """Make a group, of which the domain is the first member; one that is there stays as it is.

        Raises:
            DecodeError: not a name for a group.
        """
        return await self._keeper.create(group_name(name))

    async def rekey(self, name: str, *, cause: str = "operator") -> GroupRecord:
        """Begin a new epoch with the same members, and hand its keys round.

        Raises:
            ConfigError: no such group.
        """
        await self._keeper.change(name, self._keeper.next_epoch, cause=cause)
        return await self.distribute(name)

    async def evict(self, name: str, thing: ThingId, *, cause: str = "evicted") -> GroupRecord:
        """Put a thing out of one group until `readmit`, whatever its scope says.

        Raises:
            ConfigError: no such group.
        """
        leave = self._keeper.without(thing)
        await self._keeper.change(
            name,
            lambda record: replace(leave(record), barred=record.barred | {thing}),
            cause=cause,
            thing=thing,
        )
        return await self.distribute(name)

    async def readmit(self, name: str, thing: ThingId) -> GroupRecord:
        """Let an evicted thing join again, where its scope says so.

        Raises:
            ConfigError: no such group.
        """
        return await self._keeper.change(
            name,
            lambda record: replace(record, barred=record.barred - {thing}),
            cause="readmitted",
            thing=thing,
        )

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
        """Make durable that the domain's sequence numbers below `upto` are spent in this epoch (RFC 8613 B.1.1).

        Raises:
            ConfigError: no such group.
        """
        gid = self.group(name).gid

        def reserved(record: GroupRecord) -> GroupRecord:
            return replace(record, reserved=max(record.reserved, upto)) if record.gid == gid else record

        if (await self._keeper.change(name, reserved)).gid == gid:
            self._live.group_sequence_reserved(name, upto)

    # --- what things ask

    def challenge(self, thing: ThingId, name: str) -> bytes:
        """The payload that an empty Join Request is refused with.

        Raises:
            ForbiddenError: the thing may not join this group, or there is none; it is not told which.
        """
        self._right(thing, name)
        return self._enrolment.challenge(thing, name)

    async def join(self, thing: ThingId, name: str, payload: bytes) -> JoinResponse:
        """Take a thing in; the others get the new keys from `distribute`, which `on_join` is to start.

        Raises:
            ForbiddenError: it may not join, or not as what it wants to be.
            SecurityError, ProtocolError: as `Enrolment.join` says.
        """
        response = await self._enrolment.join(thing, name, payload, right=lambda: self._right(thing, name))
        self.on_join(name)
        return response

    def keys(self, thing: ThingId, name: str) -> GroupKeys:
        """What a member has to hold now.

        Raises:
            ForbiddenError: it is no member, or may not be one any more.
        """
        self._right(thing, name)
        record = self.group(name)
        member = record.member(thing)
        if member is None:
            raise ForbiddenError(f"{thing} is no member of {name}", spec="RFC 9594 §4.3.2", reason="member")
        return self._keeper.keys_of(record, member)

    # --- handing round

    async def distribute(self, name: str) -> GroupRecord:
        """Hand the newest keys to every member that has not confirmed them, and keep who did.

        Raises:
            ConfigError: no such group.
        """
        record = self.group(name)
        behind = {member.thing: member for member in record.behind()}
        answers = await self._parties.push(
            {thing: self._keeper.rekeying_of(record, member) for thing, member in behind.items()}
        )
        # Who cannot follow from where we took it to be gets all of it.
        lost = [thing for thing, has_them in answers.items() if not has_them]
        answers |= await self._parties.push({thing: self._keeper.keys_of(record, behind[thing]) for thing in lost})
        told = [member.sender_id for thing, member in behind.items() if answers.get(thing)]
        return await self._keeper.change(name, lambda current: current.confirmed_by(told, record.num))

    def heard(self, thing: ThingId) -> None:
        """A thing that nobody knew how to reach has spoken: where it is behind, it is not made to wait."""
        for record in self.groups():
            if any(member.thing == thing for member in record.behind()):
                self._retries.pop(record.gid, None)
                self.on_join(record.name)

    async def tidy(self) -> None:
        """Do what is due: put out whose right has ended, renew old keys, try again whoever is behind."""
        for record in self.groups():
            lost = [member.thing for member in record.members if not self._is_entitled(member.thing, record.name)]
            if lost:
                await self._keeper.change(record.name, self._keeper.without(*lost), cause="right-ended")
            elif self._clock.utc() - record.rekeyed_at >= self._settings.renewal:
                await self._keeper.change(record.name, self._keeper.next_epoch, cause="renewed")
            if self._is_due(self.group(record.name)):
                await self.distribute(record.name)

    # --- Plane

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Let the thing join the groups of its scope when it asks."""
        if thing.id not in self._admitted:
            await self._records.write({_ADMITTED + thing.id: cause.encode()})
            self._admitted.add(thing.id)
        return self._receipt(thing, Demand.ADMIT, transition_id, "may join the groups of its scope")

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Put the thing out of all its groups; after the next `admit` it has to join them anew."""
        return self._receipt(thing, Demand.RESTRICT, transition_id, await self._put_out(thing.id, cause))

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Put the thing out of all its groups."""
        return self._receipt(thing, Demand.WITHDRAW, transition_id, await self._put_out(thing.id, cause))

    async def probe(self, thing: Thing) -> Probe:
        """Ask the other members of every group that the thing is or was in."""
        return await probe_of(
            thing.id,
            self.groups(),
            self._parties,
            live=self._live,
            at=self._clock.utc(),
            last_response=self._last_response.get(thing.id),
        )

    def expiries(self) -> Sequence[Expiry]:
        """When each group's keys end; they are renewed after half of that."""
        return [
            Expiry(
                f"keys of group {record.name}",
                record.rekeyed_at + 2 * self._settings.renewal,
                tuple([member.thing for member in record.members]),
                self.name,
                record.rekeyed_at + self._settings.renewal,
            )
            for record in self.groups()
        ]

    def findings(self, question: str) -> Sequence[Finding]:
        """What the groups show for T8, C5.3.1, R-09, R-63, R-65 and R-66."""
        return findings_of(question, self.groups())

    def snapshot(self) -> Mapping[str, bytes]:
        """Names, and who was put out; no keys: a restored group begins anew, and things join it again."""
        return {record.name: ",".join(sorted(record.barred)).encode() for record in self.groups()}

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Make the groups of a snapshot that are missing, under Group Identifiers that never were."""
        for name, barred in documents.items():
            await self.create(name)
            for thing in filter(None, barred.decode().split(",")):
                await self.evict(name, thing_id(thing), cause="restored")

    # --- within

    async def _put_out(self, thing: ThingId, cause: str) -> str:
        """Deny first, rekey then, tell the others last: each step holds even where the next one fails."""
        self._admitted.discard(thing)
        # Also where memory has none: an earlier attempt may have failed at the disk.
        await self._records.write({_ADMITTED + thing: None})
        left = [record.name for record in self.groups() if record.member(thing) is not None]
        for name in left:
            await self._keeper.change(name, self._keeper.without(thing), cause=cause, thing=thing)
        # Also where an earlier attempt ended before the others were told.
        behind = [one.name for one in self.groups() if one.credential_of(thing) is not None and one.behind()]
        told = await asyncio.gather(*[self.distribute(name) for name in sorted({*left, *behind})])
        return "; ".join([_progress(record) for record in told]) or "in no group"

    def _right(self, thing: ThingId, name: str) -> Scope:
        """What the thing may ask of the members of a group that it may join."""
        if not self._is_entitled(thing, name):
            raise ForbiddenError(f"{thing} may not be in group {name[:40]}", spec="RFC 9594 §4.3.1", reason="member")
        return group_rights(self._scope_of(thing) or Scope({}))[name]

    def _is_entitled(self, thing: ThingId, name: str) -> bool:
        record, scope = self._keeper.find(name), self._scope_of(thing)
        if record is None or scope is None or thing not in self._admitted or thing in record.barred:
            return False
        return name in group_rights(scope)

    def _is_due(self, record: GroupRecord) -> bool:
        """Whether members that are behind are to be tried now: at once, then after 2, 4, 8 .. 300 seconds."""
        now = self._clock.now()
        attempts, not_before = self._retries.get(record.gid, (0, now))
        if not record.behind() or now < not_before:
            return False
        self._retries = {gid: row for gid, row in self._retries.items() if gid[:-1] != record.gid[:-1]}
        self._retries[record.gid] = (attempts + 1, now + min(2.0 ** (attempts + 1), _MAX_BACK_OFF))
        return True

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId, detail: str) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), detail)


def _progress(record: GroupRecord) -> str:
    return f"{record.name}: {len(record.members) - len(record.behind())} of {len(record.members)} have the new keys"
