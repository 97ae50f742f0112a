"""Measured components: one thing that was measured, by name (draft-ietf-rats-eat-measured-component-12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cbor.shape import Check, choice, integer, members, octets, one_or_more, record, text
from thingstead.protocols.coswid.named_digest import read_digest
from thingstead.protocols.eat.claims import ClaimsSet

__all__ = ["CONTENT_FORMAT", "DRAFT", "MeasuredComponent", "components", "decode", "encode"]

DRAFT = "draft-ietf-rats-eat-measured-component-12"
CONTENT_FORMAT = 295
"""application/measured-component+cbor."""

_ID, _DIGEST, _AUTHORITIES, _FLAGS, _RAW = 1, 2, 3, 4, 5
_LIMITS = codec.Limits(max_bytes=1 << 12, max_depth=6)


@dataclass(frozen=True, slots=True)
class MeasuredComponent:
    """One component.

    Attributes:
        name: the same from release to release.
        version: empty where it has none.
        digest: algorithm and output; None where `raw` is there.
        raw: what was found itself; None where `digest` is there.
        authorities: who may say what it is, as the profile has it.
        flags: 8 bytes of the profile, or empty.
    """

    name: str
    version: str = ""
    digest: tuple[int | str, bytes] | None = None
    raw: bytes | None = None
    authorities: tuple[bytes, ...] = ()
    flags: bytes = b""


def encode(component: MeasuredComponent) -> bytes:
    """Encode one; authorities and flags are of profiles, and ours has none.

    Raises:
        DecodeError: with a digest and raw, or with neither.
    """
    identity: list[Any] = [component.name, [component.version]] if component.version else [component.name]
    value: dict[int, Any] = {_ID: identity}
    if component.digest is not None:
        value[_DIGEST] = list(component.digest)
    if component.raw is not None:
        value[_RAW] = component.raw
    data = codec.encode(value)
    decode(data)
    return data


def decode(data: bytes, *, limits: codec.Limits = _LIMITS) -> MeasuredComponent:
    """Decode one.

    Raises:
        DecodeError: outside the grammar, or not exactly one of digest and raw.
    """
    found = members(codec.decode(data, limits=limits), _COMPONENT, what="measured-component", needs=(_ID,))
    if (_DIGEST in found) == (_RAW in found):
        raise DecodeError("expected a digest or what was measured itself", spec=f"{DRAFT} §4.3")
    name, *version = found[_ID]
    return MeasuredComponent(
        name,
        version[0][0] if version else "",
        found.get(_DIGEST),
        found.get(_RAW),
        found.get(_AUTHORITIES, ()),
        found.get(_FLAGS, b""),
    )


def components(claims: ClaimsSet) -> tuple[MeasuredComponent, ...]:
    """The `measurements` claim, where all of it are measured components in CBOR.

    Raises:
        UnsupportedError: a measurement of another form.
        DecodeError: outside the grammar, or two of one name.
    """
    found = []
    for content_format, body in claims.measurements:
        if content_format != CONTENT_FORMAT or not isinstance(body, bytes):
            raise UnsupportedError(
                f"expected format {CONTENT_FORMAT} of measurements, got {content_format}", spec=DRAFT
            )
        found.append(decode(body))
    if len({one.name for one in found}) < len(found):
        raise DecodeError("expected each component to be measured once", spec=DRAFT)
    return tuple(found)


_VERSION = record(text, choice({}, integer, text, extensible=False), optional=1)
_COMPONENT: Mapping[int, Check] = {
    _ID: record(text, _VERSION, optional=1),
    _DIGEST: read_digest,
    _AUTHORITIES: one_or_more(octets()),
    _FLAGS: octets(8),
    _RAW: octets(),
}
