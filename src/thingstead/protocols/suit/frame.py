"""One manifest while a section of it is executed, as the root or as a dependency (TRUST_DOMAINS §5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ForbiddenError,
    StateError,
    ThingsteadError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.authentication import Anchors, AuthenticationPolicy, authenticate
from thingstead.protocols.suit.command import Command, Parameters
from thingstead.protocols.suit.digest import Digest
from thingstead.protocols.suit.manifest import ComponentId, Manifest, open_manifest
from thingstead.protocols.suit.registry import TRUST_DOMAINS, CommandId, Member, ParameterId
from thingstead.protocols.suit.step import WRITING, Limits, Step

__all__ = ["IDENTIFIERS", "Dependency", "Frame", "TrustDomain", "open_dependency", "require_place"]

IDENTIFIERS = {CommandId.CONDITION_VENDOR_IDENTIFIER: "vendor", CommandId.CONDITION_CLASS_IDENTIFIER: "class"}
"""Conditions that the shared sequence of every manifest has to check, and what they are called."""

Values = dict[ComponentId, dict[int, Any]]
"""Parameters by component."""

_SPEC = f"{TRUST_DOMAINS} §5.7.4"
_STEPS = "draft-ietf-suit-manifest §6.4"
_UNUSED = frozenset({ParameterId.COMPONENT_METADATA})
"""A parameter in it is refused: what an author asks for must not be silently skipped, and no thing here has files."""


@dataclass(frozen=True, slots=True)
class TrustDomain:
    """Who may sign a dependency, and what it may change then (draft-ietf-suit-manifest §9).

    Attributes:
        anchors: keys by kid.
        policy: which signatures are enough.
        components: those that its manifests may name, dependencies of their own among them.
    """

    anchors: Anchors
    policy: AuthenticationPolicy
    components: frozenset[ComponentId]


@dataclass(frozen=True, slots=True)
class Dependency:
    """A dependency whose integrity was checked; made by `open_dependency`.

    Attributes:
        manifest: authentic in its own domain, and the one whose digest its dependent has.
        components: what its indices mean, the dependent's prefix included.
    """

    manifest: Manifest
    components: tuple[ComponentId, ...]


_RESTRICTED = WRITING | {CommandId.INVOKE, CommandId.UNLINK}
"""Commands that change something."""
_PLACES: dict[int, frozenset[CommandId]] = {
    Member.DEPENDENCY_RESOLUTION: WRITING,
    Member.PAYLOAD_FETCH: WRITING,
    Member.INSTALL: WRITING | {CommandId.UNLINK},
    Member.LOAD: frozenset({CommandId.COPY, CommandId.WRITE}),
    Member.INVOKE: frozenset({CommandId.INVOKE}),
    Member.UNINSTALL: frozenset({CommandId.UNLINK}),
}
"""Where those may stand; in the shared sequence and in checks, nowhere."""


@dataclass(slots=True)
class Frame:
    """Where the execution of a manifest stands.

    Attributes:
        manifest: which one.
        components: what its indices mean.
        parameters: of every component that any manifest named in this run of a section (TRUST_DOMAINS §5.5).
        path: indices of dependencies that lead here from the root.
        index: the current components.
        soft_failure: of the sequence that is executed inside another one; None outside.
        identified: identifier conditions that held.
        processed: dependencies whose section was executed.
    """

    manifest: Manifest
    components: tuple[ComponentId, ...]
    parameters: Values = field(default_factory=dict)
    path: tuple[int, ...] = ()
    index: tuple[int, ...] = ()
    soft_failure: bool | None = None
    identified: set[CommandId] = field(default_factory=set)
    processed: set[int] = field(default_factory=set)

    @property
    def dependencies(self) -> Mapping[int, ComponentId]:
        """Prefixes of its dependencies by component index."""
        return self.manifest.content.dependencies

    @property
    def payloads(self) -> Mapping[str, bytes]:
        """Integrated payloads and dependencies of its envelope; proved by an image match only."""
        return self.manifest.authenticated.envelope.payloads

    def select_first(self) -> None:
        """Begin a sequence: where there is one component, it need not be selected (draft-ietf-suit-manifest §6.5)."""
        self.index = (0,) if len(self.components) == 1 else ()

    def select(self, command: Command) -> None:
        """Obey set-component-index.

        Raises:
            DecodeError: no such index.
        """
        chosen = command.index
        if chosen is True:
            self.index = tuple(range(len(self.components)))
            return
        self.index = chosen if isinstance(chosen, tuple) else (int(chosen),)
        for index in self.index:
            self._require_index(index)

    def of(self, index: int) -> dict[int, Any]:
        """Parameters of one component.

        Raises:
            DecodeError: no such index.
        """
        self._require_index(index)
        return self.parameters.setdefault(self.components[index], {})

    def set_parameters(self, index: int, parameters: Parameters, *, keep: bool) -> None:
        """Set parameters of one component, or only those that it does not have, to `keep` the others (§5.7.1).

        Raises:
            UnsupportedError: a parameter that we do not use.
            DecodeError: no such index, or soft-failure outside an inner sequence.
        """
        known = self.of(index)
        for key, value in parameters.items():
            if key < 0 or key in _UNUSED:
                raise UnsupportedError(f"the parameter {key} is not used", spec=_STEPS, reason="parameter")
            if key == ParameterId.SOFT_FAILURE:
                if self.soft_failure is None:
                    raise DecodeError("expected soft-failure inside try-each or run-sequence only", spec=_STEPS)
                self.soft_failure = bool(value)
            elif key not in known or not keep:
                known[key] = value

    def copy_parameters(self, index: int, command: Command) -> None:
        """Obey copy-params (UPDATE_MANAGEMENT §5.8).

        Raises:
            DecodeError: no such index.
            StateError: a parameter that was not set.
        """
        for other, keys in command.copies.items():
            source = self.of(other)
            for key in keys:
                if key not in source:
                    raise StateError(f"expected the parameter {key} to be set", spec=_STEPS, reason="parameter-missing")
                self.of(index)[key] = source[key]

    def require_identified(self) -> None:
        """Pass once vendor and class were found to be the recipient's.

        Raises:
            ForbiddenError: the shared sequence does not check one of them.
        """
        for condition, reason in IDENTIFIERS.items():
            if condition not in self.identified:
                raise ForbiddenError(
                    f"expected the shared sequence to check the {reason} identifier",
                    spec="draft-ietf-suit-manifest §6.2",
                    reason=reason,
                )

    def prefix(self, index: int) -> ComponentId:
        """The prefix of a dependency, or empty.

        Raises:
            StateError: the component is none.
        """
        if index not in self.dependencies:
            raise StateError("the component is no dependency", spec=f"{TRUST_DOMAINS} §5.7.2", reason="dependency")
        return self.dependencies[index]

    def inner(self, index: int, dependency: Dependency) -> Frame:
        """The frame of a dependency, which shares parameters with this one."""
        return Frame(dependency.manifest, dependency.components, self.parameters, (*self.path, index))

    def _require_index(self, index: int) -> None:
        if index >= len(self.components):
            raise DecodeError(
                f"expected component indices below {len(self.components)}", spec="draft-ietf-suit-manifest §6.5"
            )


def open_dependency(
    encoded: bytes, wanted: Digest, prefix: ComponentId, domains: Iterable[TrustDomain], *, limits: Limits
) -> Dependency:
    """Check the integrity of a dependency (TRUST_DOMAINS §5.7.4).

    Args:
        encoded: its envelope, as it came.
        wanted: the image digest that its dependent has.
        prefix: before each of its component identifiers; empty for none.
        domains: one of them must have signed it.
        limits: bounds on the run.

    Raises:
        DecodeError: outside the grammar, or over a limit.
        AuthenticationError: not the manifest that its dependent names, or a signature that does not verify.
        UntrustedError: of no domain, or it names components outside the one that signed it.
        UnsupportedError: as for `open_manifest`.
    """
    if len(encoded) > limits.max_envelope_bytes:
        raise DecodeError(f"expected a dependency of at most {limits.max_envelope_bytes} bytes", spec=_SPEC)
    opened = envelope.decode(encoded)
    wanted.verify(codec.encode(opened.manifest), what="dependency", reason="dependency-digest")
    refusal: ThingsteadError = UntrustedError("nobody here is trusted with dependencies", spec=_SPEC, reason="signers")
    for domain in domains:
        try:
            manifest = open_manifest(authenticate(opened, domain.anchors, domain.policy))
        except UntrustedError as error:
            refusal = error
            continue
        components = tuple([(*prefix, *component) for component in manifest.content.indexed])
        for component in components:
            if component not in domain.components:
                raise UntrustedError(
                    f"the component {component!r:.60} is outside the domain of its signers",
                    spec="draft-ietf-suit-manifest §9",
                    reason="component",
                )
        return Dependency(manifest, components)
    raise refusal


def require_place(command: CommandId, step: Step, section: int, *, is_matched: bool) -> None:
    """Pass what may stand in this section.

    Args:
        command: what to do.
        step: to what.
        section: key of the command sequence.
        is_matched: whether the component has matched its digest since it was written.

    Raises:
        UnsupportedError: a command that changes something, in another place than its own.
        AuthenticationError: an invocation of what has not matched.
    """
    if command in _RESTRICTED and command not in _PLACES.get(section, frozenset()):
        raise UnsupportedError(
            f"the command {int(command)} does not belong in section {section}",
            spec="draft-ietf-suit-manifest §8.4.6",
            reason="command",
        )
    if section == Member.DEPENDENCY_RESOLUTION and command in WRITING and not step.is_dependency:
        raise UnsupportedError("expected dependencies before any payload", spec=TRUST_DOMAINS, reason="command")
    if command == CommandId.INVOKE and not is_matched:
        raise AuthenticationError(
            "expected the image to match its digest before it is invoked",
            spec="draft-ietf-suit-manifest §6.4",
            reason="image-digest",
        )
