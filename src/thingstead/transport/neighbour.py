"""Which interface an address of the local segment answers from, as the kernel knows it (ARP table)."""

from __future__ import annotations

from pathlib import Path

__all__ = ["NO_MAC", "mac_of"]

NO_MAC = bytes(6)
"""Where there is no link layer to bind to: loopback, or a thing behind a router."""

_TABLE = Path("/proc/net/arp")
_ADDRESS, _MAC = 0, 3


def mac_of(ip: str) -> bytes:
    """The MAC address behind an IPv4 neighbour; `NO_MAC` if the kernel knows none."""
    try:
        lines = _TABLE.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except OSError:
        return NO_MAC
    for fields in map(str.split, lines):
        if len(fields) > _MAC and fields[_ADDRESS] == ip:
            return bytes.fromhex(fields[_MAC].replace(":", ""))
    return NO_MAC
