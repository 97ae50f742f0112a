"""How a thing updates: ask, verify, fetch into the other slot, verify again, try, confirm, report (RFC 9019, RFC 9124).

::

    GET /update            -> step of keys      to other update keys, as long as there are any (update_anchor)
    GET /update            -> envelope          as many signatures of the maker's as those keys ask for must hold
    GET /update/image      -> image, in blocks  into the slot that does not run; goes on where it was interrupted
    (activate, restart)                         the release is on trial
    (confirm)                                   the thing works with it: its sequence number counts from now on
    POST /update/report    -> 2.04              how it ended, whichever way

What goes wrong on the way leaves the running image where it is; what goes wrong in the trial brings it back.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from thingstead.agent import image
from thingstead.agent.ports import Area, Slots
from thingstead.agent.story import Request, Story, Wait
from thingstead.agent.update_attempt import Means, UpdateAttempt, active_images
from thingstead.errors import StateError, StorageError, ThingsteadError, TransportError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.profile import path
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit.digest import decode_digest
from thingstead.protocols.suit.processor import Position
from thingstead.protocols.suit.registry import Member, Reason
from thingstead.protocols.suit.report import Report, encode_report, reason_of

__all__ = ["TRIAL_STORY", "UPDATE_STORY", "Life", "Updating"]

_LOGGER = logging.getLogger(__name__)
UPDATE_STORY, TRIAL_STORY = "update", "trial"
"""Names of the stories, to wake them by."""

_PASSING = (TransportError, StorageError)
"""Errors of the way and of the disk: the same release is tried again at the next poll."""

_MAX_BOOTS = 3
"""Starts with a release on trial: a thing that falls over under it comes back with the one before."""

_FOREVER = 86400.0


@dataclass(frozen=True, slots=True)
class Life:
    """What a trial asks of the thing around it.

    Attributes:
        now: seconds of a clock that only goes forward.
        check: raises what is wrong with the thing as it runs now.
        reboot: starts the thing anew, after this returns.
        deadline: seconds after a start in which a release on trial has to prove itself.
    """

    now: Callable[[], float]
    check: Callable[[], None]
    reboot: Callable[[], None]
    deadline: float


class Updating:
    """A thing's software: what runs, what came instead, and what was refused. Made at each start of the thing."""

    def __init__(self, means: Means, life: Life) -> None:
        self._means = means
        self._slots: Slots = means.slots
        self._life = life
        self._etag = b""
        self._due: list[Report] = []
        self.refused: Counter[str] = Counter()
        self.updates = 0
        self.last_error = ""
        self._is_counted = False
        self._boot()
        self.firmware = image.obeyed(self._slots)

    @property
    def is_on_trial(self) -> bool:
        """Whether what runs has not proved itself yet."""
        return self._slots.standing().trial is not None

    def status(self) -> dict[str, object]:
        """What runs and what was refused, for whoever may read the thing's directory."""
        standing = self._slots.standing()
        return {
            "version": self.firmware.version,
            "sequence": standing.installed.sequence_number,
            "on_trial": standing.trial is not None,
            "updates": self.updates,
            "updates_refused": dict(self.refused),
            "last_update_error": self.last_error,
        }

    def story(self, *, interval: float) -> Story:
        """Poll until stopped, every `interval` seconds and when woken as ``update``; not during a trial.

        It begins with a report of what runs: the power may have gone between a confirmation and its report.
        """
        self.announce()
        while True:
            try:
                if not self.is_on_trial:
                    yield from self._report()
                    yield from self._poll()
                    yield from self._report()
            except ThingsteadError as error:
                _LOGGER.debug("%s could not ask for a release: %s", self._serial, error)
            yield Wait(_FOREVER if self.is_on_trial else interval, UPDATE_STORY)

    def trial(self, *, interval: float) -> Story:
        """See whether the thing works with the release on trial: confirm it, or have the one before back (R-73).

        It works when its own checks pass, and its domain answers under the association that they have. Ends at once
        where nothing is on trial.
        """
        until = self._life.now() + self._life.deadline
        while self.is_on_trial:
            try:
                if not self._is_counted:
                    self._count_boot()
                    if self._slots.standing().trial is None:
                        self._life.reboot()
                        return
                image.header(self._slots, Area.ACTIVE)
                self._life.check()
                yield from self._reach()
                self._confirm()
            except ThingsteadError as error:
                self.last_error = f"{self.firmware.version} has not proved itself yet: {error}"
                if self._life.now() >= until:
                    yield from self._revert(error, interval)
                    return
                yield Wait(min(interval, max(until - self._life.now(), 0.0)), TRIAL_STORY)

    def announce(self) -> None:
        """Report what runs before the next poll: a domain that was joined anew may not know it."""
        self._due = [] if self.is_on_trial else [*self._failure(), *self._running()]

    def forgive(self) -> None:
        """Try again what did not prove itself or was refused, because somebody says so."""
        self._etag = b""
        if self._slots.standing().reverted:
            self._slots.forgive()

    @property
    def _serial(self) -> str:
        return self._means.anchor.serial

    def _boot(self) -> None:
        """What a boot loader does: count a start with a release on trial, or go back after too many.

        A disk that takes neither keeps no thing from starting: what is owed is done in the trial, before anything else.
        """
        try:
            self._count_boot()
        except StorageError as trouble:
            self.last_error = str(trouble)
            _LOGGER.warning("%s cannot keep that it started with a release on trial: %s", self._serial, trouble)

    def _count_boot(self) -> None:
        standing = self._slots.standing()
        self._is_counted = standing.trial is None
        if standing.trial is None:
            return
        if standing.boots >= _MAX_BOOTS:
            self._slots.revert()
            _LOGGER.warning("%s fell over %d times under a release and went back", self._serial, standing.boots)
        else:
            self._slots.count_boot()
        self._is_counted = True

    def _poll(self) -> Story:
        answer = yield from self._asked()
        if answer is None:
            return
        attempt = UpdateAttempt(self._means)
        failure: ThingsteadError | None = None
        try:
            yield from attempt.install(answer.payload)
        except ThingsteadError as error:
            failure = error
        if self.is_on_trial:
            # Also when the disk complained afterwards: the slots decide, not the course of the attempt.
            _LOGGER.info("%s starts anew, with a release on trial", self._serial)
            self._life.reboot()
        elif failure is not None:
            self._due.append(attempt.report(reason_of(failure)))
            self._note(failure)
        if not isinstance(failure, _PASSING):
            # Judged: the same envelope is not asked for again, whether it was installed or refused.
            self._etag = answer.option(OptionNumber.ETAG) or b""
            if not self.is_on_trial and self._slots.download() is not None:
                self._slots.keep(None)

    def _asked(self) -> Generator[Request | Wait, Any, Message | None]:
        """The envelope that there is for the thing, if any; steps to other update keys come before it."""
        while True:
            query = request(Code.GET, path.UPDATE, query=self._means.anchor.query())
            if self._etag:
                query = query.with_options((OptionNumber.ETAG, self._etag))
            answer: Message = yield Request(query)
            if answer.code != Code.CONTENT:
                return None
            if answer.uint_option(OptionNumber.CONTENT_FORMAT) != ContentFormat.CBOR:
                return answer
            try:
                self._means.anchor.walk(answer.payload)
            except ThingsteadError as error:
                self._note(error)
                return None
            # What was refused under the keys of before is judged anew.
            self._etag = b""

    def _reach(self) -> Story:
        """A response that OSCORE verified is what counts, whatever it says, unless the domain is in trouble itself."""
        answer: Message = yield Request(request(Code.GET, path.UPDATE))
        if answer.code >> 5 == 5:
            raise TransportError("the domain has trouble of its own", reason="domain")

    def _confirm(self) -> None:
        self._slots.confirm()
        self.updates += 1
        self.last_error = ""
        self.announce()
        _LOGGER.info("%s works with %s and keeps it", self._serial, self.firmware.version)

    def _revert(self, error: ThingsteadError, interval: float) -> Story:
        """Have the one before back, as soon as the disk takes that: what has not proved itself does not stay."""
        self._note(StateError(f"{self.firmware.version} did not prove itself: {error}", reason="trial"))
        while self.is_on_trial:
            try:
                self._slots.revert()
            except StorageError as trouble:
                _LOGGER.warning("%s cannot go back yet: %s", self._serial, trouble)
                yield Wait(interval, TRIAL_STORY)
        self._life.reboot()

    def _note(self, error: ThingsteadError) -> None:
        self.refused[error.reason] += 1
        self.last_error = str(error)
        _LOGGER.warning("%s keeps its image: %s", self._serial, error)

    def _report(self) -> Story:
        while self._due:
            due = self._due[0]
            message = request(
                Code.POST, path.UPDATE_REPORT, payload=encode_report(due), content_format=ContentFormat.CBOR
            )
            answer: Message = yield Request(message)
            if answer.code >> 5 == 5:
                return
            self._due.pop(0)
            if due.code == profile.REVERTED:
                self._slots.told()

    def _failure(self) -> list[Report]:
        """The release that did not prove itself, until the domain has heard of it."""
        standing = self._slots.standing()
        if standing.is_told or not standing.reverted:
            return []
        return [
            Report(
                decode_digest(codec.decode(standing.reverted)),
                Reason.OPERATION_FAILED,
                code=profile.REVERTED,
                position=Position(Member.INVOKE),
                images=active_images(self._slots),
            )
        ]

    def _running(self) -> list[Report]:
        """What is installed; nothing for what the factory put there, which has no manifest."""
        installed = self._slots.standing().installed
        if not installed.manifest_digest:
            return []
        manifest_digest = decode_digest(codec.decode(installed.manifest_digest))
        return [Report(manifest_digest, Reason.OK, images=active_images(self._slots))]
