"""The proxy as a program: one socket, until it is told to end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from thingstead.clock import Clock, SystemClock
from thingstead.proxy.config import ProxyConfig
from thingstead.proxy.core import Proxy
from thingstead.transport.udp import Pump, open_socket

__all__ = ["running"]


@contextmanager
def running(config: ProxyConfig, *, clock: Clock | None = None) -> Iterator[Proxy]:
    """Serve until the block ends; call it where an event loop runs.

    Raises:
        TransportError: the address is not free.
    """
    time = clock or SystemClock()
    proxy = Proxy(config, random_bytes=secrets.token_bytes, today=lambda: time.utc().date())
    sock = open_socket(config.listen.host, config.listen.port)
    pump = Pump(
        proxy,
        [sock],
        clock=time,
        on_unreachable=lambda destination: proxy.on_unreachable(destination, time.now()),
        is_known=proxy.is_known,
    )
    try:
        yield proxy
    finally:
        pump.close()
