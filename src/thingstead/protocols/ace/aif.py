"""What a token lets its holder do: AIF over REST resources (RFC 9237). Deny by default, exact paths, no patterns.

Beside REST-specific permissions (§2.1) there are bounded ones, a data model of our own where §2 leaves room for it::

    Tperm  = methods / [methods, bounds]
    bounds = {+ 1 => lowest, 2 => highest, 3 => changes in any minute}    ; each may be left out, one is there

Who does not know them finds no REST-method-set there and refuses the token: a bound is never passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from types import MappingProxyType
from typing import Any

from thingstead.errors import DecodeError, ForbiddenError, UnsupportedError
from thingstead.protocols.cbor import codec

__all__ = [
    "BOUNDED_METHODS",
    "DEFAULT_LIMITS",
    "UNBOUNDED",
    "Bounds",
    "Limits",
    "Permission",
    "Scope",
    "decode",
    "encode",
]

BOUNDED_METHODS = "bounded-rest-method-set"
"""Name of our Tperm, where one is asked for (media type parameter, RFC 9237 §3)."""


class Permission(IntFlag):
    """REST-method-set: bit = CoAP method code - 1 (RFC 9237 §2.1)."""

    GET = 1 << 0
    POST = 1 << 1
    PUT = 1 << 2
    DELETE = 1 << 3
    FETCH = 1 << 4
    PATCH = 1 << 5
    IPATCH = 1 << 6


_ALL = (1 << 7) - 1


_MOST_EXTREME = 1 << 31
_MAX_RATE = 1 << 16


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a permission to write reaches; what is None is not bounded here.

    Attributes:
        lowest: value that may be set.
        highest: likewise.
        changes_per_minute: how often the holder may change it within any minute.
    """

    lowest: int | None = None
    highest: int | None = None
    changes_per_minute: int | None = None

    def __post_init__(self) -> None:
        for value in (self.lowest, self.highest):
            if value is not None and not -_MOST_EXTREME <= value < _MOST_EXTREME:
                raise ValueError(f"expected a bound of 32 bits, got {value}")
        if self.lowest is not None and self.highest is not None and self.lowest > self.highest:
            raise ValueError(f"expected the lowest below the highest, got {self.lowest} and {self.highest}")
        if self.changes_per_minute is not None and not 0 <= self.changes_per_minute <= _MAX_RATE:
            raise ValueError(f"expected 0 to {_MAX_RATE} changes a minute, got {self.changes_per_minute}")

    def tighten(self, other: Bounds) -> Bounds:
        """The bounds of both; where no value is within both, none may be set.

        Raises:
            ValueError: there is no such value.
        """
        return Bounds(
            _choose(max, self.lowest, other.lowest),
            _choose(min, self.highest, other.highest),
            _choose(min, self.changes_per_minute, other.changes_per_minute),
        )


def _choose(choose: Callable[[int, int], int], one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else choose(one, other)


UNBOUNDED = Bounds()
_NONE_BOUNDED: Mapping[str, Bounds] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one scope.

    Attributes:
        max_bytes: of its encoding.
        max_entries: resources it may name.
        max_path: characters of one Toid.
    """

    max_bytes: int = 1 << 13
    max_entries: int = 128
    max_path: int = 255


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Scope:
    """Resources and the methods allowed on each.

    Attributes:
        grants: Toid (path from the root, with its query if that is part of the resource's name, both
            percent-encoded as RFC 7252 §6.5 composes them) -> set of methods, never empty.
        bounds: Toid -> how far its methods reach; of the grants, those that are bounded.
    """

    grants: Mapping[str, int]
    bounds: Mapping[str, Bounds] = field(default_factory=lambda: _NONE_BOUNDED)

    def __post_init__(self) -> None:
        if not self.bounds.keys() <= self.grants.keys():
            raise ValueError("expected bounds of what is granted")
        for path, permissions in self.grants.items():
            if not path.startswith("/") or not 0 < permissions <= _ALL:
                raise ValueError(f"a scope maps a path to a set of the seven methods, not {path!r} to {permissions}")
        granted = {path: int(permissions) for path, permissions in sorted(self.grants.items())}
        object.__setattr__(self, "grants", MappingProxyType(granted))
        if self.bounds:
            bounded = {path: bounds for path, bounds in sorted(self.bounds.items()) if bounds != UNBOUNDED}
            object.__setattr__(self, "bounds", MappingProxyType(bounded))

    def allows(self, path: str, method: int) -> None:
        """Pass where the scope holds this method on this resource; asked on every request.

        Args:
            path: Toid of the resource that will answer, never what the peer wrote.
            method: CoAP method code, GET is 1.

        Raises:
            ForbiddenError: the resource is not in the scope (`reason` ``forbidden``, 4.03), or this method
                on it is not (`reason` ``method``, 4.05) (RFC 9200 §5.10.2).
        """
        if self.grants.get(path, 0) << 1 >> method & 1:
            return
        if path in self.grants:
            raise ForbiddenError(
                f"the scope does not hold method {method} on {path}", spec="RFC 9200 §5.10.2", reason="method"
            )
        raise ForbiddenError(f"the scope does not hold {path}", spec="RFC 9200 §5.10.2")

    def narrow(self, other: Scope) -> Scope:
        """What both scopes hold: never more than either."""
        both = {path: held & other.grants.get(path, 0) for path, held in self.grants.items()}
        grants = {path: permissions for path, permissions in both.items() if permissions}
        if not self.bounds and not other.bounds:
            return Scope(grants)
        bounds: dict[str, Bounds] = {}
        for path in list(grants):
            try:
                bounds[path] = self.bounds_of(path).tighten(other.bounds_of(path))
            except ValueError:
                # Two ranges without a value in common: what was to be bounded may not be set at all.
                grants[path] &= Permission.GET
                if not grants[path]:
                    del grants[path]
        return Scope(grants, bounds)

    def widen(self, other: Scope) -> Scope:
        """What either scope holds; what either bounds stays bounded as far as one of them reaches.

        Raises:
            ValueError: both bound one resource, and differently.
        """
        grants, bounds = dict(self.grants), dict(self.bounds)
        for path, held in other.grants.items():
            grants[path] = grants.get(path, 0) | held
        for path, theirs in other.bounds.items():
            if bounds.setdefault(path, theirs) != theirs:
                raise ValueError(f"two scopes bound {path} differently")
        return Scope(grants, bounds)

    def bounds_of(self, path: str) -> Bounds:
        """How far the permissions on a resource reach."""
        return self.bounds.get(path, UNBOUNDED)


def encode(scope: Scope) -> bytes:
    """Encode as AIF-CBOR, entries sorted by path: the content of a `scope` byte string (RFC 9237 §3)."""
    bounds = scope.bounds
    return codec.encode(
        [
            [path, permissions if path not in bounds else [permissions, _as_map(bounds[path])]]
            for path, permissions in scope.grants.items()
        ]
    )


def decode(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Scope:
    """Decode AIF-CBOR (RFC 9237 §3).

    Raises:
        DecodeError: not a list of [Toid, Tperm], a path twice, an empty set, or over a limit.
        UnsupportedError: a permission that nobody here can enforce, dynamic resources (§2.3) among them.
    """
    value = codec.decode(data, limits=codec.Limits(max_bytes=limits.max_bytes, max_depth=5))
    if not isinstance(value, list) or len(value) > limits.max_entries:
        raise DecodeError(f"expected a scope of at most {limits.max_entries} entries", spec="RFC 9237 §2")
    grants: dict[str, int] = {}
    bounds: dict[str, Bounds] = {}
    for entry in value:
        path, permissions = _entry(entry, limits)
        if path in grants:
            raise DecodeError(f"expected each path once in a scope, got {path!r} again", spec="RFC 9237 §2")
        if isinstance(permissions, list):
            permissions, bounds[path] = _bounded(permissions)
        grants[path] = _methods(path, permissions)
    return Scope(grants, bounds)


def _entry(entry: Any, limits: Limits) -> tuple[str, Any]:
    if not isinstance(entry, list) or len(entry) != 2:
        raise DecodeError("expected pairs of Toid and Tperm", spec="RFC 9237 §2")
    path, permissions = entry
    if not isinstance(path, str) or not path.startswith("/") or len(path) > limits.max_path:
        raise DecodeError(f"expected a path of at most {limits.max_path} characters", spec="RFC 9237 §2.1")
    return path, permissions


def _methods(path: str, permissions: Any) -> int:
    if type(permissions) is not int or permissions <= 0:
        raise DecodeError(f"expected a set of methods for {path!r}", spec="RFC 9237 §2.1")
    if permissions > _ALL:
        raise UnsupportedError(f"expected methods GET to iPATCH for {path!r}, got more", spec="RFC 9237 §2.3")
    return permissions


_BOUND_NAMES = {1: "lowest", 2: "highest", 3: "changes_per_minute"}


def _as_map(bounds: Bounds) -> dict[int, int]:
    said = {key: getattr(bounds, name) for key, name in _BOUND_NAMES.items()}
    return {key: value for key, value in said.items() if value is not None}


def _bounded(permissions: list[Any]) -> tuple[Any, Bounds]:
    """A set of methods and its bounds; one that we do not know is one that we could not keep."""
    if len(permissions) != 2 or not isinstance(permissions[1], dict) or not permissions[1]:
        raise DecodeError("expected methods and a map of bounds", spec="RFC 9237 §2")
    methods, said = permissions
    if not all(type(key) is int and key in _BOUND_NAMES for key in said):
        raise UnsupportedError("expected bounds that are known here", spec="RFC 9237 §2")
    if not all(type(value) is int for value in said.values()):
        raise DecodeError("expected integers as bounds", spec="RFC 9237 §2")
    try:
        return methods, Bounds(**{_BOUND_NAMES[key]: value for key, value in said.items()})
    except ValueError as error:
        raise DecodeError(f"expected bounds that can be kept: {error}", spec="RFC 9237 §2") from error
