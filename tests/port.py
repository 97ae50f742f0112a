"""Ports for servers whose programs must be told theirs."""

import itertools
import secrets
import socket

__all__ = ["free_port"]

_FIRST, _COUNT = 10_000, 20_000
"""Below what Linux gives to clients: there, a client that connects again and again at last meets itself by TCP."""

_OFFSETS = itertools.count(secrets.randbelow(_COUNT))


def free_port(host: str = "127.0.0.1") -> int:
    """A port that is free for UDP and TCP, and that neither the kernel nor this process gives to anybody else soon."""
    for offset in itertools.islice(_OFFSETS, _COUNT):
        port = _FIRST + offset % _COUNT
        if all(_is_free(host, port, kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)):
            return port
    raise AssertionError(f"expected a free port of {host}")


def _is_free(host: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
