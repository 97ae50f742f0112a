"""Captures in files: frames come out as they went in, and files that lie are refused where they do."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from tests.unit.protocols.packet.frames import block, pcap, pcapng
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.packet.capture import Limits, read_capture

_FRAMES = (b"one frame", b"another, longer frame")


def _read(data: bytes, limits: Limits | None = None):
    return list(read_capture(io.BytesIO(data).read, limits=limits))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("nanoseconds", "at"), [(False, 10.5), (True, 10.0005)])
def test_pcap_of_both_orders_and_resolutions(order: str, nanoseconds: bool, at: float):
    frames = _read(pcap(*_FRAMES, order=order, nanoseconds=nanoseconds, link=113))
    assert tuple(frame.data for frame in frames) == _FRAMES
    assert [frame.at for frame in frames] == [pytest.approx(at)] * 2
    assert {frame.link for frame in frames} == {113}


def test_a_frame_that_was_cut_keeps_its_length_on_the_wire():
    record = struct.pack("<IIII", 0, 0, 3, 1500) + b"abc"
    (frame,) = _read(pcap() + record)
    assert (frame.data, frame.length) == (b"abc", 1500)


@pytest.mark.parametrize(
    ("options", "at"),
    [
        (b"", 1.5),
        (struct.pack("<HHB3x", 9, 1, 9), 0.0015),
        (struct.pack("<HHB3x", 9, 1, 0x80 | 20), 1_500_000 / 2**20),
        (struct.pack("<HHq", 14, 8, 100), 101.5),
    ],
)
def test_pcapng_with_the_resolution_of_its_interface(options: bytes, at: float):
    frames = _read(pcapng(*_FRAMES, options=options))
    assert tuple(frame.data for frame in frames) == _FRAMES
    assert [frame.at for frame in frames] == [pytest.approx(at)] * 2


def test_other_blocks_are_passed_over_and_a_new_section_begins_anew():
    data = pcapng(b"first") + block(5, bytes(12)) + pcapng(b"second", link=101)
    assert [(frame.data, frame.link) for frame in _read(data)] == [(b"first", 1), (b"second", 101)]


def test_a_simple_block_has_no_time():
    (frame,) = _read(pcapng() + block(3, struct.pack("<I", 5) + b"hello"))
    assert (frame.at, frame.data, frame.length) == (0.0, b"hello", 5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xd4\xc3",
        b"GIF8" + bytes(40),
        pcap()[:10],
        pcap(b"frame")[:-1],
        pcap() + bytes(7),
        pcap() + struct.pack("<IIII", 0, 0, 1 << 30, 1 << 30),
        pcapng()[:11],
        pcapng()[:8] + bytes(4) + pcapng()[12:],
        pcapng(b"frame")[:-1],
        pcapng() + struct.pack("<II", 6, 8),
        pcapng() + struct.pack("<II", 6, 1 << 30),
        pcapng() + struct.pack("<II", 6, 13) + bytes(40),
        pcapng() + block(6, bytes(8)),
        pcapng() + block(6, struct.pack("<IIIII", 1, 0, 0, 0, 0)),
        pcapng() + block(6, struct.pack("<IIIII", 0, 0, 0, 99, 99)),
        pcapng() + block(3, struct.pack("<I", 99)),
        pcapng() + block(1, bytes(4)),
        pcapng() + struct.pack("<II", 6, 16) + bytes(4) + struct.pack("<I", 20),
        block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(3, bytes(4)),
    ],
)
def test_a_file_that_ends_or_lies_is_refused(data: bytes):
    with pytest.raises(DecodeError):
        _read(data)


@pytest.mark.parametrize(
    "data", [b"\xd4\xc3\xb2\xa1\x03" + bytes(19), block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 2, 0, -1))]
)
def test_other_versions_are_refused(data: bytes):
    with pytest.raises(UnsupportedError):
        _read(data)


@pytest.mark.parametrize(
    ("data", "limits"),
    [
        (pcap(*_FRAMES), Limits(max_frames=1)),
        (pcap(*_FRAMES), Limits(max_frame=10)),
        (pcapng(*_FRAMES), Limits(max_frame=40)),
        (pcapng() + block(1, bytes(8)), Limits(max_interfaces=1)),
    ],
)
def test_no_file_makes_us_hold_more_than_the_limits(data: bytes, limits: Limits):
    with pytest.raises(DecodeError):
        _read(data, limits)


def test_every_capture_of_the_shared_data_is_read_to_its_end(shared: Path):
    counts = []
    for path in sorted((shared / "data" / "captures").rglob("*.pcap*")):
        with path.open("rb") as file:
            counts.append(sum(1 for _ in read_capture(file.read)))
    assert len(counts) > 300
    assert sum(counts) > 40_000
