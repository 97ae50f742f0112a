"""Whose interfaces have a link-layer address: the registry of IEEE, as it came with the library that is installed."""

from __future__ import annotations

from netaddr import OUI, NotRegisteredError

__all__ = ["maker_of"]

_BY_ITSELF = 2
"""The bit of an address that nobody assigned (IEEE 802 §8.2.2): phones make up a new one for each network."""

_LONGEST = 60


def maker_of(mac: bytes) -> str:
    """Who had the block assigned: often whoever made the radio, and not the device.

    Args:
        mac: six octets; empty text comes of anything else, and of a block that is in nobody's name here.
    """
    if len(mac) != 6 or mac[0] & 1:
        return ""
    if mac[0] & _BY_ITSELF:
        return "(an address of its own making)"
    try:
        return str(OUI(int.from_bytes(mac[:3])).registration().org)[:_LONGEST]
    except NotRegisteredError:
        return ""
