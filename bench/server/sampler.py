"""Where a program spends its CPU time: its stack, as often as the kernel's profiling timer says."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path
from types import FrameType

__all__ = ["sample"]

_INTERVAL = 0.001


def sample(target: Path, root: Path) -> None:
    """Sample until SIGTERM; then write each stack seen, ``outermost;...;innermost count`` a line, and end.

    A frame is named by its file below `root`, or its last directory and file, and its function.
    """
    stacks: Counter[tuple[str, ...]] = Counter()
    names: dict[object, str] = {}

    def on_sample(_signal: int, frame: FrameType | None) -> None:
        stack = []
        while frame is not None:
            code = frame.f_code
            if code not in names:
                names[code] = _name(code.co_filename, code.co_qualname, root)
            stack.append(names[code])
            frame = frame.f_back
        stacks[tuple(reversed(stack))] += 1

    def on_end(_signal: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        target.write_text("".join(f"{';'.join(stack)} {count}\n" for stack, count in stacks.items()))
        raise SystemExit

    signal.signal(signal.SIGPROF, on_sample)
    signal.signal(signal.SIGTERM, on_end)
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)


def _name(file: str, function: str, root: Path) -> str:
    path = Path(file)
    shown = path.relative_to(root) if path.is_relative_to(root) else Path(*path.parts[-2:])
    return f"{shown}:{function.replace('.<locals>', '')}"
