"""A group as who has none of its keys may know it: its epoch, who is in it, who left; and the form of that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ports import GroupAssociations
from thingstead.errors import DecodeError
from thingstead.identifier import ThingId, thing_id
from thingstead.protocols.ace import aif
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm import GroupKeys
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.cbor import codec

__all__ = ["MemberRecord", "Roster", "Rosters", "decode_people", "decode_roster", "encode_people", "encode_roster"]

_NUM_SIZE = 4
_MAX_NUM = 1 << 8 * _NUM_SIZE
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """A group in one epoch.

    Attributes:
        name: the group.
        prefix: random; with `num` behind it, the Gid. A group that is restored from a backup gets another.
        num: version of the keying material, from 1.
        rekeyed_at: when this epoch began.
        members: things, in the order in which they joined.
        departed: credentials that things had when they left: members are asked about them.
        barred: things that an operator put out; their scope does not bring them back.
    """

    name: str
    prefix: bytes
    num: int
    rekeyed_at: datetime
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

    def confirmed_by(self, sender_ids: Iterable[bytes], num: int) -> Self:
        """Members say that they have epoch `num`; a Sender ID names a place, so who joined anew meanwhile has not."""
        told = frozenset(sender_ids)
        members = [
            replace(member, confirmed=num) if member.sender_id in told and member.confirmed < num else member
            for member in self.members
        ]
        return replace(self, members=tuple(members))


class Rosters:
    """Where messages come in: what is known of each group, and the domain's own seat in it. No epoch comes back.

    Args:
        live: the seats, at the endpoint.
    """

    def __init__(self, live: GroupAssociations) -> None:
        self._live = live
        self._all: dict[str, Roster] = {}
        self._seats: dict[str, tuple[int, bytes]] = {}

    def all(self) -> tuple[Roster, ...]:
        """Of all groups, by name."""
        return tuple([self._all[name] for name in sorted(self._all)])

    def find(self, name: str) -> Roster | None:
        """Of the group of this name."""
        return self._all.get(name)

    def keep(self, roster: Roster) -> None:
        """Take up how a group stands, unless more of it is known: answers may overtake each other."""
        known = self._all.get(roster.name)
        if known is None or known.num < roster.num:
            self._all[roster.name] = roster
        elif known.num == roster.num:
            self._all[roster.name] = roster.confirmed_by(_current(known), roster.num)

    def install(self, keys: GroupKeys, *, reserved: int, fresh: bool) -> None:
        """Take the domain's seat in an epoch, once: its numbers and what it received stay as they are then."""
        if self._seats.get(keys.name, (0, b""))[0] < keys.num:
            self._live.install_group(keys, reserved=reserved, fresh=fresh)
            self._seats[keys.name] = keys.num, keys.gid

    def seat(self, name: str) -> bytes | None:
        """The Gid under which the domain speaks in a group now."""
        return self._seats[name][1] if name in self._seats else None


def encode_roster(roster: Roster) -> bytes:
    """As it is told from process to process; no key is in it."""
    when = microseconds(roster.rekeyed_at)
    return codec.encode([roster.name, roster.prefix, roster.num, when, *encode_people(roster)])


def decode_roster(data: bytes) -> Roster:
    """Read back what `encode_roster` wrote.

    Raises:
        DecodeError: it is no such thing.
    """
    match codec.decode(data):
        case [str(name), bytes(prefix), int(num), int(when), list(members), list(departed), list(barred)] if (
            0 < num < _MAX_NUM
        ):
            people = decode_people(members, departed, barred)
            return Roster(
                name=name,
                prefix=prefix,
                num=num,
                rekeyed_at=instant(when),
                members=people[0],
                departed=people[1],
                barred=people[2],
            )
    raise DecodeError("expected how a group stands")


def encode_people(roster: Roster) -> list[Any]:
    """Members, who left and who is barred, as three plain values."""
    return [
        [_encode_member(member) for member in roster.members],
        [list(row) for row in roster.departed],
        sorted(roster.barred),
    ]


_People = tuple[tuple[MemberRecord, ...], tuple[tuple[ThingId, bytes], ...], frozenset[ThingId]]


def decode_people(members: list[Any], departed: list[Any], barred: list[Any]) -> _People:
    """Read back what `encode_people` gave.

    Raises:
        DecodeError: it is no such thing.
    """
    return (
        tuple([_decode_member(row) for row in members]),
        tuple([_decode_departed(row) for row in departed]),
        frozenset([_decode_thing(thing) for thing in barred]),
    )


def _current(roster: Roster) -> list[bytes]:
    return [member.sender_id for member in roster.members if member.confirmed == roster.num]


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
