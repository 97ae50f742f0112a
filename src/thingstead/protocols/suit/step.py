"""Single conditions and directives: one table from command to the effect that it needs (§8.4.9, §8.4.10).

Conditions change nothing but the course of the sequence they stand in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ExpiredError,
    ForbiddenError,
    StateError,
    ThingsteadError,
    UnsupportedError,
)
from thingstead.protocols.suit.digest import Digest
from thingstead.protocols.suit.effect import (
    CheckAuthorized,
    CheckBattery,
    CheckContent,
    CheckImageMatch,
    CheckSlot,
    CopyComponent,
    Effect,
    Fetch,
    Invoke,
    ReadVersion,
    Swap,
    Unlink,
    WaitFor,
    Write,
)
from thingstead.protocols.suit.manifest import ComponentId
from thingstead.protocols.suit.parameter import VersionMatch
from thingstead.protocols.suit.registry import FIRMWARE_ENCRYPTION, UPDATE_MANAGEMENT, CommandId, ParameterId

__all__ = [
    "DEFAULT_LIMITS",
    "STEPS",
    "WRITING",
    "ConditionFailedError",
    "Limits",
    "Recipient",
    "Step",
    "Steps",
]

Steps = Generator[Effect, Any, None]

_SPEC = "draft-ietf-suit-manifest §8.4"
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([A-Za-z0-9._~:\[\]-]+)(/[!-~]*)?")
_PATH = re.compile(r"/(?!/)[!-~]*")
_MAX_URI = 512


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a manifest may make its recipient do.

    Attributes:
        max_steps: commands executed in one procedure, each component and repetition counted.
        max_image_bytes: size of one image.
        max_envelope_bytes: size of one dependency.
        max_depth: dependencies of dependencies, the root counted.
        uri_schemes: schemes from which images are fetched; a manifest names the place, so a fetch is a
            request that somebody else wrote. A path alone (RFC 3986 §4.2) leads to where the envelope came from.
    """

    max_steps: int = 512
    max_image_bytes: int = 1 << 24
    max_envelope_bytes: int = 1 << 16
    max_depth: int = 4
    uri_schemes: frozenset[str] = frozenset({"coap", "coaps"})


DEFAULT_LIMITS = Limits()

WRITING = frozenset({CommandId.FETCH, CommandId.WRITE, CommandId.COPY, CommandId.SWAP})
"""Commands that give a component a new candidate."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """What a thing says about itself to the processor.

    Attributes:
        vendor_ids: vendor identifiers that it answers to.
        class_ids: class identifiers that it answers to.
        components: components that it has.
        installed_sequence: sequence number of the manifest installed last; -1 when there is none.
        device_id: its own identifier, or empty.
    """

    vendor_ids: frozenset[bytes]
    class_ids: frozenset[bytes]
    components: frozenset[ComponentId]
    installed_sequence: int
    device_id: bytes = b""


class ConditionFailedError(Exception):
    """A condition that did not hold; `error` is what leaves the processor, unless a sequence is soft."""

    def __init__(self, error: ThingsteadError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(frozen=True, slots=True)
class Step:
    """All that one command may read.

    Attributes:
        component: what it works on.
        parameters: of that component.
        components: of the manifest, by index.
        payloads: integrated payloads of the envelope, by URI; proved by an image match only.
        recipient: what the thing says about itself.
        at: now.
        limits: bounds on the run.
        is_dependency: whether the component is a manifest.
    """

    component: ComponentId
    parameters: Mapping[int, Any]
    components: tuple[ComponentId, ...]
    payloads: Mapping[str, bytes]
    recipient: Recipient
    at: datetime
    limits: Limits
    is_dependency: bool = False

    def compared(self, key: ParameterId) -> Any:
        """The parameter that a condition compares.

        Raises:
            ConditionFailedError: it was not set (§8.4.9).
        """
        try:
            return self.needed(key)
        except StateError as error:
            raise ConditionFailedError(error) from None

    def needed(self, key: ParameterId) -> Any:
        """The parameter that a directive works with.

        Raises:
            StateError: it was not set; a directive that fails is never soft (§6.4).
        """
        value = self.parameters.get(key)
        if value is None:
            name = key.name.lower().replace("_", " ")
            raise StateError(f"expected the parameter {name} to be set", spec=_SPEC, reason="parameter-missing")
        return value

    def source(self) -> ComponentId:
        """The source component of copy and swap.

        Raises:
            DecodeError: no such index, or the component itself.
        """
        index = self.parameters.get(ParameterId.SOURCE_COMPONENT, -1)
        if not 0 <= index < len(self.components) or self.components[index] == self.component:
            raise DecodeError("expected another component of the manifest as source", spec=_SPEC)
        return self.components[index]

    def touches(self, command: CommandId) -> set[ComponentId]:
        """Components that get a new candidate by this command."""
        if command not in WRITING:
            return set()
        return {self.component, self.source()} if command == CommandId.SWAP else {self.component}


def _vendor(step: Step) -> Steps:
    yield from _identifier(step, ParameterId.VENDOR_IDENTIFIER, step.recipient.vendor_ids, "vendor")


def _class(step: Step) -> Steps:
    yield from _identifier(step, ParameterId.CLASS_IDENTIFIER, step.recipient.class_ids, "class")


def _device(step: Step) -> Steps:
    own = frozenset({step.recipient.device_id} - {b""})
    yield from _identifier(step, ParameterId.DEVICE_IDENTIFIER, own, "device")


def _identifier(step: Step, key: ParameterId, own: frozenset[bytes], reason: str) -> Steps:
    yield from ()
    if step.compared(key) not in own:
        raise ConditionFailedError(ForbiddenError(f"the manifest is for another {reason}", spec=_SPEC, reason=reason))


def _use_before(step: Step) -> Steps:
    yield from ()
    if _is_past(step.at, step.compared(ParameterId.USE_BEFORE)):
        raise ConditionFailedError(ExpiredError("the manifest is past its use-before", spec=UPDATE_MANAGEMENT))


def _is_past(at: datetime, use_before: int) -> bool:
    return at.timestamp() >= use_before


def _battery(step: Step) -> Steps:
    if (yield CheckBattery(step.compared(ParameterId.MINIMUM_BATTERY))) is not True:
        raise ConditionFailedError(StateError("the battery is too low", spec=UPDATE_MANAGEMENT, reason="battery"))


def _authorized(step: Step) -> Steps:
    if (yield CheckAuthorized(step.compared(ParameterId.UPDATE_PRIORITY))) is not True:
        raise ConditionFailedError(
            ForbiddenError("nobody here allowed the update", spec=UPDATE_MANAGEMENT, reason="unauthorized")
        )


def _version(step: Step) -> Steps:
    wanted: VersionMatch = step.compared(ParameterId.VERSION)
    version = yield ReadVersion(step.component)
    if version is None or not wanted.holds(tuple(version)):
        raise ConditionFailedError(
            StateError("the component has another version", spec=UPDATE_MANAGEMENT, reason="version")
        )


def _abort(_step: Step) -> Steps:
    yield from ()
    raise ConditionFailedError(StateError("the manifest says abort", spec=_SPEC, reason="abort"))


def _is_dependency(step: Step) -> Steps:
    yield from ()
    if not step.is_dependency:
        raise ConditionFailedError(StateError("the component is no dependency", spec=_SPEC, reason="dependency"))


def _image_match(step: Step) -> Steps:
    matches = yield CheckImageMatch(step.component, _image_digest(step), step.parameters.get(ParameterId.IMAGE_SIZE))
    if matches is not True:
        raise ConditionFailedError(
            AuthenticationError("the image does not match its digest", spec=_SPEC, reason="image-digest")
        )


def _image_not_match(step: Step) -> Steps:
    matches = yield CheckImageMatch(step.component, _image_digest(step), step.parameters.get(ParameterId.IMAGE_SIZE))
    if matches is not False:
        raise ConditionFailedError(StateError("the image is there already", spec=_SPEC, reason="image-present"))


def _image_digest(step: Step) -> Digest:
    digest: Digest = step.compared(ParameterId.IMAGE_DIGEST)
    return digest


def _check_content(step: Step) -> Steps:
    matches = yield CheckContent(step.component, step.compared(ParameterId.CONTENT))
    if matches is not True:
        raise ConditionFailedError(AuthenticationError("the content differs", spec=_SPEC, reason="content"))


def _slot(step: Step) -> Steps:
    matches = yield CheckSlot(step.component, step.compared(ParameterId.COMPONENT_SLOT))
    if matches is not True:
        raise ConditionFailedError(StateError("the component is in another slot", spec=_SPEC, reason="slot"))


def _fetch(step: Step) -> Steps:
    _require_plain(step)
    uri, size = step.needed(ParameterId.URI), _expected_size(step)
    arguments: bytes = step.parameters.get(ParameterId.FETCH_ARGS, b"")
    payload = step.payloads.get(uri)
    if payload is not None:
        # With arguments it is the fetcher who knows what comes: less than the image, as a rule.
        if len(payload) != size and not step.is_dependency and not arguments:
            raise DecodeError(f"expected an integrated payload of {size} bytes, got {len(payload)}", spec=_SPEC)
        yield Write(step.component, payload, arguments=arguments)
        return
    _require_fetchable(uri, step.limits)
    yield Fetch(step.component, uri, size, arguments)


def _write(step: Step) -> Steps:
    content: bytes = step.needed(ParameterId.CONTENT)
    _require_size(len(content), step.limits)
    yield Write(step.component, content, step.parameters.get(ParameterId.ENCRYPTION_INFO, b""))


def _copy(step: Step) -> Steps:
    yield CopyComponent(step.component, step.source(), step.parameters.get(ParameterId.ENCRYPTION_INFO, b""))


def _swap(step: Step) -> Steps:
    _require_plain(step)
    yield Swap(step.component, step.source())


def _wait(step: Step) -> Steps:
    yield WaitFor(step.needed(ParameterId.WAIT_INFO))


def _unlink(step: Step) -> Steps:
    yield Unlink(step.component)


def _invoke(step: Step) -> Steps:
    yield Invoke(step.component, step.parameters.get(ParameterId.INVOKE_ARGS, b""))


STEPS: dict[CommandId, Callable[[Step], Steps]] = {
    CommandId.CONDITION_VENDOR_IDENTIFIER: _vendor,
    CommandId.CONDITION_CLASS_IDENTIFIER: _class,
    CommandId.CONDITION_DEVICE_IDENTIFIER: _device,
    CommandId.CONDITION_USE_BEFORE: _use_before,
    CommandId.CONDITION_MINIMUM_BATTERY: _battery,
    CommandId.CONDITION_UPDATE_AUTHORIZED: _authorized,
    CommandId.CONDITION_VERSION: _version,
    CommandId.CONDITION_ABORT: _abort,
    CommandId.CONDITION_IMAGE_MATCH: _image_match,
    CommandId.CONDITION_IMAGE_NOT_MATCH: _image_not_match,
    CommandId.CONDITION_IS_DEPENDENCY: _is_dependency,
    CommandId.CONDITION_CHECK_CONTENT: _check_content,
    CommandId.CONDITION_COMPONENT_SLOT: _slot,
    CommandId.FETCH: _fetch,
    CommandId.WRITE: _write,
    CommandId.COPY: _copy,
    CommandId.SWAP: _swap,
    CommandId.UNLINK: _unlink,
    CommandId.WAIT: _wait,
    CommandId.INVOKE: _invoke,
}
"""What each command asks for; control flow and parameters are the processor's own."""


def _expected_size(step: Step) -> int:
    """Bytes to fetch: of an image what the manifest says, of a manifest no more than that and than our limit."""
    if step.is_dependency:
        stated: int = step.parameters.get(ParameterId.IMAGE_SIZE, step.limits.max_envelope_bytes)
        return min(stated, step.limits.max_envelope_bytes)
    size: int = step.needed(ParameterId.IMAGE_SIZE)
    _require_size(size, step.limits)
    return size


def _require_plain(step: Step) -> None:
    """To keep ciphertext as if it were the image would be to skip what the author asked for."""
    if ParameterId.ENCRYPTION_INFO in step.parameters:
        raise UnsupportedError(
            "only what is written or copied is decrypted", spec=f"{FIRMWARE_ENCRYPTION} §5", reason="parameter"
        )


def _require_size(size: int, limits: Limits) -> None:
    if size > limits.max_image_bytes:
        raise DecodeError(
            f"expected an image of at most {limits.max_image_bytes} bytes, got {size}", spec=_SPEC, reason="size"
        )


def _require_fetchable(uri: str, limits: Limits) -> None:
    """An absolute path, or of an allowed scheme and without user information; in printable ASCII."""
    match = _URI.fullmatch(uri) if len(uri) <= _MAX_URI else None
    if match is None and len(uri) <= _MAX_URI and _PATH.fullmatch(uri):
        return
    if match is None or match[1].lower() not in limits.uri_schemes:
        schemes = ", ".join(sorted(limits.uri_schemes))
        raise UnsupportedError(f"expected an absolute path, or a URI of {schemes}", spec=_SPEC, reason="uri")
