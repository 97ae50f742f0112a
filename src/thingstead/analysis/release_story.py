"""A manifest as a story: what a thing will do, step by step, in words.

Nothing is executed and nothing is believed: the story is told of what the manifest says, whoever wrote it. Its length
is bounded by the limits that the manifest was decoded under.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from thingstead.protocols.suit import command as commands
from thingstead.protocols.suit.command import Command
from thingstead.protocols.suit.digest import Digest
from thingstead.protocols.suit.manifest import ComponentId, Content
from thingstead.protocols.suit.parameter import Comparison, OtherDevice, VersionMatch, WaitEvent
from thingstead.protocols.suit.registry import CommandId, Member, ParameterId

__all__ = ["Chapter", "Step", "component_name", "one_line", "tell"]

_SECTIONS: dict[Member, str] = {
    Member.DEPENDENCY_RESOLUTION: "fetch what it depends on",
    Member.PAYLOAD_FETCH: "fetch payloads",
    Member.CANDIDATE_VERIFICATION: "verify what was fetched",
    Member.INSTALL: "install",
    Member.VALIDATE: "validate, at each start too",
    Member.LOAD: "load, at each start",
    Member.INVOKE: "start",
    Member.UNINSTALL: "uninstall",
}
_SHARED = "first, whatever it does"
_P = ParameterId

_Values = dict[int, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One sentence; `level` says how deep in choices it stands."""

    text: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Chapter:
    """One command sequence."""

    title: str
    steps: tuple[Step, ...]


def tell(content: Content, *, names: Mapping[bytes, str] | None = None) -> tuple[Chapter, ...]:
    """The chapters of a manifest in the order in which things execute them.

    Args:
        content: decoded.
        names: what vendor and class identifiers are called by whoever asks.
    """
    chapters: list[Chapter] = []
    known: dict[int, _Values] = {}
    if content.shared:
        teller = _Teller(content, names or {}, known)
        chapters.append(Chapter(_SHARED, tuple(teller.sequence(content.shared))))
    for member, title in _SECTIONS.items():
        if member in content.sequences:
            teller = _Teller(content, names or {}, {index: dict(values) for index, values in known.items()})
            chapters.append(Chapter(title, tuple(teller.sequence(content.sequences[member]))))
        elif member in content.missing:
            chapters.append(Chapter(title, (Step("severed: what it does travels elsewhere, its digest is here"),)))
    return tuple(chapters)


def component_name(component: ComponentId) -> str:
    """A component for people: text as text, other bytes in hexadecimal."""
    return "/".join([_octets(part) for part in component]) or "(root)"


def one_line(text: str, *, longest: int = 80) -> str:
    """What a stranger wrote, so that it forges no line of ours: nothing but printable characters, and not many."""
    cut = text if len(text) <= longest else f"{text[:longest]}..."
    return "".join([one if one.isprintable() else one.encode("unicode_escape").decode() for one in cut])


class _Teller:
    """Follows a sequence, and knows which component and which values it is about."""

    def __init__(self, content: Content, names: Mapping[bytes, str], known: dict[int, _Values]) -> None:
        self._components = content.indexed
        self._names = names
        self._known = known
        self._index: tuple[int, ...] = (0,)

    def sequence(self, sequence: commands.Sequence, level: int = 0) -> list[Step]:
        """The steps of a sequence."""
        if level == 0:
            self._index = (0,)
        told: list[Step] = []
        for command in sequence:
            told += self._tell(command, level)
        return told

    def _tell(self, command: Command, level: int) -> list[Step]:
        match command.id:
            case CommandId.SET_COMPONENT_INDEX:
                chosen = command.index
                everything = tuple(range(len(self._components)))
                self._index = everything if chosen is True else chosen if isinstance(chosen, tuple) else (int(chosen),)
                return []
            case CommandId.OVERRIDE_PARAMETERS | CommandId.SET_PARAMETERS:
                for index in self._index:
                    self._set(index, command.parameters, keep=command.id == CommandId.SET_PARAMETERS)
                return []
            case CommandId.OVERRIDE_MULTIPLE:
                for index, parameters in command.multiple.items():
                    self._set(index, parameters, keep=False)
                return []
            case CommandId.COPY_PARAMS:
                for source, keys in command.copies.items():
                    found = self._known.get(source, {})
                    copied = {key: found[key] for key in keys if key in found}
                    for index in self._index:
                        self._set(index, copied, keep=False)
                return []
            case CommandId.TRY_EACH:
                return self._choices(command.sequences, level)
            case CommandId.RUN_SEQUENCE:
                return [step for one in command.sequences if one is not None for step in self.sequence(one, level + 1)]
            case _:
                return [Step(self._sentence(command, index), level) for index in self._index]

    def _choices(self, sequences: Sequence[commands.Sequence | None], level: int) -> list[Step]:
        told = [Step("take the first of these that works:", level)]
        before = {index: dict(values) for index, values in self._known.items()}
        index = self._index
        for number, one in enumerate(sequences, 1):
            if one is None:
                told.append(Step("or else go on", level + 1))
                continue
            self._known = {key: dict(values) for key, values in before.items()}
            self._index = index
            inner = self.sequence(one, level + 1) or [Step("nothing", level + 1)]
            told += [Step(f"{number}) {inner[0].text}", level + 1), *inner[1:]]
            told += [Step(f"with {_said(values)}", level + 1) for values in [self._news(before)] if values]
        self._known, self._index = before, index
        return told

    def _news(self, before: Mapping[int, _Values]) -> _Values:
        """What a choice sets, which counts from then on."""
        return {
            key: value
            for index in self._index
            for key, value in self._known.get(index, {}).items()
            if before.get(index, {}).get(key) != value and key in _SHOWN
        }

    def _set(self, index: int, parameters: Mapping[int, Any], *, keep: bool) -> None:
        known = self._known.setdefault(index, {})
        for key, value in parameters.items():
            if not (keep and key in known):
                known[key] = value

    def _sentence(self, command: Command, index: int) -> str:
        if index >= len(self._components):
            return f"use component {index}, which this manifest does not have"
        if command.id not in _SENTENCES:
            return f"do the command {int(command.id)}, which only its author knows"
        values = self._known.get(index, {})
        return _SENTENCES[CommandId(command.id)](self._name(index), _View(values, self._name, self._names))

    def _name(self, index: int) -> str:
        return component_name(self._components[index]) if index < len(self._components) else f"component {index}"


@dataclass(frozen=True, slots=True)
class _View:
    """Values of one component, in words."""

    values: Mapping[int, Any]
    component: Callable[[int], str]
    names: Mapping[bytes, str]

    def __getitem__(self, key: ParameterId) -> str:
        value = self.values.get(key)
        if value is None:
            return "(not said)"
        if key in {_P.VENDOR_IDENTIFIER, _P.CLASS_IDENTIFIER, _P.DEVICE_IDENTIFIER} and isinstance(value, bytes):
            shown = str(UUID(bytes=value)) if len(value) == 16 else value.hex()
            return f"{self.names[value]} ({shown})" if value in self.names else shown
        if key == _P.SOURCE_COMPONENT:
            return self.component(int(value))
        return _word(key, value)

    def has(self, key: ParameterId) -> bool:
        """Whether it is set."""
        return key in self.values

    @property
    def sealed(self) -> str:
        """What is said where a payload is encrypted."""
        return ", decrypting it" if self.has(_P.ENCRYPTION_INFO) else ""


_SHOWN = frozenset({_P.IMAGE_DIGEST, _P.IMAGE_SIZE, _P.URI})


def _said(values: Mapping[int, Any]) -> str:
    return ", ".join(
        [f"{ParameterId(key).name.lower().replace('_', ' ')} {_word(key, one)}" for key, one in values.items()]
    )


def _word(key: int, value: Any) -> str:
    match value:
        case Digest():
            return value.value.hex()
        case VersionMatch():
            return f"{_COMPARISONS[value.comparison]} {_version(value)}"
        case bytes():
            return f"{_octets(value)} ({len(value)} bytes)"
        case Mapping():
            return ", ".join([_event(event, one) for event, one in value.items()])
        case int() if key == _P.USE_BEFORE:
            return datetime.fromtimestamp(value, UTC).isoformat() if value < 1 << 37 else f"{value} seconds after 1970"
        case _:
            return one_line(str(value))


def _octets(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = ""
    return one_line(text if text and text.isprintable() else value.hex())


_COMPARISONS = {
    Comparison.GREATER: "above",
    Comparison.GREATER_EQUAL: "at least",
    Comparison.EQUAL: "exactly",
    Comparison.LESSER_EQUAL: "at most",
    Comparison.LESSER: "below",
}
_STAGES = {-1: "rc", -2: "beta", -3: "alpha"}


def _version(match: VersionMatch) -> str:
    return ".".join([_STAGES.get(number, str(number)) for number in match.version])


def _event(event: WaitEvent, value: int | OtherDevice) -> str:
    name = event.name.lower().replace("_", " ")
    if isinstance(value, OtherDevice):
        versions = " and ".join([_word(_P.VERSION, match) for match in value.matches])
        return f"{name} {_octets(value.device)}: {versions}"
    return f"{name} {value}"


_SENTENCES: dict[CommandId, Callable[[str, _View], str]] = {
    CommandId.CONDITION_VENDOR_IDENTIFIER: lambda _c, v: f"go on only on a thing of vendor {v[_P.VENDOR_IDENTIFIER]}",
    CommandId.CONDITION_CLASS_IDENTIFIER: lambda _c, v: f"go on only on a thing of class {v[_P.CLASS_IDENTIFIER]}",
    CommandId.CONDITION_DEVICE_IDENTIFIER: lambda _c, v: f"go on only on the thing {v[_P.DEVICE_IDENTIFIER]}",
    CommandId.CONDITION_IMAGE_MATCH: lambda c, v: (
        f"check that {c} has digest {v[_P.IMAGE_DIGEST]}"
        + (f" and {v[_P.IMAGE_SIZE]} bytes" if v.has(_P.IMAGE_SIZE) else "")
    ),
    CommandId.CONDITION_IMAGE_NOT_MATCH: lambda c, v: f"go on only if {c} has not digest {v[_P.IMAGE_DIGEST]}",
    CommandId.CONDITION_CHECK_CONTENT: lambda c, v: f"check that {c} is {v[_P.CONTENT]}",
    CommandId.CONDITION_USE_BEFORE: lambda _c, v: f"go on only before {v[_P.USE_BEFORE]}",
    CommandId.CONDITION_COMPONENT_SLOT: lambda c, v: f"if slot {v[_P.COMPONENT_SLOT]} of {c} is the one to write,",
    CommandId.CONDITION_MINIMUM_BATTERY: lambda _c, v: f"go on only with {v[_P.MINIMUM_BATTERY]} mWh left",
    CommandId.CONDITION_UPDATE_AUTHORIZED: lambda _c, v: (
        f"ask whoever uses the thing whether it may, at priority {v[_P.UPDATE_PRIORITY]}"
    ),
    CommandId.CONDITION_VERSION: lambda c, v: f"go on only if the version of {c} is {v[_P.VERSION]}",
    CommandId.CONDITION_DEPENDENCY_INTEGRITY: lambda c, v: (
        f"check that the manifest {c} has digest {v[_P.IMAGE_DIGEST]} and a trusted signer"
    ),
    CommandId.CONDITION_IS_DEPENDENCY: lambda c, _v: f"go on only if {c} is a manifest",
    CommandId.CONDITION_ABORT: lambda _c, _v: "give up",
    CommandId.PROCESS_DEPENDENCY: lambda c, _v: f"do what the manifest {c} says for this section",
    CommandId.FETCH: lambda c, v: (
        f"fetch {v[_P.URI]}" + (f" ({v[_P.IMAGE_SIZE]} bytes)" if v.has(_P.IMAGE_SIZE) else "") + f" into {c}{v.sealed}"
    ),
    CommandId.WRITE: lambda c, v: f"write {v[_P.CONTENT]} into {c}{v.sealed}",
    CommandId.COPY: lambda c, v: f"copy {v[_P.SOURCE_COMPONENT]} into {c}{v.sealed}",
    CommandId.SWAP: lambda c, v: f"exchange {c} and {v[_P.SOURCE_COMPONENT]}",
    CommandId.UNLINK: lambda c, _v: f"count {c} as needed by one less",
    CommandId.WAIT: lambda _c, v: f"wait for {v[_P.WAIT_INFO]}",
    CommandId.INVOKE: lambda c, v: (
        f"hand over to {c}" + (f" with {v[_P.INVOKE_ARGS]}" if v.has(_P.INVOKE_ARGS) else "")
    ),
}
"""One sentence for each command that does something; those that only set the stage are heard in the others."""
