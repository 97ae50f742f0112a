"""What an attack came to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from thingstead.protocols.coap.code import code_name
from thingstead.simulator.attack.target import Target

__all__ = ["Attack", "Traffic", "Verdict", "names", "progress"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that an attack tried.

    Attributes:
        attack: its name.
        plane: the plane that had to answer.
        what: what was tried.
        expected: what has to come of it.
        observed: what came of it.
        held: whether the domain held.
        evidence: figures from the domain's own side.
    """

    attack: str
    plane: str
    what: str
    expected: str
    observed: str
    held: bool
    evidence: str = ""


Attack = Callable[[Target], Awaitable[list[Verdict]]]
"""Raises a `ThingsteadError` where it could not even be tried."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the domain counts, as it tells by ``traffic.show``.

    Attributes:
        half_open: handshakes that wait for message_3.
        refused: refusals by reason, of messages and of requests together.
    """

    half_open: int
    refused: Mapping[str, int]

    @classmethod
    async def of(cls, target: Target) -> Traffic:
        """Ask the domain."""
        shown = await target.ask("traffic.show", {})
        refused: dict[str, int] = {}
        for counted in (shown["messages"], shown["requests"]):
            for reason, number in counted.items():
                refused[reason] = refused.get(reason, 0) + number
        return cls(shown["half_open"], refused)

    def since(self, before: Traffic) -> dict[str, int]:
        """Reason -> how many more; others may be refused meanwhile, so these are at least an attack's own."""
        risen = {reason: number - before.refused.get(reason, 0) for reason, number in self.refused.items()}
        return {reason: number for reason, number in sorted(risen.items()) if number}


def progress(codes: Sequence[int]) -> str:
    """How far a join came, by the response to each of its messages."""
    if not codes:
        return "not even message_1 was answered"
    return f"refused at message_{2 * len(codes) - 1} with {code_name(codes[-1])}"


def names(counted: Mapping[int, int] | Mapping[str, int]) -> str:
    """``3 x 4.03, 1 x 4.05`` of codes, or the same of reasons."""
    words = [
        f"{number} x {code_name(what) if isinstance(what, int) else what}" for what, number in sorted(counted.items())
    ]
    return ", ".join(words) or "nothing"
