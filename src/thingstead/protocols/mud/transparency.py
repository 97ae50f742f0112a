"""Where a thing's software bill of materials and its vulnerabilities are told (RFC 9472): pointers, nothing fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from thingstead.protocols.json.place import Node

__all__ = ["Sbom", "Transparency", "parse_transparency"]

_SPEC = "RFC 9472 §3"
_MOST = 32
_LONGEST = 1024
_LOCAL = ("coap", "coaps", "http", "https")
_WEB = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Sbom:
    """Where the bill of one version of the software is.

    Attributes:
        version: as the thing says it.
        url: of scheme https or http; empty where the file gives none.
    """

    version: str
    url: str


@dataclass(frozen=True, slots=True)
class Transparency:
    """What the file points to; the maker's word as far as the file is signed, and never more than a place to ask.

    Attributes:
        sboms: by version.
        sbom_on_thing: by which protocol the thing itself serves ``/.well-known/sbom``, or empty.
        sbom_contact: a telephone number, mail address or page to ask at, or empty.
        sbom_archive: a list of all bills, or empty.
        vulnerability_urls: lists of known vulnerabilities.
        vulnerability_contact: where to ask for them, or empty.
    """

    sboms: tuple[Sbom, ...] = ()
    sbom_on_thing: str = ""
    sbom_contact: str = ""
    sbom_archive: str = ""
    vulnerability_urls: tuple[str, ...] = ()
    vulnerability_contact: str = ""


def parse_transparency(node: Node, report: Callable[[Node, str, str], None]) -> Transparency:
    """The container ``transparency``; `report` takes quirks.

    Raises:
        DecodeError: a value outside its type, or two ways to one thing where one is due.
    """
    members: dict[str, Node] = {}
    for name, member in node.members(spec=_SPEC):
        leaf = _OF_DRAFTS.get(name, name)
        if leaf not in _LEAVES:
            report(member, "a member that the extension does not have; ignored", _SPEC)
            continue
        if leaf != name:
            report(member, f"the name of a draft; read as {leaf}", _SPEC)
        members[leaf] = member
    for choice in _CHOICES:
        if len(choice & members.keys()) > 1:
            node.refuse(f"one of {', '.join(sorted(choice))}", spec=_SPEC)
    return Transparency(
        sboms=_sboms(members.get("sboms")),
        sbom_on_thing=_protocol(members.get("sbom-local-well-known")),
        sbom_contact=_contact(members.get("sbom-contact-uri")),
        sbom_archive=_address(members.get("sbom-archive-list")),
        vulnerability_urls=tuple([_address(one) for one in _list(members.get("vuln-url"))]),
        vulnerability_contact=_contact(members.get("vuln-contact-uri")),
    )


def _sboms(node: Node | None) -> tuple[Sbom, ...]:
    return tuple(
        [
            Sbom(
                one.member("version-info", spec=_SPEC).text(_LONGEST, spec=_SPEC),
                _address(one.find("sbom-url", spec=_SPEC)),
            )
            for one in _list(node)
        ]
    )


def _list(node: Node | None) -> list[Node]:
    """The elements of a list; one value alone, as files in the wild have it, is a list of one."""
    if node is None:
        return []
    found = [node] if isinstance(node.value, str) else list(node.elements(spec=_SPEC))
    if len(found) > _MOST:
        node.refuse(f"at most {_MOST} elements", spec=_SPEC)
    return found


def _address(node: Node | None) -> str:
    if node is None:
        return ""
    text = node.text(_LONGEST, spec=_SPEC)
    if not text.startswith(_WEB):
        node.refuse("a URL of scheme https or http", spec=_SPEC)
    return text


def _protocol(node: Node | None) -> str:
    """The name of an identity, which JSON may give with its module's (RFC 7951 §6.8)."""
    if node is None:
        return ""
    name = node.text(60, spec=_SPEC).rpartition(":")[2]
    if name not in _LOCAL:
        node.refuse(f"one of {', '.join(_LOCAL)}", spec=_SPEC)
    return name


def _contact(node: Node | None) -> str:
    return "" if node is None else node.text(_LONGEST, spec=_SPEC)


_CHOICES = (
    {"sboms", "sbom-local-well-known", "sbom-contact-uri"},
    {"vuln-url", "vuln-contact-uri"},
)
_LEAVES = {name for choice in _CHOICES for name in choice} | {"sbom-archive-list"}
_OF_DRAFTS = {"contact-info": "sbom-contact-uri"}
