"""What commands on releases share: which file or folder is meant, and the story that is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thingstead.analysis.release_story import Chapter, component_name, one_line, tell
from thingstead.cli.action import Parameter, Session
from thingstead.cli.input import read_file
from thingstead.crypto.algorithm import REGISTRY
from thingstead.domain.anchor import TrustAnchor
from thingstead.errors import AuthenticationError, DecodeError, ProtocolError, SecurityError, UntrustedError
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile import release_statement
from thingstead.protocols.suit import authentication, builder, envelope, manifest
from thingstead.protocols.suit.authentication import AuthenticationPolicy, Signer
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.manifest import Content
from thingstead.storage.release_folder import ReleaseFolder

__all__ = [
    "DIGEST_SHOWN",
    "ENOUGH",
    "MAX_ENVELOPE",
    "RELEASE",
    "Opened",
    "open_path",
    "open_release",
    "record",
    "signatures",
    "story",
]

_LONGEST_TEXT = 400
RELEASE = Parameter("release", "the release: its folder, or an envelope alone")
MAX_ENVELOPE = envelope.DEFAULT_LIMITS.max_bytes
ENOUGH = "enough"
"""How the verdict on a release begins that things of the maker take."""

DIGEST_SHOWN = 16
"""Hexadecimal digits of a manifest's digest that tell it from every other one that somebody may have been shown."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A release as it lies there, decoded; nothing in it is proved.

    Attributes:
        path: folder or file.
        folder: None for an envelope alone.
        envelope: decoded.
        content: what its manifest says.
    """

    path: Path
    folder: ReleaseFolder | None
    envelope: Envelope
    content: Content


def open_release(session: Session) -> Opened:
    """Open the release that a command is about.

    Raises:
        ConfigError: nothing there.
        ProtocolError: no envelope, or a manifest that cannot be read.
        AuthenticationError: a manifest or a severed member that is not the one digested.
    """
    return open_path(session.path("release"))


def open_path(path: Path) -> Opened:
    """The same for a path; errors as for `open_release`."""
    folder = ReleaseFolder(path) if path.is_dir() else None
    opened = envelope.decode(read_file(path, max_bytes=MAX_ENVELOPE) if folder is None else folder.envelope)
    builder.require_own_digest(opened)
    return Opened(path, folder, opened, manifest.decode_manifest(opened))


def record(opened: Opened, anchor: TrustAnchor | None) -> dict[str, Any]:
    """All that there is to say about a release, for a program; `story` says it to people."""
    content, found = opened.content, opened.envelope
    members = {} if opened.folder is None else opened.folder.members()
    return {
        "manifest_digest": found.digest.value.hex(),
        "sequence_number": content.sequence_number,
        "components": [
            {"name": component_name(path), "version": content.version_of(path)} for path in content.components
        ],
        "dependencies": [component_name(path) or "(root)" for path in content.dependencies.values()],
        "reference_uri": content.reference_uri,
        "manifest_bytes": len(found.manifest),
        "envelope_bytes": len(envelope.encode(found)),
        "severed": sorted([member.name.lower() for member in content.missing]),
        "payloads": {uri: len(body) for uri, body in found.payloads.items()},
        "members": {name: len(body) for name, body in members.items()},
        "texts": _texts(content),
        "story": [
            {"title": chapter.title, "steps": ["  " * step.level + step.text for step in chapter.steps]}
            for chapter in _chapters(content, anchor)
        ],
        "signatures": signatures(found, anchor),
        "authentic": _verdict(found, anchor),
        "statement": _statement(opened, members, anchor),
    }


def story(told: dict[str, Any]) -> str:
    """The record of a release as a person reads it."""
    lines = [f"release {told['sequence_number']}, manifest {told['manifest_digest']}"]
    lines += [f"  {part['name']} {one_line(part['version'])}".rstrip() for part in told["components"]]
    lines += [f"  depends on {name}" for name in told["dependencies"]]
    lines += [f"  its full manifest is kept at {one_line(told['reference_uri'])}"] if told["reference_uri"] else []
    lines += [f"  {one_line(language)}: {one_line(text, longest=_LONGEST_TEXT)}" for language, text in told["texts"]]
    for chapter in told["story"]:
        lines += ["", f"{chapter['title']}:", *[f"  {step}" for step in chapter["steps"]]]
    sizes = [f"manifest {told['manifest_bytes']} bytes, envelope {told['envelope_bytes']}"]
    sizes += [f"{one_line(name)} {size} bytes" for name, size in (told["payloads"] | told["members"]).items()]
    lines += ["", "sizes:", *[f"  {size}" for size in sizes], "", "signatures:"]
    lines += [f"  {row['key']}: {row['standing']}" for row in told["signatures"]] or ["  none"]
    lines += [f"  {told['authentic']}"]
    return "\n".join([*lines, f"  what goes with it: {told['statement']}"] if told["statement"] else lines)


def signatures(found: Envelope, anchor: TrustAnchor | None) -> list[dict[str, str]]:
    """Who signed, who has not, and who is not known; under an anchor each signature of its keys is verified."""
    claimed = builder.claims(found)
    rows: list[dict[str, str]] = []
    known: set[Signer] = set()
    for key in () if anchor is None else anchor.release_keys:
        signer = profile.signer(key)
        known.add(signer)
        rows.append(_row(signer, _standing(found, signer, key)))
    said = "not checked; give --anchor" if anchor is None else f"of nobody whom {anchor.maker} names"
    rows += [_row(signer, said) for signer in claimed if signer not in known]
    return rows


def _row(signer: Signer, standing: str) -> dict[str, str]:
    name = REGISTRY[signer.signature_id].name
    return {"key": f"{name} {signer.kid.hex() or '(no kid)'}", "standing": standing}


def _standing(found: Envelope, signer: Signer, key: Any) -> str:
    try:
        authentication.authenticate(found, {signer.kid: key}, AuthenticationPolicy((signer,)))
    except UntrustedError:
        return "has not signed"
    except AuthenticationError as error:
        return "has not signed" if error.reason == "unsigned" else "DOES NOT VERIFY"
    except DecodeError:
        return "DOES NOT VERIFY"
    return "has signed"


def _verdict(found: Envelope, anchor: TrustAnchor | None) -> str:
    if anchor is None:
        return "not checked; give --anchor"
    keys, policy = profile.authentication(anchor.release_keys, anchor.signing)
    try:
        proved = authentication.authenticate(found, keys, policy)
    except SecurityError as error:
        return f"NOT ENOUGH for things of {anchor.maker}: {error.message}"
    return f"{ENOUGH} for things of {anchor.maker}: signed by {len(proved.signers)} of its release keys"


def _statement(opened: Opened, members: dict[str, bytes], anchor: TrustAnchor | None) -> str:
    """Whether those who signed the manifest also signed what lies beside it, as it lies there."""
    if opened.folder is None:
        return ""
    encoded = opened.folder.statement
    if not encoded:
        return "nobody has signed it"
    if anchor is None:
        return "not checked; give --anchor"
    keys, policy = profile.authentication(anchor.release_keys, anchor.signing)
    try:
        proved = authentication.authenticate(opened.envelope, keys, policy)
        release_statement.open_statement(encoded, proved, keys).verify(members)
    except (SecurityError, ProtocolError) as error:
        return f"NOT PROVED: {error.message}"
    return f"{len(members)} files, signed by the same"


def _chapters(content: Content, anchor: TrustAnchor | None) -> tuple[Chapter, ...]:
    names = {} if anchor is None else {anchor.vendor_id: anchor.dns_name or anchor.maker}
    return tell(content, names=names)


def _texts(content: Content) -> list[list[str]]:
    return [
        [language, text]
        for language, texts in content.texts.items()
        for (component, key), text in texts.items()
        if component == ()
    ]
