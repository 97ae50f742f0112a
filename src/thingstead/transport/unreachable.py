"""What the network says of datagrams that nobody took: ICMP errors, which Linux keeps beside a socket (ip(7)).

Whoever sends forged ICMP must know both ends of a conversation to be believed by the kernel, and makes a request
fail that would otherwise wait; nothing else rests on it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

__all__ = ["listen_for_errors", "unreachable"]

_IP_RECVERR, _IPV6_RECVERR = 11, 25
_MAX_ERRORS = 64
_ANCILLARY = 512


def listen_for_errors(sock: socket.socket) -> None:
    """Let the kernel keep the errors of this UDP socket, each with its destination."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)


def unreachable(sock: socket.socket) -> Iterator[tuple[str, int]]:
    """Take the destinations of which the network said that they cannot be reached; whatever the socket keeps."""
    for _ in range(_MAX_ERRORS):
        try:
            _, _, _, destination = sock.recvmsg(0, _ANCILLARY, socket.MSG_ERRQUEUE)
        except OSError:
            return
        yield destination
