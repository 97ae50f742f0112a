"""Our own resolver's sockets: UDP and TCP, and how much one asker may have of them."""

import asyncio
import socket
import struct
from contextlib import asynccontextmanager

import pytest

from tests.port import free_port
from tests.unit.transport.name_world import NAME, QUERY, Zone, answered
from thingstead.errors import TransportError
from thingstead.protocols.dns.message import decode
from thingstead.transport.name_relay import NameRelay
from thingstead.transport.name_server import NameServer, NameServerLimits
from thingstead.transport.upstream import Upstream

ROW = (NAME, 60, "A", "198.51.100.7")


class Gate(Zone):
    """Answers when it is let."""

    def __init__(self, *rows):
        super().__init__(*rows)
        self.open = asyncio.Event()

    async def ask(self, query):
        self.asked.append(query)
        await self.open.wait()
        return answered(query, *self.rows)


async def forget(_answer):
    """A plane that takes everything up."""


@asynccontextmanager
async def served(zone, *, forwarders=frozenset(), **limits):
    relay = NameRelay(zone.ask, hosts={}, inside=(), learn=forget, random_bytes=bytes)
    async with asyncio.TaskGroup() as tasks:
        given = NameServerLimits(**limits)
        port = free_port()
        server = NameServer(relay, host="127.0.0.1", port=port, tasks=tasks, forwarders=forwarders, limits=given)
        port = await server.start()
        try:
            yield server, port
        finally:
            await server.close()


async def over_tcp(port, *queries):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    for query in queries:
        writer.write(struct.pack("!H", len(query)) + query)
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        found.append(decode(await reader.readexactly(size)))
    writer.close()
    return found


async def until(condition):
    """Let others go on until it holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  what it waits for are counters
            await asyncio.sleep(0)


def run(story):
    return asyncio.run(story())


def test_a_question_over_udp_is_answered():
    async def story():
        async with served(Zone(ROW)) as (_, port):
            return decode(await Upstream([("127.0.0.1", port)]).ask(QUERY))

    assert [str(one) for one, _ in run(story).addresses()] == ["198.51.100.7"]


@pytest.mark.spec("RFC 7766 6.2.1")
def test_several_questions_over_one_connection_are_answered():
    async def story():
        async with served(Zone(ROW)) as (_, port):
            return await over_tcp(port, QUERY, QUERY)

    assert [len(one.addresses()) for one in run(story)] == [1, 1]


def test_one_asker_gets_no_more_than_its_share():
    async def story():
        zone = Gate(ROW)
        async with served(zone, max_of_one=2) as (server, port):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                for _ in range(5):
                    client.sendto(QUERY, ("127.0.0.1", port))
                await until(lambda: server.dropped == 3 and len(zone.asked) == 2)
                zone.open.set()
                await until(lambda: not server._under_way)
                client.sendto(QUERY, ("127.0.0.1", port))
                await until(lambda: len(zone.asked) == 3)

    run(story)


def test_one_asker_gets_no_more_than_so_many_answers_a_second():
    async def story():
        zone = Zone(ROW)
        async with served(zone, max_a_second=0) as (server, port):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(QUERY, ("127.0.0.1", port))
                await until(lambda: server.dropped == 1)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(struct.pack("!H", len(QUERY)) + QUERY)
            assert await reader.read() == b""
            writer.close()
            assert (server.dropped, zone.asked) == (2, [])

    run(story)


@pytest.mark.parametrize("limit", ["max_of_one", "max_a_second", "max_connections_of_one"])
def test_a_resolver_that_asks_for_others_is_not_one_asker(limit):
    async def story():
        async with served(Zone(ROW), forwarders=frozenset({"127.0.0.1"}), **{limit: 0}) as (server, port):
            assert len((await over_tcp(port, QUERY, QUERY))[1].addresses()) == 1
            assert len(decode(await Upstream([("127.0.0.1", port)]).ask(QUERY)).addresses()) == 1
            assert server.dropped == 0

    run(story)


def test_all_together_get_no_more_than_there_is():
    async def story():
        zone = Gate(ROW)
        async with served(zone, max_under_way=1) as (server, port):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(QUERY, ("127.0.0.1", port))
                client.sendto(QUERY, ("127.0.0.1", port))
                await until(lambda: server.dropped == 1 and len(zone.asked) == 1)

    run(story)


def test_what_is_no_query_gets_silence_and_takes_no_room():
    async def story():
        async with served(Zone(ROW)) as (server, port):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(b"\0", ("127.0.0.1", port))
                await until(lambda: server._relay.counts["malformed"] == 1)
            await until(lambda: not server._under_way)

    run(story)


def test_a_connection_on_which_no_query_comes_is_closed():
    async def story():
        async with served(Zone(ROW), idle_seconds=0.02) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()

    run(story)


def test_a_connection_on_which_nonsense_comes_is_closed():
    async def story():
        async with served(Zone(ROW)) as (_, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"\0\1\0")
            assert await reader.read() == b""
            writer.close()

    run(story)


def test_more_connections_than_there_is_room_for_are_closed_at_once():
    async def story():
        async with served(Zone(ROW), max_connections=0) as (server, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            assert server.dropped == 1
            writer.close()

    run(story)


def test_one_asker_gets_no_more_than_its_share_of_connections():
    async def story():
        async with served(Zone(ROW), max_connections_of_one=1) as (server, port):
            first, held = await asyncio.open_connection("127.0.0.1", port)
            await until(lambda: server._connections.total() == 1)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            assert server.dropped == 1
            held.close()
            assert await first.read() == b""
            await until(lambda: not server._connections)
            writer.close()
            return await over_tcp(port, QUERY)

    assert [len(one.addresses()) for one in run(story)] == [1]


def test_who_takes_no_answers_keeps_no_connection():
    long = [(NAME, 60, "TXT", " ".join(["x" * 250] * 230))]

    async def story():
        async with served(Zone(*long), idle_seconds=0.1) as (server, port):
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", port))
                # More answers than the buffers of both ends have room for.
                client.sendall((struct.pack("!H", len(QUERY)) + QUERY) * 16)
                await until(lambda: server._connections.total() == 1)
                await until(lambda: not server._connections)

    run(story)


def test_a_fault_of_ours_costs_one_answer_and_not_the_server(caplog):
    class Broken(Zone):
        async def ask(self, query):
            self.asked.append(query)
            raise ZeroDivisionError

    async def story():
        zone = Broken()
        async with served(zone) as (server, port):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(QUERY, ("127.0.0.1", port))
                await until(lambda: len(zone.asked) == 1 and not server._under_way)
                client.sendto(QUERY, ("127.0.0.1", port))
                await until(lambda: len(zone.asked) == 2)

    run(story)
    assert "a question of 127.0.0.1 failed" in caplog.text


def test_a_port_that_is_taken_is_said():
    async def story():
        async with served(Zone(ROW)) as (server, port):
            again = NameServer(server._relay, host="127.0.0.1", port=port, tasks=server._tasks)
            with pytest.raises(TransportError, match="free UDP address"):
                await again.start()
            await again.close()
            taken = socket.create_server(("127.0.0.1", 0))
            again._port = taken.getsockname()[1]
            with pytest.raises(TransportError, match="free TCP address"):
                await again.start()
            taken.close()

    run(story)
