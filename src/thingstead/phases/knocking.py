"""What a stranger on the network tries at whoever is there: places, ports, keys that were published, and nonsense.

For the test of each new type of thing, and for the simulator's scan of a domain.
"""

from __future__ import annotations

from collections.abc import Mapping

from thingstead.protocols.profile import path
from thingstead.secret import Secret

__all__ = ["EDITION", "MALFORMED", "PATHS", "PORTS", "PUBLISHED_SALTS", "published_secrets"]

EDITION = "1"
"""Goes up with each change of what is tried, so that a result says what it was judged by."""

_GUESSES = ("/", "/authz-info", "/token", "/introspect", "/ace-group/lamps", "/rd", "/bs", "/config", "/keys", "/admin")
PATHS = tuple(sorted({*_GUESSES, *[getattr(path, name) for name in path.__all__]}))
"""What a domain or a thing may serve, and what attackers look for."""

_IN_USE = (
    "21 22 23 53 80 161 443 502 623 1883 1900 2323 4840 5222 5353 5684 5685 7547 8000 8080 8443 8883 9000 9090 47808"
)
PORTS = frozenset(int(port) for port in _IN_USE.split())
"""Where things and their gateways have been found open before."""

MALFORMED = {
    "nothing": "",
    "half a header": "4001",
    "version 0": "00010001",
    "version 3": "c0010001",
    "a token of 15 bytes": "4f010001",
    "a token over the end": "4801000101",
    "an option of reserved length": "400100011f",
    "an option of reserved delta": "40010001f1",
    "an option over the end": "40010001bd",
    "a payload marker without payload": "40010001ff",
    "a path that is not UTF-8": "40010001b1ff",
    "a path that climbs": "40010001b22e2e",
    "an unknown critical option": "40010001e109ff00",
    "a reserved class": "40210001",
    "a response to nothing": "60450001",
    "a reset of nothing": "70000001",
    "an OSCORE option without payload": "4002000190",
    "an OSCORE option of reserved flags": "4002000191e0ff00",
    "an OSCORE kid that nobody has": "40020001960901aabbccddff00112233445566778899",
    "an array of arrays as EDHOC": "40020001bb2e77656c6c2d6b6e6f776e0565646861ff" + "9f" * 200,
    "more than a datagram of ours holds": "40010001ff" + "00" * 1600,
}
"""Datagrams outside RFC 7252, RFC 8613 and RFC 9528, in hexadecimal."""

PUBLISHED_SALTS = (b"", bytes.fromhex("9e7ca92223786340"))
"""None, and that of RFC 8613 appendix C.1, which examples of OSCORE libraries use too."""


def published_secrets() -> Mapping[str, Secret]:
    """Master secrets that everybody knows, by where they are from: a thing that takes one has none (EN 303 645 5.1)."""
    return {
        "RFC 8613 appendix C": Secret(bytes(range(1, 17))),
        "all zeros": Secret(bytes(16)),
        "all ones": Secret(b"\xff" * 16),
    }
