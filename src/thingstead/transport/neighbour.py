"""Which interface an address of the local segment answers from, as the kernel knows it (ARP table)."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["NO_MAC", "mac_of"]

NO_MAC = bytes(6)
"""Where there is no link layer to bind to: loopback, or a thing behind a router."""

_TABLE = Path("/proc/net/arp")
_ADDRESS, _FLAGS, _MAC = 0, 2, 3
_COMPLETE = 0x02
_ETHERNET = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def mac_of(ip: str, *, table: Path = _TABLE) -> bytes:
    """The MAC address behind an IPv4 neighbour; `NO_MAC` if the kernel knows none, or not whole.

    Args:
        ip: whose.
        table: the kernel's.
    """
    try:
        lines = table.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return NO_MAC
    for fields in map(str.split, lines):
        if len(fields) > _MAC and fields[_ADDRESS] == ip:
            is_known = int(fields[_FLAGS], 16) & _COMPLETE and _ETHERNET.fullmatch(fields[_MAC])
            return bytes.fromhex(fields[_MAC].replace(":", "")) if is_known else NO_MAC
    return NO_MAC
