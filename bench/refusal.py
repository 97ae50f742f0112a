"""What it costs the domain to refuse a thing that has left: CPU for each half of the handshake, and what is kept of it.

The domain is that of the scenarios, whole but for the sockets; the thing shows its genuine identity and key.
"""

from __future__ import annotations

import time
from typing import Any

from bench.figure import Figure
from tests.scenarios.world import play
from thingstead.agent.joining import Joining
from thingstead.errors import UntrustedError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile.birth import BIRTH, IDENTITY_KEY

__all__ = ["figures"]

_ROUNDS = 400
_SOURCE = ("192.0.2.66", 5683)


def figures() -> list[Figure]:
    """Microseconds of CPU, documents and ledger entries, and the most that one address takes of a core."""
    first, third, kept, share = play(_measured)
    whole = (first + third) / _ROUNDS
    return [
        Figure("a retired identity: message_1, as of any stranger", "us", round(first / _ROUNDS, 1)),
        Figure("a retired identity: message_3, until it is refused", "us", round(third / _ROUNDS, 1)),
        Figure("a retired identity: refused once, all", "us", round(whole, 1)),
        Figure(f"a retired identity: kept of it after {_ROUNDS} refusals", "documents and entries", kept),
        Figure("a retired identity: refusals of one address", "per second, at most", share),
        Figure("a retired identity: of a core for one address", "%, at most", round(share * whole / 10_000, 1)),
    ]


async def _measured(world: Any) -> tuple[float, float, int, int]:
    """CPU of both halves in microseconds, what is kept, and the share of an address."""
    (thing,) = await world.joined("A0001")
    await world.domain.ask("thing.retire", thing=thing.id)
    thing.crash()
    controller = world.domain.controller
    share = controller.foundation.config.join.max_half_open // 2
    born, key, at = birth_record.decode(thing.disk[BIRTH]), thing.keys.handle(IDENTITY_KEY), world.clock.utc()
    before = _kept(world)
    first = third = 0.0
    for number in range(_ROUNDS):
        story = Joining(born, key, b"\x05").story(at)
        message_1 = _payload(next(story))
        started = time.thread_time()
        message_2 = await controller.bootstrap.answer(message_1, _SOURCE, now=float(number), at=at)
        first += time.thread_time() - started
        message_3 = _payload(story.send(Message(Code.CHANGED, payload=message_2)))
        started = time.thread_time()
        try:
            await controller.bootstrap.answer(message_3, _SOURCE, now=float(number), at=at)
        except UntrustedError:
            third += time.thread_time() - started
        else:
            raise RuntimeError("a retired thing was let in")
    return first * 1e6, third * 1e6, _kept(world) - before + controller.bootstrap.half_open, share


def _payload(asked: Any) -> bytes:
    payload: bytes = asked.message.payload
    return payload


def _kept(world: Any) -> int:
    planes = world.domain.controller.planes
    return len(list(world.domain.entries())) + sum(len(list(world.domain.disk.documents(one.name))) for one in planes)
