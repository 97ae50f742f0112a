"""Header parameters of every COSE structure: two buckets, one registry, checked once (RFC 9052 §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec

__all__ = ["REGISTRY", "USUAL", "Headers", "Label", "Parameter", "build", "decode", "encode"]


class Label(IntEnum):
    """Labels that we process (IANA "COSE Header Parameters")."""

    ALG = 1
    CRIT = 2
    CONTENT_TYPE = 3
    KID = 4
    IV = 5
    PARTIAL_IV = 6
    COUNTERSIGNATURE = 11
    COUNTERSIGNATURE0 = 12
    KID_CONTEXT = 10
    CWT_CLAIMS = 15
    TYP = 16
    X5BAG = 32
    X5CHAIN = 33
    X5T = 34
    X5U = 35
    RECEIPTS = 394
    VDS = 395
    VDP = 396


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of the registry.

    Attributes:
        label: the integer on the wire.
        name: IANA name.
        types: Python types that the value may decode to.
        understood: whether a `crit` that lists it can be obeyed by the COSE layer itself.
        source: where it is defined.
    """

    label: Label
    name: str
    types: tuple[type, ...]
    understood: bool
    source: str


REGISTRY: dict[Any, Parameter] = {
    row.label: row
    for row in (
        Parameter(Label.ALG, "alg", (int, str), True, "RFC 9052 §3.1"),
        Parameter(Label.CRIT, "crit", (list,), True, "RFC 9052 §3.1"),
        Parameter(Label.CONTENT_TYPE, "content type", (int, str), True, "RFC 9052 §3.1"),
        Parameter(Label.KID, "kid", (bytes,), True, "RFC 9052 §3.1"),
        Parameter(Label.IV, "IV", (bytes,), True, "RFC 9052 §3.1"),
        Parameter(Label.PARTIAL_IV, "Partial IV", (bytes,), True, "RFC 9052 §3.1"),
        Parameter(Label.KID_CONTEXT, "kid context", (bytes,), False, "RFC 8613 §5.1"),
        Parameter(Label.COUNTERSIGNATURE, "Countersignature version 2", (list,), False, "RFC 9338 §3.1"),
        Parameter(Label.COUNTERSIGNATURE0, "Countersignature0 version 2", (bytes,), False, "RFC 9338 §3.2"),
        Parameter(Label.CWT_CLAIMS, "CWT Claims", (dict,), False, "RFC 9597 §2"),
        Parameter(Label.X5BAG, "x5bag", (bytes, list), False, "RFC 9360 §2"),
        Parameter(Label.X5CHAIN, "x5chain", (bytes, list), False, "RFC 9360 §2"),
        Parameter(Label.X5T, "x5t", (list,), False, "RFC 9360 §2"),
        Parameter(Label.X5U, "x5u", (codec.Tag,), False, "RFC 9360 §2"),
        Parameter(Label.TYP, "typ", (int, str), False, "RFC 9596 §2"),
        Parameter(Label.RECEIPTS, "receipts", (list,), False, "RFC 9942 §4"),
        Parameter(Label.VDS, "vds", (int, str), False, "RFC 9942 §2"),
        Parameter(Label.VDP, "vdp", (dict,), False, "RFC 9942 §2"),
    )
}
"""The one table of header parameters; labels outside it are carried and not interpreted."""


@dataclass(frozen=True, slots=True)
class Headers:
    """Both buckets of one layer, checked.

    Attributes:
        encoded: the protected bucket as it was received, empty when it holds nothing:
            these bytes enter every Sig, MAC and Enc structure.
        protected: what `encoded` says.
        unprotected: not authenticated by this layer.
    """

    encoded: bytes
    protected: Mapping[Any, Any]
    unprotected: Mapping[Any, Any]

    def parameter(self, label: int | str) -> Any:
        """The value of `label` from either bucket (no label stands in both), or None."""
        return self.protected.get(label, self.unprotected.get(label))

    @property
    def kid(self) -> bytes:
        """Key identifier, a hint only (RFC 9052 §3.1); empty when there is none."""
        kid: bytes | None = self.parameter(Label.KID)
        return kid or b""

    def algorithm(self, accept: frozenset[int]) -> int:
        """The algorithm of this layer, which must be one of `accept`.

        Outside the protected bucket `alg` is believed only where `accept` leaves a single choice: then no
        byte that nobody authenticated decides anything (RFC 9052 §3.1).

        Raises:
            DecodeError: no `alg`, or an unprotected one among several choices.
            UnsupportedError: an algorithm that the caller's policy does not accept.
        """
        alg = self.protected.get(Label.ALG)
        if alg is None and len(accept) == 1:
            alg = self.unprotected.get(Label.ALG)
        if alg is None:
            raise DecodeError("expected alg in the protected header", spec="RFC 9052 §3.1")
        if alg not in accept:
            wanted = ", ".join(str(int(number)) for number in sorted(accept))
            raise UnsupportedError(f"expected an algorithm of {wanted}, got {alg!r}", spec="RFC 9052 §3.1")
        return int(alg)


def build(protected: Mapping[Any, Any], unprotected: Mapping[Any, Any]) -> Headers:
    """Both buckets of a layer that is to be sent; an empty protected bucket is the empty string (RFC 9052 §3).

    Raises:
        DecodeError: the buckets break the grammar that `decode` checks.
    """
    return decode(codec.encode(protected) if protected else b"", codec.decode(codec.encode(unprotected)))


def encode(headers: Headers) -> tuple[bytes, dict[Any, Any]]:
    """The first two elements of a COSE array."""
    return headers.encoded, dict(headers.unprotected)


def decode(
    encoded: Any,
    unprotected: Any,
    *,
    understood: frozenset[int | str] = frozenset(),
    limits: codec.Limits = codec.DEFAULT_LIMITS,
) -> Headers:
    """Check the first two elements of a COSE array (RFC 9052 §3).

    Args:
        encoded: the protected bucket: a byte string, empty or a map.
        unprotected: the unprotected bucket: a map.
        understood: labels that the caller itself obeys when `crit` lists them.
        limits: bounds on the protected bucket.

    Raises:
        DecodeError: a bucket of the wrong type, a label twice, a value of the wrong type, or `crit` misused.
        UnsupportedError: `crit` lists a label that nobody here obeys.
    """
    if not isinstance(encoded, bytes) or not isinstance(unprotected, dict):
        raise DecodeError("expected a protected byte string and an unprotected map", spec="RFC 9052 §3")
    if not unprotected and (usual := USUAL.get(encoded)) is not None:
        return usual
    protected = codec.decode(encoded, limits=limits) if encoded else {}
    if not isinstance(protected, dict):
        raise DecodeError("expected a map in the protected header", spec="RFC 9052 §3")
    for bucket in (protected, unprotected):
        for label, value in bucket.items():
            _check_parameter(label, value)
    both = protected.keys() & unprotected.keys()
    if both:
        raise DecodeError(f"expected each label in one bucket, got {_names(both)} in both", spec="RFC 9052 §3")
    if {Label.IV, Label.PARTIAL_IV} <= protected.keys() | unprotected.keys():
        raise DecodeError("expected IV or Partial IV, got both", spec="RFC 9052 §3.1")
    _check_crit(protected, unprotected, understood)
    return Headers(encoded if protected else b"", MappingProxyType(protected), MappingProxyType(unprotected))


def _check_parameter(label: Any, value: Any) -> None:
    if type(label) not in {int, str}:
        raise DecodeError(f"expected header labels of int or tstr, got {type(label).__name__}", spec="RFC 9052 §1.5")
    row = REGISTRY.get(label)
    if row is not None and type(value) not in row.types:
        raise DecodeError(f"expected another type of {row.name} than {type(value).__name__}", spec=row.source)


def _check_crit(protected: dict[Any, Any], unprotected: dict[Any, Any], understood: frozenset[int | str]) -> None:
    if Label.CRIT in unprotected:
        raise DecodeError("expected crit in the protected bucket", spec="RFC 9052 §3.1")
    critical = protected.get(Label.CRIT)
    if critical is None:
        return
    if not critical:
        raise DecodeError("expected at least one label in crit", spec="RFC 9052 §3.1")
    for label in critical:
        if type(label) not in {int, str} or label not in protected:
            raise DecodeError("expected every label of crit in the protected bucket", spec="RFC 9052 §3.1")
        row = REGISTRY.get(label)
        if label not in understood and not (row is not None and row.understood):
            raise UnsupportedError(f"the critical header parameter {label!r} is not understood", spec="RFC 9052 §3.1")


USUAL = {
    encoded: Headers(encoded, MappingProxyType({Label.ALG.value: number.value}), MappingProxyType({}))
    for number in AlgorithmId
    if (encoded := codec.encode({Label.ALG.value: number.value}))
}
"""Protected buckets of an algorithm alone, the most that are: there is nothing in them that could be wrong."""


def _names(labels: set[Any]) -> str:
    return ", ".join(sorted(REGISTRY[label].name if label in REGISTRY else repr(label) for label in labels))
