"""The operation that writes a backup: what each plane says must be kept, and no live secret."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.operation import Operation, Role
from thingstead.domain import thing as thing_record
from thingstead.domain.instant import microseconds
from thingstead.domain.plane import Plane
from thingstead.domain.register import Register
from thingstead.errors import ConfigError
from thingstead.protocols.cbor import codec
from thingstead.storage.directory import write_whole

__all__ = ["BackUp", "rows"]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class BackUp:
    """Where to.

    Attributes:
        path: absolute path of a file that is not there yet.
    """

    path: str


def rows(planes: Iterable[Plane], register: Register, *, domain: str, clock: Clock) -> tuple[Operation[Any], ...]:
    """The table."""

    async def back_up(request: BackUp) -> dict[str, Any]:
        kept = {plane.name.value: dict(plane.snapshot()) for plane in planes}
        things = [thing_record.encode(thing) for thing in register.things()]
        data = codec.encode([_FORMAT, domain, microseconds(clock.utc()), things, kept])
        await asyncio.to_thread(_write_new, Path(request.path), data)
        return {
            "path": request.path,
            "bytes": len(data),
            "things": len(things),
            **{name: len(documents) for name, documents in kept.items()},
        }

    return (Operation("backup", BackUp, Role.OWNER, "write what planes keep into a new file; no restore yet", back_up),)


def _write_new(path: Path, data: bytes) -> None:
    if not path.is_absolute() or path.exists():
        raise ConfigError(f"expected the absolute path of a new file, got {str(path)!r}")
    write_whole(path, data)
