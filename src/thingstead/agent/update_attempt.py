"""One envelope, from its bytes to a release on trial or an error: the platform of the manifest processor."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from thingstead.agent import image, image_download
from thingstead.agent.ports import Area, Download, Installed, Slots
from thingstead.agent.story import Story
from thingstead.agent.update_anchor import UpdateAnchor
from thingstead.errors import DecodeError, ForbiddenError, ThingsteadError, UnsupportedError
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import delta, path
from thingstead.protocols.profile import release as profile
from thingstead.protocols.profile.release import STAGING
from thingstead.protocols.suit import authentication, encryption, envelope
from thingstead.protocols.suit.digest import Digest, digest_of
from thingstead.protocols.suit.effect import (
    CheckContent,
    CheckImageMatch,
    CopyComponent,
    Effect,
    Fetch,
    SetActive,
    Write,
)
from thingstead.protocols.suit.encryption import DecryptionKeys
from thingstead.protocols.suit.manifest import ComponentId, open_manifest
from thingstead.protocols.suit.processor import Position, Processor
from thingstead.protocols.suit.registry import Reason
from thingstead.protocols.suit.report import Report
from thingstead.protocols.suit.step import Limits, Recipient

__all__ = ["Means", "UpdateAttempt", "active_images"]

_LOGGER = logging.getLogger(__name__)
_LIMITS = Limits(max_image_bytes=profile.MAX_IMAGE_SIZE)


@dataclass(frozen=True, slots=True)
class Means:
    """What an update is made with.

    Attributes:
        slots: where images are.
        anchor: which keys sign releases, and what the thing is.
        utc: the thing's clock, for use-before.
        decryption: its keys for encrypted images, by kid.
    """

    slots: Slots
    anchor: UpdateAnchor
    utc: Callable[[], datetime]
    decryption: Callable[[], DecryptionKeys]


class UpdateAttempt:
    """Installs what an envelope brings, or says at which place it did not."""

    def __init__(self, means: Means) -> None:
        self._slots = means.slots
        self._means = means
        self._digest = digest_of(b"")
        self._processor: Processor | None = None
        self._written: set[ComponentId] = set()
        self._resumed: dict[ComponentId, Fetch] = {}

    def install(self, encoded: bytes) -> Story:
        """Put on trial what the envelope brings, unless it is what runs already, or what did not prove itself.

        Raises:
            SecurityError, ProtocolError: the release is refused; the running image was not touched.
            TransportError: the image did not come, or not all of it.
            StorageError: the disk did not take it.
        """
        # Should the envelope not even decode, the report names what came by the digest of its bytes.
        self._digest = digest_of(encoded)
        opened = envelope.decode(encoded)
        self._digest = opened.digest
        standing = self._slots.standing()
        if opened.digest.encode() in {standing.installed.manifest_digest, standing.reverted}:
            return
        birth = self._means.anchor.born()
        keys, policy = profile.authentication(birth.release_anchors, birth.signing)
        manifest = open_manifest(authentication.authenticate(opened, keys, policy))
        recipient = Recipient(
            vendor_ids=frozenset({birth.vendor_id}),
            class_ids=frozenset({birth.class_id}),
            components=self._slots.components() | {STAGING},
            installed_sequence=standing.installed.sequence_number,
        )
        self._processor = Processor(manifest, recipient, at=self._means.utc(), limits=_LIMITS)
        yield from self._run(self._processor.update())

    def report(self, reason: Reason) -> Report:
        """How it ended, and what the active images measure now."""
        position = Position() if self._processor is None else self._processor.position
        return Report(self._digest, reason, position=position, images=active_images(self._slots))

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
            case Fetch():
                yield from self._fetch(effect)
            case Write(component=component, content=content, encryption_info=info, arguments=b""):
                self._store(component, content if not info else self._decrypted(info, content))
            case Write(component=component, content=content, encryption_info=b"", arguments=arguments):
                delta.require_arguments(arguments)
                self._patch(component, content)
            case CopyComponent(component=component, source=source, encryption_info=info):
                self._copy(component, source, info)
            case CheckImageMatch():
                return (yield from self._matches(effect))
            case CheckContent(component=component, content=content):
                return image.consists_of(self._slots, self._place(component), content)
            case SetActive():
                self._activate(effect)
            case _:
                raise UnsupportedError(f"this thing does not execute {type(effect).__name__}", reason="command")
        return None

    def _fetch(self, effect: Fetch) -> Story:
        name = profile.image_name(effect.uri)
        if name is None or effect.arguments:
            raise UnsupportedError(f"expected the image at {profile.IMAGE_URI} of the thing's own domain", reason="uri")
        place = image.candidate_of(effect.component)
        self._written.add(effect.component)
        goal = Download(self._digest.encode(), place.component, place.area, b"", 0)
        asked = request(Code.GET, path.UPDATE_IMAGE, query=(name,) if name else ())
        if (yield from image_download.fetch(self._slots, goal, asked=asked, size=effect.size)):
            self._resumed[effect.component] = effect

    def _matches(self, effect: CheckImageMatch) -> Story:
        """Compare; what was resumed and does not fit is fetched anew before it counts against the release."""
        if self._compare(effect):
            return True
        fetched = self._resumed.pop(effect.component, None)
        if fetched is None:
            return False
        self._slots.keep(None)
        yield from self._fetch(fetched)
        return self._compare(effect)

    def _compare(self, effect: CheckImageMatch) -> bool:
        place = self._place(effect.component)
        if effect.size not in {None, self._slots.size(place.area, place.component)}:
            return False
        measured: Digest = image.measure(self._slots, place, effect.digest.algorithm_id)
        return measured == effect.digest

    def _store(self, component: ComponentId, content: bytes) -> None:
        self._begin(component)
        image.store(self._slots, image.candidate_of(component), iter([content]))

    def _copy(self, component: ComponentId, source: ComponentId, info: bytes) -> None:
        origin = self._place(source)
        self._begin(component)
        if info:
            slots, size = self._slots, self._slots.size(*origin)
            keys = self._means.decryption()
            plain = encryption.decrypt_pieces(info, lambda at, most: slots.read(*origin, at, most), size, keys)
            image.store(slots, image.candidate_of(component), plain)
            return
        image.copy(self._slots, origin, image.candidate_of(component))

    def _patch(self, component: ComponentId, patch: bytes) -> None:
        """Make a candidate of what runs; one that cannot be made is empty, which its digest will say."""
        self._begin(component)
        slots, runs, target = self._slots, image.Place(Area.ACTIVE, component), image.candidate_of(component)
        try:
            made = delta.apply(
                patch,
                lambda offset, size: slots.read(*runs, offset, size),
                old_size=slots.size(*runs),
                max_size=_LIMITS.max_image_bytes,
            )
            image.store(slots, target, made)
        except DecodeError as error:
            _LOGGER.warning("a difference cannot be applied: %s", error)
            slots.truncate(*target, 0)

    def _decrypted(self, info: bytes, ciphertext: bytes) -> bytes:
        return encryption.decrypt(info, ciphertext, self._means.decryption())

    def _begin(self, component: ComponentId) -> None:
        """Whatever was on its way there before is not any more."""
        held, place = self._slots.download(), image.candidate_of(component)
        if held is not None and (held.area, held.component) == place:
            self._slots.keep(None)
        self._resumed.pop(component, None)
        self._written.add(component)

    def _place(self, component: ComponentId) -> image.Place:
        """A component is its candidate where one was written, else what runs."""
        if component == STAGING or component in self._written:
            return image.candidate_of(component)
        return image.Place(Area.ACTIVE, component)

    def _activate(self, effect: SetActive) -> None:
        components = [component for component in effect.components if component != STAGING]
        if not components:
            raise ForbiddenError("expected a release that changes what runs", reason="empty")
        if profile.FIRMWARE in components:
            # An image that would not start is refused while the old one still runs.
            image.header(self._slots, Area.CANDIDATE)
        self._slots.activate(components, Installed(effect.sequence_number, effect.manifest_digest.encode()))
        self._slots.keep(None)


def active_images(slots: Slots) -> dict[ComponentId, Digest]:
    """What each component that runs measures now."""
    return {component: image.measure(slots, image.Place(Area.ACTIVE, component)) for component in slots.components()}
