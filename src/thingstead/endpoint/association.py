"""Live security associations: found by what a request names, and never ahead of their reserved numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TypeAlias

from thingstead.endpoint.counter import RateLimit
from thingstead.endpoint.event import Address, AssociationId, Event, GroupId, RenewalNeeded, SequenceNeeded
from thingstead.errors import AuthenticationError, ReplayError, SecurityError, StateError, UntrustedError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.group_oscore.context import GroupContext
from thingstead.protocols.oscore.binding import RequestBinding
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.option import OscoreOption, decode_partial_iv
from thingstead.protocols.oscore.protection import FreshnessError, unprotect_request
from thingstead.protocols.oscore.rederivation import InputParameters

__all__ = ["Association", "Associations", "Group", "SequenceGate", "SequenceOwner"]

SequenceOwner: TypeAlias = AssociationId | GroupId

_TRIES_PER_SECOND = 1.0
"""A key with an 8-byte tag bears 2**14 failures (draft-ietf-core-oscore-key-limits): 4.5 hours at this rate."""


@dataclass(slots=True, eq=False)
class Association:
    """An OSCORE context and who is behind it.

    Attributes:
        id: names it towards the application.
        context: its keys and numbers; of this association alone.
        peer: opaque to the endpoint, such as a `ThingId`.
        scope: opaque to the endpoint: what the peer may do.
        address: where the peer was last seen to receive, and where our requests go; None until then. One that is
            given is believed. A context is not bound to it, so a thing may move.
        with_kid_context: our requests tell the ID Context.
        parameters: what new contexts may be derived from (RFC 8613 appendix B.2); None where that is not allowed.
        epoch: which installation this is; set by `Associations.install`.
        heard_from: where else the last request that verified came from.
        tries: how many more messages from neither may be tried; None until one of them failed.
    """

    id: AssociationId
    context: SecurityContext
    peer: object = None
    scope: object = None
    address: Address | None = None
    with_kid_context: bool = False
    parameters: InputParameters | None = None
    epoch: int = field(default=0, init=False)
    heard_from: Address | None = field(default=None, init=False)
    tries: RateLimit | None = field(default=None, init=False)


@dataclass(slots=True, eq=False)
class Group:
    """One epoch of a group's keys; a rekey installs the next one under the same id, and this one is gone.

    Attributes:
        id: names the group towards the application, through all its epochs.
        context: members and keys of this epoch.
        scope: opaque to the endpoint.
        epoch: which installation this is; set by `Associations.install_group`.
    """

    id: GroupId
    context: GroupContext
    scope: object = None
    epoch: int = field(default=0, init=False)


class Associations:
    """The table of live associations and groups.

    Args:
        gate: is told of keys that have seen much.
        max_awake: associations that keep their ciphers, at most twice that; those silent longest drop theirs.

    Attributes:
        is_known: whether the peer of a live association was seen to receive at an address.
    """

    __slots__ = (
        "_addresses",
        "_awake",
        "_by_gid",
        "_by_id",
        "_by_kid",
        "_drowsy",
        "_epoch",
        "_gate",
        "_groups",
        "_max_awake",
        "is_known",
    )

    def __init__(self, gate: SequenceGate, *, max_awake: int) -> None:
        self._gate = gate
        self._max_awake = max_awake
        self._awake: set[Association] = set()
        self._drowsy: set[Association] = set()
        self._by_gid: dict[bytes, Group] = {}
        self._groups: dict[GroupId, Group] = {}
        self._by_id: dict[AssociationId, Association] = {}
        self._by_kid: dict[bytes | None, tuple[Association, ...]] = {}
        self._addresses: dict[Address, int] = {}
        self.is_known: Callable[[Hashable], bool] = self._addresses.__contains__
        self._epoch = 0

    def install(self, association: Association) -> None:
        """Make an association live; one of the same id is replaced."""
        self.end(association.id)
        kid = association.context.recipient.id
        self._epoch += 1
        association.epoch = self._epoch
        self._by_id[association.id] = association
        self._by_kid[kid] = (*self._by_kid.get(kid, ()), association)
        self._count(association.address, 1)

    def end(self, association_id: AssociationId) -> None:
        """Take an association away; from now on nothing verifies under it."""
        association = self._by_id.pop(association_id, None)
        if association is None:
            return
        self._count(association.address, -1)
        self._awake.discard(association)
        self._drowsy.discard(association)
        kid = association.context.recipient.id
        left = tuple(other for other in self._by_kid[kid] if other is not association)
        if left:
            self._by_kid[kid] = left
        else:
            del self._by_kid[kid]

    def install_group(self, group: Group) -> None:
        """Make a group live; an earlier epoch of the same id is gone."""
        self.end_group(group.id)
        self._epoch += 1
        group.epoch = self._epoch
        self._groups[group.id] = group
        self._by_gid[group.context.gid] = group

    def end_group(self, group_id: GroupId) -> None:
        """Take a group away; from now on nothing verifies under its keys."""
        group = self._groups.pop(group_id, None)
        if group is not None and self._by_gid.get(group.context.gid) is group:
            del self._by_gid[group.context.gid]

    def addresses(self) -> list[Address]:
        """Where peers of live associations were seen to receive; the newest last."""
        return list(self._addresses)

    def find_group(self, group_id: GroupId) -> Group | None:
        """The live epoch of this group."""
        return self._groups.get(group_id)

    def group_of(self, option: OscoreOption) -> Group | None:
        """The group whose Gid a request names (RFC 10021 §6.2).

        Raises:
            UntrustedError: the request is in group mode, and no group has its Gid.
        """
        group = None if option.kid_context is None else self._by_gid.get(option.kid_context)
        if group is None and option.group:
            raise UntrustedError("no group has this Gid", spec="RFC 10021 §6.2", reason="context")
        return group

    def find(self, association_id: AssociationId) -> Association | None:
        """The live association of this id."""
        return self._by_id.get(association_id)

    def locate(self, recipient_id: bytes, source: Address) -> None:
        """Set the address of who has this recipient ID, if it is one association alone."""
        found = self._by_kid.get(recipient_id, ())
        if len(found) == 1:
            self._place(found[0], source)

    def follow(self, association: Association, binding: RequestBinding, source: Address) -> bool:
        """Take `source` for the peer's address: a verified request has brought back what was sent there.

        Not when a newer request came before this one; returns whether the peer is there now.
        """
        if association.context.recipient.window.newest != decode_partial_iv(binding.partial_iv):
            return False
        self._place(association, source)
        return True

    def _wake(self, association: Association) -> None:
        """Note that an association speaks; when many do, those that did not for a generation drop their ciphers."""
        if len(self._awake) >= self._max_awake:
            for silent in self._drowsy - self._awake:
                silent.context.sender.rest()
                silent.context.recipient.rest()
            self._drowsy, self._awake = self._awake, set()
        self._awake.add(association)

    def _place(self, association: Association, source: Address) -> None:
        self._count(association.address, -1)
        association.address = source
        self._count(source, 1)

    def _count(self, address: Address | None, change: int) -> None:
        if address is None:
            return
        count = self._addresses.get(address, 0) + change
        if count:
            self._addresses[address] = count
        else:
            del self._addresses[address]

    def renewable(self, kid: bytes | None) -> list[Association]:
        """Those with this kid whose contexts may be derived anew."""
        return [this for this in self._by_kid.get(kid or b"", ()) if this.parameters is not None]

    def is_at(self, kid: bytes | None, source: Address) -> bool:
        """Whether a peer of this name was seen to receive at `source`."""
        return any(this.address == source for this in self._by_kid.get(kid or b"", ()))

    def owner(self, binding: RequestBinding) -> Association:
        """The live association under which a request was verified."""
        return next(this for this in self._by_kid[binding.kid] if this.context is binding.context)

    def unprotect(
        self, message: Message, option: OscoreOption, source: Address, now: float
    ) -> tuple[Message, RequestBinding, Association]:
        """Verify a request under the association that it names (RFC 8613 §8.2 step 2).

        Associations with the same kid, and no kid context to tell them apart, are tried in turn. A key bears so many
        failures and no more, so when one came from elsewhere than where the peer is or speaks from, few more are tried
        from there: else whoever has seen a kid could wear its key out within a second.

        Raises:
            UntrustedError: no association has this kid and kid context, or too many were tried from elsewhere.
            FreshnessError: authentic, but the replay window was lost; `owner` tells whose.
            DecodeError, ReplayError, AuthenticationError: as for `unprotect_request`.
        """
        refused: SecurityError | None = None
        for association in self._by_kid.get(option.kid, ()):
            if option.kid_context is not None and option.kid_context != association.context.kid_context:
                continue
            if association not in self._awake:
                self._wake(association)
            is_strange = source not in (association.address, association.heard_from)
            if is_strange and association.tries is not None and not association.tries.allow(now):
                refused = UntrustedError("too many messages from elsewhere did not verify", reason="tries")
                continue
            try:
                inner, binding = unprotect_request(message, context=association.context, option=option)
            except FreshnessError:
                raise
            except ReplayError as error:
                # Its number may be one that another peer of this kid has used.
                refused = error
            except (AuthenticationError, UntrustedError) as error:
                self._gate.look(association.id, association.context)
                refused = error
                if is_strange and association.tries is None:
                    association.tries = RateLimit(_TRIES_PER_SECOND)
            else:
                if is_strange:
                    association.heard_from = source
                return inner, binding, association
        if refused is not None:
            raise refused
        raise UntrustedError("no security context has this kid", spec="RFC 8613 §8.2", reason="context")


class SequenceGate:
    """Keeps senders below the sequence numbers that are durable (RFC 8613 appendix B.1.1).

    Args:
        events: takes a `SequenceNeeded` when half a stride or less is left, and a `RenewalNeeded` before the end.
        stride: sequence numbers asked for at a time.
    """

    __slots__ = ("_asked", "_events", "_stride", "_worn")

    def __init__(self, events: deque[Event], *, stride: int) -> None:
        self._asked: dict[SequenceOwner, int] = {}
        self._worn: set[SequenceOwner] = set()
        self._events = events
        self._stride = stride

    def is_open(self, name: SequenceOwner, sequence: SequenceNumbers) -> bool:
        """Whether a number may be taken now; asks for more in time. False means: wait for `reserve`.

        Raises:
            StateError: all are used up; the context is at its end (RFC 8613 §7.2.1).
        """
        left = sequence.reserved - sequence.next
        if left > self._stride >> 1:
            return True
        self.look(name, sequence)
        if sequence.next >= sequence.limit:
            raise StateError("the sender sequence numbers are used up", spec="RFC 8613 §7.2.1", reason="sequence")
        upto = min(max(sequence.reserved, sequence.next) + self._stride, sequence.limit)
        if sequence.reserved < sequence.limit and self._asked.get(name, 0) < upto:
            self._asked[name] = upto
            self._events.append(SequenceNeeded(name, upto))
        return left > 0

    def look(self, name: SequenceOwner, used: SequenceNumbers | SecurityContext) -> None:
        """Ask, once, that keys be renewed when they come near what they may be used for."""
        if used.is_worn and name not in self._worn:
            self._worn.add(name)
            self._events.append(RenewalNeeded(name))

    def forget(self, name: SequenceOwner) -> None:
        """The association is gone, or its numbers start anew."""
        self._asked.pop(name, None)
        self._worn.discard(name)
