"""``thingstead release diff``: what changes with a release, before anybody has it."""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path
from typing import Any

from thingstead.analysis.consequence import read_members
from thingstead.analysis.link_profile import DEVICE_CLASSES, LINKS
from thingstead.analysis.release_diff import Frame, ReleaseDiff, Side, compare, report
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.feed import feed
from thingstead.cli.input import days
from thingstead.cli.remote import AS, DOMAIN, ask
from thingstead.clock import SystemClock
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.errors import ConfigError
from thingstead.protocols.suit import builder, envelope, manifest
from thingstead.protocols.suit.command import Sequence
from thingstead.protocols.suit.registry import ParameterId
from thingstead.storage.release_folder import RECIPE, ReleaseFolder

__all__ = ["DIFF"]

_DAY = 86_400.0


def _diff(session: Session) -> int:
    at = SystemClock().utc()
    old, new = _side(session, "old", at), _side(session, "new", at)
    chosen, link = session.options["class"], session.options["link"]
    frame = Frame(
        at.date(),
        feed(session),
        CryptoPolicy(),
        classes=tuple([one for one in DEVICE_CLASSES if chosen in {None, one.name}]),
        links=tuple([one for name, one in LINKS.items() if link in {None, name}]),
        max_seconds=session.options["days"] * _DAY,
    )
    diff = compare(old, new, frame)
    session.console.show(
        report(diff) if session.console.as_json else _told(diff, with_feed=session.options["osv"] is not None)
    )
    session.console.next("thingstead release publish", session.options["new"])
    return 0


def _side(session: Session, key: str, at: datetime) -> Side:
    """A folder, or a release that the domain keeps; nothing in a folder is proved by looking at it."""
    path = session.path(key)
    return _of_folder(path, at) if path.is_dir() else _of_domain(session, str(session.options[key]), at)


def _of_folder(path: Path, at: datetime) -> Side:
    folder = ReleaseFolder(path)
    opened = envelope.decode(folder.envelope)
    content = manifest.decode_manifest(opened)
    files = {name: data for name, data in folder.members().items() if name != RECIPE}
    size = _image_size(content.shared, list(content.sequences.values()))
    version = next((found for one in content.components if (found := content.version_of(one))), "")
    algorithms = dict.fromkeys([one.signature_id for one in builder.claims(opened)])
    return Side(
        version, content.sequence_number, size, len(folder.envelope), tuple(algorithms), read_members(files, at=at)
    )


def _image_size(shared: Sequence, sequences: list[Sequence]) -> int:
    """Of all components together, as the manifest says."""
    said = [command.parameters.get(ParameterId.IMAGE_SIZE) for one in (shared, *sequences) for command in one]
    return sum({size for size in said if isinstance(size, int)})


def _of_domain(session: Session, name: str, at: datetime) -> Side:
    told: dict[str, Any] = ask(session, "release.carried", {"manifest": name})
    if told is None:
        raise ConfigError(f"expected the folder of a release, or how a manifest's digest begins; got {name[:60]!r}")
    files = {key: base64.b64decode(data) for key, data in told["files"].items()}
    algorithms = tuple(told["algorithms"])
    said = read_members(files, at=at)
    return Side(told["version"], told["sequence_number"], told["image"], told["envelope"], algorithms, said)


def _told(diff: ReleaseDiff, *, with_feed: bool) -> str:
    """The report as a person reads it."""
    rows = report(diff)
    old, new = (f"{side.version or 'a release'} ({side.sequence_number})" for side in (diff.old, diff.new))
    lines = [f"from {old} to {new}"]
    lines += ["", rows["words"]] if rows["words"] else []
    lines += _section("parts", [_part(row) for row in rows["components"]], "the same parts")
    holes = [_hole(row) for row in rows["vulnerabilities"]]
    lines += _section("known vulnerabilities", holes, "none" if with_feed else "not looked for; give --osv")
    where = [f"{row['change']}: {row['words']}" for row in rows["destinations"]]
    lines += _section("destinations", where, "the same destinations")
    grown = rows["growth"]
    lines += _section("size", [f"image {diff.new.image} bytes ({grown['image']:+d})",
                               f"envelope {diff.new.envelope} bytes ({grown['envelope']:+d})"], "")  # fmt: skip
    air = [f"{row['link']}: {row['frames']} frames ({row['more_frames']:+d}), {row['air_seconds']} s on the air, "
           f"{row['at_best_seconds']} s at best" for row in rows["airtime"]]  # fmt: skip
    lines += _section("airtime", air, "no link was asked for")
    names = rows["algorithms"]
    changed = [f"new: {one}" for one in names["new"]] + [f"gone: {one}" for one in names["gone"]]
    lines += _section("algorithms", changed, "the same algorithms")
    answers = [f"{row['question']}) {row['about']}: {'yes' if row['safe'] else 'NO'}; {row['numbers']}"
               for row in rows["agility"]]  # fmt: skip
    return "\n".join([*lines, *_section("safe to change (RFC 8576 §5.4)", answers, "")])


def _part(row: dict[str, Any]) -> str:
    if not row["old"]:
        return f"new: {row['component']} {row['new']}"
    if not row["new"]:
        return f"gone: {row['component']} {row['old']}"
    return f"changed: {row['component']} {row['old']} -> {row['new']}"


def _hole(row: dict[str, Any]) -> str:
    rated = f"{row['severity']}, {row['verdict']}"
    return f"{row['change']}: {row['id']} ({rated}) in {row['component']}: {row['because']}"


def _section(title: str, rows: list[str], empty: str) -> list[str]:
    return ["", f"{title}:", *[f"  {row}" for row in rows or [empty]]]


_RELEASE = "folder of a release, or how the manifest's digest begins of one that the domain keeps"
DIFF = Action(
    (
        Parameter("old", f"the release before: {_RELEASE}"),
        Parameter("new", f"the release after: {_RELEASE}"),
        Parameter("--osv", "file, folder or zip of vulnerability records (OSV), JSON or YAML"),
        Parameter("--class", "the things' class of RFC 7228; else all", choices=("C0", "C1", "C2")),
        Parameter("--link", "the link that they are on; else all", choices=tuple(LINKS)),
        Parameter("--days", "days that an update may take a link, at best", read=days, default=1.0),
        DOMAIN,
        AS,
    ),
    _diff,
    "Parts, known vulnerabilities, destinations in words, size, airtime of each kind of link, and the three questions\n"
    "of RFC 8576 before algorithms change, in numbers. Without a domain two folders are compared.",
)
