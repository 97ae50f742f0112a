"""Read captures: pcap and pcapng, as others wrote them (draft-ietf-opsawg-pcap §4, draft-ietf-opsawg-pcapng §4)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from thingstead.errors import DecodeError, UnsupportedError

__all__ = ["Frame", "Limits", "read_capture"]

_Order = Literal["little", "big"]
_PCAP: dict[bytes, tuple[_Order, int]] = {
    bytes.fromhex("d4c3b2a1"): ("little", 6),
    bytes.fromhex("a1b2c3d4"): ("big", 6),
    bytes.fromhex("4d3cb2a1"): ("little", 9),
    bytes.fromhex("a1b23c4d"): ("big", 9),
}
_SECTION = 0x0A0D0D0A
_INTERFACE, _OBSOLETE_PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET = 1, 2, 3, 6
_BYTE_ORDERS: dict[bytes, _Order] = {bytes.fromhex("4d3c2b1a"): "little", bytes.fromhex("1a2b3c4d"): "big"}
_TIMESTAMP_RESOLUTION, _TIMESTAMP_OFFSET = 9, 14
_PCAP_SPEC, _PCAPNG_SPEC = "draft-ietf-opsawg-pcap §4", "draft-ietf-opsawg-pcapng §4"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a file may make us hold.

    Attributes:
        max_frame: octets of one frame, or of any block of a pcapng file.
        max_frames: frames of one file; the rest is refused.
        max_interfaces: of one section of a pcapng file.
    """

    max_frame: int = 1 << 18
    max_frames: int = 50_000_000
    max_interfaces: int = 256


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as captured.

    Attributes:
        at: seconds since 1970; 0 where the file does not say.
        link: link-layer type (`thingstead.protocols.packet.packet.Link` names those that are read here).
        data: what was captured.
        length: octets on the wire.
    """

    at: float
    link: int
    data: bytes
    length: int


class _Reader:
    """Reads whole pieces, and knows how far it got."""

    def __init__(self, read: Callable[[int], bytes], order: _Order, limits: Limits) -> None:
        self.order = order
        self.limits = limits
        self._read = read
        self.at = 0

    def take(self, size: int, *, may_end: bool = False) -> bytes:
        data = self._read(size)
        if len(data) != size and (data or not may_end):
            raise DecodeError(f"expected {size} octets at {self.at}, got {len(data)}", reason="truncated")
        self.at += len(data)
        return data

    def number(self, data: bytes, start: int, size: int = 4) -> int:
        return int.from_bytes(data[start : start + size], self.order)

    def require_size(self, size: int) -> int:
        if size > self.limits.max_frame:
            raise DecodeError(
                f"expected at most {self.limits.max_frame} octets at {self.at}, got {size}", reason="size"
            )
        return size


def read_capture(read: Callable[[int], bytes], *, limits: Limits | None = None) -> Iterator[Frame]:
    """Read a capture, one frame at a time.

    Args:
        read: gives so many octets, fewer at the end alone; as the ``read`` of a file.
        limits: bounds.

    Raises:
        DecodeError: neither format, or a file that ends or contradicts itself in the middle; what came before it
            was yielded.
        UnsupportedError: a version of them that is not read.
    """
    limits = limits or Limits()
    magic = read(4)
    if magic in _PCAP:
        frames = _read_pcap(read, *_PCAP[magic], limits)
    elif int.from_bytes(magic) == _SECTION and len(magic) == 4:
        frames = _read_pcapng(read, limits)
    else:
        raise DecodeError("expected a capture: pcap or pcapng", spec=_PCAP_SPEC, reason="format")
    for number, frame in enumerate(frames):
        if number >= limits.max_frames:
            raise DecodeError(f"expected at most {limits.max_frames} frames", reason="size")
        yield frame


def _read_pcap(read: Callable[[int], bytes], order: _Order, digits: int, limits: Limits) -> Iterator[Frame]:
    reader = _Reader(read, order, limits)
    header = reader.take(20)
    if reader.number(header, 0, 2) != 2:
        raise UnsupportedError(f"version {reader.number(header, 0, 2)} of pcap, which is not read", spec=_PCAP_SPEC)
    # The upper bits say whether a checksum follows each frame; the type is in the lower sixteen.
    link = reader.number(header, 16) & 0xFFFF
    record = struct.Struct("<IIII" if order == "little" else ">IIII")
    unit = 10.0**-digits
    while head := reader.take(16, may_end=True):
        seconds, fraction, captured, length = record.unpack(head)
        data = reader.take(reader.require_size(captured))
        yield Frame(seconds + fraction * unit, link, data, max(length, captured))


@dataclass(frozen=True, slots=True)
class _Interface:
    link: int
    most: int
    unit: float
    offset: int


def _read_pcapng(read: Callable[[int], bytes], limits: Limits) -> Iterator[Frame]:
    reader = _Reader(read, "little", limits)
    interfaces: list[_Interface] = []
    _begin_section(reader, reader.take(4))
    while head := reader.take(4, may_end=True):
        kind = reader.number(head, 0)
        if kind == _SECTION:
            interfaces.clear()
            _begin_section(reader, reader.take(4))
            continue
        body = _take_block(reader, reader.take(4))
        if kind == _INTERFACE:
            if len(interfaces) >= limits.max_interfaces:
                raise DecodeError(f"expected at most {limits.max_interfaces} interfaces", reason="size")
            interfaces.append(_read_interface(reader, body))
        elif kind in _PACKETS:
            yield _PACKETS[kind](reader, body, interfaces)


def _begin_section(reader: _Reader, size: bytes) -> None:
    """A section says in which order its numbers are written, and only then how long its header is."""
    mark = reader.take(4)
    if mark not in _BYTE_ORDERS:
        raise DecodeError("expected the mark of a byte order", spec=_PCAPNG_SPEC, reason="format")
    reader.order = _BYTE_ORDERS[mark]
    body = _take_block(reader, size, taken=4)
    if len(body) < 4 or reader.number(body, 0, 2) != 1:
        raise UnsupportedError("a version of pcapng that is not read", spec=_PCAPNG_SPEC)


def _take_block(reader: _Reader, size: bytes, taken: int = 0) -> bytes:
    """What is between the two lengths of a block, which must be the same."""
    total = reader.require_size(reader.number(size, 0))
    if total < 12 + taken or total % 4:
        raise DecodeError(f"expected the length of a block, a multiple of four, got {total}", spec=_PCAPNG_SPEC)
    body = reader.take(total - 12 - taken)
    if reader.number(reader.take(4), 0) != total:
        raise DecodeError("expected the length of a block twice", spec=_PCAPNG_SPEC)
    return body


def _read_interface(reader: _Reader, body: bytes) -> _Interface:
    _require(body, 8)
    options = dict(_options(reader, body[8:]))
    resolution = options.get(_TIMESTAMP_RESOLUTION, b"\x06")[:1] or b"\x06"
    base = 2.0 if resolution[0] & 0x80 else 10.0
    offset = int.from_bytes(options.get(_TIMESTAMP_OFFSET, b"")[:8], reader.order, signed=True)
    return _Interface(reader.number(body, 0, 2), reader.number(body, 4), base ** -(resolution[0] & 0x7F), offset)


def _options(reader: _Reader, data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start + 4 <= len(data):
        kind, size = reader.number(data, start, 2), reader.number(data, start + 2, 2)
        if kind == 0:
            return
        yield kind, data[start + 4 : start + 4 + size]
        start += 4 + size + -size % 4


def _read_enhanced(reader: _Reader, body: bytes, interfaces: list[_Interface]) -> Frame:
    _require(body, 20)
    return _frame(reader, body, interfaces, reader.number(body, 0))


def _read_obsolete(reader: _Reader, body: bytes, interfaces: list[_Interface]) -> Frame:
    _require(body, 20)
    return _frame(reader, body, interfaces, reader.number(body, 0, 2))


def _frame(reader: _Reader, body: bytes, interfaces: list[_Interface], number: int) -> Frame:
    interface = _interface(interfaces, number)
    ticks = reader.number(body, 4) << 32 | reader.number(body, 8)
    captured, length = reader.number(body, 12), reader.number(body, 16)
    _require(body, 20 + captured)
    return Frame(ticks * interface.unit + interface.offset, interface.link, body[20 : 20 + captured], length)


def _read_simple(reader: _Reader, body: bytes, interfaces: list[_Interface]) -> Frame:
    """No time, and no captured length: the interface's limit says how much of the frame is there."""
    _require(body, 4)
    interface, length = _interface(interfaces, 0), reader.number(body, 0)
    captured = min(length, interface.most or length)
    _require(body, 4 + captured)
    return Frame(0.0, interface.link, body[4 : 4 + captured], length)


def _interface(interfaces: list[_Interface], number: int) -> _Interface:
    if number >= len(interfaces):
        raise DecodeError(f"expected an interface that was described, got {number}", spec=_PCAPNG_SPEC)
    return interfaces[number]


def _require(body: bytes, size: int) -> None:
    if len(body) < size:
        raise DecodeError(f"expected a block of {size} octets, got {len(body)}", spec=_PCAPNG_SPEC, reason="truncated")


_PACKETS: dict[int, Callable[[_Reader, bytes, list[_Interface]], Frame]] = {
    _OBSOLETE_PACKET: _read_obsolete,
    _SIMPLE_PACKET: _read_simple,
    _ENHANCED_PACKET: _read_enhanced,
}
