"""Operations on groups: made, commanded by one message, rekeyed, somebody put out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from thingstead.controller.operation import Operation
from thingstead.domain.role import Right
from thingstead.identifier import thing_id
from thingstead.planes.groups.courier import Courier
from thingstead.planes.groups.roster import Roster
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import path

__all__ = [
    "AllGroups",
    "CommandGroup",
    "CommandReport",
    "GroupSummary",
    "MemberSummary",
    "NameGroup",
    "NameMember",
    "rows",
]


@dataclass(frozen=True, slots=True)
class AllGroups:
    """A request that says all by its name."""


@dataclass(frozen=True, slots=True)
class NameGroup:
    """Which group.

    Attributes:
        group: its name.
    """

    group: str


@dataclass(frozen=True, slots=True)
class NameMember:
    """Which thing in which group.

    Attributes:
        group: the group's name.
        thing: the thing's id.
    """

    group: str
    thing: str


@dataclass(frozen=True, slots=True)
class CommandGroup:
    """What all lamps of a group shall be.

    Attributes:
        group: its name.
        value: on or off.
    """

    group: str
    value: Literal["on", "off"]


@dataclass(frozen=True, slots=True)
class MemberSummary:
    """One member.

    Attributes:
        thing: its id.
        sender_id: its kid, in hexadecimal.
        roles: requester, responder or both.
        confirmed: the newest epoch that it said it has.
    """

    thing: str
    sender_id: str
    roles: str
    confirmed: int


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """One group, without its secrets.

    Attributes:
        name: of the group.
        epoch: version of its keys.
        gid: Group Identifier of this epoch, in hexadecimal.
        rekeyed_at: when this epoch began.
        members: how many things are in it; the domain itself is in every group.
        stale: how many of them have not confirmed this epoch.
        roster: who they are.
        evicted: things that were put out by an operator.
    """

    name: str
    epoch: int
    gid: str
    rekeyed_at: datetime
    members: int
    stale: int
    roster: tuple[MemberSummary, ...]
    evicted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CommandReport:
    """What came of one message.

    Attributes:
        group: whom it went to.
        answers: thing -> CoAP code of its countersigned answer.
        silent: members that did not answer in time.
    """

    group: str
    answers: dict[str, str]
    silent: tuple[str, ...]


def rows(groups: Courier, *, serve: Callable[[], None]) -> tuple[Operation[Any], ...]:
    """The table.

    Args:
        groups: the groups plane.
        serve: makes groups that are new reachable.
    """

    async def listing(_request: AllGroups) -> tuple[GroupSummary, ...]:
        return tuple([_summary(record) for record in groups.groups()])

    async def create(asked: NameGroup) -> GroupSummary:
        record = await groups.create(asked.group)
        serve()
        return _summary(record)

    async def command(asked: CommandGroup) -> CommandReport:
        payload = codec.encode(asked.value == "on")
        message = request(Code.PUT, path.LIGHT, payload=payload, content_format=ContentFormat.CBOR)
        answers = await groups.command(asked.group, message)
        members = groups.group(asked.group).members
        silent = tuple([str(member.thing) for member in members if member.thing not in answers])
        told = {str(thing): code_name(answer.code) for thing, answer in answers.items()}
        return CommandReport(asked.group, told, silent)

    async def rekey(asked: NameGroup) -> GroupSummary:
        return _summary(await groups.rekey(asked.group))

    async def evict(asked: NameMember) -> GroupSummary:
        return _summary(await groups.evict(asked.group, thing_id(asked.thing)))

    async def readmit(asked: NameMember) -> GroupSummary:
        return _summary(await groups.readmit(asked.group, thing_id(asked.thing)))

    return (
        Operation("group.list", AllGroups, Right.SEE, "every group, its epoch and members", listing),
        Operation("group.create", NameGroup, Right.OWN, "make a group that things may join", create),
        Operation("group.command", CommandGroup, Right.USE, "switch all lamps of a group by one message", command),
        Operation("group.rekey", NameGroup, Right.MAINTAIN, "give a group new keys", rekey),
        Operation("group.evict", NameMember, Right.MAINTAIN, "put a thing out of a group, and rekey it", evict),
        Operation("group.readmit", NameMember, Right.MAINTAIN, "let an evicted thing join again", readmit),
    )


def _summary(record: Roster) -> GroupSummary:
    roster = [
        MemberSummary(str(one.thing), one.sender_id.hex(), str(one.roles.name).lower(), one.confirmed)
        for one in record.members
    ]
    return GroupSummary(
        name=record.name,
        epoch=record.num,
        gid=record.gid.hex(),
        rekeyed_at=record.rekeyed_at,
        members=len(roster),
        stale=len(record.behind()),
        roster=tuple(roster),
        evicted=tuple(sorted(str(thing) for thing in record.barred)),
    )
