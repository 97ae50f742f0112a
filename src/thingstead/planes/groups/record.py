"""One group as the Group Manager keeps it: pure steps from record to record, and the form on disk.

Every step that changes who may read makes a new epoch: a higher `num`, a Gid that was never used, fresh secrets.
Sender IDs come from a counter that no rekey resets, so none is ever given twice, under one Gid or another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from thingstead.domain.instant import instant, microseconds
from thingstead.errors import DecodeError, StateError
from thingstead.identifier import ThingId, thing_id
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret

__all__ = ["GroupRecord", "MemberRecord", "create", "decode"]

_FORMAT = 1
_PREFIX_SIZE, _NUM_SIZE = 4, 4
_SECRET_SIZE, _SALT_SIZE = 16, 8
_MAX_SENDER_ID = 7
_ROLES = frozenset({Role.REQUESTER, Role.RESPONDER, Role.REQUESTER | Role.RESPONDER})


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """One thing in one group.

    Attributes:
        thing: who.
        sender_id: its kid; through all epochs until it leaves or joins anew.
        credential: its own, original bytes.
        roles: what it is in the group.
        scope: what it may ask of the other members.
        joined_at: when.
        confirmed: the newest epoch that it said it has; 0 before the first.
    """

    thing: ThingId
    sender_id: bytes
    credential: bytes
    roles: Role
    scope: Scope
    joined_at: datetime
    confirmed: int = 0


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A group in one epoch.

    Attributes:
        name: the group.
        prefix: random; with `num` behind it, the Gid. A group that is restored from a backup gets another.
        num: version of the keying material, from 1.
        master_secret: of this epoch.
        master_salt: of this epoch.
        rekeyed_at: when this epoch began.
        next_sender: number of the next Sender ID.
        domain_sender: the domain's own Sender ID.
        reserved: the domain's sender sequence numbers below it may have been used in this epoch.
        members: things, in the order in which they joined.
        departed: credentials that things had when they left: members are asked about them.
        barred: things that an operator put out; their scope does not bring them back.
    """

    name: str
    prefix: bytes
    num: int
    master_secret: Secret
    master_salt: bytes
    rekeyed_at: datetime
    next_sender: int
    domain_sender: bytes
    reserved: int = 0
    members: tuple[MemberRecord, ...] = ()
    departed: tuple[tuple[ThingId, bytes], ...] = ()
    barred: frozenset[ThingId] = frozenset()

    @property
    def gid(self) -> bytes:
        """Group Identifier: prefix and epoch (RFC 10021 §2.1.3)."""
        return self.prefix + self.num.to_bytes(_NUM_SIZE, "big")

    def member(self, thing: ThingId) -> MemberRecord | None:
        """The thing's place in the group."""
        return next((member for member in self.members if member.thing == thing), None)

    def credential_of(self, thing: ThingId) -> bytes | None:
        """The thing's credential, or the one that it left with; None if it never was here."""
        member = self.member(thing)
        if member is not None:
            return member.credential
        return next((credential for one, credential in self.departed if one == thing), None)

    def behind(self) -> tuple[MemberRecord, ...]:
        """Members that have not said that they have this epoch."""
        return tuple([member for member in self.members if member.confirmed != self.num])

    def rekeyed(self, random_bytes: Callable[[int], bytes], at: datetime) -> GroupRecord:
        """The next epoch."""
        return replace(
            self,
            num=self.num + 1,
            master_secret=Secret(random_bytes(_SECRET_SIZE)),
            master_salt=random_bytes(_SALT_SIZE),
            rekeyed_at=at,
            reserved=0,
        )

    def with_member(self, thing: ThingId, credential: bytes, *, roles: Role, scope: Scope, at: datetime) -> GroupRecord:
        """The thing in, under a Sender ID that nobody had; its earlier place, if it had one, is gone.

        Raises:
            StateError: the Sender IDs are used up.
        """
        sender_id = _sender_id(self.next_sender)
        newcomer = MemberRecord(thing, sender_id, credential, roles, scope, at)
        return replace(
            self,
            next_sender=self.next_sender + 1,
            members=(*[member for member in self.members if member.thing != thing], newcomer),
            departed=tuple([row for row in self.departed if row[0] != thing]),
        )

    def without_member(self, thing: ThingId) -> GroupRecord:
        """The thing out, its credential remembered; the caller rekeys."""
        leaver = self.member(thing)
        if leaver is None:
            return self
        return replace(
            self,
            members=tuple([member for member in self.members if member is not leaver]),
            departed=(*[row for row in self.departed if row[0] != thing], (thing, leaver.credential)),
        )

    def confirmed_by(self, sender_ids: Iterable[bytes], num: int) -> GroupRecord:
        """Members say that they have epoch `num`; a Sender ID names a place, so who joined anew meanwhile has not."""
        told = frozenset(sender_ids)
        members = [
            replace(member, confirmed=num) if member.sender_id in told and member.confirmed < num else member
            for member in self.members
        ]
        return replace(self, members=tuple(members))

    def encode(self) -> bytes:
        """As a document of the plane; it holds the master secret."""
        return codec.encode(
            [
                _FORMAT,
                self.name,
                self.prefix,
                self.num,
                self.master_secret.reveal(),
                self.master_salt,
                microseconds(self.rekeyed_at),
                self.next_sender,
                self.domain_sender,
                self.reserved,
                [_encode_member(member) for member in self.members],
                [list(row) for row in self.departed],
                sorted(self.barred),
            ]
        )


def create(name: str, *, random_bytes: Callable[[int], bytes], at: datetime) -> GroupRecord:
    """A group without members but the domain itself, in its first epoch."""
    return GroupRecord(
        name=name,
        prefix=random_bytes(_PREFIX_SIZE),
        num=1,
        master_secret=Secret(random_bytes(_SECRET_SIZE)),
        master_salt=random_bytes(_SALT_SIZE),
        rekeyed_at=at,
        next_sender=1,
        domain_sender=_sender_id(0),
    )


def decode(document: bytes) -> GroupRecord:
    """Read back what `GroupRecord.encode` wrote.

    Raises:
        DecodeError: damaged, or of another format.
    """
    match codec.decode(document):
        case [
            int(version),
            str(name),
            bytes(prefix),
            int(num),
            bytes(secret),
            bytes(salt),
            int(rekeyed_at),
            int(next_sender),
            bytes(domain_sender),
            int(reserved),
            list(members),
            list(departed),
            list(barred),
        ] if version == _FORMAT and _are_counters(num, next_sender, reserved):
            return GroupRecord(
                name,
                prefix,
                num,
                Secret(secret),
                salt,
                instant(rekeyed_at),
                next_sender,
                domain_sender,
                reserved,
                tuple([_decode_member(row) for row in members]),
                tuple([_decode_departed(row) for row in departed]),
                frozenset([_decode_thing(thing) for thing in barred]),
            )
        case _:
            raise DecodeError(f"expected a group of format {_FORMAT} in the groups plane")


def _encode_member(member: MemberRecord) -> list[Any]:
    return [
        member.thing,
        member.sender_id,
        member.credential,
        int(member.roles),
        aif.encode(member.scope),
        microseconds(member.joined_at),
        member.confirmed,
    ]


def _decode_member(row: Any) -> MemberRecord:
    match row:
        case [str(thing), bytes(kid), bytes(credential), int(roles), bytes(scope), int(joined_at), int(confirmed)] if (
            roles in _ROLES
        ):
            return MemberRecord(
                thing_id(thing), kid, credential, Role(roles), aif.decode(scope), instant(joined_at), confirmed
            )
        case _:
            raise DecodeError("expected a member of a group in the groups plane")


def _decode_departed(row: Any) -> tuple[ThingId, bytes]:
    match row:
        case [str(thing), bytes(credential)]:
            return thing_id(thing), credential
        case _:
            raise DecodeError("expected who left a group, and its credential, in the groups plane")


def _decode_thing(value: Any) -> ThingId:
    if not isinstance(value, str):
        raise DecodeError("expected a thing's id in the groups plane")
    return thing_id(value)


def _are_counters(num: int, *others: int) -> bool:
    return 0 < num < 1 << 8 * _NUM_SIZE and all(type(value) is int and value >= 0 for value in (num, *others))


def _sender_id(number: int) -> bytes:
    size = max(1, (number.bit_length() + 7) // 8)
    if size > _MAX_SENDER_ID:
        raise StateError("the group has no Sender ID left", spec="RFC 10021 §2.2")
    return number.to_bytes(size, "big")
