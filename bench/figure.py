"""What a module of measurements returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Figure", "as_json"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number, beside a peer's where one was measured in the same run.

    Attributes:
        name: what was measured, unique in a run.
        unit: of `ours` and `peer`.
        ours: our number.
        peer: the peer's, or None.
        peer_name: name and version of the peer, or empty.
    """

    name: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str = ""


def as_json(figure: Figure) -> dict[str, Any]:
    """The figure with ``ratio`` = ours / peer, or null where nothing was measured beside it."""
    return asdict(figure) | {"ratio": round(figure.ours / figure.peer, 4) if figure.peer else None}
