"""Each port on which things have been found open is tried once, and what answers is told."""

import asyncio

import pytest

from thingstead.phases.doors import open_doors
from thingstead.phases.knocking import PORTS

pytestmark = pytest.mark.requirement("R-89")


class Stranger:
    def __init__(self, *doors):
        self.doors, self.tried, self.at_once, self.most = set(doors), [], 0, 0

    async def turn(self, door):
        self.tried.append(door)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return door in self.doors

    async def knock(self, _host, port, *, within):
        assert within == 0.5
        return await self.turn((6, port))

    async def say(self, datagram, address, *, within, until):
        assert (bool(datagram), until(b"anything"), within) == (True, True, 0.5)
        return (b"answer",) if await self.turn((17, address[1])) else ()


def found(stranger):
    return asyncio.run(open_doors(stranger, "192.0.2.1", within=0.5, at_once=4))


def test_what_answers_is_told_by_protocol_and_port():
    assert found(Stranger((17, 5683), (6, 23))) == ((6, 23), (17, 5683))
    assert found(Stranger((6, 5683), (17, 23))) == ()


def test_every_port_is_tried_once_and_a_few_at_a_time():
    stranger = Stranger()
    assert found(stranger) == ()
    assert len(stranger.tried) == len(set(stranger.tried))
    assert {port for protocol, port in stranger.tried if protocol == 6} == PORTS
    assert stranger.most == 4
