"""Two things of one domain, of which one may command the other by the owner's policy."""

from __future__ import annotations

from typing import Any

from tests.scenarios.world import POLICY
from thingstead.agent.story import Story
from thingstead.errors import ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat

__all__ = ["HOURS", "PEERS", "command", "outcome", "press"]

HOURS = 2
PEERS = f"""{POLICY}
[scope.switching]
"/light" = ["PUT", "GET"]
"/wipe" = ["POST"]
"/group-keys" = ["PUT"]

[[peer]]
name = "sensors switch lamps"
clients = ["TH-*"]
servers = ["LX-*"]
scope = "switching"
hours = {HOURS}
same_zone = false
"""


def command(on: bool) -> Message:
    """What switches a lamp."""
    return request(Code.PUT, "/light", payload=codec.encode(on), content_format=ContentFormat.CBOR)


async def outcome(world: Any, client: Any, server: Any, message: Message) -> Message | ThingsteadError:
    """What comes of a request of one thing to another: a response, or why there is none."""
    outcomes: list[Message | ThingsteadError] = []

    def story() -> Story:
        try:
            outcomes.append((yield from client.agent.peer_client.ask(server.id, server.address, message)))
        except ThingsteadError as error:
            outcomes.append(error)

    client.agent.stories.start("test", story(), world.clock.now())
    client.flush()
    await world.until(lambda: outcomes, within=200)
    return outcomes[0]


async def press(world: Any, client: Any, server: Any, *, on: bool = True) -> int | str:
    """Switch a lamp: the response's code, or the reason of the error."""
    found = await outcome(world, client, server, command(on))
    return found.code if isinstance(found, Message) else found.reason
