"""What a profile asks of a CoRIM beyond the draft's grammar (§4.1.4): one row for each profile.

A CoRIM of a profile that nobody knows is refused: to read it by rules of another would say what nobody meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.corim.registry import TagNumber, Value
from thingstead.protocols.corim.rim import Corim
from thingstead.protocols.corim.statement import Environment, KeyTriple, Measurement

__all__ = ["PSA", "Elements", "Scheme", "named", "require", "unnamed"]

Elements = Callable[[Any], frozenset[int] | None]
"""Codepoints that a measurement of an element must have; None where the profile has no such element."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """One profile.

    Attributes:
        profile: URI.
        reference: attributes of an environment of reference values -> tag and size of its value, None for any text.
        elements: what of them is measured.
        keys: attributes of an environment of attestation keys, likewise.
        key_tag: form of an attestation key.
        optional: attributes that may be there besides.
    """

    profile: str
    reference: Mapping[str, tuple[int, int] | None]
    elements: Elements
    keys: Mapping[str, tuple[int, int] | None] = field(default_factory=dict)
    key_tag: int = TagNumber.PKIX_KEY
    optional: frozenset[str] = frozenset({"vendor", "model"})

    def check(self, corim: Corim) -> None:
        """Hold every reference value and every attestation key against the profile.

        Raises:
            DecodeError: one breaks it; `reason` is ``profile``.
        """
        for tag in corim.comids:
            for claims in tag.reference_values:
                self._check_environment(claims.environment, self.reference, "reference values")
                for measurement in claims.measurements:
                    self._check_measurement(measurement)
            for keys in tag.attest_keys:
                self._check_environment(keys.environment, self.keys, "attestation keys")
                self._check_keys(keys)

    def _check_environment(
        self, environment: Environment, asked: Mapping[str, tuple[int, int] | None], whose: str
    ) -> None:
        for row in fields(Environment):
            value = getattr(environment, row.name)
            if row.name not in asked:
                if value is not None and row.name not in self.optional:
                    raise self._refusal(f"no {row.name} in an environment of {whose}")
            elif value is None:
                raise self._refusal(f"a {row.name} in an environment of {whose}")
            elif (form := asked[row.name]) is not None and not _has(value, *form):
                raise self._refusal(f"a {row.name} of {form[1]} bytes under tag {form[0]} in an environment of {whose}")

    def _check_measurement(self, measurement: Measurement) -> None:
        needed = self.elements(measurement.element)
        if needed is None:
            raise self._refusal(f"an element that the profile measures, not {measurement.element!r:.40}")
        missing = needed - measurement.values.keys()
        if missing:
            names = ", ".join([Value(number).name.lower() for number in sorted(missing)])
            raise self._refusal(f"{names} in a measurement of {measurement.element!r:.40}")

    def _check_keys(self, keys: KeyTriple) -> None:
        if len(keys.keys) != 1 or not isinstance(keys.keys[0], Tag) or keys.keys[0].tag != self.key_tag:
            raise self._refusal(f"one attestation key, under tag {int(self.key_tag)}")

    def _refusal(self, expected: str) -> DecodeError:
        return DecodeError(f"expected {expected}", spec=self.profile, reason="profile")


def require(corim: Corim, schemes: Mapping[str, Scheme]) -> Scheme:
    """The row of a CoRIM's profile, whose rules it keeps.

    Raises:
        UnsupportedError: of a profile that is not among `schemes`, or of none.
        DecodeError: it breaks its profile.
    """
    scheme = schemes.get(corim.profile) if isinstance(corim.profile, str) else None
    if scheme is None:
        raise UnsupportedError(f"expected a CoRIM of a known profile, got {corim.profile!r:.80}", reason="profile")
    scheme.check(corim)
    return scheme


def named(elements: Mapping[Any, frozenset[int]]) -> Elements:
    """Elements of these names and no others."""
    return elements.get


def unnamed(*needed: int) -> Elements:
    """One element, without a name."""
    return lambda element: frozenset(needed) if element is None else None


def _has(value: Any, tag: int, size: int) -> bool:
    return isinstance(value, Tag) and value.tag == tag and isinstance(value.value, bytes) and len(value.value) == size


_IMPLEMENTATION, _INSTANCE = (TagNumber.BYTES.value, 32), (TagNumber.UEID.value, 33)

PSA = Scheme(
    "tag:arm.com,2025:psa#1.0.0",
    {"class_id": _IMPLEMENTATION},
    named({"psa.software-component": frozenset({Value.DIGESTS, Value.CRYPTO_KEYS})}),
    {"class_id": _IMPLEMENTATION, "instance": _INSTANCE},
)
"""Arm's Platform Security Architecture: implementation id, instance id, and components by digest and signer
(draft-fdb-rats-psa-endorsements, RFC 9783 §4.4)."""
