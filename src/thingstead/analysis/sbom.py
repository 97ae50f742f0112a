"""What an image is made of, as its maker says: CycloneDX 1.6 in JSON (ECMA-424).

Read are components, their versions, hashes and commits, wherever they are nested. The rest of a document is for
others: it is passed over, within bounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import msgspec

from thingstead.analysis.package_url import PackageUrl, parse_purl
from thingstead.errors import DecodeError, UnsupportedError

__all__ = ["DEFAULT_LIMITS", "Component", "Limits", "Sbom", "parse_sbom"]

_SPEC = "ECMA-424"
_VERSIONS = ("1.4", "1.5", "1.6")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one document.

    Attributes:
        max_bytes: of all of it.
        max_components: nested ones included.
        max_depth: of components within one another.
    """

    max_bytes: int = 8 << 20
    max_components: int = 10_000
    max_depth: int = 16


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Component:
    """One part of an image.

    Attributes:
        name: with its group before it, if it has one.
        version: as the document says it, or its package URL; empty where neither does.
        purl: None where it has none.
        commits: of the source that it was built from, where the document names any.
        place: JSON pointer of it in the document (RFC 6901).
    """

    name: str
    version: str
    purl: PackageUrl | None
    commits: tuple[str, ...]
    place: str

    @property
    def key(self) -> str:
        """What stays the same from one release to the next."""
        return self.name if self.purl is None else self.purl.package

    def __str__(self) -> str:
        return f"{self.key} {self.version}".rstrip()


@dataclass(frozen=True, slots=True)
class Sbom:
    """A document, read.

    Attributes:
        format: version of CycloneDX.
        subject: SHA-256 digests of what the document is about; empty where it names none.
        components: in their order, without the subject itself.
    """

    format: str
    subject: tuple[bytes, ...]
    components: tuple[Component, ...]


_Text = Annotated[str, msgspec.Meta(max_length=1024)]


class _Hash(msgspec.Struct):
    alg: _Text
    content: _Text


class _Commit(msgspec.Struct):
    uid: _Text = ""


class _Pedigree(msgspec.Struct):
    commits: tuple[_Commit, ...] = ()


class _Component(msgspec.Struct):
    name: _Text
    version: _Text = ""
    group: _Text = ""
    purl: _Text = ""
    hashes: tuple[_Hash, ...] = ()
    pedigree: _Pedigree | None = None
    components: tuple[_Component, ...] = ()


class _Metadata(msgspec.Struct):
    component: _Component | None = None


class _Bom(msgspec.Struct, rename="camel"):
    bom_format: str
    spec_version: str
    metadata: _Metadata | None = None
    components: tuple[_Component, ...] = ()


_DECODER = msgspec.json.Decoder(_Bom)


def parse_sbom(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Sbom:
    """Read a document; nothing in it is proved but who signed it.

    Raises:
        DecodeError: not JSON, not CycloneDX, a package URL that is none (with its place), or over a limit.
        UnsupportedError: another version of CycloneDX.
    """
    if len(data) > limits.max_bytes:
        raise DecodeError(f"expected an SBOM of at most {limits.max_bytes} bytes, got {len(data)}", reason="sbom")
    try:
        read = _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DecodeError(f"expected an SBOM of CycloneDX: {error}", spec=_SPEC, reason="sbom") from error
    if read.bom_format != "CycloneDX":
        raise DecodeError(f"/bomFormat: expected CycloneDX, got {read.bom_format[:40]!r}", spec=_SPEC, reason="sbom")
    if read.spec_version not in _VERSIONS:
        raise UnsupportedError(
            f"/specVersion: expected one of {', '.join(_VERSIONS)}, got {read.spec_version[:40]!r}", spec=_SPEC
        )
    subject = None if read.metadata is None else read.metadata.component
    inner = () if subject is None else subject.components
    found: list[Component] = []
    for components, place in ((inner, "/metadata/component/components"), (read.components, "/components")):
        for one in _walk(components, place, limits.max_depth):
            if len(found) == limits.max_components:
                raise DecodeError(f"{one.place}: expected at most {limits.max_components} components", reason="sbom")
            found.append(one)
    return Sbom(read.spec_version, () if subject is None else _sha_256(subject), tuple(found))


def _walk(components: tuple[_Component, ...], place: str, depth: int) -> Iterator[Component]:
    if components and not depth:
        raise DecodeError(f"{place}: components are nested too deep", reason="sbom")
    for number, one in enumerate(components):
        here = f"{place}/{number}"
        yield _component(one, here)
        yield from _walk(one.components, f"{here}/components", depth - 1)


def _component(one: _Component, place: str) -> Component:
    if not one.name.isprintable() or not one.version.isprintable() or not one.group.isprintable():
        raise DecodeError(f"{place}: expected a name and a version that can be printed", spec=_SPEC, reason="sbom")
    try:
        purl = parse_purl(one.purl) if one.purl else None
    except DecodeError as error:
        raise DecodeError(f"{place}/purl: {error.message}", spec=error.spec, reason="sbom") from error
    name = f"{one.group}/{one.name}" if one.group else one.name
    version = one.version or ("" if purl is None else purl.version)
    named = [commit.uid.lower() for commit in (() if one.pedigree is None else one.pedigree.commits)]
    # A package URL of a source repository has a commit for its version, or after the @ of vcs_url.
    told = [] if purl is None else [purl.version, purl.qualifiers.get("vcs_url", "").rpartition("@")[2]]
    commits = dict.fromkeys([text for text in (*named, *told, version) if _COMMIT.match(text)])
    return Component(name, version, purl, tuple(commits), place)


def _sha_256(subject: _Component) -> tuple[bytes, ...]:
    try:
        return tuple([bytes.fromhex(one.content) for one in subject.hashes if one.alg == "SHA-256"])
    except ValueError as error:
        raise DecodeError(
            "/metadata/component/hashes: expected hexadecimal digits", spec=_SPEC, reason="sbom"
        ) from error
