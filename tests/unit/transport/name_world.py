"""Resolvers out there, made of answers: the other side of our relay."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import dns.message
import dns.rcode
import dns.rrset

from tests.port import free_port
from thingstead.errors import TransportError
from thingstead.protocols.dns.message import Question, RecordType, encode_query

NAME = "cloud.example.com"
QUERY = encode_query(Question(NAME, RecordType.A), id=0x4242)


def answered(query: bytes, *rows: tuple[str, int, str, str], rcode: int = 0) -> bytes:
    """An answer to `query` with (name, ttl, type, value) in it."""
    response = dns.message.make_response(dns.message.from_wire(query), recursion_available=True)
    response.set_rcode(dns.rcode.Rcode.make(rcode))
    for name, ttl, kind, value in rows:
        response.answer.append(dns.rrset.from_text(f"{name}.", ttl, "IN", kind, value))
    return response.to_wire(max_size=65_535)


class Zone:
    """Answers every query with the same rows; keeps what it was asked."""

    def __init__(self, *rows: tuple[str, int, str, str], rcode: int = 0) -> None:
        self.rows = rows
        self.rcode = rcode
        self.asked: list[bytes] = []

    async def ask(self, query: bytes) -> bytes:
        self.asked.append(query)
        return answered(query, *self.rows, rcode=self.rcode)


class Silence(Zone):
    """Nobody answers."""

    async def ask(self, query: bytes) -> bytes:
        raise TransportError("nobody is there")


@asynccontextmanager
async def serving(zone: Zone, *, lies: int = 0, cuts: bool = False) -> AsyncIterator[int]:
    """A resolver on loopback that answers from `zone`; its port.

    Args:
        zone: its answers.
        lies: answers with another id that come before each right one.
        cuts: over UDP every answer is cut.
    """
    loop = asyncio.get_running_loop()

    class Udp(asyncio.DatagramProtocol):
        transport: Any

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            answer = answered(data, *zone.rows, rcode=zone.rcode)
            zone.asked.append(data)
            for _ in range(lies):
                self.transport.sendto(bytes([answer[0] ^ 1]) + answer[1:], addr)
            self.transport.sendto(answer[:2] + b"\x82\0" + bytes(8) if cuts else answer, addr)

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        with closing(writer), suppress(ConnectionAbortedError):
            answer = await zone.ask(await reader.readexactly(size))
            writer.write(struct.pack("!H", len(answer)) + answer)
            await writer.drain()

    port = free_port()
    transport, _ = await loop.create_datagram_endpoint(Udp, ("127.0.0.1", port))
    server = await asyncio.start_server(on_connection, "127.0.0.1", port)
    try:
        yield port
    finally:
        transport.close()
        server.close()
