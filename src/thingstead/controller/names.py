"""The resolver that things use, composed from its settings: names are learned from what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address, ip_network

from thingstead.clock import Clock
from thingstead.controller.config import ControllerConfig
from thingstead.domain.ledger.refusal import RefusalCounter
from thingstead.domain.name import NameAnswer
from thingstead.transport.name_relay import NameRelay
from thingstead.transport.name_server import NameServer
from thingstead.transport.upstream import Upstream

__all__ = ["name_server"]

_HERE = "127.0.0.1", "::1"


def name_server(
    config: ControllerConfig,
    learn: Callable[[NameAnswer], Awaitable[None]],
    refusals: RefusalCounter,
    *,
    clock: Clock,
    random_bytes: Callable[[int], bytes],
    tasks: asyncio.TaskGroup,
) -> NameServer | None:
    """The resolver, not started yet; None where the settings want none.

    Args:
        config: where it is, whom it asks, and what the owner gave.
        learn: the network plane's.
        refusals: counts answers that lead inside.
        clock: for UTC.
        random_bytes: for ids.
        tasks: where answers are waited for.
    """
    names, network = config.names, config.network
    if not names.enabled:
        return None

    def count(reason: str, asker: str) -> None:
        refusals.count(reason, at=clock.utc(), source=f"names:{asker}")

    # Nobody but this machine asks from its own loopback address.
    forwarders = frozenset({*_HERE, *(str(ip_address(host)) for host in names.forwarders)})
    relay = NameRelay(
        Upstream([(host, names.upstream_port) for host in names.upstreams]).ask,
        hosts={name: tuple(addresses) for name, addresses in network.hosts.items()},
        inside=tuple([ip_network(text) for text in network.local]),
        learn=learn,
        random_bytes=random_bytes,
        on_refusal=count,
        forwarders=forwarders,
    )
    return NameServer(relay, host=names.host, port=names.port, tasks=tasks, forwarders=forwarders)
