"""Software that a device names in passing, for records of known vulnerabilities to be held against (R-18, R-89).

A name in a header is what somebody wrote there: versions are hidden, and mended ones keep their number. What is found
is a question to its maker and no proof.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from thingstead.analysis.sbom import Component
from thingstead.analysis.traffic.clue import Clue, Source

__all__ = ["components"]

_SOURCES = frozenset({Source.DHCP_CLASS, Source.UPNP_SERVER, Source.HTTP_SERVER})
_PRODUCT = re.compile(
    r"(?P<name>portable sdk for upnp devices|[a-z][a-z0-9._+-]*?)(?:/|-| )v?(?P<version>\d+(?:\.\d+)+[a-z0-9.-]*)",
    re.IGNORECASE,
)
_DHCP_CLIENTS = ("udhcp", "udhcpc")
_PACKAGES = {
    **dict.fromkeys(_DHCP_CLIENTS, "busybox"),
    "portable sdk for upnp devices": "pupnp",
    "linux": "linux",
    "miniupnpd": "miniupnp",
    "apache": "httpd",
}
"""Whose release a name is part of, by the names that OSS-Fuzz and Linux distributions use."""

_PROTOCOLS = frozenset({"upnp", "http", "dlnadoc", "hnap", "msft"})
"""Versions of what is spoken, and of no program."""


def components(clues: Iterable[Clue]) -> tuple[Component, ...]:
    """What it seems to be made of, each once, by name."""
    found: dict[tuple[str, str], Component] = {}
    for clue in clues:
        if clue.source not in _SOURCES:
            continue
        for match in _PRODUCT.finditer(clue.text):
            name, version = match["name"].lower(), match["version"].rstrip(".-")
            if name not in _PROTOCOLS:
                # udhcp was a program of its own until busybox 1.00, whose number it has had since.
                is_old = name in _DHCP_CLIENTS and version.startswith("0.")
                name = name if is_old else _PACKAGES.get(name, name)
                found[name, version] = Component(name, version, None, (), clue.source.value)
    return tuple([found[key] for key in sorted(found)])
