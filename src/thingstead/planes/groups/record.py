"""One group as the Group Manager keeps it: pure steps from record to record, and the form on disk.

Every step that changes who may read makes a new epoch: a higher `num`, a Gid that was never used, fresh secrets.
Sender IDs come from a counter that no rekey resets, so none is ever given twice, under one Gid or another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime

from thingstead.domain.instant import instant, microseconds
from thingstead.errors import DecodeError, StateError
from thingstead.identifier import ThingId
from thingstead.planes.groups.roster import MemberRecord, Roster, decode_people, encode_people
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.cbor import codec
from thingstead.secret import Secret

__all__ = ["GroupRecord", "create", "decode"]

_FORMAT = 1
_PREFIX_SIZE, _NUM_SIZE = 4, 4
_SECRET_SIZE, _SALT_SIZE = 16, 8
_MAX_SENDER_ID = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRecord(Roster):
    """A group in one epoch, with its keys.

    Attributes:
        master_secret: of this epoch.
        master_salt: of this epoch.
        next_sender: number of the next Sender ID.
        domain_sender: the domain's own Sender ID.
        reserved: the domain's sender sequence numbers below it may have been used in this epoch.
    """

    master_secret: Secret
    master_salt: bytes
    next_sender: int
    domain_sender: bytes
    reserved: int = 0

    def roster(self) -> Roster:
        """What of it is no secret."""
        return Roster(**{field.name: getattr(self, field.name) for field in fields(Roster)})

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
                *encode_people(self),
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
            people = decode_people(members, departed, barred)
            return GroupRecord(
                name=name,
                prefix=prefix,
                num=num,
                master_secret=Secret(secret),
                master_salt=salt,
                rekeyed_at=instant(rekeyed_at),
                next_sender=next_sender,
                domain_sender=domain_sender,
                reserved=reserved,
                members=people[0],
                departed=people[1],
                barred=people[2],
            )
        case _:
            raise DecodeError(f"expected a group of format {_FORMAT} in the groups plane")


def _are_counters(num: int, *others: int) -> bool:
    return 0 < num < 1 << 8 * _NUM_SIZE and all(type(value) is int and value >= 0 for value in (num, *others))


def _sender_id(number: int) -> bytes:
    size = max(1, (number.bit_length() + 7) // 8)
    if size > _MAX_SENDER_ID:
        raise StateError("the group has no Sender ID left", spec="RFC 10021 §2.2")
    return number.to_bytes(size, "big")
