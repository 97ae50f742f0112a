"""The groups plane composed from its settings: the way to members, and the groups that the policy names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from thingstead.clock import Clock
from thingstead.controller.config import ControllerConfig
from thingstead.controller.group_member import group_id
from thingstead.controller.server import DomainServer
from thingstead.domain.policy import PROFILES, OwnerPolicy
from thingstead.domain.ports import GroupAssociations
from thingstead.errors import ConfigError
from thingstead.identifier import ThingId
from thingstead.planes.groups.courier import Courier, Epochs
from thingstead.planes.groups.group_manager import Settings
from thingstead.planes.groups.roster import Rosters
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.ace.groupcomm import group_rights
from thingstead.protocols.coap.message import Message
from thingstead.protocols.profile import path

__all__ = ["group_settings", "groups_of_policy", "groups_plane"]

_BY_GROUP_MESSAGE = Scope({path.LIGHT: Permission.GET | Permission.PUT})
"""What the domain may ask of a whole group, where the owner's policy grants it; nothing about keys is among it."""


def group_settings(config: ControllerConfig, policy: OwnerPolicy) -> Settings:
    """How the plane works: the policy grants what the domain may do, and says how old keys may grow."""
    return Settings(
        domain=config.domain.name,
        right=policy.granted.narrow(_BY_GROUP_MESSAGE),
        renewal=PROFILES[policy.join.profile].group_rekey,
    )


def groups_plane(
    config: ControllerConfig,
    epochs: Epochs,
    rosters: Rosters,
    live: GroupAssociations,
    *,
    server: DomainServer,
    scope_of: Callable[[ThingId], Scope | None],
    clock: Clock,
) -> Courier:
    """The groups of a domain, with the way to their members.

    Args:
        config: names the multicast group that commands go to.
        epochs: the Group Manager.
        rosters: what it told of its groups.
        live: the domain's own membership.
        server: the way to things.
        scope_of: what a thing's token lets it do now.
        clock: both times.
    """
    destination = (config.coap.multicast_group, config.coap.multicast_port)

    async def send(name: str, message: Message, expected: int) -> Mapping[bytes, Message]:
        if not config.coap.multicast_group:
            raise ConfigError("[coap] multicast_group is empty: this domain commands no groups")
        return await server.command(group_id(name), message, destination, expected=expected)

    return Courier(epochs, rosters, live, scope_of=scope_of, ask=server.request, send=send, clock=clock)


def groups_of_policy(policy: OwnerPolicy) -> tuple[str, ...]:
    """Groups that some scope of the policy lets things join: they are there from the start."""
    return tuple(sorted({name for scope in policy.join.scopes.values() for name in group_rights(scope)}))
