"""A series of values on disk, in chunks: what came within some minutes, in memory only while it may still grow."""

from __future__ import annotations

from thingstead.errors import DecodeError
from thingstead.identifier import ThingId, thing_id
from thingstead.protocols.cbor import codec
from thingstead.protocols.senml.record import Record

__all__ = ["Chunk", "Value", "chunk_key", "decode_chunk", "kept", "split_key"]

_FULL = 64
_OPEN = 300_000_000

Value = float | bool | str


class Chunk:
    """Values of one series in order of arrival; each flush writes it whole, so it ends at 64 values or 5 minutes.

    Args:
        opened: microseconds of UTC at which it began, by which it is kept.

    Attributes:
        values: instant, as the thing gave it, and value.
        written: how many of them are on disk.
    """

    __slots__ = ("opened", "values", "written")

    def __init__(self, opened: int) -> None:
        self.opened = opened
        self.values: list[tuple[float, Value]] = []
        self.written = 0

    @property
    def waiting(self) -> int:
        """How many values are not on disk."""
        return len(self.values) - self.written

    def is_over(self, at: int) -> bool:
        """Whether what comes at `at` begins another chunk, this one being on disk."""
        return not self.waiting and (len(self.values) >= _FULL or at - self.opened >= _OPEN)

    def encode(self) -> bytes:
        """Encode as one document."""
        return codec.encode([[time, value] for time, value in self.values])


def decode_chunk(document: bytes) -> list[tuple[float, Value]]:
    """Read back what `Chunk.encode` wrote.

    Raises:
        DecodeError: it is not one of ours.
    """
    match codec.decode(document):
        case list(values) if values:
            return [_pair(value) for value in values]
        case _:
            raise DecodeError("expected a chunk of values in the data plane's record")


def kept(record: Record) -> Value:
    """A record's value in the form that is kept: bytes as text, a sum as a number."""
    value = record.value if record.value is not None else record.sum
    return value.hex() if isinstance(value, bytes) else value if value is not None else 0.0


def chunk_key(thing: ThingId, name: str, opened: int) -> str:
    """A chunk's key: those of a series sort by age, and no name of a series has a space (RFC 8428 §4.5.1)."""
    return f"{thing}/{name} {opened:016d}"


def split_key(key: str) -> tuple[ThingId, str, int]:
    """Thing, series and beginning of the chunk under `key`.

    Raises:
        DecodeError: it is not one of ours.
    """
    owner, _, rest = key.partition("/")
    name, _, opened = rest.rpartition(" ")
    if not name or len(opened) != 16 or not opened.isdecimal():
        raise DecodeError(f"expected the key of a chunk of values, got {key[:80]!r}")
    return thing_id(owner), name, int(opened)


def _pair(value: object) -> tuple[float, Value]:
    match value:
        case [int() | float() as time, bool() | int() | float() | str() as kept_]:
            return float(time), kept_
        case _:
            raise DecodeError("expected [time, value] in the data plane's record")
