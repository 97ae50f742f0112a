"""``thingstead release new`` and ``add``: from a file or an image to a folder that waits for signatures."""

from __future__ import annotations

import json
import re
from typing import Any

from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.input import read_file, whole
from thingstead.cli.release_view import DIGEST_SHOWN, RELEASE
from thingstead.errors import ConfigError, DecodeError
from thingstead.phases.authoring.place import Files
from thingstead.phases.authoring.recipe import Recipe, read_recipe
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile.release_statement import MemberName
from thingstead.protocols.suit import envelope
from thingstead.simulator.factory import open_maker
from thingstead.storage.release_folder import ENVELOPE, RECIPE, ReleaseFolder

__all__ = ["ADD", "NEW"]

_MAX_RECIPE, _MAX_FILE = 1 << 18, 16 << 20
_MAX_SEQUENCE = (1 << 64) - 1
_UNSAFE = re.compile(r"[^a-z0-9._-]+")
_MAX_NAME = 60
_OLD = "old-image"
_MEMBERS = {
    "sbom": MemberName.SBOM,
    "reference-values": MemberName.REFERENCE_VALUES,
    "mud": MemberName.MUD,
    "words": MemberName.WORDS,
}


def _new(session: Session) -> int:
    options = session.options
    if bool(options["file"]) == (options["image"] is not None):
        raise ConfigError("expected a release file, or --image with --model, --version and --sequence")
    text, files, name = _of_image(session) if options["image"] is not None else _of_file(session)
    recipe = read_recipe(text, files)
    target = session.path("output") if options["output"] is not None else session.directory / name
    ReleaseFolder.create(target, {RECIPE: text.encode(), **_files(recipe), ENVELOPE: envelope.encode(recipe.envelope)})
    shown = target.relative_to(session.directory) if target.is_relative_to(session.directory) else target
    digest = recipe.envelope.digest.value.hex()
    session.console.show(
        {
            "written": str(shown),
            "manifest_digest": digest,
            "manifest_bytes": len(recipe.envelope.manifest),
            "envelope_bytes": len(envelope.encode(recipe.envelope)),
            "reference_values": bool(recipe.reference),
            "payloads": {name: len(content) for name, content in recipe.payloads.items()},
        }
    )
    maker = ("--maker", options["maker"]) if options["maker"] is not None else ("--maker", "MAKER")
    session.console.say(f"look at it first: thingstead release inspect {shown}")
    session.console.next("thingstead release sign", shown, *maker, "--digest", digest[:DIGEST_SHOWN])
    return 0


def _of_file(session: Session) -> tuple[str, Files, str]:
    path = session.path("file")
    for key in ("model", "version", "sequence", "vendor", "delta_from"):
        if session.options[key] is not None:
            raise ConfigError(f"expected --{key.replace('_', '-')} with --image alone; {path.name} says it")
    try:
        text = read_file(path, max_bytes=_MAX_RECIPE).decode()
    except UnicodeDecodeError:
        raise ConfigError(f"expected UTF-8 in {path}") from None
    return text, lambda name: read_file(path.parent / name, max_bytes=_MAX_FILE), path.stem


def _of_image(session: Session) -> tuple[str, Files, str]:
    """The release file that says what the options say."""
    options = session.options
    for key in ("model", "version", "sequence"):
        if options[key] is None:
            raise ConfigError(f"expected --{key} with --image")
    if options["vendor"] is None and options["maker"] is None:
        raise ConfigError("expected --maker, whose DNS name is the vendor's, or --vendor")
    vendor = options["vendor"] or open_maker(session.path("maker")).maker.domain
    images = {_plain(session.path("image").name, "image.bin"): session.path("image")}
    lines = [
        f"vendor = {_quoted(vendor)}",
        f"model = {_quoted(options['model'])}",
        f"sequence = {options['sequence']}",
        f"version = {_quoted(options['version'])}",
        "",
        "[[component]]",
        f"image = {_quoted(next(iter(images)))}",
    ]
    if options["delta_from"] is not None:
        images[_OLD] = session.path("delta_from")
        lines.append(f"delta_from = {_quoted(_OLD)}")
    name = _plain(f"{options['model']}-{options['version']}", "release")
    return "\n".join([*lines, ""]), lambda wanted: read_file(images[wanted], max_bytes=_MAX_FILE), name


def _plain(name: str, otherwise: str) -> str:
    """A name as a statement has it."""
    return _UNSAFE.sub("-", name.lower()).strip("-.")[:_MAX_NAME] or otherwise


def _quoted(text: str) -> str:
    """A basic string of TOML, which is one of JSON but for what JSON leaves as it is (TOML 1.0, Strings)."""
    return json.dumps(text, ensure_ascii=True).replace("\x7f", "\\u007f")


def _files(recipe: Recipe) -> dict[str, bytes]:
    files: dict[str, bytes] = dict(recipe.payloads)
    if recipe.reference:
        files[MemberName.REFERENCE_VALUES] = recipe.reference
    if recipe.words:
        files[MemberName.WORDS] = (json.dumps(dict(recipe.words), indent=2, ensure_ascii=False) + "\n").encode()
    return files


def _add(session: Session) -> int:
    folder = ReleaseFolder(session.path("release"))
    name = _MEMBERS[session.options["what"]]
    content = read_file(session.path("file"), max_bytes=_MAX_FILE)
    _require_form(name, content)
    folder.add(name, content)
    session.console.show({"written": str(folder.root / name), "bytes": len(content)})
    session.console.next("thingstead release inspect", session.options["release"])
    return 0


def _require_form(name: str, content: bytes) -> None:
    """What it is at all; whether it is a good one is asked when the release is published."""
    try:
        read: Any = codec.decode(content, limits=codec.Limits(max_bytes=_MAX_FILE, max_depth=64))
        is_right = name == MemberName.REFERENCE_VALUES and isinstance(read, codec.Tag)
    except DecodeError:
        is_right = False
    if name != MemberName.REFERENCE_VALUES:
        try:
            is_right = isinstance(json.loads(content), dict)
        except (ValueError, RecursionError):
            is_right = False
    if not is_right:
        expected = "a CoRIM, in CBOR with its tag" if name == MemberName.REFERENCE_VALUES else "an object in JSON"
        raise ConfigError(f"expected {expected} for {name}")


NEW = Action(
    (
        Parameter("file", "the release file, TOML; files that it names lie beside it", default=""),
        Parameter("--image", "instead: one image for one component, as most releases are"),
        Parameter("--model", "with --image: model of the things it is for"),
        Parameter("--version", "with --image: for people, e.g. 1.1.0"),
        Parameter(
            "--sequence", "with --image: a number above that of every release before", read=whole(0, _MAX_SEQUENCE)
        ),
        Parameter("--delta-from", "with --image: the image before; things that run it fetch the difference"),
        Parameter("--maker", "the maker's directory, whose DNS name is the vendor's"),
        Parameter("--vendor", "with --image: DNS domain of who made the things, where another mends them now"),
        Parameter("--output", "new folder for the release; else named after the file, or after model and version"),
    ),
    _new,
    "The same input gives the same bytes, signatures excepted. Reference values, by which a domain knows what things\n"
    "that run it measure, are written with it, where they follow from the file. Nobody has signed yet: look at it,\n"
    "then sign.",
)
ADD = Action(
    (
        RELEASE,
        Parameter("what", "what it is", choices=tuple(_MEMBERS)),
        Parameter("file", "the file: CycloneDX, CoRIM, MUD file, or words by language in JSON"),
    ),
    _add,
    "Before anybody signs: who signs a release signs what goes with it.",
)
