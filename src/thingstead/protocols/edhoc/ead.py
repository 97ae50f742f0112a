"""External authorization data: what applications send along in EDHOC (RFC 9528 §3.8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec

__all__ = ["EadItem", "EadLabel", "EadLabels", "decode_ead", "encode_ead", "padding", "require_understood"]


class EadLabel(IntEnum):
    """Labels by absolute value."""

    PADDING = 0  # RFC 9528 §3.8.1
    CREDENTIAL_BY_VALUE = 15  # draft-ietf-ace-edhoc-oscore-profile-11, suggested


@dataclass(frozen=True, slots=True)
class EadItem:
    """One EAD item.

    Attributes:
        label: as on the wire; a negative label marks the item critical.
        value: opaque to EDHOC; None where the item is its label alone.
    """

    label: int
    value: bytes | None = None

    @property
    def critical(self) -> bool:
        """Whether a receiver that does not understand the item must end the session."""
        return self.label < 0

    @property
    def number(self) -> int:
        """The registered label, without the sign."""
        return abs(self.label)


EadLabels = Mapping[int, frozenset[int]]
"""What an application understands: absolute values of labels, by the number of the message. What means something in one
message means nothing in another."""


def padding(size: int) -> tuple[EadItem, ...]:
    """Items of `size` bytes on the wire that mean nothing, so that the length of a message says less (§3.8.1).

    A padding item is critical to nobody; two are needed where no byte string makes the size (26, 259).

    Raises:
        ValueError: less than one byte.
    """
    if size < 1:
        raise ValueError("padding has at least the byte of its label")
    for head in (1, 2, 3):
        value = bytes(max(size - 1 - head, 0))
        if len(codec.encode(value)) == size - 1:
            return (EadItem(EadLabel.PADDING, value),)
    return (EadItem(EadLabel.PADDING), *(padding(size - 1) if size > 1 else ()))


def encode_ead(items: Iterable[EadItem]) -> bytes:
    """Encode EAD_x; no items, no bytes."""
    return b"".join(
        codec.encode(item.label) if item.value is None else codec.encode_sequence(item.label, item.value)
        for item in items
    )


def decode_ead(values: Sequence[Any], *, max_items: int) -> tuple[EadItem, ...]:
    """Read EAD items from what stands at the end of a decoded CBOR sequence; padding is left out.

    Raises:
        DecodeError: a value without a label, a label that is no integer, or more than `max_items`.
    """
    items: list[EadItem] = []
    for value in values:
        if type(value) is int:
            if len(items) == max_items:
                raise DecodeError(f"expected at most {max_items} EAD items", spec="RFC 9528 §3.8")
            items.append(EadItem(value))
        elif isinstance(value, bytes) and items and items[-1].value is None:
            items[-1] = EadItem(items[-1].label, value)
        else:
            raise DecodeError("expected an EAD label, and a byte string at most behind it", spec="RFC 9528 §3.8")
    return tuple([item for item in items if item.label != EadLabel.PADDING])


def require_understood(items: Iterable[EadItem], labels: EadLabels, *, message: int) -> None:
    """Refuse critical items that `labels` does not have for this message (RFC 9528 §3.8).

    Raises:
        UnsupportedError: there is one.
    """
    understood = labels.get(message, frozenset())
    for item in items:
        if item.critical and item.number not in understood:
            raise UnsupportedError(
                f"critical EAD item {item.number} is not understood in message_{message}", spec="RFC 9528 §3.8"
            )
