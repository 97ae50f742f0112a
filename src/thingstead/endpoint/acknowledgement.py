"""What an ACK, a RST or a ping means, and for which role: each names a message of ours by its ID alone."""

from __future__ import annotations

from thingstead.endpoint.client import Client
from thingstead.endpoint.event import Address
from thingstead.endpoint.message_layer import MessageLayer, reset
from thingstead.endpoint.responder import Responder
from thingstead.protocols.coap.message import MessageType

__all__ = ["Acknowledgements"]


class Acknowledgements:
    """Tells the client of its requests, and the server of its responses, that they came or did not.

    Args:
        layer: knows whose message an ID is.
        client: asks.
        responder: answers.
    """

    __slots__ = ("_client", "_layer", "_responder")

    def __init__(self, layer: MessageLayer, *, client: Client, responder: Responder) -> None:
        self._layer = layer
        self._client = client
        self._responder = responder

    def is_of_response(self, data: bytes, source: Address) -> bool:
        """Whether a datagram is an ACK to a response of ours, whatever else it carries (RFC 7252 §5.2.2)."""
        if data[0] & 0x30 != MessageType.ACK << 4:
            return False
        owner = self._layer.retransmitter.owner(source, data[2] << 8 | data[3])
        return owner is not None and self._client.outstanding.find(owner) is None

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """Take an empty ACK, a RST, or a ping, which a RST answers (RFC 7252 §4.2, §4.3)."""
        kind = (data[0] >> 4) & 3
        if kind == MessageType.CON:
            self._layer.outgoing.append((reset(data), source))
            return
        mid = data[2] << 8 | data[3]
        owner = self._layer.retransmitter.acknowledge(source, mid, now)
        if kind != MessageType.RST:
            if owner is not None:
                self._responder.on_acknowledged(owner, now)
            return
        if owner is None:
            self._responder.on_reset(source, mid)
        else:
            self._client.on_reset(owner, now)
            self._responder.on_lost(owner)
