"""What is remembered between two datagrams for one kind of peer."""

from __future__ import annotations

from typing import Generic, TypeVar

from thingstead.endpoint.config import Retention
from thingstead.endpoint.representation import Representations
from thingstead.protocols.coap.block import Uploads
from thingstead.protocols.coap.observe import Observers
from thingstead.protocols.coap.reliability import Deduplicator, TransmissionParameters

__all__ = ["Memory"]

ExchangeT = TypeVar("ExchangeT")


class Memory(Generic[ExchangeT]):
    """Every table that a peer can make grow, each with its bound; those `beside` it find each other's duplicates.

    Attributes:
        duplicates: requests that were accepted, and their replies.
        uploads: request bodies coming in.
        representations: response bodies that peers fetch block by block.
        observers: who observes.
        open: requests that the application has not answered yet, oldest first.
        observing: exchanges of observers, which the application answers again and again.
        max_open: bound of `open`.
    """

    __slots__ = ("duplicates", "max_open", "observers", "observing", "open", "representations", "uploads")

    def __init__(
        self, retention: Retention, transmission: TransmissionParameters, *, beside: Memory[ExchangeT] | None = None
    ) -> None:
        self.duplicates: Deduplicator = Deduplicator(
            transmission.exchange_lifetime,
            max_entries=retention.max_duplicates,
            max_bytes=retention.max_duplicate_bytes,
            max_replays=transmission.max_retransmit,
            beside=None if beside is None else beside.duplicates,
        )
        self.uploads = Uploads(retention.uploads)
        self.representations = Representations(retention.representations)
        self.observers = Observers(max_observers=retention.max_observers, max_per_peer=retention.max_observers_per_peer)
        self.open: dict[int, ExchangeT] = {}
        self.observing: dict[int, ExchangeT] = {}
        self.max_open = retention.max_exchanges
