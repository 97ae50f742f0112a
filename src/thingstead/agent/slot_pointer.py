"""The one record that says which slots are active and what they hold: bytes, and the steps that it can take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from thingstead.agent.ports import Installed, Standing
from thingstead.errors import DecodeError, StateError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile.release import FIRMWARE
from thingstead.protocols.suit.manifest import ComponentId

__all__ = ["Pointer", "decode"]

_FORMAT = 2
_FIRST_FORMAT = ("slot-a", "slot-b")
_SLOTS = (0, 1)

Places = Mapping[ComponentId, int]
"""Which of its two slots a component has active: 0 or 1."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Replaced whole, so that a step is made or not made.

    Attributes:
        standing: which releases are there.
        places: of what was installed last.
        trial_places: of what is on trial; empty while nothing is.
    """

    standing: Standing
    places: Places
    trial_places: Places

    def active(self, component: ComponentId) -> int:
        """The slot that runs.

        Raises:
            StateError: no such component.
        """
        running = self.trial_places or self.places
        if component not in running:
            raise StateError(f"this thing has no component {component!r:.60}", reason="component")
        return running[component]

    def candidate(self, component: ComponentId) -> int:
        """The slot that may be written.

        Raises:
            StateError: no such component, or the other slot holds what to go back to.
        """
        if self.standing.trial is not None:
            raise StateError("nothing is written while a release is on trial", reason="trial")
        return 1 - self.active(component)

    def activated(self, components: Iterable[ComponentId], release: Installed) -> Pointer:
        """`release` is on trial in the candidates of `components`."""
        moved = {component: self.candidate(component) for component in components}
        standing = replace(self.standing, trial=release, boots=0)
        return Pointer(standing, self.places, {**self.places, **moved})

    def booted(self) -> Pointer:
        """Started once more with what is on trial."""
        self._require_trial()
        return replace(self, standing=replace(self.standing, boots=self.standing.boots + 1))

    def confirmed(self) -> Pointer:
        """What was on trial is installed; only now does its sequence number count."""
        return Pointer(Standing(self._require_trial()), self.trial_places, {})

    def reverted(self) -> Pointer:
        """What was there before is active."""
        failed = self._require_trial().manifest_digest
        return Pointer(Standing(self.standing.installed, reverted=failed, is_told=False), self.places, {})

    def told(self) -> Pointer:
        """The domain knows of the reverted one."""
        return replace(self, standing=replace(self.standing, is_told=True))

    def forgiven(self) -> Pointer:
        """The reverted one may be tried again."""
        return replace(self, standing=replace(self.standing, reverted=b"", is_told=True))

    def encode(self) -> bytes:
        """For the disk."""
        one = self.standing
        trial = None if one.trial is None else [*_release(one.trial), one.boots, _places(self.trial_places)]
        return codec.encode([_FORMAT, *_release(one.installed), _places(self.places), trial, one.reverted, one.is_told])

    def _require_trial(self) -> Installed:
        if self.standing.trial is None:
            raise StateError("expected a release on trial", reason="trial")
        return self.standing.trial


def decode(data: bytes) -> Pointer:
    """Read back what `encode` wrote, or what things had before there were trials.

    Raises:
        DecodeError: damaged, or of another format.
    """
    match codec.decode(data):
        case [str(name), int(sequence_number), bytes(digest)] if name in _FIRST_FORMAT:
            standing = Standing(Installed(sequence_number, digest))
            return Pointer(standing, {FIRMWARE: _FIRST_FORMAT.index(name)}, {})
        case [int(version), int(number), bytes(digest), list(places), trial, bytes(reverted), bool(is_told)] if (
            version == _FORMAT
        ):
            installed = Installed(number, digest)
            release, boots, trial_places = _trial(trial)
            return Pointer(Standing(installed, release, boots, reverted, is_told), _read_places(places), trial_places)
        case _:
            raise DecodeError("expected which slots are active, of format 1 or 2")


def _release(one: Installed) -> list[Any]:
    return [one.sequence_number, one.manifest_digest]


def _places(places: Places) -> list[Any]:
    return [[list(component), slot] for component, slot in sorted(places.items())]


def _trial(value: Any) -> tuple[Installed | None, int, Places]:
    match value:
        case None:
            return None, 0, {}
        case [int(number), bytes(digest), int(boots), list(places)]:
            return Installed(number, digest), boots, _read_places(places)
        case _:
            raise DecodeError("expected a release on trial")


def _read_places(rows: list[Any]) -> Places:
    places: dict[ComponentId, int] = {}
    for row in rows:
        match row:
            case [[*segments], int(slot)] if slot in _SLOTS and all(isinstance(one, bytes) for one in segments):
                places[tuple(segments)] = slot
            case _:
                raise DecodeError("expected components, each with its active slot")
    if not places:
        raise DecodeError("expected at least one component")
    return places
