"""The client hello as an observer sees it: what a client offers (RFC 8446 §4.1.2, RFC 6347 §4.2)."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.errors import DecodeError, UnsupportedError

__all__ = ["ClientHello", "decode"]

_SPEC = "RFC 8446 §4.1.2"
_HANDSHAKE, _CLIENT_HELLO = 22, 1
_TLS_RECORD, _DTLS_RECORD = 5, 13
_TLS_HEAD, _DTLS_HEAD = 4, 12
_GROUPS, _SIGNATURES, _PROTOCOLS, _COMPRESSION, _VERSIONS, _PSK_MODES, _SIGNATURES_CERT = 10, 13, 16, 27, 43, 45, 50


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What is offered, in the client's order; values that are there to be passed over (RFC 8701) are left out.

    Attributes:
        versions: of TLS or DTLS, as on the wire: 0x0304 is TLS 1.3, 0xfefd DTLS 1.2.
        cipher_suites: by IANA's numbers.
        extensions: types.
        groups: for key exchange.
        signature_algorithms: for handshakes.
        certificate_algorithms: for certificates, where they are others.
        psk_modes: of pre-shared keys.
        protocols: of ALPN, as bytes.
        compressions: of certificates.
    """

    versions: tuple[int, ...]
    cipher_suites: tuple[int, ...]
    extensions: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    signature_algorithms: tuple[int, ...] = ()
    certificate_algorithms: tuple[int, ...] = ()
    psk_modes: tuple[int, ...] = ()
    protocols: tuple[bytes, ...] = ()
    compressions: tuple[int, ...] = ()


def decode(data: bytes) -> ClientHello:
    """Decode the first record of a connection.

    Args:
        data: what a TCP connection begins with, or one UDP datagram; more may follow.

    Raises:
        DecodeError: no client hello, or a malformed one.
        UnsupportedError: one that goes on in another record, segment or fragment.
    """
    if len(data) < _TLS_RECORD or data[0] != _HANDSHAKE:
        raise DecodeError("expected a handshake record", spec="RFC 8446 §5.1")
    is_datagram = data[1] == 0xFE
    record, head = (_DTLS_RECORD, _DTLS_HEAD) if is_datagram else (_TLS_RECORD, _TLS_HEAD)
    body = data[record : record + int.from_bytes(data[record - 2 : record])]
    if len(body) < head or body[0] != _CLIENT_HELLO:
        raise DecodeError("expected a client hello", spec=_SPEC)
    length = int.from_bytes(body[1:4])
    if len(body) < head + length:
        raise UnsupportedError("expected a client hello in one record, got its beginning", spec="RFC 8446 §5.1")
    return _parse(_Reader(body[head : head + length]), is_datagram=is_datagram)


class _Reader:
    """Takes vectors off the front of bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """So many octets."""
        found = self._data[self._at : self._at + size]
        if len(found) < size:
            raise DecodeError(f"expected {size} octets, got {len(found)}", spec=_SPEC)
        self._at += size
        return found

    def vector(self, width: int) -> bytes:
        """Octets behind their length of `width` octets (RFC 8446 §3.4)."""
        return self.take(int.from_bytes(self.take(width)))

    @property
    def is_empty(self) -> bool:
        """Whether all was taken."""
        return self._at >= len(self._data)


def _parse(reader: _Reader, *, is_datagram: bool) -> ClientHello:
    legacy = int.from_bytes(reader.take(2))
    reader.take(32)
    reader.vector(1)
    if is_datagram:
        reader.vector(1)
    suites = _numbers(reader.vector(2), 2)
    reader.vector(1)
    found: dict[int, bytes] = {}
    extensions = _Reader(b"" if reader.is_empty else reader.vector(2))
    while not extensions.is_empty:
        kind = int.from_bytes(extensions.take(2))
        if kind in found:
            raise DecodeError(f"expected extension {kind} once", spec="RFC 8446 §4.2")
        found[kind] = extensions.vector(2)
    return ClientHello(
        versions=_list(found, _VERSIONS, head=1) or (legacy,),
        cipher_suites=suites,
        extensions=tuple([kind for kind in found if not _is_grease(kind)]),
        groups=_list(found, _GROUPS),
        signature_algorithms=_list(found, _SIGNATURES),
        certificate_algorithms=_list(found, _SIGNATURES_CERT),
        psk_modes=_list(found, _PSK_MODES, head=1, width=1),
        protocols=_protocols(found),
        compressions=_list(found, _COMPRESSION, head=1),
    )


def _list(found: dict[int, bytes], kind: int, *, head: int = 2, width: int = 2) -> tuple[int, ...]:
    return _numbers(_Reader(found[kind]).vector(head), width) if kind in found else ()


def _numbers(data: bytes, width: int) -> tuple[int, ...]:
    if len(data) % width:
        raise DecodeError(f"expected a list of numbers of {width} octets, got {len(data)} octets", spec=_SPEC)
    numbers = [int.from_bytes(data[at : at + width]) for at in range(0, len(data), width)]
    return tuple([number for number in numbers if not (width == 2 and _is_grease(number))])


def _protocols(found: dict[int, bytes]) -> tuple[bytes, ...]:
    if _PROTOCOLS not in found:
        return ()
    reader, names = _Reader(_Reader(found[_PROTOCOLS]).vector(2)), []
    while not reader.is_empty:
        names.append(reader.vector(1))
    return tuple([name for name in names if not (len(name) == 2 and _is_grease(int.from_bytes(name)))])


def _is_grease(number: int) -> bool:
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF
