"""The token revocation list: what a requester is told of it, whole or as what has changed (RFC 9770)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.problem import Problem, with_problem
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber

__all__ = [
    "MAX_INDEX",
    "PROBLEM_KEY",
    "Change",
    "Limits",
    "Parameter",
    "TrlError",
    "UpdateCollection",
    "answer",
    "decode_full_set",
    "encode_full_set",
]

MAX_INDEX = (1 << 32) - 1
"""Where the numbers of changes begin anew (RFC 9770 §6.2.1)."""

PROBLEM_KEY = 1
"""``ace-trl-error`` among the custom problem detail keys (RFC 9770 §15.5)."""

_FORMAT = (int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.ACE_TRL_CBOR))
_UNSIGNED = re.compile(r"[0-9]{1,20}")
_HASH_SIZE = 33
_DECODING = codec.Limits(max_bytes=1 << 18, max_depth=4, max_items=1 << 13)


class Parameter(IntEnum):
    """Keys of a response (RFC 9770 §12)."""

    FULL_SET = 0
    DIFF_SET = 1
    CURSOR = 2
    MORE = 3


class TrlError(IntEnum):
    """What a query did wrong (RFC 9770 §13)."""

    INVALID_VALUE = 0
    INVALID_SET = 1
    OUT_OF_BOUND = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What a requester is told at registration (RFC 9770 §10).

    Attributes:
        max_n: changes that are kept of each requester (MAX_N).
        max_diff_batch: changes in one response (MAX_DIFF_BATCH).
        max_index: the highest number of a change; smaller only in tests.
    """

    max_n: int = 64
    max_diff_batch: int = 16
    max_index: int = MAX_INDEX

    def __post_init__(self) -> None:
        if not 1 <= self.max_diff_batch <= self.max_n <= self.max_index + 1:
            raise ValueError("expected 1 <= max_diff_batch <= max_n <= max_index + 1")


@dataclass(frozen=True, slots=True)
class Change:
    """One update of the list, as far as it pertains to one requester (RFC 9770 §6.2).

    Attributes:
        removed: hashes of revoked tokens that have expired.
        added: hashes of tokens that were revoked.
    """

    removed: tuple[bytes, ...] = ()
    added: tuple[bytes, ...] = ()


class UpdateCollection:
    """The newest changes that pertain to one requester, numbered round and round (RFC 9770 §6.2.1).

    Attributes:
        last_index: number of the newest; None before the first.
    """

    __slots__ = ("_changes", "_has_wrapped", "_limits", "last_index")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._changes: deque[Change] = deque(maxlen=limits.max_n)
        self._has_wrapped = False
        self.last_index: int | None = None

    def add(self, change: Change) -> None:
        """Append a change; the oldest goes when there are too many."""
        if self.last_index is None:
            self.last_index = 0
        else:
            self.last_index = (self.last_index + 1) % (self._limits.max_index + 1)
            self._has_wrapped |= self.last_index == 0
        self._changes.append(change)

    def encode(self) -> bytes:
        """The collection as a document."""
        changes = [[list(change.removed), list(change.added)] for change in self._changes]
        return codec.encode([self.last_index, self._has_wrapped, changes])

    @classmethod
    def decode(cls, document: bytes, limits: Limits) -> UpdateCollection:
        """Read back what `encode` wrote, as far as `limits` keep it.

        Raises:
            DecodeError: not one of ours.
        """
        match codec.decode(document):
            case [int() | None as last_index, bool(has_wrapped), list(changes)]:
                collection = cls(limits)
                collection._changes.extend(_change(change) for change in changes)
                collection._has_wrapped = has_wrapped
                collection.last_index = last_index
                return collection
            case _:
                raise DecodeError("expected a collection of updates", spec="RFC 9770 §6.2")

    def is_beyond(self, cursor: int) -> bool:
        """Whether `cursor` names a change that has never been (RFC 9770 §6.3)."""
        return self.last_index is not None and not self._has_wrapped and cursor > self.last_index

    def newest(self, wanted: int) -> tuple[list[Change], int | None, bool]:
        """Of the `wanted` newest changes, a batch: newest first, its newest number, and whether more follow (§9.2.2).

        Args:
            wanted: 0 for as many as there are.
        """
        return self._batch(min(wanted or self._limits.max_n, self._limits.max_n, len(self._changes)))

    def after(self, cursor: int, wanted: int) -> tuple[list[Change], int | None, bool]:
        """The same of those after change `cursor`; nothing, no number and more when some of them are lost (§9.2.3)."""
        if self.last_index is None:
            return [], None, False
        later = (self.last_index - cursor) % (self._limits.max_index + 1)
        if later > len(self._changes):
            return [], None, True
        return self._batch(min(wanted or self._limits.max_n, self._limits.max_n, later))

    def _batch(self, count: int) -> tuple[list[Change], int | None, bool]:
        taken = min(count, self._limits.max_diff_batch)
        skipped = count - taken
        if self.last_index is None:
            return [], None, False
        changes = list(self._changes)[len(self._changes) - count :][:taken]
        cursor = (self.last_index - skipped) % (self._limits.max_index + 1)
        return changes[::-1], cursor, skipped > 0


def answer(queries: Iterable[str], hashes: Iterable[bytes], collection: UpdateCollection, limits: Limits) -> Message:
    """The response to a GET of the list, or the refusal of its query (RFC 9770 §6.3, §7, §9).

    Args:
        queries: of the request; what is not ``diff`` or ``cursor`` asks for nothing.
        hashes: those in the list now that pertain to the requester.
        collection: what has changed of these.
        limits: as `collection` was made with.
    """
    asked: dict[str, list[str]] = {}
    for name, _, value in (query.partition("=") for query in queries):
        asked.setdefault(name, []).append(value)
    diff, cursor = _number(asked.get("diff")), _number(asked.get("cursor"))
    if diff is _WRONG:
        return _refusal(TrlError.INVALID_VALUE, "diff is 0 or a positive integer")
    if cursor is not None and diff is None:
        return _refusal(TrlError.INVALID_SET, "cursor comes with diff")
    if cursor is not None and (cursor is _WRONG or cursor > limits.max_index):
        return _refusal(TrlError.INVALID_VALUE, "cursor is a number of a change", last=(collection.last_index,))
    if diff is None:
        return Message(Code.CONTENT, options=[_FORMAT], payload=encode_full_set(hashes, collection.last_index))
    if cursor is not None and collection.is_beyond(cursor):
        return _refusal(TrlError.OUT_OF_BOUND, "no change has had this number")
    changes, last, more = collection.newest(diff) if cursor is None else collection.after(cursor, diff)
    entries = [[list(change.removed), list(change.added)] for change in changes]
    payload = codec.encode({Parameter.DIFF_SET: entries, Parameter.CURSOR: last, Parameter.MORE: more})
    return Message(Code.CONTENT, options=[_FORMAT], payload=payload)


def encode_full_set(hashes: Iterable[bytes], cursor: int | None) -> bytes:
    """The response to a full query (RFC 9770 §7, §9.1)."""
    return codec.encode({Parameter.FULL_SET: sorted(hashes), Parameter.CURSOR: cursor})


def decode_full_set(data: bytes) -> frozenset[bytes]:
    """Hashes of revoked tokens out of the response to a full query; other parameters are passed over (RFC 9770 §7).

    Raises:
        DecodeError: no map with a set of hashes of the function that we know (`token.token_hash`).
    """
    said = codec.decode(data, limits=_DECODING)
    hashes = said.get(Parameter.FULL_SET) if isinstance(said, dict) else None
    if not isinstance(hashes, list) or not all(_is_hash(one) for one in hashes):
        raise DecodeError("expected a full set of token hashes", spec="RFC 9770 §7")
    return frozenset(hashes)


_WRONG = -1


def _number(values: list[str] | None) -> int | None:
    """The value of a query parameter; None where it is not there, `_WRONG` where it is none."""
    if values is None:
        return None
    return int(values[0]) if len(values) == 1 and _UNSIGNED.fullmatch(values[0]) else _WRONG


def _refusal(error: TrlError, detail: str, *, last: tuple[int | None, ...] = ()) -> Message:
    told: dict[int, int | None] = {0: int(error)}
    if last:
        told[1] = last[0]
    return with_problem(Message(Code.BAD_REQUEST), Problem(detail=detail, custom={PROBLEM_KEY: told}))


def _change(value: object) -> Change:
    match value:
        case [list(removed), list(added)] if all(_is_hash(one) for one in (*removed, *added)):
            return Change(tuple(removed), tuple(added))
        case _:
            raise DecodeError("expected a change of removed and added hashes", spec="RFC 9770 §6.2")


def _is_hash(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == _HASH_SIZE and value[0] == 1
