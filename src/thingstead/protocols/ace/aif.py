"""What a token lets its holder do: AIF over REST resources (RFC 9237). Deny by default, exact paths, no patterns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from types import MappingProxyType
from typing import Any

from thingstead.errors import DecodeError, ForbiddenError, UnsupportedError
from thingstead.protocols.cbor import codec

__all__ = ["DEFAULT_LIMITS", "Limits", "Permission", "Scope", "decode", "encode"]


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
    """

    grants: Mapping[str, int]

    def __post_init__(self) -> None:
        for path, permissions in self.grants.items():
            if not path.startswith("/") or not 0 < permissions <= _ALL:
                raise ValueError(f"a scope maps a path to a set of the seven methods, not {path!r} to {permissions}")
        granted = {path: int(permissions) for path, permissions in sorted(self.grants.items())}
        object.__setattr__(self, "grants", MappingProxyType(granted))

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
        return Scope({path: permissions for path, permissions in both.items() if permissions})

    def widen(self, other: Scope) -> Scope:
        """What either scope holds."""
        grants = dict(self.grants)
        for path, held in other.grants.items():
            grants[path] = grants.get(path, 0) | held
        return Scope(grants)


def encode(scope: Scope) -> bytes:
    """Encode as AIF-CBOR, entries sorted by path: the content of a `scope` byte string (RFC 9237 §3)."""
    return codec.encode([[path, permissions] for path, permissions in scope.grants.items()])


def decode(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Scope:
    """Decode AIF-CBOR (RFC 9237 §3).

    Raises:
        DecodeError: not a list of [Toid, Tperm], a path twice, an empty set, or over a limit.
        UnsupportedError: a permission that nobody here can enforce, dynamic resources (§2.3) among them.
    """
    value = codec.decode(data, limits=codec.Limits(max_bytes=limits.max_bytes, max_depth=3))
    if not isinstance(value, list) or len(value) > limits.max_entries:
        raise DecodeError(f"expected a scope of at most {limits.max_entries} entries", spec="RFC 9237 §2")
    grants: dict[str, int] = {}
    for entry in value:
        path, permissions = _entry(entry, limits)
        if path in grants:
            raise DecodeError(f"expected each path once in a scope, got {path!r} again", spec="RFC 9237 §2")
        grants[path] = permissions
    return Scope(grants)


def _entry(entry: Any, limits: Limits) -> tuple[str, int]:
    if not isinstance(entry, list) or len(entry) != 2:
        raise DecodeError("expected pairs of Toid and Tperm", spec="RFC 9237 §2")
    path, permissions = entry
    if not isinstance(path, str) or not path.startswith("/") or len(path) > limits.max_path:
        raise DecodeError(f"expected a path of at most {limits.max_path} characters", spec="RFC 9237 §2.1")
    if type(permissions) is not int or permissions <= 0:
        raise DecodeError(f"expected a set of methods for {path!r}", spec="RFC 9237 §2.1")
    if permissions > _ALL:
        raise UnsupportedError(f"expected methods GET to iPATCH for {path!r}, got more", spec="RFC 9237 §2.3")
    return path, permissions
