"""Package URLs, by which an SBOM and a vulnerability record mean the same package (package-url/purl-spec, ECMA-427)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import unquote

from thingstead.errors import DecodeError

__all__ = ["PackageUrl", "parse_purl"]

_MAX_CHARACTERS = 1024
_TYPE = re.compile(r"[a-z][a-z0-9.+-]{0,31}\Z")
_QUALIFIER = re.compile(r"[a-z][a-z0-9._-]{0,31}\Z")
_SPEC = "ECMA-427 §5"


@dataclass(frozen=True, slots=True)
class PackageUrl:
    """``pkg:type/namespace/name@version?qualifiers#subpath``, without its subpath.

    Attributes:
        type: ``deb``, ``pypi``, ``generic`` and so on, in lower case.
        namespace: segments joined by ``/``; empty where there is none.
        name: of the package.
        version: empty where it gives none.
        qualifiers: by name, e.g. ``distro``.
    """

    type: str
    namespace: str
    name: str
    version: str = ""
    qualifiers: Mapping[str, str] = field(default_factory=dict)

    @property
    def package(self) -> str:
        """The package whatever its version, as records name it."""
        path = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"pkg:{self.type}/{path}"


def parse_purl(text: str) -> PackageUrl:
    """Read a package URL.

    Raises:
        DecodeError: not one.
    """
    if not 0 < len(text) <= _MAX_CHARACTERS or not text.isprintable() or not text.lower().startswith("pkg:"):
        raise DecodeError(f"expected a package URL, got {text[:60]!r}", spec=_SPEC, reason="purl")
    rest = text[4:].strip("/").partition("#")[0]
    rest, _, queries = rest.partition("?")
    kind, _, path = rest.partition("/")
    kind = kind.lower()
    path, version = _version(path)
    segments = [unquote(part) for part in path.split("/") if part]
    if not _TYPE.match(kind) or not segments:
        raise DecodeError(f"expected a type and a name in {text[:60]!r}", spec=_SPEC, reason="purl")
    qualifiers = dict(_qualifier(one, text) for one in queries.split("&") if one)
    return PackageUrl(kind, "/".join(segments[:-1]), segments[-1], unquote(version), MappingProxyType(qualifiers))


def _version(path: str) -> tuple[str, str]:
    """Cut at the last ``@``, unless a slash follows: npm scopes begin with one."""
    head, at, version = path.rpartition("@")
    return (head, version) if at and "/" not in version and head else (path, "")


def _qualifier(text: str, whole: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not _QUALIFIER.match(name.lower()):
        raise DecodeError(f"expected qualifiers of name=value in {whole[:60]!r}", spec=_SPEC, reason="purl")
    return name.lower(), unquote(value)
