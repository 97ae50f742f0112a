"""The manifest processor: an authentic manifest in, effects out, one at a time (draft-ietf-suit-manifest §6).

What it promises, whatever a manifest says: the sequence number is higher than the installed one before
anything happens; vendor and class matched before the first effect of each manifest; steps, sizes, depth and
URI schemes are bounded; every effect but `SetActive`, `Unlink` and `Invoke` leaves active images alone; and
`SetActive` comes only after all that was written has matched its digest.

Dependencies run in lockstep: a section of theirs runs where their dependent, in its own such section, says so
(TRUST_DOMAINS §5.4), and each must have run before the section ends.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ReplayError,
    StateError,
    ThingsteadError,
    UnsupportedError,
)
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit import command as commands
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.command import Command
from thingstead.protocols.suit.effect import Effect, ReadEnvelope, SetActive
from thingstead.protocols.suit.frame import IDENTIFIERS, Dependency, Frame, TrustDomain, open_dependency, require_place
from thingstead.protocols.suit.manifest import ComponentId, Manifest
from thingstead.protocols.suit.registry import TRUST_DOMAINS, CommandId, ManifestKey, Member, ParameterId
from thingstead.protocols.suit.step import (
    DEFAULT_LIMITS,
    STEPS,
    ConditionFailedError,
    Limits,
    Recipient,
    Step,
    Steps,
)

__all__ = ["Position", "Processor"]

_SPEC = "draft-ietf-suit-manifest §6.4"
_UPDATE = (
    Member.DEPENDENCY_RESOLUTION,
    Member.PAYLOAD_FETCH,
    Member.CANDIDATE_VERIFICATION,
    Member.INSTALL,
    Member.VALIDATE,
)
_INVOCATION = (Member.VALIDATE, Member.LOAD, Member.INVOKE)
_UNINSTALLATION = (Member.UNINSTALL,)
_SETTING = frozenset({CommandId.SET_PARAMETERS, CommandId.OVERRIDE_PARAMETERS})
_Where = tuple[int, Command | None, int, tuple[int, ...]]
"""Section, command, component index and path."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the processor is, for the record of a failure (draft-ietf-suit-report §3).

    Attributes:
        section: key of the command sequence; 3, the common block, for the shared one.
        offset: bytes into the innermost sequence.
        component_index: of the component being worked on.
        manifest: indices of dependencies that lead to the manifest; empty for the root.
    """

    section: int = ManifestKey.COMMON
    offset: int = 0
    component_index: int = 0
    manifest: tuple[int, ...] = ()


class Processor:
    """Runs the procedures of one root manifest for one recipient.

    Args:
        manifest: authentic and decoded.
        recipient: what the thing says about itself.
        at: now, for use-before.
        limits: bounds on the run.
        domains: who may sign dependencies; empty where there are none.

    Raises:
        UnsupportedError: a component that the recipient does not have.
    """

    def __init__(
        self,
        manifest: Manifest,
        recipient: Recipient,
        *,
        at: datetime,
        limits: Limits = DEFAULT_LIMITS,
        domains: Sequence[TrustDomain] = (),
    ) -> None:
        self._where: _Where = (ManifestKey.COMMON, None, 0, ())
        self._root = manifest
        self._recipient = recipient
        self._at = at
        self._limits = limits
        self._domains = domains
        self._steps_left = 0
        self._sections: tuple[Member, ...] = ()
        self._section = Member.VALIDATE
        self._written: dict[ComponentId, None] = {}
        self._matched: set[ComponentId] = set()
        self._opened: dict[ComponentId, Dependency] = {}
        self._unlinked: set[tuple[tuple[int, ...], int]] = set()
        self._require_components(manifest.content.indexed)

    @property
    def position(self) -> Position:
        """Where it is; made for who asks, since most procedures end well."""
        section, command, index, path = self._where
        return Position(section, 0 if command is None else command.offset, index, path)

    def update(self) -> Steps:
        """The update procedure: dependencies, payload fetch, install, validate, then activation (§8.4.6).

        The caller executes each effect and sends its answer; to report that an effect failed it throws
        a `ThingsteadError` in, which ends the procedure. Every refusal comes out as such an error too,
        with a reason to count it under; `position` then says where.

        Raises:
            ReplayError: the sequence number is not higher than the installed one ("rollback").
            ForbiddenError: for another vendor or class, or one that it never names ("vendor", "class").
            ExpiredError: past its use-before ("expired").
            AuthenticationError: an image that does not match its digest, or was never compared ("image-digest"),
                or a dependency that is not the one that its dependent names ("dependency-digest").
            UntrustedError: a dependency of nobody who may sign it ("signers", "component").
            StateError: a component slot, an abort, too many steps, or a dependency that was left out.
            UnsupportedError: a command, parameter, component or URI scheme that we do not execute.
        """
        _require_newer(self._root.content.sequence_number, self._recipient.installed_sequence)
        return self._update()

    def invocation(self) -> Steps:
        """The invocation procedure: validate, load, invoke (§8.4.6); errors as for `update`, rollback excepted."""
        return self._procedure(_INVOCATION)

    def uninstallation(self) -> Steps:
        """Unlink what the manifest does not need any more (TRUST_DOMAINS §6); errors as for `invocation`."""
        return self._procedure(_UNINSTALLATION)

    def _update(self) -> Steps:
        yield from self._procedure(_UPDATE)
        if not self._written:
            raise StateError("expected a manifest that installs something", spec=_SPEC, reason="empty")
        if not self._written.keys() <= self._matched:
            raise AuthenticationError(
                "expected every component written to match its digest afterwards", spec=_SPEC, reason="image-digest"
            )
        known = self._root.content.indexed
        ordered = [component for component in known if component in self._written]
        others = [component for component in self._written if component not in known]
        yield SetActive((*ordered, *others), self._root.content.sequence_number, self._root.digest)

    def _procedure(self, sections: tuple[Member, ...]) -> Steps:
        self._steps_left, self._sections = self._limits.max_steps, sections
        self._written, self._matched, self._opened, self._unlinked = {}, set(), {}, set()
        for section in sections:
            self._section = section
            try:
                yield from self._execute_section(Frame(self._root, self._root.content.indexed))
            except ConditionFailedError as failure:
                raise failure.error from None

    def _execute_section(self, frame: Frame) -> Steps:
        """The shared sequence, then the current section, then the check that no dependency was left out."""
        content = frame.manifest.content
        if self._section in content.missing:
            raise UnsupportedError(
                f"the member {int(self._section)} was severed and is not here", spec=_SPEC, reason="severed"
            )
        if self._section in content.sequences:
            self._where = (ManifestKey.COMMON, None, 0, frame.path)
            frame.select_first()
            yield from self._run(frame, content.shared)
            frame.require_identified()
            frame.select_first()
            self._where = (self._section, None, 0, frame.path)
            yield from self._run(frame, content.sequences[self._section])
        self._require_processed(frame)

    def _require_processed(self, frame: Frame) -> None:
        """No section of a dependency is left out that is there (TRUST_DOMAINS §5.1)."""
        for index in frame.dependencies.keys() - frame.processed:
            dependency = self._opened.get(frame.components[index])
            if dependency is not None and self._section in dependency.manifest.content.sequences:
                raise StateError(
                    f"expected section {int(self._section)} of dependency {index} to be processed",
                    spec=f"{TRUST_DOMAINS} §5.1",
                    reason="dependency",
                )

    def _run(self, frame: Frame, sequence: commands.Sequence) -> Steps:
        for command in sequence:
            if command.id < 0:
                raise UnsupportedError(f"the command {int(command.id)} is not executed", spec=_SPEC, reason="command")
            if command.id == CommandId.SET_COMPONENT_INDEX:
                self._spend()
                frame.select(command)
                continue
            if not frame.index:
                raise DecodeError("expected set-component-index before any other command", spec=_SPEC)
            for index in frame.index:
                self._spend()
                self._where = (self._where[0], command, index, frame.path)
                if command.id in _SETTING:
                    frame.set_parameters(index, command.parameters, keep=command.id == CommandId.SET_PARAMETERS)
                else:
                    yield from self._execute(frame, command, index)

    def _execute(self, frame: Frame, command: Command, index: int) -> Steps:
        match command.id:
            case CommandId.OVERRIDE_MULTIPLE:
                for other, parameters in command.multiple.items():
                    frame.set_parameters(other, parameters, keep=False)
            case CommandId.COPY_PARAMS:
                frame.copy_parameters(index, command)
            case CommandId.TRY_EACH:
                yield from self._try_each(frame, command, index)
            case CommandId.RUN_SEQUENCE:
                for sequence in filter(None, command.sequences):
                    yield from self._nested(frame, sequence, index, soft=False)
            case CommandId.CONDITION_DEPENDENCY_INTEGRITY:
                yield from self._open(frame, index)
            case CommandId.PROCESS_DEPENDENCY:
                yield from self._process(frame, index)
            case _:
                yield from self._step(frame, CommandId(command.id), index)

    def _step(self, frame: Frame, command: CommandId, index: int) -> Steps:
        step = self._step_for(frame, index)
        require_place(command, step, self._where[0], is_matched=step.component in self._matched)
        touched = step.touches(command)
        self._written |= dict.fromkeys(touched)
        self._matched -= touched
        for component in touched:
            self._opened.pop(component, None)
        if command == CommandId.CONDITION_IMAGE_MATCH and step.is_dependency:
            yield from self._match_manifest(step)
            return
        if command == CommandId.UNLINK:
            yield from self._uninstall(frame, index)
        yield from STEPS[command](step)
        if command == CommandId.CONDITION_IMAGE_MATCH:
            self._matched.add(step.component)
        elif command in IDENTIFIERS:
            frame.identified.add(command)

    def _step_for(self, frame: Frame, index: int) -> Step:
        return Step(
            frame.components[index],
            frame.of(index),
            frame.components,
            frame.payloads,
            self._recipient,
            self._at,
            self._limits,
            index in frame.dependencies,
        )

    # --- dependencies (TRUST_DOMAINS §5)

    def _open(self, frame: Frame, index: int) -> Steps:
        """Dependency integrity; a failure is an abort wherever it stands (§5.7.4)."""
        prefix = frame.prefix(index)
        if len(frame.path) + 1 >= self._limits.max_depth:
            raise StateError(f"expected manifests at most {self._limits.max_depth} deep", spec=_SPEC, reason="depth")
        component, step = frame.components[index], self._step_for(frame, index)
        wanted = step.needed(ParameterId.IMAGE_DIGEST)
        encoded = yield ReadEnvelope(component)
        # A dependency behind the components has its prefix for a name, and none before those of its components.
        before = prefix if index < len(frame.manifest.content.components) else ()
        dependency = open_dependency(encoded, wanted, before, self._domains, limits=self._limits)
        self._require_components(dependency.components)
        for section in dependency.manifest.content.sequences:
            if section in self._sections and section not in frame.manifest.content.sequences:
                raise StateError(
                    f"expected section {int(section)} in the dependent too",
                    spec=f"{TRUST_DOMAINS} §5.1",
                    reason="dependency",
                )
        self._opened[component] = dependency
        self._matched.add(component)

    def _match_manifest(self, step: Step) -> Steps:
        """Image match of a dependency is over its manifest alone, which every envelope of it has (§5.2)."""
        encoded = yield ReadEnvelope(step.component)
        try:
            found = envelope.decode(encoded)
            step.compared(ParameterId.IMAGE_DIGEST).verify(
                codec.encode(found.manifest), what="dependency", reason="dependency-digest"
            )
        except AuthenticationError as error:
            raise ConditionFailedError(error) from None

    def _process(self, frame: Frame, index: int) -> Steps:
        frame.prefix(index)
        if self._where[0] == ManifestKey.COMMON:
            raise StateError("expected a section to process", spec=f"{TRUST_DOMAINS} §5.7.2", reason="dependency")
        yield from self._execute_inner(frame, index)

    def _execute_inner(self, frame: Frame, index: int) -> Steps:
        dependency = self._opened.get(frame.components[index])
        if dependency is None:
            raise StateError(
                "expected the integrity of the dependency to be checked before",
                spec=f"{TRUST_DOMAINS} §5.7.2",
                reason="dependency",
            )
        where = self._where
        yield from self._execute_section(frame.inner(index, dependency))
        self._where = where
        frame.processed.add(index)

    def _uninstall(self, frame: Frame, index: int) -> Steps:
        """A manifest that is unlinked unlinks its own first; nothing is unlinked twice by one manifest (§5.7.5)."""
        once = (frame.path, index)
        if once in self._unlinked:
            raise StateError("expected each component to be unlinked once", spec=TRUST_DOMAINS, reason="unlink")
        self._unlinked.add(once)
        if index not in frame.dependencies:
            return
        section, self._section = self._section, Member.UNINSTALL
        try:
            yield from self._execute_inner(frame, index)
        finally:
            self._section = section

    # --- control flow

    def _nested(
        self, frame: Frame, sequence: commands.Sequence, index: int, *, soft: bool
    ) -> Generator[Effect, Any, ThingsteadError | None]:
        """Run a sequence for one component; a soft failure undoes its parameters and comes back (§8.4.8.15)."""
        outer = (frame.index, frame.soft_failure)
        saved = {component: dict(values) for component, values in frame.parameters.items()}
        processed = set(frame.processed)
        frame.index, frame.soft_failure = (index,), soft
        try:
            yield from self._run(frame, sequence)
        except ConditionFailedError as failure:
            if not frame.soft_failure:
                raise
            frame.parameters.clear()
            frame.parameters.update(saved)
            frame.processed = processed
            return failure.error
        finally:
            frame.index, frame.soft_failure = outer
        return None

    def _try_each(self, frame: Frame, command: Command, index: int) -> Steps:
        error: ThingsteadError = StateError("none of the sequences of try-each held", spec=_SPEC, reason="try-each")
        for sequence in command.sequences:
            if sequence is None:
                return
            failed = yield from self._nested(frame, sequence, index, soft=True)
            if failed is None:
                return
            error = failed
        raise ConditionFailedError(error)

    def _spend(self) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise StateError(f"expected at most {self._limits.max_steps} steps", spec=_SPEC, reason="steps")

    def _require_components(self, components: tuple[ComponentId, ...]) -> None:
        for component in components:
            if component not in self._recipient.components:
                raise UnsupportedError(f"the component {component!r:.60} is not here", spec=_SPEC, reason="component")


def _require_newer(sequence_number: int, installed: int) -> None:
    """Rollback protection (§6.1): an older release may be authentic and still have the hole that was closed since."""
    if sequence_number <= installed:
        raise ReplayError(
            f"expected a sequence number above {installed}, got {sequence_number}",
            spec="draft-ietf-suit-manifest §6.1",
            reason="rollback",
        )
