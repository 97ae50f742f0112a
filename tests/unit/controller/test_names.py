"""The resolver for things from settings: asked over its socket, it answers, and the plane has learned."""

import asyncio
from datetime import timedelta

from tests.port import free_port
from tests.unit.controller.planes import JumpingClock
from tests.unit.transport.name_world import NAME, QUERY, Zone, serving
from thingstead.controller.config import ControllerConfig, NamesConfig, NetworkConfig
from thingstead.controller.names import name_server
from thingstead.domain.ledger.refusal import RefusalCounter
from thingstead.protocols.dns.message import Rcode, decode
from thingstead.transport.upstream import Upstream

CLOCK = JumpingClock()


async def forget(_answer):
    """A plane that takes everything up."""


def asked(*rows, hosts=None):
    """What the resolver says to a question for NAME, what was learned before that, and what was refused."""
    learned, refusals = [], RefusalCounter()

    async def learn(answer):
        learned.append(answer.name)

    async def story():
        async with asyncio.TaskGroup() as tasks, serving(Zone(*rows)) as there:
            names = NamesConfig(enabled=True, port=free_port(), upstreams=["127.0.0.1"], upstream_port=there)
            config = ControllerConfig(names=names, network=NetworkConfig(local=["203.0.113.0/24"], hosts=hosts or {}))
            server = name_server(config, learn, refusals, clock=CLOCK, random_bytes=bytes, tasks=tasks)
            assert server is not None
            port = await server.start()
            read = decode(await Upstream([("127.0.0.1", port)]).ask(QUERY))
            await server.close()
            return read

    return asyncio.run(story()), learned, [one.cause for one in refusals.due(CLOCK.utc() + timedelta(minutes=2))]


def test_without_settings_there_is_no_resolver():
    async def story():
        async with asyncio.TaskGroup() as tasks:
            return name_server(
                ControllerConfig(), forget, RefusalCounter(), clock=CLOCK, random_bytes=bytes, tasks=tasks
            )

    assert asyncio.run(story()) is None


def test_a_thing_is_told_what_is_known_upstream():
    read, learned, refused = asked((NAME, 60, "A", "198.51.100.7"))
    assert ([str(one) for one, _ in read.addresses()], learned) == (["198.51.100.7"], [NAME])
    assert refused == []


def test_what_the_owner_gave_is_not_asked_for():
    read, learned, refused = asked((NAME, 60, "A", "198.51.100.7"), hosts={NAME: ["198.51.100.9"]})
    assert ([str(one) for one, _ in read.addresses()], learned) == (["198.51.100.9"], [NAME])
    assert refused == []


def test_a_name_that_leads_into_the_site_is_refused():
    read, learned, refused = asked((NAME, 60, "A", "203.0.113.9"))
    assert (read.rcode, learned, refused) == (Rcode.REFUSED, [], ["rebinding"])
