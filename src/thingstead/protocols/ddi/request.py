"""What a device tells: feedback on an action, and what it says of itself; both are a stranger's JSON until then.

hawkBit publishes the API as OpenAPI ("DDI API", version 1); ``DdiActionFeedback`` and ``DdiConfigData`` are its names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from thingstead.errors import DecodeError
from thingstead.protocols.json.place import Node, decode_json

__all__ = ["DEFAULT_LIMITS", "ConfigData", "Execution", "Feedback", "Finished", "Limits", "decode_config_data",
           "decode_feedback"]  # fmt: skip

_FEEDBACK = "hawkBit DDI DdiActionFeedback"
_CONFIG = "hawkBit DDI DdiConfigData"
_LARGEST_ID = (1 << 63) - 1
_MODES = ("merge", "replace", "remove")
_E = TypeVar("_E", bound=StrEnum)


class Execution(StrEnum):
    """How far a device is with an action."""

    CLOSED = "closed"
    PROCEEDING = "proceeding"
    CANCELED = "canceled"
    SCHEDULED = "scheduled"
    REJECTED = "rejected"
    RESUMED = "resumed"
    DOWNLOAD = "download"
    DOWNLOADED = "downloaded"


class Finished(StrEnum):
    """What came of it."""

    SUCCESS = "success"
    FAILURE = "failure"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a device may make us read and keep.

    Attributes:
        max_bytes: size of a request's body.
        max_depth: nesting of objects and arrays; the API needs 4.
        max_details: lines of text with a feedback.
        max_text: characters that are kept of one text.
        max_attributes: what a device says of itself.
    """

    max_bytes: int = 1 << 16
    max_depth: int = 8
    max_details: int = 256
    max_text: int = 256
    max_attributes: int = 64


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Feedback:
    """A device's word on an action.

    Attributes:
        execution: how far it is.
        finished: what came of it.
        details: its own lines, cut to what a log may hold.
        action: the action that the body names, if it does; the path's is what counts.
    """

    execution: Execution
    finished: Finished
    details: tuple[str, ...] = ()
    action: int | None = None


@dataclass(frozen=True, slots=True)
class ConfigData:
    """What a device says of itself; nobody vouches for it.

    Attributes:
        mode: ``merge``, ``replace`` or ``remove``.
        attributes: by name.
    """

    mode: str = "merge"
    attributes: Mapping[str, str] = field(default_factory=dict)


def decode_feedback(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Feedback:
    """Read a feedback on an action, or on its cancellation.

    Raises:
        DecodeError: not such a body, or over a limit; names the place.
    """
    root = decode_json(data, max_bytes=limits.max_bytes, max_depth=limits.max_depth)
    status = root.member("status", spec=_FEEDBACK)
    result = status.member("result", spec=_FEEDBACK)
    given = status.find("details", spec=_FEEDBACK)
    details: list[str] = []
    for line in [] if given is None or given.value is None else given.elements(spec=_FEEDBACK):
        if len(details) == limits.max_details:
            line.refuse(f"at most {limits.max_details} lines", spec=_FEEDBACK)
        details.append(_text(line, limits.max_text, spec=_FEEDBACK))
    return Feedback(
        _word(status.member("execution", spec=_FEEDBACK), Execution),
        _word(result.member("finished", spec=_FEEDBACK), Finished),
        tuple(details),
        _action(root.find("id", spec=_FEEDBACK)),
    )


def decode_config_data(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> ConfigData:
    """Read what a device says of itself.

    Raises:
        DecodeError: not such a body, or over a limit; names the place.
    """
    root = decode_json(data, max_bytes=limits.max_bytes, max_depth=limits.max_depth)
    mode = root.find("mode", spec=_CONFIG)
    if mode is not None and mode.value not in _MODES:
        mode.refuse("merge, replace or remove", spec=_CONFIG)
    attributes: dict[str, str] = {}
    for name, value in root.member("data", spec=_CONFIG).members(spec=_CONFIG):
        if len(attributes) == limits.max_attributes or len(name) > limits.max_text or not name.isprintable():
            value.refuse(f"at most {limits.max_attributes} attributes with names that can be printed", spec=_CONFIG)
        attributes[name] = _text(value, limits.max_text, spec=_CONFIG)
    return ConfigData("merge" if mode is None else mode.value, attributes)


def _word(node: Node, words: type[_E]) -> _E:
    try:
        return words(node.value)
    except ValueError:
        node.refuse(f"one of {', '.join(words)}", spec=_FEEDBACK)


def _text(node: Node, longest: int, *, spec: str) -> str:
    """A text as far as it is kept: what cannot be printed would change the terminal of whoever reads it."""
    if not isinstance(node.value, str):
        node.refuse("text", spec=spec)
    return "".join(one if one.isprintable() else "?" for one in node.value[:longest])


def _action(node: Node | None) -> int | None:
    """Devices send the number as a number or as text, or leave it out."""
    if node is None or node.value is None or node.value == "":
        return None
    value = node.value
    if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.isdecimal():
        value = int(value)
    if type(value) is not int or not 0 <= value <= _LARGEST_ID:
        raise DecodeError(f"{node.place}: expected the number of an action", spec=_FEEDBACK)
    return value
