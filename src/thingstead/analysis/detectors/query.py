"""What a DNS question asks for, and who registered that."""

from __future__ import annotations

from thingstead.analysis.detectors.sight import UDP
from thingstead.errors import ProtocolError
from thingstead.protocols.dns import message as dns
from thingstead.protocols.packet.packet import Packet

__all__ = ["owner_of", "question"]

_PORT = 53
_REVERSE = ".arpa"


def question(packet: Packet) -> str:
    """The name that a packet asks a resolver for; empty where it asks for none, or for an address's name."""
    if packet.destination_port != _PORT or packet.protocol != UDP:
        return ""
    try:
        message = dns.decode(packet.payload)
    except ProtocolError:
        return ""
    if message.is_response or message.question is None or message.question.name.endswith(_REVERSE):
        return ""
    return message.question.name


def owner_of(name: str) -> str:
    """The last two labels, three where the last but one is as short as in ``co.uk``: about what somebody registers."""
    labels = name.split(".")
    count = 3 if len(labels) > 2 and len(labels[-2]) <= 3 and len(labels[-1]) == 2 else 2
    return ".".join(labels[-count:])
