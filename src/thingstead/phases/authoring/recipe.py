"""A release file: what a maker types, read into an envelope that waits for signatures.

Top down: whom it is for, which number it has, what its components are, what must hold first, and words for people.
Where ``[commands]`` is there, it has every command, and none is added to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from thingstead.errors import ConfigError, PolicyError, ThingsteadError
from thingstead.phases.authoring import place as places
from thingstead.phases.authoring.component import read_components, read_dependencies
from thingstead.phases.authoring.encryption import read_encryption
from thingstead.phases.authoring.parameter import Scope, read_parameters, read_vendor, read_version
from thingstead.phases.authoring.place import Files, Place
from thingstead.phases.authoring.reference import reference_of
from thingstead.phases.authoring.step import REPORT_ALL, read_commands
from thingstead.phases.authoring.template import Gate, Identity, Template
from thingstead.phases.authoring.text import read_texts, read_words
from thingstead.phases.delta import with_patch
from thingstead.protocols.suit import builder
from thingstead.protocols.suit.builder import Commands, Draft
from thingstead.protocols.suit.envelope import SEVERABLE, Envelope
from thingstead.protocols.suit.identifier import class_identifier
from thingstead.protocols.suit.manifest import ComponentId, Content, decode_manifest
from thingstead.protocols.suit.registry import CommandId, Member, ParameterId

__all__ = ["MAX_COMPONENTS", "Recipe", "read_recipe"]

MAX_COMPONENTS = 16
_MAX_SEQUENCE = (1 << 64) - 1
_SHARED = "shared"
_SECTIONS = {
    member.name.lower(): member
    for member in Member
    if member
    in {
        Member.DEPENDENCY_RESOLUTION,
        Member.PAYLOAD_FETCH,
        Member.CANDIDATE_VERIFICATION,
        Member.INSTALL,
        Member.UNINSTALL,
        Member.VALIDATE,
        Member.LOAD,
        Member.INVOKE,
    }
}
_SEVERABLE = {member.name.lower(): member for member in SEVERABLE}
_GATE: dict[str, CommandId] = {
    ParameterId.USE_BEFORE.name.lower(): CommandId.CONDITION_USE_BEFORE,
    ParameterId.MINIMUM_BATTERY.name.lower(): CommandId.CONDITION_MINIMUM_BATTERY,
    ParameterId.VERSION.name.lower(): CommandId.CONDITION_VERSION,
    ParameterId.UPDATE_PRIORITY.name.lower(): CommandId.CONDITION_UPDATE_AUTHORIZED,
    ParameterId.WAIT_INFO.name.lower(): CommandId.WAIT,
}
_DEFAULT_NAMES: dict[str, Callable[[int], str]] = {
    "component": lambda number: "firmware" if number == 0 else f"component-{number + 1}",
    "dependency": lambda number: f"dependency-{number + 1}",
}
_KEYS = (
    "vendor",
    "model",
    "class",
    "device",
    "sequence",
    "version",
    "set_version",
    "reference_uri",
    "manifest_id",
    "severed",
    "coswid",
    "component",
    "dependency",
    "conditions",
    "commands",
    "payloads",
    "encryption",
    "text",
    "words",
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a release file makes.

    Attributes:
        envelope: unsigned; the same file gives the same bytes.
        payloads: files that travel beside it, by name.
        words: what is new, for the owner of the things, by language.
        reference: CoRIM of what things measure that run it; empty where that does not follow from the file.
    """

    envelope: Envelope
    payloads: Mapping[str, bytes]
    words: Mapping[str, str]
    reference: bytes = b""


def read_recipe(text: str, files: Files) -> Recipe:
    """Read a release file.

    Raises:
        ConfigError: anything in it that makes no release; names the place.
    """
    top = places.parse(text)
    table = top.table(_KEYS, required=("sequence",))
    scope = _scope(table, files)
    made = read_components(table.get("component"), scope)
    dependencies = read_dependencies(table.get("dependency"), scope)
    if "commands" in table:
        shared, sections = _written(table, scope)
    else:
        if len(dependencies.dependencies) < len(dependencies.prefixes):
            raise table["dependency"].refuse("expected the manifest of each, from which its commands follow")
        template = Template(_identity(table), made.components, dependencies.dependencies, _gate(table, scope))
        shared, sections = template.shared(), template.sections()
    paths = tuple([component.path for component in made.components])
    draft = Draft(
        sequence_number=table["sequence"].whole(0, _MAX_SEQUENCE),
        components=paths,
        dependencies=dict(enumerate(dependencies.prefixes, len(paths))),
        shared=shared,
        sections=sections,
        texts=read_texts(table, paths, scope),
        payloads={**made.integrated, **dependencies.integrated, **_payloads(table, scope)},
        **_members(table, scope),
    )
    envelope = builder.assemble(replace(draft, severed=_severed(table, draft)))
    for old, new in made.deltas:
        envelope = _with_patch(top, envelope, old, new)
    content = _readable(top, envelope)
    reference = b"" if "commands" in table else reference_of(content, made.components, _identity(table))
    return Recipe(envelope, made.files, read_words(table), reference)


def _scope(table: Mapping[str, Place], files: Files) -> Scope:
    names = {name: index for index, name in enumerate(_names(table))}
    tables = table["encryption"].table() if "encryption" in table else {}
    return Scope(files, names, {name: read_encryption(one, files) for name, one in tables.items()})


def _members(table: Mapping[str, Place], scope: Scope) -> dict[str, Any]:
    """Members that stand for themselves."""
    readers: dict[str, tuple[str, Callable[[Place], Any]]] = {
        "coswid": ("coswid", lambda place: place.octets(scope.files)),
        "reference_uri": ("reference_uri", Place.text),
        "manifest_id": ("component_id", lambda place: _path(place, scope)),
        "set_version": ("set_version", read_version),
    }
    return {name: read(table[key]) for key, (name, read) in readers.items() if key in table}


def _names(table: Mapping[str, Place]) -> list[str]:
    """Every component and dependency has a name of its own, by which the rest of the file calls it."""
    names: list[str] = []
    for key in ("component", "dependency"):
        for item in table[key].items() if key in table else []:
            inner = item.table()
            name = inner["name"].text() if "name" in inner else _DEFAULT_NAMES[key](len(names))
            if name in names:
                raise item.refuse(f"expected a name of its own, there are two of {name[:40]!r}")
            names.append(name)
    if len(names) > MAX_COMPONENTS:
        raise ConfigError(f"expected at most {MAX_COMPONENTS} components and dependencies", reason="release-file")
    return names


def _identity(table: Mapping[str, Place]) -> Identity:
    vendor = read_vendor(table["vendor"]) if "vendor" in table else None
    if "model" in table and "class" in table:
        raise table["class"].refuse("expected a class or a model, of which a class is made, not both")
    class_id = table["class"].uuid() if "class" in table else None
    if "model" in table:
        if not isinstance(vendor, bytes):
            raise table["model"].refuse("expected a vendor with it: the class identifier follows from both")
        class_id = class_identifier(vendor, table["model"].text())
    return Identity(vendor, class_id, table["device"].uuid() if "device" in table else None)


def _gate(table: Mapping[str, Place], scope: Scope) -> Gate:
    if "conditions" not in table:
        return Gate()
    place = table["conditions"]
    said = place.table(_GATE)
    checks = [(command.value, REPORT_ALL) for name, command in _GATE.items() if name in said]
    return Gate(read_parameters(place, scope), tuple(checks))


def _written(top: Mapping[str, Place], scope: Scope) -> tuple[Commands, dict[Member, Commands]]:
    if "conditions" in top:
        raise top["conditions"].refuse("expected none beside [commands], which has every command")
    table = top["commands"].table((_SHARED, *_SECTIONS))
    shared = read_commands(table[_SHARED], scope) if _SHARED in table else ()
    return shared, {member: read_commands(table[name], scope) for name, member in _SECTIONS.items() if name in table}


def _payloads(table: Mapping[str, Place], scope: Scope) -> dict[str, bytes]:
    if "payloads" not in table:
        return {}
    return {uri: _payload(place, scope) for uri, place in table["payloads"].table().items()}


def _payload(place: Place, scope: Scope) -> bytes:
    if isinstance(place.value, dict) and "encryption" in place.value:
        return scope.encryption(place.table(("encryption",))["encryption"]).ciphertext
    return place.octets(scope.files)


def _severed(table: Mapping[str, Place], draft: Draft) -> frozenset[Member]:
    if "severed" not in table:
        return frozenset()
    there = {*draft.sections, *([Member.TEXT] if draft.texts else []), *([Member.COSWID] if draft.coswid else [])}
    severed: set[Member] = set()
    for item in table["severed"].items():
        (name,) = Place({item.text(): None}, item.path).table(_SEVERABLE)
        if _SEVERABLE[name] not in there:
            raise item.refuse(f"there is no {name} in this manifest to be severed")
        severed.add(_SEVERABLE[name])
    return frozenset(severed)


def _path(place: Place, scope: Scope) -> ComponentId:
    return tuple([segment.octets(scope.files) for segment in place.items()])


def _with_patch(top: Place, envelope: Envelope, old: bytes, new: bytes) -> Envelope:
    try:
        return with_patch(envelope, old=old, new=new)
    except PolicyError as error:
        raise top.refuse(f"cannot carry a difference: {error.message}") from None


def _readable(top: Place, envelope: Envelope) -> Content:
    """What our own things would not even parse leaves no workshop."""
    try:
        return decode_manifest(envelope)
    except ThingsteadError as error:
        raise top.refuse(f"expected a manifest that things can read: {error}") from None
