"""The four messages and the three plaintexts as bytes, strict on the way in (RFC 9528 §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.credential import CredentialReference, compact_reference, expand_reference
from thingstead.protocols.edhoc.ead import EadItem, decode_ead
from thingstead.protocols.edhoc.error import PeerError, decode_error
from thingstead.protocols.edhoc.identifier import decode_identifier, encode_identifier

__all__ = [
    "DEFAULT_LIMITS",
    "Limits",
    "Message1",
    "Plaintext",
    "decode_byte_string",
    "decode_message_1",
    "decode_plaintext_2",
    "decode_plaintext_3",
    "decode_plaintext_4",
    "encode_message_1",
    "encode_plaintext",
    "read_items",
]

_MAX_DEPTH = 12
_LONGEST_KEYSTREAM = 255 * 32


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a peer may make us read.

    Attributes:
        max_message: bytes of one message; at most 8160, for we do not split PLAINTEXT_2 (RFC 9528 Appendix G).
        max_suites: entries of SUITES_I.
        max_ead_items: items of one EAD field, padding counted.
        max_forgeries: messages that may fail to decrypt before a waiting state gives up (RFC 9528 §9.7).
    """

    max_message: int = 4096
    max_suites: int = 16
    max_ead_items: int = 8
    max_forgeries: int = 8

    def __post_init__(self) -> None:
        if self.max_message > _LONGEST_KEYSTREAM:
            raise ValueError(f"a message has at most {_LONGEST_KEYSTREAM} bytes (RFC 9528 §9.8)")


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Message1:
    """message_1 (RFC 9528 §5.2.1).

    Attributes:
        method: not looked up yet.
        suites: SUITES_I, the selected suite last.
        g_x: not checked yet: its length depends on the suite.
        c_i: as the byte string it stands for.
        ead_1: without padding.
    """

    method: int
    suites: tuple[int, ...]
    g_x: bytes
    c_i: bytes
    ead_1: tuple[EadItem, ...]


@dataclass(frozen=True, slots=True)
class Plaintext:
    """PLAINTEXT_2 or PLAINTEXT_3, read (RFC 9528 §5.3.2, §5.4.2).

    Attributes:
        c_r: of PLAINTEXT_2; empty in PLAINTEXT_3.
        reference: ID_CRED_x in its full form.
        proof: Signature_or_MAC_x, of the right length.
        ead: EAD_x without padding.
        ead_bytes: EAD_x as it came, which the proof covers.
    """

    c_r: bytes
    reference: CredentialReference
    proof: bytes
    ead: tuple[EadItem, ...]
    ead_bytes: bytes


def encode_message_1(method: int, suites: tuple[int, ...], g_x: bytes, *, c_i: bytes, ead_1: bytes) -> bytes:
    """Encode message_1 (RFC 9528 §5.2.1); one suite alone goes as an integer."""
    offered: Any = suites[0] if len(suites) == 1 else list(suites)
    return codec.encode_sequence(method, offered, g_x) + encode_identifier(c_i) + ead_1


def decode_message_1(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Message1:
    """Decode message_1 (RFC 9528 §5.2.1).

    Raises:
        DecodeError: outside the grammar, not deterministic CBOR, or over a limit.
    """
    values = [value for value, _raw in read_items(data, limits)]
    if len(values) < 4 or type(values[0]) is not int or not isinstance(values[2], bytes):
        raise DecodeError("expected METHOD, SUITES_I, G_X and C_I", spec="RFC 9528 §5.2.1")
    return Message1(
        method=values[0],
        suites=_suites(values[1], limits),
        g_x=values[2],
        c_i=decode_identifier(values[3]),
        ead_1=decode_ead(values[4:], max_items=limits.max_ead_items),
    )


def decode_byte_string(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Read message_2, message_3 or message_4: one byte string (RFC 9528 §5.3.1, §5.4.1, §5.5.1).

    Raises:
        PeerError: an error message came instead.
        DecodeError: neither, or over a limit.
    """
    if data and data[0] < 0x40:
        raise PeerError(decode_error(data))
    items = read_items(data, limits)
    if len(items) != 1 or not isinstance(items[0][0], bytes):
        raise DecodeError("expected one CBOR byte string", spec="RFC 9528 §5")
    content: bytes = items[0][0]
    return content


def encode_plaintext(id_cred: bytes, proof: bytes, *, c_r: bytes | None, ead: bytes) -> bytes:
    """PLAINTEXT_2, or without `c_r` PLAINTEXT_3 (RFC 9528 §5.3.2, §5.4.2)."""
    prefix = b"" if c_r is None else encode_identifier(c_r)
    return prefix + compact_reference(id_cred) + codec.encode(proof) + ead


def decode_plaintext_2(data: bytes, *, proof_size: int, limits: Limits = DEFAULT_LIMITS) -> Plaintext:
    """Read PLAINTEXT_2, which nothing has authenticated yet (RFC 9528 §5.3.3).

    Raises:
        DecodeError: outside the grammar, a proof of the wrong length, or over a limit.
    """
    items = read_items(data, limits)
    if not items:
        raise DecodeError("expected C_R first in PLAINTEXT_2", spec="RFC 9528 §5.3.2")
    return _plaintext(decode_identifier(items[0][0]), items[1:], proof_size, limits)


def decode_plaintext_3(data: bytes, *, proof_size: int, limits: Limits = DEFAULT_LIMITS) -> Plaintext:
    """Read PLAINTEXT_3 (RFC 9528 §5.4.3).

    Raises:
        DecodeError: outside the grammar, a proof of the wrong length, or over a limit.
    """
    return _plaintext(b"", read_items(data, limits), proof_size, limits)


def decode_plaintext_4(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> tuple[EadItem, ...]:
    """Read PLAINTEXT_4, which is EAD_4 alone (RFC 9528 §5.5.2).

    Raises:
        DecodeError: outside the grammar, or over a limit.
    """
    return decode_ead([value for value, _raw in read_items(data, limits)], max_items=limits.max_ead_items)


def _plaintext(c_r: bytes, items: list[tuple[Any, bytes]], proof_size: int, limits: Limits) -> Plaintext:
    if len(items) < 2 or not isinstance(items[1][0], bytes):
        raise DecodeError("expected ID_CRED and Signature_or_MAC", spec="RFC 9528 §5.3.2")
    proof = items[1][0]
    if len(proof) != proof_size:
        raise DecodeError(f"expected Signature_or_MAC of {proof_size} bytes, got {len(proof)}", spec="RFC 9528 §9.8")
    return Plaintext(
        c_r=c_r,
        reference=expand_reference(*items[0]),
        proof=proof,
        ead=decode_ead([value for value, _raw in items[2:]], max_items=limits.max_ead_items),
        ead_bytes=b"".join([raw for _value, raw in items[2:]]),
    )


def _suites(value: Any, limits: Limits) -> tuple[int, ...]:
    suites = value if isinstance(value, list) and len(value) > 1 else [value]
    if len(suites) > limits.max_suites or not all(type(suite) is int for suite in suites):
        raise DecodeError(f"expected one cipher suite, or an array of 2 to {limits.max_suites}", spec="RFC 9528 §5.2.1")
    return tuple(suites)


def read_items(data: bytes, limits: Limits) -> list[tuple[Any, bytes]]:
    """The items of a sequence with their bytes; all but maps, which hold credentials as they came, deterministic.

    Raises:
        DecodeError: not well-formed, not deterministic, or over a limit.
    """
    if len(data) > limits.max_message:
        raise DecodeError(f"expected at most {limits.max_message} bytes, got {len(data)}", spec="RFC 9528 §9.7")
    bounds = codec.Limits(max_bytes=limits.max_message, max_depth=_MAX_DEPTH)
    most = 4 + 2 * limits.max_ead_items
    items: list[tuple[Any, bytes]] = []
    while data:
        if len(items) == most:
            raise DecodeError(f"expected at most {most} items in a message", spec="RFC 9528 §5")
        value, end = codec.decode_prefix(data, limits=bounds)
        raw, data = data[:end], data[end:]
        if not isinstance(value, dict) and codec.encode(value) != raw:
            raise DecodeError("expected deterministic CBOR", spec="RFC 9528 §3.1")
        items.append((value, raw))
    return items
