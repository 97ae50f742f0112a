"""Lamps, a switch and a captured member: what the scenarios about groups share."""

from typing import Any

from tests.scenarios.world import POLICY, LivingThing, World
from thingstead.agent.group_home import GroupHome
from thingstead.crypto.keystore import KeyStore
from thingstead.domain.plane import PlaneName
from thingstead.domain.unit import Committed
from thingstead.endpoint.event import Address
from thingstead.identifier import KeyId
from thingstead.planes.groups import record as group_record
from thingstead.planes.groups.roster import Roster
from thingstead.protocols.ace.groupcomm import GroupKeys, security_context
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, MessageType, decode, encode, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.group_oscore.context import GroupContext
from thingstead.protocols.group_oscore.protection import protect_group_request
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.oscore.option import OscoreOption, decode_option, encode_option
from thingstead.simulator.virtual.memory import Fate, HomeLife
from thingstead.simulator.virtual.network import Datagram

MULTICAST: Address = ("239.83.0.1", 5684)

POLICY_WITH_SWITCH = POLICY.replace(
    "[[rule]]",
    """
[scope.switch]
"/senml" = ["POST"]
"/ace-group/lamps" = ["GET", "POST"]
"/ace-group/lamps/light" = ["PUT"]
"/ace-group/lamps/group-keys" = ["PUT"]

[[rule]]
name = "switches of Acme"
makers = ["acme"]
models = ["SW-*"]
zone = "floor-1"
scope = "switch"

[[rule]]""",
    1,
)
"""A switch may switch; that it may also hand out keys is the owner's mistake, which must not matter."""


def record(world: World) -> Roster:
    """The group as the Group Manager has it."""
    return world.domain.controller.planes.groups.group("lamps")


def epochs(*things: LivingThing) -> list[int]:
    """Version of the keys that each thing has; 0 for none."""
    return [thing.agent.groups.epochs().get("lamps", 0) for thing in things]


def is_settled(world: World, things: list[LivingThing]) -> bool:
    """Exactly `things` are members, and all have confirmed the newest keys."""
    if not world.domain.is_up:
        return False
    group = record(world)
    return {member.thing for member in group.members} == {thing.id for thing in things} and not group.behind()


async def lamps(world: World, *serials: str, model: str = "LX-1", **config: Any) -> list[LivingThing]:
    """Things of one model that are in the group, together with all that were there before."""
    settings: dict[str, Any] = {"multicast_group": MULTICAST[0], "multicast_port": MULTICAST[1], **config}
    things = [world.thing(serial, model=model, **settings) for serial in serials]
    for thing in things:
        thing.start()
    await world.until(lambda: all(thing.has_reported for thing in things))
    await world.until(lambda: is_settled(world, [one for one in world.things.values() if one.is_up]))
    return things


async def switch(world: World, to: str = "on") -> dict[str, Any]:
    """The domain's one message."""
    report: dict[str, Any] = await world.domain.ask("group.command", group="lamps", value=to)
    return report


def commands(world: World, start: int = 0) -> list[Datagram]:
    """What went to the group's address."""
    return [one for one in world.network.sent[start:] if one.destination == MULTICAST]


def kept_keys(thing: LivingThing) -> GroupKeys:
    """The keys on a thing's disk."""
    kept = GroupHome(HomeLife(thing.disk, Fate())).load("lamps")
    assert kept is not None
    return kept.keys


def captured(thing: LivingThing) -> GroupContext:
    """What an attacker who opens the thing can make of its disk and its key store."""
    return context_of(kept_keys(thing), thing.keys)


def context_of(keys: GroupKeys, store: KeyStore) -> GroupContext:
    """A context with plenty of sequence numbers that the real member has not used."""
    key = store.handle(KeyId("group-lamps"))
    return security_context(keys, key, sequence=SequenceNumbers(1000), fresh=True)


def command(to: bool = True) -> Message:
    """PUT /light as a multicast request."""
    wanted = request(Code.PUT, "/light", payload=codec.encode(to))
    return Message(Code.PUT, MessageType.NON, 7, b"\x07\x07", wanted.options, wanted.payload)


def send(world: World, message: Message, source: LivingThing) -> None:
    """Let a thing's host send a message to the group."""
    world.network.send(encode(message), source.address, MULTICAST)


def commanded(context: GroupContext, *, to: bool = True) -> Message:
    """A command under somebody's context."""
    protected, _ = protect_group_request(command(to), context=context)
    return protected


def named(datagram: Datagram) -> tuple[bytes | None, bytes | None, bytes | None]:
    """Gid, kid and Partial IV of a protected request."""
    option = option_of(decode(datagram.data))
    return option.kid_context, option.kid, option.partial_iv


def option_of(message: Message) -> OscoreOption:
    """The OSCORE option of a message."""
    return decode_option(message.option(OptionNumber.OSCORE) or b"")


def relabelled(message: Message, gid: bytes) -> Message:
    """The message as if it were of another epoch."""
    old = option_of(message)
    option = encode_option(OscoreOption(old.partial_iv, old.kid, gid, group=old.group))
    return message.with_options((OptionNumber.OSCORE, option), without=frozenset((int(OptionNumber.OSCORE),)))


def watch(committed: Committed, secrets: dict[bytes, bytes]) -> None:
    """Every Gid that was ever on disk, with the secret it stood for."""
    for one in committed.unit.records:
        if one.plane is PlaneName.GROUPS and one.key.startswith("group/") and one.document:
            group = group_record.decode(one.document)
            secret = group.master_secret.reveal()
            assert secrets.setdefault(group.gid, secret) == secret
