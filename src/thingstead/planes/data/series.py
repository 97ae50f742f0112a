"""One series of values in chunks, so that a new value rewrites 64 values on disk and not the series."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.senml.record import Record

__all__ = ["Chunk", "Series"]

_CHUNK = 64

Value = float | bool | str


@dataclass(frozen=True, slots=True)
class Chunk:
    """One document: values in order of arrival; None says that it is gone."""

    index: int
    document: bytes | None


class Series:
    """Values of one name of one thing, oldest chunk first."""

    __slots__ = ("_changed", "_chunks", "_newest")

    def __init__(self) -> None:
        self._chunks: dict[int, list[tuple[float, Value]]] = {}
        self._changed: set[int] = set()
        self._newest = 0

    @property
    def latest(self) -> Value | None:
        """The value that came last."""
        return self._chunks[max(self._chunks)][-1][1] if self._chunks else None

    def append(self, record: Record) -> None:
        """Take one value; bytes and sums are kept as text and number."""
        value = record.value if record.value is not None else record.sum
        kept: Value = value.hex() if isinstance(value, bytes) else value if value is not None else 0.0
        if len(self._chunks.setdefault(self._newest, [])) >= _CHUNK:
            self._newest += 1
            self._chunks[self._newest] = []
        self._chunks[self._newest].append((record.time, kept))
        self._changed.add(self._newest)

    def values(self) -> Iterator[tuple[float, Value]]:
        """All values, oldest first."""
        for index in sorted(self._chunks):
            yield from self._chunks[index]

    def indices(self) -> list[int]:
        """Numbers of the chunks."""
        return sorted(self._chunks)

    def drop_before(self, time: float) -> None:
        """Drop chunks whose every value is older than `time`."""
        for index in [index for index, values in self._chunks.items() if values[-1][0] < time]:
            del self._chunks[index]
            self._changed.add(index)

    def chunks(self) -> Iterator[Chunk]:
        """All chunks, encoded."""
        for index in self.indices():
            yield self._encode(index)

    def take_changes(self) -> list[Chunk]:
        """What has to be written since the last call."""
        changed, self._changed = self._changed, set()
        return [self._encode(index) for index in sorted(changed)]

    def note_changed(self, indices: Iterable[int]) -> None:
        """Have chunks written once more: what `take_changes` gave of them did not last."""
        self._changed.update(indices)

    def load(self, index: int, document: bytes) -> None:
        """Take up a stored chunk.

        Raises:
            DecodeError: it is not one of ours.
        """
        match codec.decode(document):
            case list(values) if values:
                self._chunks[index] = [_pair(value) for value in values]
                self._newest = max(self._newest, index)
            case _:
                raise DecodeError("expected a chunk of values in the data plane's record")

    def _encode(self, index: int) -> Chunk:
        values = self._chunks.get(index)
        return Chunk(index, None if values is None else codec.encode([[time, value] for time, value in values]))


def _pair(value: object) -> tuple[float, Value]:
    match value:
        case [int() | float() as time, bool() | int() | float() | str() as kept]:
            return float(time), kept
        case _:
            raise DecodeError("expected [time, value] in the data plane's record")
