"""The kill, measured at the relying party: from a decision to the last acceptance by a peer, and by the domain.

Things, domain and network are those of the scenarios, in virtual time: what is measured is messages and the waiting for
them on a line with 5 ms of delay, and not this machine.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from bench.figure import Figure
from tests.scenarios.kill import Kill, killed, pairs
from tests.scenarios.peers import PEERS
from tests.scenarios.world import play

__all__ = ["figures"]

_PAIRS = 500
_KILLS = 50
_WATCH = 20.0


def figures() -> list[Figure]:
    """Of 1,000 things that are online, fifty are cut off, on a good line and on one that loses one in five."""
    logging.disable(logging.CRITICAL)
    try:
        found: list[Figure] = []
        for loss in (0.0, 0.2):
            kills = _measured(loss)
            for who in ("peer", "domain"):
                ordered = sorted(getattr(kill, who) for kill in kills)
                for name, rank in (("p50", len(ordered) // 2), ("p99", -(-len(ordered) * 99 // 100) - 1)):
                    title = f"last acceptance by the {who}, {loss:.0%} lost, {name}"
                    found.append(Figure(title, "ms", round(ordered[rank] * 1000, 1)))
        return found
    finally:
        logging.disable(logging.NOTSET)


def _measured(loss: float) -> list[Kill]:
    async def story(world: Any) -> list[Kill]:
        made = await pairs(world, _PAIRS, busy=_KILLS)
        world.network.loss = loss
        chosen = [killed(world, pair, after=world.random.uniform(0, 5), watch=_WATCH) for pair in made[:_KILLS]]
        return list(await asyncio.gather(*chosen))

    return play(story, policy=PEERS)
