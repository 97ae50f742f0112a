import asyncio
import base64
import socket
import struct
from contextlib import closing
from datetime import UTC, datetime

import pytest

from thingstead.errors import ConfigError, StorageError
from thingstead.secret import Secret
from thingstead.simulator.capture import Leak, Limits, PcapWriter, leaks, open_capture_socket

KEY = bytes(range(0x80, 0x90))


class Clock:
    def now(self):
        return 0.0

    def utc(self):
        return datetime(2026, 11, 1, tzinfo=UTC)


class Interface:
    """What a packet socket is to its reader, over a pair of sockets that need no privilege."""

    def __init__(self, name="br0"):
        self._near, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._near.setblocking(False)
        self._name = name

    def carry(self, frame, *, outgoing=False):
        self._far.send(bytes((4 if outgoing else 0,)) + frame)

    def fileno(self):
        return self._near.fileno()

    def getsockname(self):
        return (self._name, 3, 0, 1, b"")

    def recvfrom(self, size):
        data = self._near.recv(size)
        return data[1:], (self._name, 0x0800, data[0], 1, b"")

    def close(self):
        self._near.close()
        self._far.close()


def captured(path, frames, *, name="br0", outgoing=False, port=None, **limits):
    async def story():
        with closing(Interface(name)) as interface:
            writer = PcapWriter(path, interface, clock=Clock(), port=port, limits=Limits(**limits))
            for frame in frames:
                interface.carry(frame, outgoing=outgoing)
            writer.close()
        return writer

    return asyncio.run(story())


def records(path):
    data = path.read_bytes()
    offset = 24
    while offset < len(data):
        *_, kept, size = struct.unpack_from("<IIII", data, offset)
        yield data[offset + 16 : offset + 16 + kept], size
        offset += 16 + kept


def test_every_frame_is_in_the_file_and_the_file_is_for_its_owner_alone(tmp_path):
    path = tmp_path / "a.pcap"
    writer = captured(path, [b"one", b"two"])
    assert list(records(path)) == [(b"one", 3), (b"two", 3)]
    assert (writer.frames, path.stat().st_mode & 0o777) == (2, 0o600)


def test_a_long_frame_is_cut_and_says_how_long_it_was(tmp_path):
    captured(tmp_path / "a", [b"x" * 100], max_frame=10)
    assert list(records(tmp_path / "a")) == [(b"x" * 10, 100)]


def test_a_full_file_grows_no_more(tmp_path):
    writer = captured(tmp_path / "a", [b"x" * 40] * 5, max_file=140)
    assert (writer.frames, writer.left_out) == (2, 3)
    assert (tmp_path / "a").stat().st_size <= 140


def udp(source, destination, *, version=4):
    ports = struct.pack("!HH", source, destination)
    if version == 4:
        return bytes(12) + b"\x08\x00" + b"\x45" + bytes(8) + b"\x11" + bytes(10) + ports
    return bytes(12) + b"\x86\xdd" + b"\x60" + bytes(5) + b"\x11" + bytes(33) + ports


def test_what_loopback_shows_twice_is_kept_once(tmp_path):
    assert captured(tmp_path / "a", [udp(5683, 9)], name="lo", outgoing=True, port=5683).frames == 0
    assert captured(tmp_path / "a", [udp(5683, 9)], outgoing=True).frames == 1


def test_loopback_is_not_captured_without_a_port(tmp_path):
    with pytest.raises(ConfigError, match="other programs"):
        captured(tmp_path / "a", [], name="lo")
    assert not (tmp_path / "a").exists()


def test_of_a_port_only_its_own_traffic_is_kept(tmp_path):
    ours = [udp(5683, 9), udp(9, 5683), udp(5683, 9, version=6)]
    tcp = udp(5683, 9).replace(b"\x11", b"\x06")
    others = [
        b"",
        bytes(14),
        udp(9, 10),
        udp(9, 10, version=6),
        tcp,
        bytes(12) + b"\x08\x06" + bytes(28),
        udp(9, 9)[:34],
    ]
    captured(tmp_path / "a", [*ours, *others], name="lo", port=5683)
    assert [frame for frame, _ in records(tmp_path / "a")] == ours


def test_an_interface_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match=r"nowhere0|needs namespaces"):
        open_capture_socket("nowhere0")


def test_a_file_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        captured(tmp_path / "link", [])


@pytest.mark.requirement("R-24")
@pytest.mark.parametrize(
    "written",
    [
        KEY,
        KEY.hex().encode(),
        KEY.hex().upper().encode(),
        *[base64.b64encode(bytes(shift) + KEY + b"tail") for shift in range(3)],
        *[base64.urlsafe_b64encode(bytes(shift) + KEY + b"tail") for shift in range(3)],
        base64.b64encode(KEY),
    ],
)
def test_a_secret_in_a_capture_is_found_however_it_is_written(written):
    found = leaks(b"before " + written + b" after", {"key": Secret(KEY)})
    assert found
    assert {leak.name for leak in found} == {"key"}


def test_a_capture_without_the_secret_has_no_leak():
    assert leaks(KEY[:-1] + b"\0" + KEY[1:], {"key": Secret(KEY)}) == []
    assert leaks(KEY, {"key": Secret(KEY)}) == [Leak("key", "bytes", 0)]


def test_a_secret_too_short_to_be_found_is_refused():
    with pytest.raises(ValueError, match="too few"):
        leaks(b"", {"pin": Secret(b"1234")})
