"""A release as a difference to what runs: how its manifest says so, and what a thing makes of it.

The manifest draft has no word for it, so that the words are ours where the draft leaves room: a fetch whose arguments
(draft-ietf-suit-manifest, suit-parameter-fetch-arguments) name the form of what comes, here an integrated payload.
The image digest that follows is of the result. It stands in a try-each, behind a comparison of what runs with what the
difference is to; where anything does not fit, the next sequence fetches the whole image.

The form is that of bsdiff 4::

    "BSDIFF40"  size of control  size of diff  size of new image   control     diff        extra
    8           8                8             8                   bzip2       bzip2       bzip2

Control is triples: so many bytes of the old image with diff added, so many of extra, so far on in the old image.
"""

from __future__ import annotations

import bz2
from collections.abc import Callable, Iterator
from typing import Any

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.digest import Digest
from thingstead.protocols.suit.registry import CommandId, ParameterId

__all__ = ["ARGUMENTS", "PATCH_URI", "apply", "install_sequence", "require_arguments"]

PATCH_URI = "#patch"
"""Where the difference is: in the envelope."""

_FORM = 1
_BSDIFF = "application/vnd.thingstead.bsdiff4"
ARGUMENTS = codec.encode({_FORM: _BSDIFF})
"""Arguments of a fetch that brings a difference."""

_SPEC = "bsdiff 4"
_MAGIC = b"BSDIFF40"
_HEAD = 32
_PIECE = 1 << 14
_MAX_TRIPLES = 1 << 16
_NUMBER = 8
_SIGN = 1 << 63
_REPORT_ALL, _REPORT_FAILURE = 15, 2

ReadOld = Callable[[int, int], bytes]
"""Bytes of the old image: at most so many, from an offset on."""


def require_arguments(arguments: bytes) -> None:
    """Pass if a fetch with these arguments brings a difference that we can apply.

    Raises:
        UnsupportedError: it brings something else.
    """
    if arguments != ARGUMENTS:
        raise UnsupportedError("the arguments of the fetch are not known", spec=_SPEC, reason="parameter")


def install_sequence(*, old: Digest, old_size: int, new: Digest, new_size: int) -> list[Any]:
    """Commands of the sequence that a try-each has first: for who runs `old`, the difference that makes it `new`."""

    def match(digest: Digest, size: int) -> dict[int, Any]:
        return {ParameterId.IMAGE_DIGEST.value: digest.encode(), ParameterId.IMAGE_SIZE.value: size}

    fetched = {ParameterId.URI.value: PATCH_URI, ParameterId.FETCH_ARGS.value: ARGUMENTS}
    return [
        *(CommandId.OVERRIDE_PARAMETERS.value, match(old, old_size)),
        *(CommandId.CONDITION_IMAGE_MATCH.value, 0),
        *(CommandId.OVERRIDE_PARAMETERS.value, match(new, new_size) | fetched),
        *(CommandId.FETCH.value, _REPORT_FAILURE),
        *(CommandId.CONDITION_IMAGE_MATCH.value, _REPORT_ALL),
    ]


def apply(patch: bytes, old: ReadOld, *, old_size: int, max_size: int) -> Iterator[bytes]:
    """The new image, a few bytes at a time; what it takes is bounded by its size and by a count of triples.

    Args:
        patch: as it came; nobody has to have signed it.
        old: reads what runs.
        old_size: bytes of that.
        max_size: bytes of the longest image that is made.

    Raises:
        DecodeError: not a difference of this form, one that leads outside of the old image, or too much.
    """
    sizes = [_number(patch[offset : offset + _NUMBER]) for offset in (8, 16, 24)]
    control_size, diff_size, new_size = sizes
    if patch[: len(_MAGIC)] != _MAGIC or min(sizes) < 0 or _HEAD + control_size + diff_size > len(patch):
        raise _refused("expected a difference that begins with BSDIFF40 and three sizes")
    if new_size > max_size:
        raise _refused(f"expected a difference that makes at most {max_size} bytes, got {new_size}")
    diff_at = _HEAD + control_size
    control = _Unpacked(patch[_HEAD:diff_at])
    diff, extra = _Unpacked(patch[diff_at : diff_at + diff_size]), _Unpacked(patch[diff_at + diff_size :])
    place, made, triples = 0, 0, 0
    while made < new_size:
        triples += 1
        added, inserted, step = [_number(control.whole(_NUMBER)) for _ in range(3)]
        if triples > _MAX_TRIPLES or min(added, inserted) < 0 or made + added + inserted > new_size:
            raise _refused("expected a difference of fewer steps, none beyond the new image")
        if added and not 0 <= place <= old_size - added:
            raise _refused("expected a difference that stays within the old image")
        for piece in diff.pieces(added):
            yield _sum(piece, old(place, len(piece)))
            place += len(piece)
        yield from extra.pieces(inserted)
        made += added + inserted
        place += step


class _Unpacked:
    """A bzip2 stream of which no more is unpacked than is asked for."""

    def __init__(self, packed: bytes) -> None:
        self._bzip2 = bz2.BZ2Decompressor()
        self._packed = packed

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes.

        Raises:
            DecodeError: they are not there, or it is no such stream.
        """
        while size:
            if self._bzip2.eof or (self._bzip2.needs_input and not self._packed):
                raise _refused("expected a longer stream in a difference")
            packed, self._packed = self._packed, b""
            try:
                piece = self._bzip2.decompress(packed, min(size, _PIECE))
            except OSError as error:
                raise _refused("expected bzip2 streams in a difference") from error
            size -= len(piece)
            if piece:
                yield piece

    def whole(self, size: int) -> bytes:
        """The same at once."""
        return b"".join(self.pieces(size))


def _number(octets: bytes) -> int:
    """Sign and magnitude, least significant octet first."""
    value = int.from_bytes(octets, "little")
    return -(value - _SIGN) if value & _SIGN else value


def _sum(one: bytes, other: bytes) -> bytes:
    """Octet by octet, modulo 256: low seven bits are added, the highest is the exclusive or with what they carry."""
    if len(one) != len(other):
        raise _refused("expected an old image that is as long as it was")
    low, high = [int.from_bytes(mask * len(one), "big") for mask in (b"\x7f", b"\x80")]
    left, right = int.from_bytes(one, "big"), int.from_bytes(other, "big")
    return (((left & low) + (right & low)) ^ ((left ^ right) & high)).to_bytes(len(one), "big")


def _refused(message: str) -> DecodeError:
    return DecodeError(message, spec=_SPEC, reason="patch")
