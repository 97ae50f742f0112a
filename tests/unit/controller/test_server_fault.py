"""The domain's core: one request that brings out a fault of ours costs that request, and nothing else."""

import asyncio
import random

import pytest

from tests.unit.controller.planes import JumpingClock
from thingstead.controller.server import DomainServer
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.resource import Resources
from thingstead.errors import ForbiddenError
from thingstead.protocols.coap.message import Message, MessageType, decode, encode
from thingstead.protocols.coap.registry import Code

_SOURCE = ("192.0.2.1", 5683)


async def _reserve(_owner, _upto):
    pass


async def _answer(work):
    """What a stranger gets from a deferred handler; the task group must live on."""
    clock = JumpingClock()
    async with asyncio.TaskGroup() as tasks:
        resources = Resources(lambda _event: None)
        endpoint = Endpoint(EndpointConfig(), random_bytes=random.Random(1).randbytes)
        server = DomainServer(endpoint, resources, clock=clock, tasks=tasks, reserve=_reserve)
        resources.register("/x", Code.POST, server.deferred(work), public=True)
        request = Message(Code.POST, MessageType.CON, 7, b"t", [(11, b"x")])
        server.receive_datagram(encode(request), _SOURCE, clock.now())
        server.run(clock.now())
        for _ in range(5):
            await asyncio.sleep(0)
        return [decode(data).code for data, _ in server.datagrams_to_send(clock.now())]


@pytest.mark.requirement("R-19")
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyError("a fault of ours"), Code.INTERNAL_SERVER_ERROR),
        (RecursionError(), Code.INTERNAL_SERVER_ERROR),
        (ForbiddenError("no"), Code.FORBIDDEN),
    ],
)
def test_what_goes_wrong_behind_one_request_ends_no_other(error, code):
    async def work(_call):
        raise error

    assert asyncio.run(_answer(work)) == [code]
