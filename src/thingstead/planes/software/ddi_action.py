"""Releases as hawkBit's actions: what a device that speaks its API is to do, and what its word on that comes to.

The tracker stays the door: an action is a release that a poll offered, and a closed one is a report of it. What such a
device reports is its own claim. It measured nothing for us, so an installed release counts with the image that it was
given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Protocol

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.domain.ports import Records
from thingstead.errors import DecodeError, ForbiddenError, StateError
from thingstead.identifier import ThingId, thing_id
from thingstead.planes.software.door import Door
from thingstead.planes.software.offer import Offer
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.protocols.cbor import codec
from thingstead.protocols.ddi.answer import Artifact, artifact
from thingstead.protocols.ddi.request import Execution, Feedback, Finished
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit.digest import Digest
from thingstead.protocols.suit.registry import Reason
from thingstead.protocols.suit.report import Report, encode_report

__all__ = ["Action", "ActionState", "DdiActions", "Due", "Tracker"]

_LARGEST = (1 << 31) - 1
_MAX_ARTIFACTS = 64
_FORMAT = 1
_SPEC = "hawkBit DDI API v1"


class Tracker(Door, Protocol):
    """The software plane's door, and what it knows of a device."""

    def runs(self, thing: ThingId) -> SoftwareRecord:
        """What a thing reported."""
        ...


class ActionState(IntEnum):
    """Where an action is."""

    OPEN = 0
    KEPT = 1
    CLOSED = 2


@dataclass(frozen=True, slots=True)
class Action:
    """What a device was told to do last; on disk before it is told.

    Attributes:
        number: the action's, as the API wants it: positive, in 31 bits.
        manifest_digest: of the release.
        image_digest: SHA-256 of its image.
        state: `KEPT` where the device would not have it cancelled.
        round: how often this release was begun anew, after a cancellation.
    """

    number: int
    manifest_digest: bytes
    image_digest: bytes
    state: ActionState = ActionState.OPEN
    round: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """What waits for a device.

    Attributes:
        deployment: action that it is to begin, or go on with; None for none.
        offer: its release.
        cancel: action that it is to stop; None for none.
    """

    deployment: Action | None = None
    offer: Offer | None = None
    cancel: int | None = None


class DdiActions:
    """Gives each device its action, and takes its feedback.

    Args:
        records: one document per device.
        tracker: the software plane.
        is_aborted: whether nobody is to install the release of a manifest any more.
    """

    def __init__(self, records: Records, tracker: Tracker, *, is_aborted: Callable[[bytes], bool]) -> None:
        self._records = records
        self._tracker = tracker
        self._is_aborted = is_aborted
        self._held = {thing_id(name): _decode(document) for name, document in records.load().items()}
        self._writing = asyncio.Lock()
        self._artifacts: dict[bytes, Artifact] = {}
        self.progress: dict[ThingId, str] = {}

    async def due(self, thing: ThingId) -> Due:
        """What waits for a device; where a campaign has given it a place, that is on disk when this returns.

        An action that it has begun waits on while its campaign pauses. One that is aborted or overtaken is cancelled.

        Raises:
            ForbiddenError: it gets no updates now.
            StorageError: the place could not be kept; the device is told nothing.
        """
        offer, held = self._tracker.poll(thing), self._held.get(thing)
        if offer is not None and offer.further:
            # One artifact is what such a device takes: half of a release is none.
            offer = None
        if offer is not None and _is_settled(self._tracker.runs(thing), offer.manifest_digest):
            offer = None
        if held is not None and held.state is not ActionState.CLOSED:
            if offer is None or offer.manifest_digest != held.manifest_digest:
                is_over = offer is not None or self._is_aborted(held.manifest_digest)
                return Due(cancel=held.number if is_over and held.state is ActionState.OPEN else None)
            return Due(held, offer)
        if offer is None:
            return Due()
        await self._tracker.keep(thing)
        return Due(self._next(thing, offer, held), offer)

    async def begin(self, thing: ThingId, number: int) -> tuple[Action, Offer]:
        """The deployment that a device asks for by its number; it is on disk when this returns.

        Raises:
            ForbiddenError: it gets no updates now.
            StateError: no such deployment waits for it ("action").
            StorageError: it could not be kept; the device is told nothing.
        """
        due = await self.due(thing)
        if due.deployment is None or due.offer is None or due.deployment.number != number:
            raise _unknown(number)
        if self._held.get(thing) != due.deployment:
            await self._keep(thing, due.deployment)
        return due.deployment, due.offer

    def payload(self, thing: ThingId, number: int) -> Offer:
        """The release whose artifact a device fetches.

        Raises:
            ForbiddenError: it gets no updates now.
            StateError: not its action, or one whose release is offered no more ("action").
        """
        held, offer = self._held.get(thing), self._tracker.image(thing)
        if held is None or held.number != number or offer is None or offer.manifest_digest != held.manifest_digest:
            raise _unknown(number)
        return offer

    async def tell(self, thing: ThingId, number: int, feedback: Feedback) -> None:
        """Take feedback on a deployment; one that closes it is a report, on disk when this returns.

        Raises:
            ForbiddenError: the device gets no updates now, or its report is refused.
            StateError: not its action ("action"), or one that is closed ("closed").
            DecodeError: closed without a result.
        """
        held, execution = self._require(thing, number), feedback.execution
        self.progress[thing] = _told(feedback)
        if execution is Execution.CLOSED:
            if feedback.finished is Finished.NONE:
                raise DecodeError("expected success or failure of what is closed", spec=_SPEC)
            await self._close(thing, held, is_installed=feedback.finished is Finished.SUCCESS)
        elif execution is Execution.CANCELED:
            await self._close(thing, held, is_installed=False)

    async def cancellation(self, thing: ThingId, number: int) -> None:
        """Pass where a device is to cancel that action.

        Raises:
            ForbiddenError: it gets no updates now.
            StateError: it is not ("action").
        """
        if (await self.due(thing)).cancel != number:
            raise _unknown(number)

    async def tell_of_cancellation(self, thing: ThingId, number: int, feedback: Feedback) -> None:
        """Take feedback on a cancellation: what was cancelled is over, what was not is told about once more.

        Raises:
            ForbiddenError, StateError: as for `cancellation`.
        """
        await self.cancellation(thing, number)
        held = self._require(thing, number)
        self.progress[thing] = _told(feedback)
        is_refused = feedback.execution is Execution.REJECTED or feedback.finished is Finished.FAILURE
        if is_refused:
            await self._keep(thing, replace(held, state=ActionState.KEPT))
        elif feedback.execution in {Execution.CLOSED, Execution.CANCELED}:
            await self._keep(thing, replace(held, state=ActionState.CLOSED))

    async def tidy(self, is_gone: Callable[[ThingId], bool]) -> None:
        """Forget the actions of devices that have left."""
        for thing in [one for one in self._held if is_gone(one)]:
            await self._records.write({thing: None})
            del self._held[thing]
            self.progress.pop(thing, None)

    def artifact(self, offer: Offer) -> Artifact:
        """A release's payload as a file; its checksums are taken once."""
        known = self._artifacts.get(offer.manifest_digest)
        if known is None:
            if len(self._artifacts) >= _MAX_ARTIFACTS:
                del self._artifacts[next(iter(self._artifacts))]
            known = self._artifacts[offer.manifest_digest] = artifact(offer.image)
        return known

    def _next(self, thing: ThingId, offer: Offer, held: Action | None) -> Action:
        """The action of a release that a device has not begun, or has cancelled; its number outlives a restart."""
        turn = held.round + 1 if held is not None and held.manifest_digest == offer.manifest_digest else 0
        name = digest(codec.encode([thing, offer.manifest_digest, turn]))
        number = int.from_bytes(name[:4], "big") % _LARGEST + 1
        return Action(number, offer.manifest_digest, bytes.fromhex(self.artifact(offer).sha256), round=turn)

    def accepts(self, thing: ThingId) -> bool:
        """Whether a device gets updates now."""
        return self._tracker.accepts(thing)

    def require(self, thing: ThingId) -> None:
        """Pass where a device gets updates.

        Raises:
            ForbiddenError: it gets none now.
        """
        if not self.accepts(thing):
            raise ForbiddenError(f"{thing} gets no updates now", reason="software-plane")

    def _require(self, thing: ThingId, number: int) -> Action:
        self.require(thing)
        held = self._held.get(thing)
        if held is None or held.number != number:
            raise _unknown(number)
        if held.state is ActionState.CLOSED:
            raise StateError(f"action {number} is closed", spec=_SPEC, reason="closed")
        return held

    async def _close(self, thing: ThingId, held: Action, *, is_installed: bool) -> None:
        """Report, then close: whoever is cut off between the two tells it again, which costs nothing."""
        await self._tracker.report(thing, encode_report(_report(held, is_installed=is_installed)))
        await self._keep(thing, replace(held, state=ActionState.CLOSED))

    async def _keep(self, thing: ThingId, action: Action) -> None:
        async with self._writing:
            await self._records.write({thing: _encode(action)})
            self._held[thing] = action


def _is_settled(record: SoftwareRecord, manifest_digest: bytes) -> bool:
    """Whether a device has done what it will do with a release."""
    return record.manifest_digest == manifest_digest or record.refused(manifest_digest)


def _report(held: Action, *, is_installed: bool) -> Report:
    """A device's updater has tried again by itself for as long as it will: what it gives up counts as refused."""
    manifest, image = (Digest(AlgorithmId.SHA_256, one) for one in (held.manifest_digest, held.image_digest))
    if not is_installed:
        return Report(manifest, Reason.CONDITION_FAILED)
    return Report(manifest, Reason.OK, images={profile.FIRMWARE: image})


def _told(feedback: Feedback) -> str:
    last = f": {feedback.details[-1]}" if feedback.details else ""
    return f"{feedback.execution}{last}"


def _unknown(number: int) -> StateError:
    return StateError(f"no action {number} waits for this device", spec=_SPEC, reason="action")


def _encode(action: Action) -> bytes:
    state = int(action.state)
    return codec.encode([_FORMAT, action.number, action.manifest_digest, action.image_digest, state, action.round])


def _decode(document: bytes) -> Action:
    match codec.decode(document):
        case [int(version), int(number), bytes(manifest), bytes(image), int(state), int(turn)] if version == _FORMAT:
            return Action(number, manifest, image, ActionState(state), turn)
        case _:
            raise DecodeError(f"expected an action of format {_FORMAT}")
