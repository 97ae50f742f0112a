"""The groups plane put together: what the policy does not grant, no group message may ask."""

import asyncio
import random
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.planes.groups.parties import Disk, LiveGroups
from thingstead.controller.config import CoapConfig, ControllerConfig
from thingstead.controller.group import group_settings, groups_of_policy, groups_plane
from thingstead.controller.group_member import group_id
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.policy import JoinPolicy, OwnerPolicy, ProfileName
from thingstead.errors import ConfigError
from thingstead.planes.groups.group_manager import GroupManager
from thingstead.planes.groups.roster import Rosters
from thingstead.protocols.ace.aif import Permission, Scope
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code

KEY = generate(KeyType.P256)


class Server:
    """Remembers what was to be sent to whom."""

    def __init__(self):
        self.commands = []

    async def request(self, thing, message):
        return Message(Code.CHANGED)

    async def command(self, group, message, destination, *, expected):
        self.commands.append((group, destination, expected))
        return {}


def plane(granted, group="239.83.0.9"):
    server: Any = Server()
    live = LiveGroups()
    rosters, clock = Rosters(live), JumpingClock()
    config = ControllerConfig(coap=CoapConfig(multicast_group=group, multicast_port=5999))
    settings = group_settings(config, OwnerPolicy(JoinPolicy(ProfileName.INDUSTRIAL), Scope(granted)))
    random_bytes = random.Random(1).randbytes
    epochs = GroupManager(Disk(), KEY, rosters, settings=settings, clock=clock, random_bytes=random_bytes)
    manager = groups_plane(config, epochs, rosters, live, server=server, scope_of=lambda _thing: None, clock=clock)
    asyncio.run(manager.create("lamps"))
    return manager, server, live


@pytest.mark.parametrize(
    ("granted", "right"),
    [
        ({}, {}),
        ({"/group-keys": int(Permission.PUT)}, {}),
        ({"/light": int(Permission.DELETE)}, {}),
        ({"/light": int(Permission.GET), "/wipe": int(Permission.POST)}, {"/light": int(Permission.GET)}),
    ],
)
def test_by_group_message_the_domain_may_ask_for_light_at_most_and_only_where_it_is_granted(granted, right):
    _, _, live = plane(granted)
    (domain,) = live.keys["lamps"].members
    assert {path: int(mask) for path, mask in domain.scope.grants.items() if mask} == right


def test_a_domain_without_a_multicast_group_commands_nobody():
    manager, server, _ = plane({"/light": int(Permission.PUT)}, group="")
    with pytest.raises(ConfigError, match="multicast_group is empty"):
        asyncio.run(manager.command("lamps", request(Code.PUT, "/light")))
    assert server.commands == []


def test_a_command_goes_to_the_group_of_the_settings():
    manager, server, _ = plane({"/light": int(Permission.PUT)})
    asyncio.run(manager.command("lamps", request(Code.PUT, "/light")))
    assert server.commands == [(group_id("lamps"), ("239.83.0.9", 5999), 0)]


@pytest.mark.parametrize(
    ("scopes", "names"),
    [
        ({}, ()),
        ({"member": {"/senml": Permission.POST, "/ace-group": Permission.GET}}, ()),
        ({"a": {"/ace-group/lamps": Permission.POST}, "b": {"/ace-group/doors": Permission.POST}}, ("doors", "lamps")),
    ],
)
def test_the_policy_names_the_groups_that_are_there_from_the_start(scopes, names):
    policy = OwnerPolicy(
        JoinPolicy(ProfileName.HOME, {name: Scope(grants) for name, grants in scopes.items()}), Scope({})
    )
    assert groups_of_policy(policy) == names
