"""Contenders that run in turn, so that whatever slows the machine slows all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter_ns

__all__ = ["alternate"]


def alternate(contenders: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """The median of each, in microseconds."""
    times: dict[str, list[int]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            began = perf_counter_ns()
            run()
            times[name].append(perf_counter_ns() - began)
    return {name: median(found) / 1000 for name, found in times.items()}
