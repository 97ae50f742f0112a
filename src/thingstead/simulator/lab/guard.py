"""Nothing leaves: what stands between a pattern of bad traffic and any network that is not the lab's own."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from thingstead.errors import ForbiddenError
from thingstead.protocols.packet.packet import decode_frame

__all__ = ["Guard", "namespace_here"]

_OWN = "/proc/thread-self/ns/net"
_INTERFACES = re.compile(r"lo|br0|up0|t[0-9]+|[a-z0-9]+tnl0|sit0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6gre0|teql0")
"""What a lab makes, and what some kernels put into every new namespace."""

_TO_MANY = tuple(map(IPv4Network, ("224.0.0.0/4", "255.255.255.255/32")))
_TO_MANY_6 = (IPv6Network("ff00::/8"),)


class Guard:
    """Passed by every act before it is done; made inside the lab's own namespace, and nowhere else.

    Args:
        networks: the lab's own; all else is refused.
        home: the namespace that the process came from, by `namespace_here`.

    Raises:
        ForbiddenError: this is still the namespace that the process came from, or one with interfaces that lead out.
    """

    def __init__(self, networks: Iterable[IPv4Network | IPv6Network], *, home: int) -> None:
        self._networks = tuple(networks)
        if namespace_here() == home:
            raise ForbiddenError("the lab has no network of its own: nothing is sent", reason="outside-the-lab")
        strange = [name for _, name in socket.if_nameindex() if not _INTERFACES.fullmatch(name)]
        if strange:
            raise ForbiddenError(f"an interface that no lab made: {strange[0]}", reason="outside-the-lab")

    def require_address(self, address: IPv4Address | IPv6Address) -> None:
        """Refuse an address outside the lab.

        Raises:
            ForbiddenError: it is.
        """
        many: tuple[IPv4Network | IPv6Network, ...] = (*_TO_MANY, *_TO_MANY_6)
        if not any(address in network for network in (*self._networks, *many)):
            raise ForbiddenError(f"{address} is outside the lab: nothing is sent there", reason="outside-the-lab")

    def require_frame(self, frame: bytes) -> None:
        """Refuse a frame whose IP destination is outside the lab.

        Raises:
            ForbiddenError: it is.
            DecodeError: no frame.
        """
        packet = decode_frame(frame, at=0.0)
        if packet.family:
            self.require_address(ip_address(packet.destination))


def namespace_here() -> int:
    """What tells this thread's network namespace from every other."""
    return os.stat(_OWN).st_ino
