"""How a thing updates: ask, verify, fetch into the other slot, verify again, activate, report (RFC 9019, RFC 9124).

::

    GET /update            -> envelope          every signature of the maker's must hold
    GET /update/image      -> image, in blocks  into the slot that does not run
    (activate)                                  last, and in one step with the sequence number
    POST /update/report    -> 2.04              how it ended, whichever way

What goes wrong on the way leaves the running image where it is.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any

from thingstead.agent.ports import Installed, Slots
from thingstead.agent.story import Request, Story, Wait
from thingstead.errors import DecodeError, StorageError, ThingsteadError, TransportError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.profile import firmware, path
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.suit import authentication, envelope
from thingstead.protocols.suit.digest import Digest, decode_digest, digest_of
from thingstead.protocols.suit.effect import CheckImageMatch, Effect, Fetch, SetActive, Write
from thingstead.protocols.suit.manifest import open_manifest
from thingstead.protocols.suit.processor import Position, Processor
from thingstead.protocols.suit.registry import Reason
from thingstead.protocols.suit.report import Report, encode_report, reason_of
from thingstead.protocols.suit.step import Limits, Recipient

__all__ = ["Updating"]

_LOGGER = logging.getLogger(__name__)
_LIMITS = Limits(max_image_bytes=profile.MAX_IMAGE_SIZE)
_SECTOR = 4096
_DOWNLOAD_TIMEOUT = 600.0
_PASSING = (TransportError, StorageError)
"""Errors of the way and of the disk: the same release is tried again at the next poll."""


class Updating:
    """A thing's software: what runs, what came instead, and what was refused.

    Args:
        slots: where images are.
        born: the keys of which every one must sign a release, and what the thing is.
        utc: the thing's clock, for use-before.
        on_activated: called when another image is the active one; the place of a reboot.
    """

    def __init__(
        self, slots: Slots, born: Callable[[], Birth], *, utc: Callable[[], datetime], on_activated: Callable[[], None]
    ) -> None:
        self._slots = slots
        self._born = born
        self._utc = utc
        self._on_activated = on_activated
        self._etag = b""
        self._due: Report | None = None
        self._runs = slots.installed()
        self.firmware = _obeyed(slots.active())
        self.refused: Counter[str] = Counter()
        self.updates = 0
        self.last_error = ""

    def status(self) -> dict[str, object]:
        """What runs and what was refused, for whoever may read the thing's directory."""
        return {
            "version": self.firmware.version,
            "sequence": self._runs.sequence_number,
            "updates": self.updates,
            "updates_refused": dict(self.refused),
            "last_update_error": self.last_error,
        }

    def story(self, *, interval: float) -> Story:
        """Poll until stopped, every `interval` seconds and when woken as ``update``.

        It begins with a report of what runs: the power may have gone between an activation and its report.
        """
        self.announce()
        while True:
            try:
                yield from self._report()
                yield from self._poll()
                yield from self._report()
            except ThingsteadError as error:
                _LOGGER.debug("%s could not ask for a release: %s", self._born().serial, error)
            yield Wait(interval, "update")

    def announce(self) -> None:
        """Report what runs before the next poll: a domain that was joined anew may not know it."""
        self._due = self._standing()

    def _poll(self) -> Story:
        query = request(Code.GET, path.UPDATE)
        if self._etag:
            query = query.with_options((OptionNumber.ETAG, self._etag))
        answer: Message = yield Request(query)
        if answer.code != Code.CONTENT:
            return
        attempt = _Attempt(self._slots, self._born(), at=self._utc())
        failure: ThingsteadError | None = None
        try:
            yield from attempt.install(answer.payload)
        except ThingsteadError as error:
            failure = error
        if self._slots.installed() != self._runs:
            # Also when the disk complained afterwards: the slots decide, not the course of the attempt.
            self._start(attempt)
        elif failure is not None:
            self._due = attempt.report(reason_of(failure))
            self._note(failure)
        if not isinstance(failure, _PASSING):
            # Judged: the same envelope is not asked for again, whether it was installed or refused.
            self._etag = answer.option(OptionNumber.ETAG) or b""

    def _start(self, attempt: _Attempt) -> None:
        """Go over to the image that is active now."""
        self._runs = self._slots.installed()
        self.firmware = _obeyed(self._slots.active())
        self.updates += 1
        self.last_error = ""
        self._due = attempt.report(Reason.OK)
        _LOGGER.info("%s runs %s", self._born().serial, self.firmware.version)
        self._on_activated()

    def _note(self, error: ThingsteadError) -> None:
        self.refused[error.reason] += 1
        self.last_error = str(error)
        _LOGGER.warning("%s keeps its image: %s", self._born().serial, error)

    def _report(self) -> Story:
        if self._due is None:
            return
        message = request(
            Code.POST, path.UPDATE_REPORT, payload=encode_report(self._due), content_format=ContentFormat.CBOR
        )
        answer: Message = yield Request(message)
        if answer.code >> 5 != 5:
            self._due = None

    def _standing(self) -> Report | None:
        """What is installed, as a report; None for what the factory put there, which has no manifest."""
        if not self._runs.manifest_digest:
            return None
        manifest_digest = decode_digest(codec.decode(self._runs.manifest_digest))
        return Report(manifest_digest, Reason.OK, images={profile.FIRMWARE: digest_of(self._slots.active())})


class _Attempt:
    """One envelope, from its bytes to another active image or an error."""

    def __init__(self, slots: Slots, birth: Birth, *, at: datetime) -> None:
        self._slots = slots
        self._birth = birth
        self._at = at
        self._digest = digest_of(b"")
        self._processor: Processor | None = None
        self._has_candidate = False

    def install(self, encoded: bytes) -> Story:
        """Install what the envelope brings, unless it is what runs already.

        Raises:
            SecurityError, ProtocolError: the release is refused; the running image was not touched.
            TransportError: the image did not come.
            StorageError: the disk did not take it.
        """
        # Should the envelope not even decode, the report names what came by the digest of its bytes.
        self._digest = digest_of(encoded)
        opened = envelope.decode(encoded)
        self._digest = opened.digest
        installed = self._slots.installed()
        if opened.digest.encode() == installed.manifest_digest:
            return
        keys, policy = profile.authentication(self._birth.release_anchors, self._birth.signing)
        manifest = open_manifest(authentication.authenticate(opened, keys, policy))
        recipient = Recipient(
            vendor_ids=frozenset({self._birth.vendor_id}),
            class_ids=frozenset({self._birth.class_id}),
            components=frozenset({profile.FIRMWARE}),
            installed_sequence=installed.sequence_number,
        )
        self._processor = Processor(manifest, recipient, at=self._at, limits=_LIMITS)
        yield from self._run(self._processor.update())

    def report(self, reason: Reason) -> Report:
        """How it ended, and what the active image measures now."""
        position = Position() if self._processor is None else self._processor.position
        images: dict[tuple[bytes, ...], Digest] = {profile.FIRMWARE: digest_of(self._slots.active())}
        return Report(self._digest, reason, position=position, images=images)

    def _run(self, steps: Generator[Effect, Any, None]) -> Story:
        """Execute effect by effect; what fails is told to the processor, which ends with it."""
        answer: Any = None
        error: ThingsteadError | None = None
        while True:
            try:
                effect = steps.send(answer) if error is None else steps.throw(error)
            except StopIteration:
                return
            answer, error = None, None
            try:
                answer = yield from self._execute(effect)
            except ThingsteadError as fault:
                error = fault

    def _execute(self, effect: Effect) -> Story:
        match effect:
            case Fetch(uri=uri, size=size):
                self._keep((yield from self._fetch(uri, size)))
            case Write(content=content, encryption_info=b""):
                self._keep(content)
            case CheckImageMatch(digest=digest, size=size):
                image = self._slots.candidate() if self._has_candidate else self._slots.active()
                return size in {None, len(image)} and digest_of(image, digest.algorithm_id) == digest
            case SetActive():
                # An image that would not start is refused while the old one still runs.
                firmware.decode(self._slots.candidate())
                self._slots.activate(Installed(effect.sequence_number, effect.manifest_digest.encode()))
            case _:
                name = type(effect).__name__
                raise UnsupportedError(f"a thing of one component does not execute {name}", reason="command")
        return None

    def _fetch(self, uri: str, size: int) -> Generator[Request | Wait, Any, bytes]:
        if uri != profile.IMAGE_URI:
            raise UnsupportedError(f"expected the image at {profile.IMAGE_URI} of the thing's own domain", reason="uri")
        try:
            answer: Message = yield Request(request(Code.GET, path.UPDATE_IMAGE), timeout=_DOWNLOAD_TIMEOUT)
        except ThingsteadError as error:
            # Whatever ended the download says nothing about the release.
            raise TransportError(f"the image did not come: {error}", reason=error.reason) from error
        if answer.code != Code.CONTENT:
            raise TransportError(f"the image did not come: {code_name(answer.code)}", reason="refused")
        if len(answer.payload) != size:
            raise DecodeError(f"expected an image of {size} bytes, got {len(answer.payload)}", reason="size")
        return answer.payload

    def _keep(self, image: bytes) -> None:
        """Write the candidate, sector by sector, as flash is written."""
        self._slots.clear_candidate()
        self._has_candidate = True
        for offset in range(0, len(image), _SECTOR):
            self._slots.write(offset, image[offset : offset + _SECTOR])


def _obeyed(image: bytes) -> Firmware:
    """The header of the image that runs; a foreign one changes nothing about how the agent behaves."""
    try:
        return firmware.decode(image)
    except DecodeError:
        return Firmware("unknown")
