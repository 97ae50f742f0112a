"""Parse a MUD file (RFC 8520 §3, §7): strict where a guess would let more through, tolerant with a finding where not.

Two rules decide every quirk. What can only make the thing's rights smaller, or changes nothing, is a finding.
What leaves open *which* packets the maker meant is refused with its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.json.place import Node, decode_json
from thingstead.protocols.mud.conditions import MISPLACED, EntryContext
from thingstead.protocols.mud.entry import parse_entry
from thingstead.protocols.mud.file import AccessEntry, Direction, Finding, MudFile
from thingstead.protocols.mud.transparency import Transparency, parse_transparency

__all__ = ["DEFAULT_LIMITS", "Limits", "parse"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a file may make us hold.

    Attributes:
        max_bytes: size of the file; the largest real one known has 45 kB.
        max_depth: nesting of objects and arrays.
        max_entries: ACEs in all lists together.
        max_lists: access lists.
    """

    max_bytes: int = 1 << 18
    max_depth: int = 16
    max_entries: int = 1024
    max_lists: int = 64


DEFAULT_LIMITS = Limits()
_Report = Callable[[Node, str, str], None]

_MUD = "ietf-mud:mud"
_ACLS = "ietf-access-control-list:acls"
_EARLY_ACLS = "ietf-access-control-list:access-lists"
_POLICIES = {"from-device-policy": Direction.FROM_DEVICE, "to-device-policy": Direction.TO_DEVICE}
_TRANSPARENCY = ("ietf-mud-transparency:transparency", "mudtx:transparency", "transparency")
_TLS = "ietf-mud-tls:is-tls-dtls-profile-supported"
_KNOWN = {
    "mud-version", "mud-url", "last-update", "mud-signature", "cache-validity", "is-supported", "systeminfo",
    "mfg-name", "software-rev", "firmware-rev", "model-name", "documentation", "extensions",
    *_POLICIES, *_TRANSPARENCY, _TLS,
}  # fmt: skip
_FAMILIES = {
    "ipv4-acl-type": (4,),
    "ipv6-acl-type": (6,),
    "mixed-eth-ipv4-acl-type": (4,),
    "mixed-eth-ipv6-acl-type": (6,),
    "mixed-eth-ipv4-ipv6-acl-type": (4, 6),
}
_DRAFT_MEMBERS = ("acl-name", "acl-type", "access-list-entries")
_ETHERNET = ("eth-acl-type", "ethernet-acl-type")
_DEFAULT_CACHE_VALIDITY = 48
_LONGEST_SYSTEM_INFO = 60
_LONGEST_URL = 1024
_LONGEST_NAME = 128


def parse(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> MudFile:
    """Parse one file.

    Returns:
        The file with its accepting entries and all findings; unverified.

    Raises:
        DecodeError: not JSON, or outside RFC 8520; the message opens with the JSON pointer of the place.
        UnsupportedError: a ``mud-version`` other than 1, lists of a draft, rules whose meaning depends on their order.
    """
    root = decode_json(data, max_bytes=limits.max_bytes, max_depth=limits.max_depth)
    findings: list[Finding] = []
    mud = root.member(_MUD, spec="RFC 8520 §3")
    _check_version(mud)
    lists = _read_lists(root, limits, findings)
    mud.member("mud-version", spec="RFC 8520 §3.1")
    url = mud.member("mud-url", spec="RFC 8520 §3.2").text(_LONGEST_URL, spec="RFC 8520 §3.2")
    if not url.startswith("https://"):
        mud.member("mud-url", spec="RFC 8520 §3.2").refuse("a URL of scheme https", spec="RFC 8520 §3.2")
    _report_unknown(mud, findings)

    def report(node: Node, message: str, spec: str) -> None:
        findings.append(Finding(node.place, message, spec))

    return MudFile(
        url=url,
        last_update=_parse_date(mud.member("last-update", spec="RFC 8520 §3.4"), findings),
        cache_validity=_parse_cache_validity(mud),
        is_supported=mud.member("is-supported", spec="RFC 8520 §3.6").boolean(spec="RFC 8520 §3.6"),
        system_info=_parse_system_info(mud, findings),
        manufacturer=_optional_text(mud, "mfg-name"),
        model=_optional_text(mud, "model-name"),
        signature_url=_optional_text(mud, "mud-signature"),
        entries=_parse_lists(lists, mud, limits, findings),
        transparency=_parse_pointers(mud, report),
        describes_tls=_parse_tls_flag(mud, report),
        findings=tuple(findings),
    )


def _check_version(mud: Node) -> None:
    """Of a file without one, its lists tell better what it is than that it lacks one."""
    version = mud.find("mud-version", spec="RFC 8520 §3.1")
    if version is not None and version.integer(0, 255, spec="RFC 8520 §3.1") != 1:
        raise UnsupportedError(f"{version.place}: expected version 1, got {version.value}", spec="RFC 8520 §3.1")


def _parse_pointers(mud: Node, report: _Report) -> Transparency | None:
    found = [node for name, node in mud.members(spec="RFC 8520 §3") if name in _TRANSPARENCY]
    if len(found) > 1:
        found[1].refuse("one transparency extension", spec="RFC 9472 §3")
    return parse_transparency(found[0], report) if found else None


def _parse_tls_flag(mud: Node, report: _Report) -> bool:
    node = mud.find(_TLS, spec="RFC 9761 §5.4")
    if node is None:
        return False
    if node.value in ("true", "false"):
        report(node, "a boolean as text, as in the RFC's example", "RFC 7951 §6.3")
        return bool(node.value == "true")
    return node.boolean(spec="RFC 9761 §5.4")


def _report_unknown(mud: Node, findings: list[Finding]) -> None:
    announced = mud.find("extensions", spec="RFC 8520 §3.9")
    names = set() if announced is None else {str(node.value) for node in announced.elements(spec="RFC 8520 §3.9")}
    for name, node in mud.members(spec="RFC 8520 §3"):
        if name not in _KNOWN:
            told = "an extension we do not have" if name.split(":")[0] in names else "not announced in extensions"
            findings.append(Finding(node.place, f"{told}; ignored", "RFC 8520 §3.9"))


def _parse_date(node: Node, findings: list[Finding]) -> datetime:
    text = node.text(40, spec="RFC 8520 §3.4")
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        node.refuse("a date and time of RFC 3339", spec="RFC 8520 §3.4")
    if date.tzinfo is None:
        findings.append(Finding(node.place, "a date without a time zone; taken as UTC", "RFC 6991 §3"))
        return date.replace(tzinfo=UTC)
    try:
        return date.astimezone(UTC)
    except OverflowError:
        node.refuse("a date that exists in UTC", spec="RFC 8520 §3.4")


def _parse_cache_validity(mud: Node) -> int:
    node = mud.find("cache-validity", spec="RFC 8520 §3.5")
    return _DEFAULT_CACHE_VALIDITY if node is None else node.integer(1, 168, spec="RFC 8520 §3.5")


def _parse_system_info(mud: Node, findings: list[Finding]) -> str:
    text = _optional_text(mud, "systeminfo")
    if len(text) > _LONGEST_SYSTEM_INFO:
        message = f"{len(text)} characters where 60 are allowed"
        findings.append(Finding(f"{mud.place}/systeminfo", message, "RFC 8520 §3.7"))
    return text


def _optional_text(mud: Node, name: str) -> str:
    node = mud.find(name, spec="RFC 8520 §3")
    return "" if node is None or node.value == "" else node.text(_LONGEST_URL, spec="RFC 8520 §3")


def _parse_lists(lists: dict[str, Node], mud: Node, limits: Limits, findings: list[Finding]) -> tuple[AccessEntry, ...]:
    directions = _parse_policies(mud)
    entries: list[AccessEntry] = []
    budget = limits.max_entries
    for name, (direction, reference) in directions.items():
        if name not in lists:
            raise DecodeError(f"{reference}: expected the name of an access list, got {name!r}", spec="RFC 8520 §3.3")
        aces = _read_aces(lists[name], findings)
        budget -= len(aces)
        if budget < 0:
            raise DecodeError(f"{lists[name].place}: expected at most {limits.max_entries} ACEs", spec="RFC 8520 §16")
        entries += _parse_aces(lists[name], aces, direction, findings)
    for name, node in lists.items():
        if name not in directions:
            findings.append(Finding(node.place, "no policy refers to this list; ignored", "RFC 8520 §3.3"))
    return tuple(entries)


def _parse_policies(mud: Node) -> dict[str, tuple[Direction, str]]:
    directions: dict[str, tuple[Direction, str]] = {}
    for member, direction in _POLICIES.items():
        policy = mud.find(member, spec="RFC 8520 §3.3")
        if policy is None:
            continue
        lists = policy.member("access-lists", spec="RFC 8520 §3.3").find("access-list", spec="RFC 8520 §3.3")
        for reference in () if lists is None else lists.elements(spec="RFC 8520 §3.3"):
            node = reference.member("name", spec="RFC 8520 §3.3")
            name = node.text(_LONGEST_NAME, spec="RFC 8520 §3.3")
            if directions.setdefault(name, (direction, node.place))[0] is not direction:
                node.refuse("a list that serves one direction only", spec="RFC 8520 §3.3")
    return directions


def _read_lists(root: Node, limits: Limits, findings: list[Finding]) -> dict[str, Node]:
    container = root.find(_ACLS, spec="RFC 8519 §4.1")
    early = root.find(_EARLY_ACLS, spec="RFC 8519 §4.1")
    if container is not None and early is not None:
        early.refuse("one container of access lists, not two", spec="RFC 8519 §4.1")
    if early is not None:
        findings.append(Finding(early.place, f"the name before RFC 8519; read as {_ACLS}", "RFC 8519 §4.1"))
        container = early
    if container is None:
        raise DecodeError(f"/: expected a member {_ACLS!r}, which is missing", spec="RFC 8520 §3")
    lists: dict[str, Node] = {}
    for index, acl in enumerate(container.member("acl", spec="RFC 8519 §4.1").elements(spec="RFC 8519 §4.1")):
        if index == limits.max_lists:
            acl.refuse(f"at most {limits.max_lists} access lists", spec="RFC 8520 §16")
        _refuse_draft(acl)
        node = acl.member("name", spec="RFC 8519 §4.1")
        name = node.text(_LONGEST_NAME, spec="RFC 8519 §4.1")
        if name in lists:
            node.refuse("a name that no other list has", spec="RFC 8519 §4.1")
        lists[name] = acl
    return lists


def _refuse_draft(acl: Node) -> None:
    """Lists of the years before RFC 8519 have other members below, whose meaning moved; they are not guessed at."""
    for name, node in acl.members(spec="RFC 8519 §4.1"):
        if name in _DRAFT_MEMBERS:
            raise UnsupportedError(
                f"{node.place}: expected an access list of RFC 8519, got one of a draft before it", spec="RFC 8519 §4.1"
            )


def _read_aces(acl: Node, findings: list[Finding]) -> list[tuple[str, Node]]:
    aces: list[tuple[str, Node]] = []
    seen: set[str] = set()
    for ace in (
        acl.member("aces", spec="RFC 8519 §4.1").member("ace", spec="RFC 8519 §4.1").elements(spec="RFC 8519 §4.1")
    ):
        node = ace.member("name", spec="RFC 8519 §4.1")
        name = node.text(_LONGEST_NAME, spec="RFC 8519 §4.1")
        if name in seen:
            findings.append(Finding(node.place, f"a second ACE named {name!r}; both are kept", "RFC 8519 §4.1"))
        seen.add(name)
        aces.append((name, ace))
    return aces


def _parse_aces(
    acl: Node, aces: list[tuple[str, Node]], direction: Direction, findings: list[Finding]
) -> list[AccessEntry]:
    families = _parse_families(acl)
    entries: list[AccessEntry] = []
    denied: Node | None = None
    for name, ace in aces:
        if not _accepts(ace, findings):
            denied = ace
            continue
        if denied is not None:
            message = f"{denied.place}: expected no entry that drops before one that accepts ({ace.place})"
            raise UnsupportedError(message, spec="RFC 8519 §4.1")
        for family in _families_of(ace, families):
            context = EntryContext(name=name, direction=direction, family=family, report=findings.append)
            entries += parse_entry(ace, context)
    return entries


def _families_of(ace: Node, families: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """In a list of both IP versions an entry is of the one that its conditions name, or of both."""
    if len(families) == 1:
        return families
    matches = ace.member("matches", spec="RFC 8519 §4.1")
    named = tuple([one for one in families if matches.find(f"ipv{one}", spec="RFC 8519 §4.1") is not None])
    return named or families


def _parse_families(acl: Node) -> tuple[int | None, ...]:
    node = acl.member("type", spec="RFC 8519 §4.1")
    name = node.text(80, spec="RFC 8519 §4.1").removeprefix("ietf-access-control-list:")
    if name in _ETHERNET:
        return (None,)
    if name not in _FAMILIES:
        node.refuse("an access list of type ipv4, ipv6 or eth", spec="RFC 8519 §4.1")
    return _FAMILIES[name]


def _accepts(ace: Node, findings: list[Finding]) -> bool:
    actions = ace.find("actions", spec="RFC 8519 §4.1")
    if actions is None:
        actions = ace.member("matches", spec="RFC 8519 §4.1").find(MISPLACED, spec="RFC 8519 §4.1")
        if actions is None:
            raise DecodeError(f"{ace.place}: expected a member 'actions', which is missing", spec="RFC 8519 §4.1")
        findings.append(Finding(actions.place, "actions among the matches, as in the RFC's example", "RFC 9761 §7"))
    forwarding = actions.member("forwarding", spec="RFC 8519 §4.1")
    action = forwarding.text(60, spec="RFC 8519 §4.1").removeprefix("ietf-access-control-list:")
    if action not in {"accept", "drop", "reject"}:
        forwarding.refuse("accept, drop or reject", spec="RFC 8519 §4.1")
    if action != "accept":
        findings.append(Finding(ace.place, f"{action} says what is so anyway; left out", "RFC 8520 §5"))
    return action == "accept"
