"""Where the CPU time of one request goes: ``python -m bench profile`` samples the whole server under load.

It gives the microseconds of each module for a protected GET, and draws docs/hot-path.svg. What a module spends in the
kernel or in the cryptographic library counts as its own.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench import coap_server
from bench.figure import Figure
from bench.flame import draw

__all__ = ["figures"]

_ROOT = Path(__file__).resolve().parents[1]
_PICTURE = _ROOT / "docs" / "hot-path.svg"
_PORT = 56_850
_ROUNDS = 60
_SHOWN = 24
_ENTRY = "src/thingstead/transport/udp.py:Pump._drain"


def figures() -> Iterator[Figure]:
    """Microseconds of one request by module, the costliest first; then the picture is drawn."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "stacks"
        spent = _sampled(target)
        stacks = _read(target)
    own: Counter[str] = Counter()
    for stack, count in stacks.items():
        own[_module(stack[-1])] += count
    total = own.total()
    for module, count in own.most_common(_SHOWN):
        yield Figure(f"OSCORE GET, of {spent:.1f} us: {module}", "us", round(count / total * spent, 2))
    served = {stack[stack.index(_ENTRY) :]: count for stack, count in stacks.items() if _ENTRY in stack}
    _PICTURE.write_text(draw(served, title=f"One OSCORE GET: {spent:.1f} us of CPU, {total} samples"))
    print(f"written: {_PICTURE.relative_to(_ROOT)}", file=sys.stderr)


def _sampled(target: Path) -> float:
    """Microseconds of one request, while the server samples itself."""
    with ExitStack() as running:
        server = coap_server.ours(running, _PORT, options=[f"--profile={target}"])
        return median(server.microseconds("OSCORE") for _ in range(_ROUNDS))


def _read(target: Path) -> Counter[tuple[str, ...]]:
    stacks: Counter[tuple[str, ...]] = Counter()
    for line in target.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        stacks[tuple(stack.split(";"))] += int(count)
    return stacks


def _module(frame: str) -> str:
    return frame.partition(":")[0].removeprefix("src/thingstead/")
