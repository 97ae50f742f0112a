"""What a decoder is to the mutation fuzz, and where its seeds come from.

The table itself lies in the modules of `decoders`, one for an area: each has DECODERS, a tuple of rows.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Decoder", "all_decoders", "harvest"]


@dataclass(frozen=True, slots=True)
class Decoder:
    """One row.

    Attributes:
        name: the function, as in the code.
        decode: takes the bytes; contexts and times are bound in the row.
        seeds: valid inputs of our own, in hex.
        areas: areas of the shared vectors whose byte strings are seeds as well.
    """

    name: str
    decode: Callable[[bytes], Any]
    seeds: tuple[str, ...]
    areas: tuple[str, ...] = ()


def all_decoders() -> tuple[Decoder, ...]:
    """The rows of every area, in order of their names."""
    areas = sorted(path.stem for path in (Path(__file__).parent / "decoders").glob("[a-z]*.py"))
    rows = [row for area in areas for row in importlib.import_module(f"tests.properties.decoders.{area}").DECODERS]
    return tuple(sorted(rows, key=lambda row: row.name))


def harvest(vectors: Path, areas: tuple[str, ...]) -> list[bytes]:
    """Every byte string of the shared vectors of `areas`: hex in JSON, hex lines in text, and binary files whole."""
    manifest = json.loads((vectors / "MANIFEST.json").read_bytes())
    files = [vectors / row["file"] for row in manifest if row["area"] in areas and row["cases"]]
    return sorted({seed for file in files for seed in _seeds(file) if 2 <= len(seed) <= 8192})


def _seeds(file: Path) -> Iterator[bytes]:
    content = file.read_bytes()
    if file.suffix == ".json":
        yield content
        yield from _strings(json.loads(content))
    elif file.suffix in {".md", ".txt"}:
        for block in content.decode("utf-8", "replace").split("~~~~~~~~" if file.suffix == ".md" else "\n\n"):
            yield from _hex("".join(line for line in block.splitlines() if "(" not in line).replace(" ", ""))
    else:
        yield content


def _strings(value: Any) -> Iterator[bytes]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, str):
        yield from _hex(value)


def _hex(text: str) -> Iterator[bytes]:
    try:
        yield bytes.fromhex(text)
    except ValueError:
        return
