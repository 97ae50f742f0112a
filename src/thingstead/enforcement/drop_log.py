"""Read what the kernel's rules logged (NFLOG): which rule, when, and the packet's first octets.

Attribute numbers are those of linux/netfilter/nfnetlink_log.h.
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from collections.abc import Iterator

from thingstead.domain.network import Drop
from thingstead.enforcement.netlink import (
    Attributes,
    Message,
    NetfilterSocket,
    NetlinkError,
    attribute,
    parse_attributes,
)

__all__ = ["DropLog", "parse_drops"]

_LOG = 4 << 8
_PACKET, _CONFIG = _LOG | 0, _LOG | 1
_BIND = 1
_HEADER, _TIME, _HARDWARE, _PAYLOAD, _PREFIX, _LINK_HEADER = 1, 3, 8, 9, 10, 16
_COMMAND, _MODE, _BUFFER = 1, 2, 3
_COPY_PACKET = 2
_HEAD_BYTES = 192
_NETLINK_HEADER = struct.Struct("=IHHII")
_FAMILY_HEADER = 4
_NETFILTER = 12
_RECEIVE_BYTES = 1 << 18
_LONGEST_READ = 4096
_ETHERNET_HEADER, _MAC_BYTES = 14, 6


class DropLog:
    """One group of NFLOG, in the network namespace where this is made; the kernel lets nobody else read it meanwhile.

    What is not fetched is dropped by the kernel when its buffer is full: a log that waits for its reader would let
    whoever floods it stop the router.

    Args:
        group: as the rules have it.

    Raises:
        NetlinkError: no right, or somebody else reads the group.
    """

    def __init__(self, group: int) -> None:
        self._control = NetfilterSocket()
        try:
            self._control.request(_config(group, attribute(_COMMAND, bytes([_BIND]))))
            self._control.request(_config(group, attribute(_MODE, struct.pack("!IBx", _HEAD_BYTES, _COPY_PACKET))))
        except BaseException:
            self._control.close()
            raise
        self._socket = self._control.detach()
        self._socket.setblocking(False)

    def read(self) -> list[Drop]:
        """What was logged and not yet read, oldest first; at most some thousand, the rest next time.

        Raises:
            NetlinkError: the log cannot be read.
        """
        drops: list[Drop] = []
        while len(drops) < _LONGEST_READ:
            try:
                data = self._socket.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise NetlinkError(error.errno or errno.EIO, "to tell what was logged") from error
                # More was logged than fits; what is lost is in the counters alone.
                continue
            drops += parse_drops(data)
        return drops

    def close(self) -> None:
        """Give the group back."""
        self._socket.close()


def _config(group: int, body: bytes) -> Message:
    return Message(_CONFIG, 0, socket.AF_UNSPEC, body, group)


def parse_drops(data: bytes) -> Iterator[Drop]:
    """What one message of the kernel tells; the packets in it are whoever's."""
    offset = 0
    while offset + _NETLINK_HEADER.size <= len(data):
        length, kind, *_ = _NETLINK_HEADER.unpack_from(data, offset)
        if kind == _PACKET:
            body = data[offset + _NETLINK_HEADER.size + _FAMILY_HEADER : offset + length]
            yield _drop(dict(parse_attributes(body)))
        offset += max(_NETLINK_HEADER.size, (length + 3) & ~3)


def _drop(told: Attributes) -> Drop:
    # The kernel stamps what arrives, and not what this machine itself sends.
    stamp = struct.unpack("!QQ", told[_TIME]) if _TIME in told else divmod(time.time_ns() // 1000, 1_000_000)
    reason = told.get(_PREFIX, b"").rstrip(b"\0").decode("ascii", "replace")
    return Drop(stamp[0] + stamp[1] / 1e6, reason, _link_header(told) + told.get(_PAYLOAD, b""))


def _link_header(told: Attributes) -> bytes:
    """As it came, or one of zeros before a packet that never had one."""
    header = told.get(_LINK_HEADER, b"")
    ethertype = told.get(_HEADER, bytes(2))[:2]
    if len(header) == _ETHERNET_HEADER:
        return header[: 2 * _MAC_BYTES] + ethertype
    sender = told.get(_HARDWARE, b"")[4 : 4 + _MAC_BYTES].ljust(_MAC_BYTES, b"\0")
    return bytes(_MAC_BYTES) + sender + ethertype
