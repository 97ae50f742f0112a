"""The side of a proxy that is on connections: those of clients, and its own with origins (RFC 8323)."""

from __future__ import annotations

from collections.abc import Callable

from thingstead.endpoint.event import Address
from thingstead.endpoint.stream_endpoint import StreamEndpoint
from thingstead.errors import StateError
from thingstead.proxy.config import LimitsConfig
from thingstead.proxy.guard import Guard, Shares

__all__ = ["StreamSide"]


class StreamSide:
    """What a `transport.tcp.StreamPump` drives.

    There is at most one connection with each origin, opened when the first request for it comes: the adapter opens
    those that `wanted` names, and tells of each that cannot be with `on_unopened`. A connection that somebody else
    opened is no way to an origin, whatever address it comes from.

    Args:
        endpoint: has both kinds.
        guard: knows whose connections are taken.
        limits: how many of one address.
        run: acts on events, of either side.
        opened: told of a connection with an origin that is there.
        unopened: told of one that will not be.
    """

    def __init__(
        self,
        endpoint: StreamEndpoint,
        *,
        guard: Guard,
        limits: LimitsConfig,
        run: Callable[[float], None],
        opened: Callable[[Address, float], None],
        unopened: Callable[[Address, float], None],
    ) -> None:
        self._endpoint = endpoint
        self._guard = guard
        self._shares = Shares(limits.max_connections_per_address, of="address")
        self._run = run
        self._opened = opened
        self._unopened = unopened
        self._clients: set[Address] = set()
        self._ours: set[Address] = set()
        self._opening: set[Address] = set()
        self._wanted: list[Address] = []

    def __len__(self) -> int:
        return len(self._clients) + len(self._ours)

    def reach(self, origin: Address) -> bool:
        """Whether there is a connection with an origin; one is wanted from now on."""
        if origin in self._ours:
            return True
        if origin not in self._opening:
            self._opening.add(origin)
            self._wanted.append(origin)
        return False

    def wanted(self) -> list[Address]:
        """Take the origins to open a connection with, each once until it is there or cannot be."""
        wanted, self._wanted = self._wanted, []
        return wanted

    def on_unopened(self, origin: Address, now: float) -> None:
        """Nobody is there, or not in time."""
        self._opening.discard(origin)
        self._unopened(origin, now)

    def connect(self, address: Address, now: float, *, is_ours: bool = False) -> None:
        """A connection is there.

        Raises:
            StateError: it is none of a client, or one too many.
        """
        if is_ours:
            self._endpoint.connect(address, now, is_ours=True)
            self._opening.discard(address)
            self._ours.add(address)
            self._opened(address, now)
            return
        if not self._guard.is_served(address):
            raise StateError("expected a client of the configured networks", reason="client")
        self._shares.require(address[0])
        self._endpoint.connect(address, now)
        self._shares.take(address[0])
        self._clients.add(address)

    def disconnect(self, address: Address, now: float) -> None:
        """A connection is gone."""
        self._ours.discard(address)
        if address in self._clients:
            self._clients.remove(address)
            self._shares.release(address[0])
        self._endpoint.disconnect(address, now)

    def receive_bytes(self, data: bytes, address: Address, now: float) -> None:
        """Take bytes; see `StreamEndpoint.receive_bytes`."""
        self._endpoint.receive_bytes(data, address, now)

    def pause(self, address: Address, *, is_full: bool) -> None:
        """The way to `address` is full, or free again."""
        self._endpoint.pause(address, is_full=is_full)

    def run(self, now: float) -> None:
        """Act on what has come, on either side."""
        self._run(now)

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """What may leave now."""
        return self._endpoint.datagrams_to_send(now)

    def connections_to_close(self) -> list[Address]:
        """Connections that are over."""
        return self._endpoint.connections_to_close()

    def next_deadline(self) -> float | None:
        """When `run` is wanted without bytes."""
        return self._endpoint.next_deadline()
