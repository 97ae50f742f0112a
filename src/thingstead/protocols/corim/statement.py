"""Environments, measurements, and the triples that tie them together (§5.1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thingstead.protocols.cbor.shape import Check, choice, members, octets, one_or_more, record, text, uint
from thingstead.protocols.corim.registry import TagNumber, Triple
from thingstead.protocols.corim.value import ELEMENT, INSTANCE, KEYS, UUID, read_values

__all__ = [
    "ClaimsTriple",
    "ConditionalTriple",
    "DomainTriple",
    "Environment",
    "KeyTriple",
    "Measurement",
    "SeriesTriple",
    "TagTriple",
    "read_environment",
    "read_measurement",
    "read_tag_id",
    "read_triples",
]


@dataclass(frozen=True, slots=True)
class Environment:
    """What is measured; as a condition, whatever has all that is given here.

    Attributes:
        class_id: OID, UUID or bytes under their tag.
        vendor: for people.
        model: for people.
        layer: of the boot.
        index: among equals.
        instance: one thing, under the tag of what names it.
        group: several things, under the tag of what names them.
    """

    class_id: Any = None
    vendor: str | None = None
    model: str | None = None
    layer: int | None = None
    index: int | None = None
    instance: Any = None
    group: Any = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was, or should be, measured of one element.

    Attributes:
        element: which one; None where the environment has only one.
        values: by codepoint; digests as a map of algorithms.
        authorized_by: whose keys may say so; empty where none in particular.
    """

    element: Any
    values: Mapping[Any, Any]
    authorized_by: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimsTriple:
    """An environment and its measurements: reference values, endorsed values, or a condition of others."""

    environment: Environment
    measurements: tuple[Measurement, ...]
    authorized_by: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyTriple:
    """Keys of an environment: its identity, or what signs its evidence (§5.1.9, §5.1.10)."""

    environment: Environment
    keys: tuple[Any, ...]
    element: Any = None
    authorized_by: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class DomainTriple:
    """An environment that others belong to, or that trusts others (§5.1.11)."""

    domain: Environment
    others: tuple[Environment, ...]


@dataclass(frozen=True, slots=True)
class TagTriple:
    """CoSWID tags of an environment (§5.1.12)."""

    environment: Environment
    tag_ids: tuple[str | bytes, ...]


@dataclass(frozen=True, slots=True)
class ConditionalTriple:
    """What is endorsed where all conditions hold (§5.1.7)."""

    conditions: tuple[ClaimsTriple, ...]
    endorsements: tuple[ClaimsTriple, ...]


@dataclass(frozen=True, slots=True)
class SeriesTriple:
    """Pairs of measurements, of which the first whose left side matches says what is endorsed (§5.1.8)."""

    condition: ClaimsTriple
    series: tuple[tuple[tuple[Measurement, ...], tuple[Measurement, ...]], ...]


def read_environment(value: Any) -> Environment:
    """Read an environment-map (§5.1.4.1).

    Raises:
        DecodeError: it names nothing, or otherwise than the draft has it.
    """
    found = members(value, _ENVIRONMENT, what="environment-map")
    named = found.get(0, {})
    said = {name: named.get(key) for key, name in enumerate(_CLASS_NAMES)}
    return Environment(instance=found.get(1), group=found.get(2), **said)


def read_measurement(value: Any) -> Measurement:
    """Read a measurement-map (§5.1.4.5).

    Raises:
        DecodeError: nothing is measured, or a value is of another kind than its codepoint has.
    """
    found = members(value, {0: ELEMENT, 1: read_values, 2: KEYS}, what="measurement-map", needs=(1,))
    return Measurement(found.get(0), found[1], found.get(2, ()))


def read_triples(value: Any) -> dict[Any, tuple[Any, ...]]:
    """Read a triples-map: triples by kind, those that profiles add as they are (§5.1.4).

    Raises:
        DecodeError: no triple, or one outside its grammar.
    """
    return members(value, _TRIPLES, what="triples-map", extensible=True)


def read_tag_id(value: Any) -> str | bytes:
    """Read what names a tag: a text, or a UUID of 16 bytes (§5.1.1.1).

    Raises:
        DecodeError: neither.
    """
    found: str | bytes = choice({}, text, octets(16), extensible=False)(value)
    return found


def _class(value: Any) -> dict[Any, Any]:
    return members(value, _CLASS, what="class-map")


def _conditions_of_keys(value: Any) -> dict[Any, Any]:
    return members(value, {0: ELEMENT, 1: KEYS}, what="conditions of keys")


def _claims(value: Any) -> ClaimsTriple:
    return ClaimsTriple(*record(read_environment, one_or_more(read_measurement))(value))


def _keys(value: Any) -> KeyTriple:
    environment, keys, *rest = record(read_environment, KEYS, _conditions_of_keys, optional=1)(value)
    asked = rest[0] if rest else {}
    return KeyTriple(environment, keys, asked.get(0), asked.get(1, ()))


def _domain(value: Any) -> DomainTriple:
    return DomainTriple(*record(read_environment, one_or_more(read_environment))(value))


def _tags(value: Any) -> TagTriple:
    return TagTriple(*record(read_environment, one_or_more(read_tag_id))(value))


def _conditional(value: Any) -> ConditionalTriple:
    return ConditionalTriple(*record(one_or_more(_claims), one_or_more(_claims))(value))


def _series(value: Any) -> SeriesTriple:
    return SeriesTriple(*record(_common_condition, one_or_more(record(_SIDE, _SIDE)))(value))


def _common_condition(value: Any) -> ClaimsTriple:
    return ClaimsTriple(*record(read_environment, one_or_more(read_measurement, least=0), KEYS, optional=1)(value))


_CLASS_NAMES = ("class_id", "vendor", "model", "layer", "index")
_SIDE = one_or_more(read_measurement)
_CLASS: Mapping[int, Check] = {
    0: choice({**UUID, TagNumber.OID: octets(), TagNumber.BYTES: octets()}),
    1: text,
    2: text,
    3: uint,
    4: uint,
}
_ENVIRONMENT: Mapping[int, Check] = {
    0: _class,
    1: INSTANCE,
    2: choice({**UUID, TagNumber.BYTES: octets()}),
}
_TRIPLES: Mapping[int, Check] = {
    Triple.REFERENCE: one_or_more(_claims),
    Triple.ENDORSED: one_or_more(_claims),
    Triple.IDENTITY: one_or_more(_keys),
    Triple.ATTEST_KEY: one_or_more(_keys),
    Triple.TRUST_DEPENDENCY: one_or_more(_domain),
    Triple.MEMBERSHIP: one_or_more(_domain),
    Triple.COSWID: one_or_more(_tags),
    Triple.CONDITIONAL_SERIES: one_or_more(_series),
    Triple.CONDITIONAL: one_or_more(_conditional),
}
