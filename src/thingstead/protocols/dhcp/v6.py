"""What a client says by DHCPv6 (RFC 8415 §8, §9, §21), read by whoever only listens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from thingstead.errors import DecodeError, UnsupportedError

__all__ = ["ClientMessage", "MessageType", "Option", "decode"]


class MessageType(IntEnum):
    """Of clients, and of relays that send them on (RFC 8415 §7.3)."""

    SOLICIT = 1
    REQUEST = 3
    CONFIRM = 4
    RENEW = 5
    REBIND = 6
    RELEASE = 8
    DECLINE = 9
    INFORMATION_REQUEST = 11
    RELAY_FORWARD = 12


class Option(IntEnum):
    """Options that are looked into (RFC 8415 §21, RFC 6939 §4, RFC 8520 §17.1)."""

    CLIENT_ID = 1
    RELAY_MESSAGE = 9
    CLIENT_LINK_LAYER = 79
    MUD_URL = 112


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """One message of a client; none of it is proved.

    Attributes:
        type: what it wants.
        mac: address of its interface, as a relay or else its identifier says; empty where neither does.
        is_relayed: a relay has sent it on, so that the frame's sender is not the client.
        options: by code; of several of one code the first counts.
    """

    type: MessageType
    mac: bytes
    is_relayed: bool
    options: Mapping[int, bytes]


def decode(data: bytes) -> ClientMessage:
    """Decode the payload of a datagram to port 547.

    Raises:
        DecodeError: outside the format, an option that reaches beyond the message, or relays without end.
        UnsupportedError: a message of a server.
    """
    said = b""
    for relays in range(_MOST_RELAYS + 1):
        kind, options = _read(data)
        if kind is not MessageType.RELAY_FORWARD:
            return ClientMessage(kind, said or _mac_of(options.get(Option.CLIENT_ID, b"")), relays > 0, options)
        inner = options.get(Option.RELAY_MESSAGE)
        if inner is None:
            raise DecodeError("expected a relayed DHCPv6 message to hold one", spec="RFC 8415 §19.1.1")
        # The relay on the client's own link is the innermost: its word counts.
        said, data = _link_layer(options.get(Option.CLIENT_LINK_LAYER, b"")) or said, inner
    raise DecodeError(f"expected at most {_MOST_RELAYS} relays of a DHCPv6 message", spec="RFC 8415 §19.1.2")


_MOST_RELAYS = 8
_CLIENT_HEADER, _RELAY_HEADER = 4, 34
_ETHERNET = b"\0\1"
_DUID_LLT, _DUID_LL = b"\0\1", b"\0\3"


def _read(data: bytes) -> tuple[MessageType, dict[int, bytes]]:
    try:
        kind = MessageType(data[0])
    except IndexError:
        raise DecodeError("expected a DHCPv6 message, got nothing", spec="RFC 8415 §8") from None
    except ValueError:
        raise UnsupportedError(f"DHCPv6 message type {data[0]} is none of a client", spec="RFC 8415 §7.3") from None
    at = _RELAY_HEADER if kind is MessageType.RELAY_FORWARD else _CLIENT_HEADER
    if len(data) < at:
        raise DecodeError(f"expected {at} octets of a DHCPv6 header, got {len(data)}", spec="RFC 8415 §8")
    options: dict[int, bytes] = {}
    while at < len(data):
        code, size = int.from_bytes(data[at : at + 2]), int.from_bytes(data[at + 2 : at + 4])
        at += 4
        if at + size > len(data):
            raise DecodeError(f"expected DHCPv6 option {code} to end within the message", spec="RFC 8415 §21.1")
        options.setdefault(code, data[at : at + size])
        at += size
    return kind, options


def _mac_of(duid: bytes) -> bytes:
    """The interface that an identifier was made from, where it was made from one (RFC 8415 §11.2, §11.4)."""
    for kind, start in ((_DUID_LLT, 8), (_DUID_LL, 4)):
        if duid[:4] == kind + _ETHERNET and len(duid) == start + 6:
            return duid[start:]
    return b""


def _link_layer(option: bytes) -> bytes:
    return option[2:] if option[:2] == _ETHERNET and len(option) == 8 else b""
