"""Messages between processes: whole or not at all, bounded, and from whom."""

import os
import socket
import struct

import pytest

from thingstead.errors import DecodeError, TransportError
from thingstead.transport import frame


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    for sock in (ours, theirs):
        sock.settimeout(2)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_a_message_comes_as_it_went(pair):
    frame.send(pair[0], [1, b"x" * 70_000, None])
    assert frame.receive(pair[1]) == [1, b"x" * 70_000, None]


def test_the_other_end_is_known_by_its_user(pair):
    assert frame.peer_user(pair[0]) == os.geteuid()


@pytest.mark.parametrize("data", [b"\xff", b"\x80", b"\x01", b"\x81\x61a", b"\xa1\x01\x02"], ids=bytes.hex)
def test_what_is_no_message_is_refused(pair, data):
    pair[0].sendall(struct.pack("!I", len(data)) + data)
    with pytest.raises(DecodeError):
        frame.receive(pair[1])


def test_a_length_over_the_limit_is_refused_before_anything_is_read(pair):
    pair[0].sendall(struct.pack("!I", frame.LIMITS.max_bytes + 1))
    with pytest.raises(DecodeError, match="at most"):
        frame.receive(pair[1])


def test_half_a_message_is_none(pair):
    pair[0].sendall(b"\0\0\0\x09\x81")
    pair[0].close()
    with pytest.raises(TransportError, match="closed"):
        frame.receive(pair[1])
