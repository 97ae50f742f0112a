"""Read the traces of RFC 9529 as its authors publish them: fenced blocks, a named value in each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Value", "read_values"]

_NAME = re.compile(
    r"(?P<name>.+?)(?: \([a-z]+ time\))?(?: \((?P<form>(?:CBOR|Raw|int)[^)]*)\))?"
    r"(?: \([^)]*\))? \((?P<size>\d+) bytes?\)\s*"
)
_HEX = re.compile(r"\s*(?:[0-9A-Fa-f]{2}\s*)+")


@dataclass(frozen=True, slots=True)
class Value:
    """One block: what it is called, in which form (``Raw Value``, ``CBOR Data Item``), and its bytes."""

    name: str
    form: str
    data: bytes


def read_values(file: Path) -> list[Value]:
    """Every block that holds a name with a size and hex; other blocks are prose.

    Raises:
        ValueError: a block that says how long it is, and is not.
    """
    blocks = re.split(r"^~{3,}.*$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1::2]
    values = []
    for block in blocks:
        lines = [line for line in block.splitlines() if line.strip()]
        starts = [number for number, line in enumerate(lines) if _NAME.fullmatch(line)]
        if not starts or not all(_HEX.fullmatch(line) for line in lines[starts[-1] + 1 :]):
            continue
        match = _NAME.fullmatch(lines[starts[-1]])
        assert match is not None
        data = bytes.fromhex("".join(lines[starts[-1] + 1 :]))
        if len(data) != int(match["size"]):
            raise ValueError(f"{match['name']}: {match['size']} bytes are announced, {len(data)} are there")
        values.append(Value(match["name"], match["form"] or "", data))
    return values
