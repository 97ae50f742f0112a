"""The groups plane: the Group Manager (RFC 10021 §12, RFC 9594), which asks nobody anything.

An epoch is on disk before anybody has its keys, and whoever leaves or joins begins a new one: a leaver cannot read
what comes after it, a joiner not what came before. It makes the keys; a `Courier` hands them round, and says who has
them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from thingstead.clock import Clock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey
from thingstead.crypto.lifetime import name_of
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.plane import Demand, Expiry, Finding, PlaneName, Probe, Receipt, Standing
from thingstead.domain.ports import Records
from thingstead.domain.thing import Thing
from thingstead.errors import ForbiddenError
from thingstead.identifier import ThingId, TransitionId, thing_id
from thingstead.planes.groups.enrolment import Enrolment
from thingstead.planes.groups.finding import findings_of
from thingstead.planes.groups.keeper import DOMAIN_ROLES, Keeper
from thingstead.planes.groups.record import GroupRecord
from thingstead.planes.groups.roster import MemberRecord, Rosters
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm import Peer, group_name, group_rights
from thingstead.protocols.cwt import ccs

__all__ = ["GroupManager", "Parcel", "Settings"]

_ADMITTED = "admitted/"
_SIGNED = name_of(AlgorithmId.ESP256)
_ALGORITHMS = (_SIGNED, name_of(AlgorithmId.AES_CCM_16_64_128), name_of(AlgorithmId.SHA_256))
"""Of every group (`protocols.ace.groupcomm`): by which its messages are signed, encrypted, and keys derived."""

_MAX_PAGE = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """How the plane works.

    Attributes:
        domain: its name, in the domain's own credentials.
        right: what the domain may ask of members by a group message.
        renewal: keys are renewed at the latest after this; after twice this no member uses them any more.
    """

    domain: str
    right: Scope
    renewal: timedelta


@dataclass(frozen=True, slots=True)
class Parcel:
    """Keys of one epoch for one member.

    Attributes:
        thing: who gets them.
        sender_id: its place in the group.
        num: the epoch.
        payload: as it is sent to the member.
    """

    thing: ThingId
    sender_id: bytes
    num: int
    payload: bytes


class GroupManager:
    """Makes groups, takes things in and puts them out.

    Args:
        records: the plane's documents: one per group, one per admitted thing; they hold master secrets.
        key: the plane's own signing key: the Group Manager's and the domain's as a member (ESP256).
        rosters: where messages come in: told of each step, once it is on disk.
        settings: names, rights and times.
        clock: both times.
        random_bytes: for secrets, challenges and Group Identifiers.
    """

    name = PlaneName.GROUPS

    def __init__(
        self,
        records: Records,
        key: PrivateKey,
        rosters: Rosters,
        *,
        settings: Settings,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._records = records
        self._settings = settings
        self._clock = clock
        self._keeper = Keeper(
            records,
            rosters,
            domain=Peer(b"", ccs.encode(key.public, subject=settings.domain), DOMAIN_ROLES, settings.right),
            gm_credential=ccs.encode(key.public, subject=f"{settings.domain} group manager"),
            validity=2 * settings.renewal,
            clock=clock,
            random_bytes=random_bytes,
        )
        self._enrolment = Enrolment(self._keeper, key, clock=clock, random_bytes=random_bytes)
        names = [name.removeprefix(_ADMITTED) for name in records.load() if name.startswith(_ADMITTED)]
        self._admitted = {thing_id(name) for name in names}

    def tell(self) -> None:
        """Say how all groups stand."""
        self._keeper.tell()

    async def resume(self) -> None:
        """Take part in all groups again after a start."""
        self._keeper.resume()

    async def seat(self, name: str) -> None:
        """Take part in an epoch whose making was not heard of.

        Raises:
            ConfigError: no such group.
        """
        self._keeper.seat(name)

    # --- what the owner asks; each may come again

    async def create(self, name: str) -> None:
        """Make a group, of which the domain is the first member; one that is there stays as it is.

        Raises:
            DecodeError: not a name for a group.
        """
        await self._keeper.create(group_name(name))

    async def rekey(self, name: str, cause: str) -> None:
        """Begin a new epoch with the same members.

        Raises:
            ConfigError: no such group.
        """
        await self._keeper.change(name, self._keeper.next_epoch, cause=cause)

    async def evict(self, name: str, thing: ThingId, cause: str) -> None:
        """Put a thing out of one group until `readmit`, whatever its scope says.

        Raises:
            ConfigError: no such group.
        """
        leave = self._keeper.without(thing)

        def barred(record: GroupRecord) -> GroupRecord:
            return replace(leave(record), barred=record.barred | {thing})

        await self._keeper.change(name, barred, cause=cause, thing=thing)

    async def readmit(self, name: str, thing: ThingId) -> None:
        """Let an evicted thing join again, where its scope says so.

        Raises:
            ConfigError: no such group.
        """

        def lifted(record: GroupRecord) -> GroupRecord:
            return replace(record, barred=record.barred - {thing})

        await self._keeper.change(name, lifted, cause="readmitted", thing=thing)

    async def reserve(self, name: str, gid: bytes, upto: int) -> bool:
        """Make durable that the domain's numbers below `upto` are spent under `gid`; not once that is over (B.1.1).

        Raises:
            ConfigError: no such group.
        """

        def reserved(record: GroupRecord) -> GroupRecord:
            return replace(record, reserved=max(record.reserved, upto)) if record.gid == gid else record

        return (await self._keeper.change(name, reserved)).gid == gid

    # --- what things ask

    async def challenge(self, thing: ThingId, name: str, scope: bytes) -> bytes:
        """The payload that an empty Join Request is refused with.

        Raises:
            ForbiddenError: the thing may not join this group, or there is none; it is not told which.
        """
        self._right(thing, name, aif.decode(scope))
        return self._enrolment.challenge(thing, name)

    async def join(self, thing: ThingId, name: str, payload: bytes, scope: bytes) -> bytes:
        """Take a thing in, and answer its Join Request.

        Args:
            thing: who asks.
            name: the group.
            payload: its Join Request.
            scope: what its token lets it do now.

        Raises:
            ForbiddenError: it may not join, or not as what it wants to be.
            SecurityError, ProtocolError: as `Enrolment.join` says.
        """
        held = aif.decode(scope)
        response = await self._enrolment.join(thing, name, payload, right=lambda: self._right(thing, name, held))
        return response.encode()

    async def keys(self, thing: ThingId, name: str, scope: bytes) -> bytes:
        """What a member has to hold now.

        Raises:
            ForbiddenError: it is no member, or may not be one any more.
        """
        self._right(thing, name, aif.decode(scope))
        return (await self.whole(name, thing)).payload

    # --- what is handed round

    async def parcels(self, name: str, after: bytes) -> tuple[Parcel, ...]:
        """What members that are behind lack, by Sender ID, from the one after `after`: as many as fit; at its end none.

        Raises:
            ConfigError: no such group.
        """
        record, size, page = self._keeper.group(name), 0, list[Parcel]()
        for member in sorted(record.behind(), key=_place):
            if _place(member) > int.from_bytes(after, "big") and size < _MAX_PAGE:
                payload = self._keeper.rekeying_of(record, member).encode()
                page.append(Parcel(member.thing, member.sender_id, record.num, payload))
                size += len(payload)
        return tuple(page)

    async def whole(self, name: str, thing: ThingId) -> Parcel:
        """All of an epoch for one member, which cannot follow from where it is.

        Raises:
            ConfigError: no such group.
            ForbiddenError: it is no member.
        """
        record = self._keeper.group(name)
        member = record.member(thing)
        if member is None:
            raise ForbiddenError(f"{thing} is no member of {name}", spec="RFC 9594 §4.3.2", reason="member")
        return Parcel(thing, member.sender_id, record.num, self._keeper.keys_of(record, member).encode())

    async def confirm(self, name: str, num: int, sender_ids: tuple[bytes, ...]) -> None:
        """Keep who said that they have epoch `num`.

        Raises:
            ConfigError: no such group.
        """
        await self._keeper.change(name, lambda record: record.confirmed_by(sender_ids, num))

    async def renew(self, ended: tuple[tuple[str, ThingId], ...]) -> None:
        """Do what is due: put out whose right has ended, in which group, and renew old keys."""
        over = frozenset(ended)
        for record in self._keeper.groups():
            lost = [one.thing for one in record.members if (record.name, one.thing) in over or not self._may(one.thing)]
            if lost:
                await self._keeper.change(record.name, self._keeper.without(*lost), cause="right-ended")
            elif self._clock.utc() - record.rekeyed_at >= self._settings.renewal:
                await self._keeper.change(record.name, self._keeper.next_epoch, cause="renewed")

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
        """How the thing stands by the books; what members say of it, they say where they are asked."""
        groups = self._keeper.groups()
        places = [record.name for record in groups if record.member(thing.id) is not None]
        was_there = any(record.credential_of(thing.id) is not None for record in groups)
        standing = Standing.ACCEPTED if places else Standing.REFUSED if was_there else Standing.ABSENT
        detail = f"in {', '.join(places)}" if places else "in no group"
        return Probe(self.name, thing.id, standing, "group manager", self._clock.utc(), detail, None)

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
            for record in self._keeper.groups()
        ]

    def assets(self) -> Sequence[CryptoAsset]:
        """The key that signs for the Group Manager and the domain, and each group's keys of this epoch."""
        groups = [
            CryptoAsset(
                AssetKind.CONTEXT,
                f"keys of group {record.name}",
                _ALGORITHMS,
                tuple([member.thing for member in record.members]),
                record.rekeyed_at,
                record.rekeyed_at + 2 * self._settings.renewal,
            )
            for record in self._keeper.groups()
        ]
        things = tuple(dict.fromkeys(thing for group in groups for thing in group.things))
        return [CryptoAsset(AssetKind.KEY, "key of the groups plane", (_SIGNED,), things), *groups]

    def findings(self, question: str) -> Sequence[Finding]:
        """What the groups show for T8, C5.3.1, R-09, R-63, R-65 and R-66."""
        return findings_of(question, self._keeper.groups())

    def snapshot(self) -> Mapping[str, bytes]:
        """Names, and who was put out; no keys: a restored group begins anew, and things join it again."""
        return {record.name: ",".join(sorted(record.barred)).encode() for record in self._keeper.groups()}

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Make the groups of a snapshot that are missing, under Group Identifiers that never were."""
        for name, barred in documents.items():
            await self.create(name)
            for thing in filter(None, barred.decode().split(",")):
                await self.evict(name, thing_id(thing), "restored")

    # --- within

    async def _put_out(self, thing: ThingId, cause: str) -> str:
        """Deny first, rekey then: each step holds even where the next one fails."""
        self._admitted.discard(thing)
        # Also where memory has none: an earlier attempt may have failed at the disk.
        await self._records.write({_ADMITTED + thing: None})
        left = [record.name for record in self._keeper.groups() if record.member(thing) is not None]
        for name in left:
            await self._keeper.change(name, self._keeper.without(thing), cause=cause, thing=thing)
        return f"out of {', '.join(left)}" if left else "in no group"

    def _right(self, thing: ThingId, name: str, scope: Scope) -> Scope:
        """What the thing may ask of the members of a group that it may join."""
        record, rights = self._keeper.find(name), group_rights(scope)
        if record is None or not self._may(thing) or thing in record.barred or name not in rights:
            raise ForbiddenError(f"{thing} may not be in group {name[:40]}", spec="RFC 9594 §4.3.1", reason="member")
        return rights[name]

    def _may(self, thing: ThingId) -> bool:
        return thing in self._admitted

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId, detail: str) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), detail)


def _place(member: MemberRecord) -> int:
    """Sender IDs are numbers without zeros in front (`record`); the domain's is 0."""
    return int.from_bytes(member.sender_id, "big")
