"""The groups plane composed from its settings: the way to members, and the groups that the policy names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from thingstead.clock import Clock
from thingstead.controller.config import ControllerConfig
from thingstead.controller.group_member import group_id
from thingstead.controller.server import DomainServer
from thingstead.crypto.key import PrivateKey
from thingstead.domain.policy import PROFILES, OwnerPolicy
from thingstead.domain.ports import GroupAssociations, Records
from thingstead.errors import ConfigError
from thingstead.identifier import ThingId
from thingstead.planes.groups.group_manager import GroupManager, Settings
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.ace.groupcomm import group_rights
from thingstead.protocols.coap.message import Message
from thingstead.protocols.profile import path

__all__ = ["groups_of_policy", "groups_plane"]

_BY_GROUP_MESSAGE = Scope({path.LIGHT: Permission.GET | Permission.PUT})
"""What the domain may ask of a whole group, where the owner's policy grants it; nothing about keys is among it."""


def groups_plane(
    config: ControllerConfig,
    policy: OwnerPolicy,
    key: PrivateKey,
    *,
    records: Records,
    live: GroupAssociations,
    server: DomainServer,
    scope_of: Callable[[ThingId], Scope | None],
    clock: Clock,
    random_bytes: Callable[[int], bytes],
) -> GroupManager:
    """The Group Manager of a domain.

    Args:
        config: names the multicast group that commands go to.
        policy: grants what the domain may do, and says how old keys may grow.
        key: the plane's own.
        records: its documents.
        live: the domain's own membership.
        server: the way to things.
        scope_of: what a thing's token lets it do now.
        clock: both times.
        random_bytes: a source of randomness.
    """
    destination = (config.coap.multicast_group, config.coap.multicast_port)

    async def send(name: str, message: Message, expected: int) -> Mapping[bytes, Message]:
        if not config.coap.multicast_group:
            raise ConfigError("[coap] multicast_group is empty: this domain commands no groups")
        return await server.command(group_id(name), message, destination, expected=expected)

    return GroupManager(
        records,
        key,
        live,
        settings=Settings(
            domain=config.domain.name,
            right=policy.granted.narrow(_BY_GROUP_MESSAGE),
            renewal=PROFILES[policy.join.profile].group_rekey,
        ),
        scope_of=scope_of,
        ask=server.request,
        send=send,
        clock=clock,
        random_bytes=random_bytes,
    )


def groups_of_policy(policy: OwnerPolicy) -> tuple[str, ...]:
    """Groups that some scope of the policy lets things join: they are there from the start."""
    return tuple(sorted({name for scope in policy.join.scopes.values() for name in group_rights(scope)}))
