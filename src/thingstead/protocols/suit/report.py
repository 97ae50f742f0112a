"""The SUIT report: how a procedure ended (draft-ietf-suit-report §4).

The draft names a manifest by its digest; a sequence number has no place in a report, because two
signers may use the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from thingstead.errors import (
    DecodeError,
    ProtocolError,
    SecurityError,
    StorageError,
    ThingsteadError,
    TransportError,
)
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.digest import Digest, decode_digest
from thingstead.protocols.suit.manifest import ComponentId
from thingstead.protocols.suit.processor import Position
from thingstead.protocols.suit.registry import ParameterId, Reason

__all__ = ["Limits", "Report", "decode_report", "encode_report", "reason_of"]

_SPEC = "draft-ietf-suit-report §4"
_MAX_PATH = 16
_SYSTEM_COMPONENT_ID = 0


class _Key(IntEnum):
    """Members of a report."""

    NONCE = 2
    RECORDS = 3
    RESULT = 4
    RESULT_CODE = 5
    RESULT_RECORD = 6
    RESULT_REASON = 7
    CAPABILITIES = 8
    REFERENCE = 99


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on a report from a thing.

    Attributes:
        max_bytes: size of the encoded report.
        max_records: records and system properties in it.
    """

    max_bytes: int = 1 << 13
    max_records: int = 32


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Report:
    """The end of one procedure.

    Attributes:
        manifest_digest: which manifest.
        reason: `Reason.OK`, or why not.
        reference_uri: of the manifest, word for word, or empty.
        code: internal error code, for its maker's eyes.
        position: where it failed; meaningless when it succeeded.
        nonce: freshness that the verifier asked for, or empty.
        images: digests measured on the thing, by component.
    """

    manifest_digest: Digest
    reason: Reason
    reference_uri: str = ""
    code: int = 0
    position: Position = field(default_factory=Position)
    nonce: bytes = b""
    images: Mapping[ComponentId, Digest] = field(default_factory=dict)


def encode_report(report: Report) -> bytes:
    """Encode a SUIT_Report, to be put under a signature or into an attested message."""
    position = report.position
    record = [list(position.manifest), int(position.section), position.offset, position.component_index, {}]
    failure = {
        _Key.RESULT_CODE.value: report.code,
        _Key.RESULT_RECORD.value: record,
        _Key.RESULT_REASON.value: int(report.reason),
    }
    members: dict[int, Any] = {
        _Key.REFERENCE.value: [report.reference_uri, _digest_array(report.manifest_digest)],
        _Key.RECORDS.value: [
            {_SYSTEM_COMPONENT_ID: list(component), ParameterId.IMAGE_DIGEST.value: digest.encode()}
            for component, digest in report.images.items()
        ],
        _Key.RESULT.value: True if report.reason is Reason.OK else failure,
    }
    if report.nonce:
        members[_Key.NONCE.value] = report.nonce
    return codec.encode(members)


def decode_report(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Report:
    """Decode a SUIT_Report; records of commands and capabilities are checked for shape and left out.

    Raises:
        DecodeError: outside the grammar, or over a limit.
        UnsupportedError: a hash that we do not have.
    """
    members = codec.decode(data, limits=codec.Limits(max_bytes=limits.max_bytes, max_depth=8))
    match members:
        case {_Key.REFERENCE: [str() as uri, list() as digest], _Key.RECORDS: list() as records, _Key.RESULT: result}:
            reason, code, position = _result(result)
            nonce = members.get(_Key.NONCE, b"")
        case _:
            raise DecodeError("expected a report with reference, records and result", spec=_SPEC)
    if not isinstance(nonce, bytes) or len(records) > limits.max_records:
        raise DecodeError(f"expected a nonce of bytes and at most {limits.max_records} records", spec=_SPEC)
    properties = [item for item in records if isinstance(item, dict) and ParameterId.IMAGE_DIGEST in item]
    images = MappingProxyType(dict([_image(item) for item in properties]))
    return Report(decode_digest(digest), reason, uri, code, position, nonce, images)


def reason_of(error: ThingsteadError) -> Reason:
    """The report's reason for an error of ours: by its slug where that says more, else by its class."""
    if error.reason in _BY_SLUG:
        return _BY_SLUG[error.reason]
    for cls, reason in _BY_CLASS.items():
        if isinstance(error, cls):
            return reason
    return Reason.OPERATION_FAILED


_BY_SLUG: dict[str, Reason] = {
    "malformed": Reason.CBOR_PARSE,
    "unsupported": Reason.ALG_UNSUPPORTED,
    "unauthenticated": Reason.UNAUTHORISED,
    "unsigned": Reason.UNAUTHORISED,
    "signers": Reason.UNAUTHORISED,
    "untrusted": Reason.UNAUTHORISED,
    "manifest-digest": Reason.UNAUTHORISED,
    "severed-digest": Reason.UNAUTHORISED,
    "command": Reason.COMMAND_UNSUPPORTED,
    "component": Reason.COMPONENT_UNSUPPORTED,
    "parameter": Reason.PARAMETER_UNSUPPORTED,
    "severed": Reason.SEVERING_UNSUPPORTED,
    "uri": Reason.OPERATION_FAILED,
    "size": Reason.OPERATION_FAILED,
}
_BY_CLASS: dict[type[ThingsteadError], Reason] = {
    TransportError: Reason.OPERATION_FAILED,
    StorageError: Reason.OPERATION_FAILED,
    SecurityError: Reason.CONDITION_FAILED,
    ProtocolError: Reason.CONDITION_FAILED,
}


def _result(result: Any) -> tuple[Reason, int, Position]:
    if result is True:
        return Reason.OK, 0, Position()
    match result:
        case {
            _Key.RESULT_CODE: int(code),
            _Key.RESULT_RECORD: [list(manifest), int(section), int(offset), int(index), dict(), *_],
            _Key.RESULT_REASON: int(number),
        } if number in set(Reason) - {Reason.OK} and min(offset, index) >= 0 and _is_path(manifest):
            return Reason(number), code, Position(section, offset, index, tuple(manifest))
    raise DecodeError("expected a result of true, or of code, record and reason", spec=_SPEC)


def _is_path(manifest: list[Any]) -> bool:
    return len(manifest) <= _MAX_PATH and all(type(one) is int and one >= 0 for one in manifest)


def _image(item: Mapping[Any, Any]) -> tuple[ComponentId, Digest]:
    component, encoded = item.get(_SYSTEM_COMPONENT_ID), item.get(ParameterId.IMAGE_DIGEST)
    if not isinstance(component, list) or not all(isinstance(part, bytes) for part in component):
        raise DecodeError("expected system properties of a component", spec=_SPEC)
    if not isinstance(encoded, bytes):
        raise DecodeError("expected the image digest among the system properties", spec=_SPEC)
    return tuple(component), decode_digest(codec.decode_deterministic(encoded))


def _digest_array(digest: Digest) -> list[Any]:
    return [digest.algorithm_id, digest.value]
