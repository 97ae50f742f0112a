"""Command sequences for what most releases do, after the templates of draft-ietf-suit-manifest §7 and TRUST_DOMAINS §8.

Compatibility check, download, installation from another component, loading, two slots, invocation, dependencies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from thingstead.phases.authoring.step import REPORT_ALL, REPORT_FAILURE
from thingstead.protocols.suit.builder import Commands, encode_commands
from thingstead.protocols.suit.digest import Digest
from thingstead.protocols.suit.manifest import ComponentId
from thingstead.protocols.suit.registry import CommandId, Member, ParameterId

__all__ = ["Component", "Dependency", "Gate", "Identity", "Slot", "Template"]

_REPORT_SUCCESS = 5
"""A slot that is not this one is no failure to tell of."""

_C, _P = CommandId, ParameterId


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a release is for; what is None is not checked."""

    vendor: Any = None
    class_id: bytes | None = None
    device: bytes | None = None

    @property
    def parameters(self) -> dict[int, Any]:
        """Set before the checks."""
        said = {
            _P.VENDOR_IDENTIFIER: self.vendor,
            _P.CLASS_IDENTIFIER: self.class_id,
            _P.DEVICE_IDENTIFIER: self.device,
        }
        return {key.value: value for key, value in said.items() if value is not None}

    @property
    def checks(self) -> Commands:
        """One condition for each of them."""
        said = {
            _C.CONDITION_VENDOR_IDENTIFIER: self.vendor,
            _C.CONDITION_CLASS_IDENTIFIER: self.class_id,
            _C.CONDITION_DEVICE_IDENTIFIER: self.device,
        }
        return tuple([(condition, REPORT_ALL) for condition, value in said.items() if value is not None])


@dataclass(frozen=True, slots=True)
class Gate:
    """What must hold before an update begins (UPDATE_MANAGEMENT §5)."""

    parameters: dict[int, Any] = field(default_factory=dict)
    checks: Commands = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """An image that was built for one of several places of a component."""

    number: int
    parameters: dict[int, Any]
    uri: str


@dataclass(frozen=True, slots=True)
class Component:
    """One component.

    Attributes:
        path: its identifier.
        image: digest and size of what it is in the end; empty where nothing is known of it.
        fetched: digest and size of what is fetched for it.
        uri: where from; empty where nothing is fetched.
        slots: instead of `image` and `uri`.
        download: index of the component that takes what is fetched; None for this one itself.
        load_from: index of the component whose content it gets when the thing starts.
        encryption_info: of what is fetched, or of `content`.
        content: what is written without being fetched.
        invoke: whether the thing runs it.
        arguments: with these.
        uninstall: whether it goes when the manifest goes.
    """

    path: ComponentId
    image: dict[int, Any] = field(default_factory=dict)
    fetched: dict[int, Any] = field(default_factory=dict)
    uri: str = ""
    slots: tuple[Slot, ...] = ()
    download: int | None = None
    load_from: int | None = None
    encryption_info: bytes = b""
    content: bytes = b""
    invoke: bool = False
    arguments: bytes = b""
    uninstall: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether it has an image to compare, and gets none from another component at each start."""
        return self.load_from is None and bool(self.image or self.slots)


@dataclass(frozen=True, slots=True)
class Dependency:
    """A manifest that this one depends on.

    Attributes:
        digest: of its manifest.
        size: of its envelope, in bytes.
        uri: where it is fetched.
        sections: those that it has, and that run when this manifest's run.
    """

    digest: Digest
    size: int
    uri: str
    sections: frozenset[Member]


@dataclass(frozen=True, slots=True)
class Template:
    """Makes the sequences of a manifest.

    Attributes:
        identity: whom it is for.
        components: in the order of their indices.
        dependencies: behind them.
        gate: what must hold first.
    """

    identity: Identity
    components: Sequence[Component]
    dependencies: Sequence[Dependency] = ()
    gate: Gate = field(default_factory=Gate)

    def shared(self) -> Commands:
        """Who is asked, and what the images are."""
        commands: list[tuple[int, Any]] = []
        for index, component in enumerate(self.components):
            parameters = {**(self.identity.parameters if index == 0 else {})}
            if component.is_installed:
                parameters |= component.image
            choice = _choice(component.slots, [slot.parameters for slot in component.slots])
            checks = self.identity.checks if index == 0 else ()
            body = (*_override(parameters), *choice, *checks)
            commands += [*self._select(index), *body] if body else []
        return tuple(commands)

    def sections(self) -> dict[Member, Commands]:
        """The other sequences; one that would do nothing is left out."""
        made: dict[Member, list[tuple[int, Any]]] = {
            Member.DEPENDENCY_RESOLUTION: self._resolution(),
            Member.PAYLOAD_FETCH: self._downloads(),
            Member.INSTALL: self._processed(Member.INSTALL) + self._each(self._installed),
            Member.VALIDATE: self._processed(Member.VALIDATE) + self._each(_validated),
            Member.LOAD: self._processed(Member.LOAD) + self._each(_loaded),
            Member.INVOKE: self._processed(Member.INVOKE) + self._each(_invoked),
            Member.UNINSTALL: self._processed(Member.UNINSTALL) + self._each(_uninstalled),
        }
        first = next((body for body in made.values() if body), None)
        if first is not None and self.gate.checks and not self._has_plain_install:
            first[:0] = [*self._select(0), *_override(self.gate.parameters), *self.gate.checks]
        return {member: tuple(body) for member, body in made.items() if body}

    @property
    def _has_plain_install(self) -> bool:
        """Where the one component is fetched as it is, the gate's parameters are set together with its URI."""
        return len(self.components) == 1 and not self.dependencies and bool(self.components[0].uri)

    def _select(self, index: int) -> Commands:
        """Where there is one component, it need not be selected (draft-ietf-suit-manifest §6.5)."""
        alone = len(self.components) + len(self.dependencies) == 1
        return () if alone else ((_C.SET_COMPONENT_INDEX, index),)

    def _each(self, body_of: Callable[[Component], Commands]) -> list[tuple[int, Any]]:
        commands: list[tuple[int, Any]] = []
        for index, component in enumerate(self.components):
            if body := body_of(component):
                commands += [*self._select(index), *body]
        return commands

    def _downloads(self) -> list[tuple[int, Any]]:
        """What is fetched into another component than the one that it is for."""
        commands: list[tuple[int, Any]] = []
        for component in self.components:
            if component.download is not None:
                parameters = {**component.fetched, _P.URI.value: component.uri}
                commands += [*self._select(component.download), *_override(parameters), *_FETCHED]
        return commands

    def _installed(self, component: Component) -> Commands:
        info = {_P.ENCRYPTION_INFO.value: component.encryption_info} if component.encryption_info else {}
        if component.download is not None:
            return (*_override({_P.SOURCE_COMPONENT.value: component.download, **info}), *_COPIED)
        if component.content:
            written = (_C.WRITE, REPORT_FAILURE), (_C.CONDITION_IMAGE_MATCH, REPORT_ALL)
            return (*_override({_P.CONTENT.value: component.content, **info}), *written)
        gate = self.gate if self._has_plain_install else Gate()
        if component.slots:
            choice = _choice(component.slots, [{_P.URI.value: slot.uri} for slot in component.slots])
            return (*_override(gate.parameters), *gate.checks, *choice, *_FETCHED)
        if not component.uri:
            return ()
        return (*_override({_P.URI.value: component.uri, **gate.parameters}), *gate.checks, *_FETCHED)

    def _resolution(self) -> list[tuple[int, Any]]:
        commands: list[tuple[int, Any]] = []
        for index, dependency in enumerate(self.dependencies, len(self.components)):
            parameters = {
                _P.IMAGE_DIGEST.value: dependency.digest.encode(),
                _P.IMAGE_SIZE.value: dependency.size,
                _P.URI.value: dependency.uri,
            }
            commands += [*self._select(index), *_override(parameters), *_FETCHED]
        return commands

    def _processed(self, member: Member) -> list[tuple[int, Any]]:
        """A dependency runs where its dependent says so, once its integrity was checked (TRUST_DOMAINS §5.7)."""
        commands: list[tuple[int, Any]] = []
        for index, dependency in enumerate(self.dependencies, len(self.components)):
            if member in dependency.sections:
                commands += [
                    *self._select(index),
                    *_override({_P.IMAGE_DIGEST.value: dependency.digest.encode()}),
                    (_C.CONDITION_DEPENDENCY_INTEGRITY, REPORT_ALL),
                    (_C.PROCESS_DEPENDENCY, 0),
                ]
        return commands


_FETCHED: Commands = ((_C.FETCH, REPORT_FAILURE), (_C.CONDITION_IMAGE_MATCH, REPORT_ALL))
_COPIED: Commands = ((_C.COPY, REPORT_FAILURE), (_C.CONDITION_IMAGE_MATCH, REPORT_ALL))


def _validated(component: Component) -> Commands:
    return ((_C.CONDITION_IMAGE_MATCH, REPORT_ALL),) if component.is_installed else ()


def _loaded(component: Component) -> Commands:
    if component.load_from is None:
        return ()
    return (*_override({**component.image, _P.SOURCE_COMPONENT.value: component.load_from}), *_COPIED)


def _invoked(component: Component) -> Commands:
    if not component.invoke:
        return ()
    arguments = {_P.INVOKE_ARGS.value: component.arguments} if component.arguments else {}
    return (*_override(arguments), (_C.INVOKE, REPORT_FAILURE))


def _uninstalled(component: Component) -> Commands:
    return ((_C.UNLINK, REPORT_ALL),) if component.uninstall else ()


def _override(parameters: dict[int, Any]) -> Commands:
    return ((_C.OVERRIDE_PARAMETERS, parameters),) if parameters else ()


def _choice(slots: Sequence[Slot], each: Iterable[dict[int, Any]]) -> Commands:
    """Try each slot, and set what belongs to the one that is this thing's (draft-ietf-suit-manifest §7.5)."""
    if not slots:
        return ()
    tried = [
        encode_commands(
            (
                *_override({_P.COMPONENT_SLOT.value: slot.number}),
                (_C.CONDITION_COMPONENT_SLOT, _REPORT_SUCCESS),
                *_override(parameters),
            )
        )
        for slot, parameters in zip(slots, each, strict=True)
    ]
    return ((_C.TRY_EACH, tried),)
