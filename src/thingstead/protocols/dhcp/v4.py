"""What a client says by DHCPv4, and what it is given (RFC 2131 §2, RFC 2132), read by whoever only listens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from thingstead.errors import DecodeError, UnsupportedError

__all__ = ["ClientMessage", "Lease", "Option", "decode", "decode_lease"]


class Option(IntEnum):
    """Options that are looked into here or by whoever asks who a device is."""

    PAD = 0
    HOST_NAME = 12
    OVERLOAD = 52
    MESSAGE_TYPE = 53
    PARAMETER_LIST = 55
    VENDOR_CLASS = 60
    MUD_URL = 161
    END = 255


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """One message of a client; none of it is proved.

    Attributes:
        mac: address of its interface, as it says; six octets.
        is_relayed: a relay has sent it on, so that the frame's sender is not the client (RFC 2131 §4.1).
        options: by code; one that came in parts is put together (RFC 3396 §7).
    """

    mac: bytes
    is_relayed: bool
    options: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Lease:
    """An address that a server gave.

    Attributes:
        mac: whom it was given to; six octets.
        ip: the address, packed.
    """

    mac: bytes
    ip: bytes


def decode(data: bytes) -> ClientMessage:
    """Decode the payload of a datagram to port 67.

    Raises:
        DecodeError: outside the format of RFC 2131 §2, or an option that reaches beyond its field.
        UnsupportedError: a message of a server, or of a link that has no 48-bit addresses.
    """
    return ClientMessage(data[28:34], data[24:28] != bytes(4), _options(data, _REQUEST))


def decode_lease(data: bytes) -> Lease:
    """Decode the payload of a datagram from port 67 that gives an address (RFC 2131 §4.3.1).

    Raises:
        DecodeError: as for `decode`.
        UnsupportedError: a message of a client, one that gives no address, or of a link without 48-bit addresses.
    """
    options, given = _options(data, _REPLY), data[16:20]
    if options.get(Option.MESSAGE_TYPE) != _ACK or not any(given):
        raise UnsupportedError("expected an acknowledgement with an address", spec="RFC 2131 §3.1")
    return Lease(data[28:34], given)


_FIXED = 240
_LONGEST = 1 << 14
_COOKIE = bytes((99, 130, 83, 99))
_REQUEST, _REPLY, _ETHERNET = 1, 2, 1
_ACK = bytes([5])


def _options(data: bytes, expected: int) -> dict[int, bytes]:
    """Options of a request or a reply, from all fields that hold some."""
    if len(data) < _FIXED or data[_FIXED - 4 : _FIXED] != _COOKIE:
        raise DecodeError("expected a DHCP message with its magic cookie", spec="RFC 2131 §3")
    if len(data) > _LONGEST:
        raise DecodeError(f"expected at most {_LONGEST} octets of DHCP, got {len(data)}", spec="RFC 2131 §2")
    operation, hardware, size = data[0], data[1], data[2]
    if operation != expected or (hardware, size) != (_ETHERNET, 6):
        raise UnsupportedError(
            f"expected operation {expected} of Ethernet, got {operation} of hardware {hardware}", spec="RFC 2131 §2"
        )
    options: dict[int, bytes] = {}
    _collect(data[_FIXED:], options)
    # File first, then the server's name: so parts of one option come in their order (RFC 3396 §5).
    overload = options.get(Option.OVERLOAD, b"\0")[-1:]
    for bit, field in ((1, data[108:236]), (2, data[44:108])):
        if overload and overload[0] & bit:
            _collect(field, options)
    return options


def _collect(field: bytes, options: dict[int, bytes]) -> None:
    """Add the options of one field; what is behind the end is padding, whatever it holds."""
    at = 0
    while at < len(field) and field[at] != Option.END:
        code, at = field[at], at + 1
        if code == Option.PAD:
            continue
        if at >= len(field) or at + 1 + field[at] > len(field):
            raise DecodeError(f"expected DHCP option {code} to end within its field", spec="RFC 2132 §2")
        size, at = field[at], at + 1
        options[code] = options.get(code, b"") + field[at : at + size]
        at += size
