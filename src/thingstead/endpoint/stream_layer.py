"""What stands in the place of the message layer over connections: no duplicates, no repetition (RFC 8323 §3)."""

from __future__ import annotations

from collections.abc import Callable

from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.connections import Connections
from thingstead.endpoint.event import Address
from thingstead.endpoint.message_layer import MessageLayer
from thingstead.protocols.coap import tcp
from thingstead.protocols.coap.block import BERT, Pieces
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.reliability import NoDuplicates

__all__ = ["StreamLayer"]

_BLOCK = 1024
_PROTECTED_BLOCKS = 3
"""The limits of a key are counted for messages of 4 KiB, so OSCORE protects no longer ones."""
_HEADROOM = 1024
"""Bytes of a message that are left for what is not payload: options, token, OSCORE."""


class StreamLayer(MessageLayer):
    """Messages in and out of many connections."""

    __slots__ = ("_connections",)

    is_reliable = True

    @property
    def encode(self) -> Callable[[Message, int, int, bytes], bytes]:
        """The same; type and message ID are of no use here."""
        return tcp.encode_as

    def __init__(
        self, config: EndpointConfig, random_bytes: Callable[[int], bytes], *, connections: Connections
    ) -> None:
        super().__init__(config, random_bytes)
        self._connections = connections
        self.known.duplicates = self.strangers.duplicates = NoDuplicates()
        self.room = _BLOCK

    def pieces(self, destination: Address, *, is_protected: bool) -> Pieces:
        """As many blocks of 1024 bytes as one message to the peer has room for, or one (RFC 8323 §6)."""
        connection = self._connections.find(destination)
        if connection is None or not connection.peer.takes_bert:
            return Pieces(6)
        blocks = max(1, (connection.room - _HEADROOM) // _BLOCK)
        return Pieces(BERT, min(blocks, _PROTECTED_BLOCKS) if is_protected else blocks)

    def max_token(self, destination: Address) -> int | None:
        """As the peer's CSM says it (RFC 8974 §2.2.1)."""
        connection = self._connections.find(destination)
        return None if connection is None else connection.peer.max_token
