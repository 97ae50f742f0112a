"""What a 1 KiB block of a long response costs a server, and how fast one client gets it, beside aiocoap and libcoap.

The body is 256 KiB and its blocks are asked for in order. A server's cost is measured with 16 requests open; a client's
speed with one, as RFC 7959 has it, so that it is mostly the time of going there and back. Under OSCORE the blocks are
inner ones (RFC 8613 §4.1.3.4.1). In clear ours wants an Echo value with each, which the client has got before: it sends
no kilobyte to an address that nobody was seen at.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle, islice
from statistics import median

from bench import coap_server
from bench.coap_server import Contender
from bench.figure import Figure
from bench.load import drive
from thingstead.protocols.coap import message
from thingstead.protocols.coap.block import Block
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber

__all__ = ["figures"]

_PORT = 56_870
_SIZE = 1024
_BLOCKS = 256
_ROUNDS = 5
_PATHS = {"plain": "/pb", "OSCORE": "/b"}


def figures() -> Iterator[Figure]:
    """Medians of rounds that alternate; the first, in which the body is cut, does not count."""
    with ExitStack() as running:
        mine = coap_server.ours(running, _PORT)
        peers = [coap_server.aiocoap(running, _PORT + 1), coap_server.libcoap(running, _PORT + 2)]
        for kind, path in _PATHS.items():
            all_: list[tuple[Contender, Iterator[Message]]] = [(mine, cycle(_blocks(mine, kind, path)))]
            all_ += [(peer, cycle(_blocks(peer, kind, "/b"))) for peer in peers if peer is not None]
            yield from _compared(kind, all_)


def _compared(kind: str, all_: list[tuple[Contender, Iterator[Message]]]) -> Iterator[Figure]:
    costs: list[list[float]] = [[] for _ in all_]
    speeds: list[list[float]] = [[] for _ in all_]
    for _ in range(_ROUNDS + 1):
        for number, (contender, blocks) in enumerate(all_):
            costs[number].append(drive(contender.server, contender.socket, _encoded(contender, kind, blocks)))
            requests = _encoded(contender, kind, blocks)
            started = time.perf_counter()
            drive(contender.server, contender.socket, requests, window=1)
            speeds[number].append(_BLOCKS * _SIZE / (time.perf_counter() - started) / 1e6)
    cost = [median(found[1:]) / _BLOCKS * 1e6 for found in costs]
    speed = [median(found[1:]) for found in speeds]
    for label, unit, values in (("server CPU for one block", "us", cost), ("one client", "MB/s", speed)):
        name = f"block-wise GET, {kind}: {label}"
        for (contender, _), value in list(zip(all_, values, strict=True))[1:]:
            yield Figure(name, unit, round(values[0], 2), round(value, 2), contender.server.name)
        if len(all_) == 1:
            yield Figure(name, unit, round(values[0], 2))


def _encoded(contender: Contender, kind: str, blocks: Iterator[Message]) -> list[bytes]:
    return [contender.datagram(block, is_protected=kind == "OSCORE") for block in islice(blocks, _BLOCKS)]


def _blocks(contender: Contender, kind: str, path: str) -> list[Message]:
    """The requests for all blocks in order, with an Echo value where the server wants one."""
    plain = [_block(path, number) for number in range(_BLOCKS)]
    contender.socket.send(contender.datagram(plain[0], is_protected=kind == "OSCORE"))
    answer = message.decode(contender.socket.recv(2048))
    echo = answer.option(OptionNumber.ECHO)
    return plain if echo is None else [block.with_options((int(OptionNumber.ECHO), echo)) for block in plain]


def _block(path: str, number: int) -> Message:
    block = (int(OptionNumber.BLOCK2), Block(number, False, 6).encode())
    return message.request(Code.GET, path).with_options(block)
