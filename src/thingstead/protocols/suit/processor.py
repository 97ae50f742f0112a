"""The manifest processor: an authentic manifest in, effects out, one at a time (draft-ietf-suit-manifest §6).

What it promises, whatever a manifest says: the sequence number is higher than the installed one before
anything happens; vendor and class matched before the first effect; steps, sizes and URI schemes are
bounded; every effect but `SetActive` and `Invoke` leaves active images alone; and `SetActive` comes
only after all that was written has matched its digest.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ForbiddenError,
    ReplayError,
    StateError,
    ThingsteadError,
    UnsupportedError,
)
from thingstead.protocols.suit.command import Command, Sequence
from thingstead.protocols.suit.effect import Effect, SetActive
from thingstead.protocols.suit.manifest import ComponentId, Manifest
from thingstead.protocols.suit.registry import COMMANDS, CommandId, ManifestKey, Member, ParameterId
from thingstead.protocols.suit.step import DEFAULT_LIMITS, STEPS, ConditionFailedError, Limits, Recipient, Step, Steps

__all__ = ["Position", "Processor"]

_SPEC = "draft-ietf-suit-manifest §6.4"
_UPDATE = (Member.PAYLOAD_FETCH, Member.INSTALL, Member.VALIDATE)
_INVOCATION = (Member.VALIDATE, Member.LOAD, Member.INVOKE)
_WRITING = frozenset({CommandId.FETCH, CommandId.WRITE, CommandId.COPY, CommandId.SWAP})
_RESTRICTED = _WRITING | {CommandId.INVOKE}
_PLACES: dict[int, frozenset[CommandId]] = {
    Member.PAYLOAD_FETCH: _WRITING,
    Member.INSTALL: _WRITING,
    Member.LOAD: frozenset({CommandId.COPY, CommandId.WRITE}),
    Member.INVOKE: frozenset({CommandId.INVOKE}),
}
"""Where the commands that change something may stand; in the shared sequence and in validate, nowhere."""
_IDENTIFIERS = {CommandId.CONDITION_VENDOR_IDENTIFIER: "vendor", CommandId.CONDITION_CLASS_IDENTIFIER: "class"}
_USED = frozenset(
    {
        ParameterId.VENDOR_IDENTIFIER,
        ParameterId.CLASS_IDENTIFIER,
        ParameterId.DEVICE_IDENTIFIER,
        ParameterId.IMAGE_DIGEST,
        ParameterId.IMAGE_SIZE,
        ParameterId.USE_BEFORE,
        ParameterId.COMPONENT_SLOT,
        ParameterId.STRICT_ORDER,
        ParameterId.SOFT_FAILURE,
        ParameterId.CONTENT,
        ParameterId.ENCRYPTION_INFO,
        ParameterId.URI,
        ParameterId.SOURCE_COMPONENT,
        ParameterId.INVOKE_ARGS,
        ParameterId.FETCH_ARGS,
    }
)
"""A parameter outside it is refused: what an author asks for must not be silently skipped."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the processor is, for the record of a failure (draft-ietf-suit-report §3).

    Attributes:
        section: key of the command sequence; 3, the common block, for the shared one.
        offset: bytes into the innermost sequence.
        component_index: of the component being worked on.
    """

    section: int = ManifestKey.COMMON
    offset: int = 0
    component_index: int = 0


@dataclass(slots=True)
class _State:
    """What one procedure remembers; parameters start empty in every section, so that none leaks (§6.1)."""

    parameters: dict[int, dict[int, Any]] = field(default_factory=dict)
    index: tuple[int, ...] = ()
    soft_failure: bool | None = None
    identified: set[CommandId] = field(default_factory=set)


class Processor:
    """Runs the procedures of one manifest for one recipient.

    Args:
        manifest: authentic and decoded.
        recipient: what the thing says about itself.
        at: now, for use-before.
        limits: bounds on the run.

    Raises:
        UnsupportedError: a component that the recipient does not have.
    """

    def __init__(
        self, manifest: Manifest, recipient: Recipient, *, at: datetime, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.position = Position()
        self._manifest = manifest
        self._content = manifest.content
        self._payloads = manifest.authenticated.envelope.payloads
        self._recipient = recipient
        self._at = at
        self._limits = limits
        self._steps_left = 0
        self._state = _State()
        self._written: set[ComponentId] = set()
        self._matched: set[ComponentId] = set()
        for component in self._content.components:
            if component not in recipient.components:
                raise UnsupportedError(f"the component {component!r:.60} is not here", spec=_SPEC, reason="component")

    def update(self) -> Steps:
        """The update procedure: payload fetch, install, validate, then activation (§8.4.6).

        The caller executes each effect and sends its answer; to report that an effect failed it throws
        a `ThingsteadError` in, which ends the procedure. Every refusal comes out as such an error too,
        with a reason to count it under; `position` then says where.

        Raises:
            ReplayError: the sequence number is not higher than the installed one ("rollback").
            ForbiddenError: for another vendor or class, or one that it never names ("vendor", "class").
            ExpiredError: past its use-before ("expired").
            AuthenticationError: an image that does not match its digest, or was never compared ("image-digest").
            StateError: a component slot, an abort, or too many steps.
            UnsupportedError: a command, parameter, component or URI scheme that we do not execute.
        """
        _require_newer(self._content.sequence_number, self._recipient.installed_sequence)
        return self._update()

    def invocation(self) -> Steps:
        """The invocation procedure: validate, load, invoke (§8.4.6); errors as for `update`, rollback excepted."""
        return self._procedure(_INVOCATION)

    def _update(self) -> Steps:
        yield from self._procedure(_UPDATE)
        if not self._written:
            raise StateError("expected a manifest that installs something", spec=_SPEC, reason="empty")
        if not self._written <= self._matched:
            raise AuthenticationError(
                "expected every component written to match its digest afterwards", spec=_SPEC, reason="image-digest"
            )
        ordered = [component for component in self._content.components if component in self._written]
        yield SetActive(tuple(ordered), self._content.sequence_number, self._manifest.digest)

    def _procedure(self, sections: tuple[Member, ...]) -> Steps:
        self._steps_left = self._limits.max_steps
        self._written, self._matched = set(), set()
        for section in sections:
            if section in self._content.missing:
                raise UnsupportedError(
                    f"the member {int(section)} was severed and is not here", spec=_SPEC, reason="severed"
                )
            if section in self._content.sequences:
                yield from self._section(section)

    def _section(self, section: Member) -> Steps:
        count = len(self._content.components)
        self._state = _State({index: {} for index in range(count)}, (0,) if count == 1 else ())
        try:
            self.position = Position(ManifestKey.COMMON)
            yield from self._run(self._content.shared)
            self._require_identified()
            self._state.index = (0,) if count == 1 else ()
            self.position = Position(section)
            yield from self._run(self._content.sequences[section])
        except ConditionFailedError as failure:
            raise failure.error from None

    def _require_identified(self) -> None:
        for condition, reason in _IDENTIFIERS.items():
            if condition not in self._state.identified:
                raise ForbiddenError(
                    f"expected the shared sequence to check the {reason} identifier",
                    spec="draft-ietf-suit-manifest §6.2",
                    reason=reason,
                )

    def _run(self, sequence: Sequence) -> Steps:
        for command in sequence:
            if command.id < 0 or not COMMANDS[command.id].supported:
                raise UnsupportedError(f"the command {int(command.id)} is not executed", spec=_SPEC, reason="command")
            if command.id == CommandId.SET_COMPONENT_INDEX:
                self._spend()
                self._set_index(command)
                continue
            if not self._state.index:
                raise DecodeError("expected set-component-index before any other command", spec=_SPEC)
            for index in self._state.index:
                self._spend()
                self.position = Position(self.position.section, command.offset, index)
                yield from self._execute(command, index)

    def _execute(self, command: Command, index: int) -> Steps:
        if command.id in {CommandId.SET_PARAMETERS, CommandId.OVERRIDE_PARAMETERS}:
            self._set_parameters(command, index)
        elif command.id == CommandId.TRY_EACH:
            yield from self._try_each(command, index)
        elif command.id == CommandId.RUN_SEQUENCE:
            yield from self._run_sequence(command, index)
        else:
            yield from self._step(CommandId(command.id), index)

    def _step(self, command: CommandId, index: int) -> Steps:
        components = self._content.components
        parameters = self._state.parameters[index]
        step = Step(components[index], parameters, components, self._payloads, self._recipient, self._at, self._limits)
        self._require_place(command, step.component)
        touched = step.touches(command)
        self._written |= touched
        self._matched -= touched
        yield from STEPS[command](step)
        if command == CommandId.CONDITION_IMAGE_MATCH:
            self._matched.add(step.component)
        elif command in _IDENTIFIERS:
            self._state.identified.add(command)

    def _require_place(self, command: CommandId, component: ComponentId) -> None:
        if command in _RESTRICTED and command not in _PLACES.get(self.position.section, frozenset()):
            raise UnsupportedError(
                f"the command {int(command)} does not belong in section {self.position.section}",
                spec="draft-ietf-suit-manifest §8.4.6",
                reason="command",
            )
        if command == CommandId.INVOKE and component not in self._matched:
            raise AuthenticationError(
                "expected the image to match its digest before it is invoked", spec=_SPEC, reason="image-digest"
            )

    def _spend(self) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise StateError(f"expected at most {self._limits.max_steps} steps", spec=_SPEC, reason="steps")

    def _set_index(self, command: Command) -> None:
        every = tuple(range(len(self._content.components)))
        chosen = command.index
        indices = every if chosen is True else chosen if isinstance(chosen, tuple) else (int(chosen),)
        if not indices or not set(indices) <= set(every):
            raise DecodeError(f"expected component indices below {len(every)}", spec="draft-ietf-suit-manifest §6.5")
        self._state.index = indices

    def _set_parameters(self, command: Command, index: int) -> None:
        known = self._state.parameters[index]
        for key, value in command.parameters.items():
            if key not in _USED:
                raise UnsupportedError(f"the parameter {key} is not used", spec=_SPEC, reason="parameter")
            if key == ParameterId.SOFT_FAILURE:
                if self._state.soft_failure is None:
                    raise DecodeError("expected soft-failure inside try-each or run-sequence only", spec=_SPEC)
                self._state.soft_failure = bool(value)
            elif key not in known or command.id == CommandId.OVERRIDE_PARAMETERS:
                known[key] = value

    def _nested(self, sequence: Sequence, index: int, *, soft: bool) -> Generator[Effect, Any, ThingsteadError | None]:
        """Run a sequence for one component; a soft failure undoes its parameters and comes back (§8.4.8.15)."""
        outer = (self._state.index, self._state.soft_failure)
        saved = {number: dict(values) for number, values in self._state.parameters.items()}
        self._state.index, self._state.soft_failure = (index,), soft
        try:
            yield from self._run(sequence)
        except ConditionFailedError as failure:
            if not self._state.soft_failure:
                raise
            self._state.parameters = saved
            return failure.error
        finally:
            self._state.index, self._state.soft_failure = outer
        return None

    def _try_each(self, command: Command, index: int) -> Steps:
        error: ThingsteadError = StateError("none of the sequences of try-each held", spec=_SPEC, reason="try-each")
        for sequence in command.sequences:
            if sequence is None:
                return
            failed = yield from self._nested(sequence, index, soft=True)
            if failed is None:
                return
            error = failed
        raise ConditionFailedError(error)

    def _run_sequence(self, command: Command, index: int) -> Steps:
        for sequence in filter(None, command.sequences):
            yield from self._nested(sequence, index, soft=False)


def _require_newer(sequence_number: int, installed: int) -> None:
    """Rollback protection (§6.1): an older release may be authentic and still have the hole that was closed since."""
    if sequence_number <= installed:
        raise ReplayError(
            f"expected a sequence number above {installed}, got {sequence_number}",
            spec="draft-ietf-suit-manifest §6.1",
            reason="rollback",
        )
