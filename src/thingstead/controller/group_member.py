"""The domain as a member of its groups: their contexts at its endpoint, under its own key."""

from __future__ import annotations

from thingstead.crypto.key import PrivateKey
from thingstead.endpoint.association import Group
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import AssociationId, GroupId
from thingstead.protocols.ace.groupcomm import GroupKeys, security_context
from thingstead.protocols.group_oscore.context import GroupContext
from thingstead.protocols.oscore.context import SequenceNumbers

__all__ = ["DomainMember", "group_id", "group_of"]

_PREFIX = "group-"


def group_id(name: str) -> GroupId:
    """What the endpoint calls a group; no thing's id looks like it."""
    return GroupId(_PREFIX + name)


def group_of(owner: AssociationId | GroupId) -> str | None:
    """The group whose sequence numbers are asked for; None if they are those of an association."""
    return owner.removeprefix(_PREFIX) if owner.startswith(_PREFIX) else None


class DomainMember:
    """The port `GroupAssociations` over the live endpoint.

    Args:
        endpoint: the secured CoAP stack.
        key: the domain's as a member.
    """

    def __init__(self, endpoint: Endpoint, key: PrivateKey) -> None:
        self._endpoint = endpoint
        self._key = key
        self._contexts: dict[str, GroupContext] = {}

    def install_group(self, keys: GroupKeys, *, reserved: int, fresh: bool) -> None:
        """Make an epoch live; the one before it is gone."""
        sequence = SequenceNumbers(reserved, reserved=reserved)
        before = self._contexts.get(keys.name)
        context = security_context(keys, self._key, sequence=sequence, fresh=fresh, before=before)
        self._endpoint.install_group(Group(group_id(keys.name), context))
        self._contexts[keys.name] = context

    def group_sequence_reserved(self, name: str, upto: int) -> None:
        """Allow sender sequence numbers below `upto`."""
        self._endpoint.sequence_reserved(group_id(name), upto)

    def accepts_member(self, name: str, credential: bytes) -> bool:
        """Whether the live context has a member with this credential."""
        context = self._contexts.get(name)
        return context is not None and any(
            member.credential.original == credential for member in context.members.values()
        )
