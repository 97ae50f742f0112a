"""Every SUIT number in one place, with the name and the document that it comes from.

None of these numbers is assigned for good: the documents below are drafts, and what changes in them changes here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

__all__ = [
    "COMMANDS",
    "DRAFT",
    "FIRMWARE_ENCRYPTION",
    "PARAMETERS",
    "REPORT_DRAFT",
    "TRUST_DOMAINS",
    "UPDATE_MANAGEMENT",
    "Argument",
    "CommandId",
    "CommandRow",
    "Kind",
    "Member",
    "ParameterId",
    "ParameterRow",
    "Reason",
]

DRAFT = "draft-ietf-suit-manifest-37"
REPORT_DRAFT = "draft-ietf-suit-report-18"
"""The text that was read; -22 is the newest seen announced."""
TRUST_DOMAINS = "draft-ietf-suit-trust-domains-12"
UPDATE_MANAGEMENT = "draft-ietf-suit-update-management-16"
FIRMWARE_ENCRYPTION = "draft-ietf-suit-firmware-encryption-26"

ENVELOPE_TAG = 107
PEN_TAG = 112
DEPENDENCY_PREFIX = 1


class Member(IntEnum):
    """Members of envelope and manifest; a severed member has the same key in both (DRAFT §8.4.12)."""

    DELEGATION = 1
    AUTHENTICATION_WRAPPER = 2
    MANIFEST = 3
    DEPENDENCY_RESOLUTION = 15
    PAYLOAD_FETCH = 16
    CANDIDATE_VERIFICATION = 18
    INSTALL = 20
    TEXT = 23
    COSWID = 14
    UNINSTALL = 24
    VALIDATE = 7
    LOAD = 8
    INVOKE = 9


class ManifestKey(IntEnum):
    """Members of the manifest that are no command sequence."""

    VERSION = 1
    SEQUENCE_NUMBER = 2
    COMMON = 3
    REFERENCE_URI = 4
    COMPONENT_ID = 5
    SET_VERSION = 6


class CommonKey(IntEnum):
    """Members of the common block."""

    DEPENDENCIES = 1
    COMPONENTS = 2
    SHARED_SEQUENCE = 4


class TextKey(IntEnum):
    """Texts about the manifest (DRAFT §8.4.4)."""

    MANIFEST_DESCRIPTION = 1
    UPDATE_DESCRIPTION = 2
    MANIFEST_JSON_SOURCE = 3
    MANIFEST_YAML_SOURCE = 4


class ComponentTextKey(IntEnum):
    """Texts about one component (DRAFT §8.4.4)."""

    VENDOR_NAME = 1
    MODEL_NAME = 2
    VENDOR_DOMAIN = 3
    MODEL_INFO = 4
    COMPONENT_DESCRIPTION = 5
    COMPONENT_VERSION = 6


class CommandId(IntEnum):
    """Conditions and directives; one number space."""

    CONDITION_VENDOR_IDENTIFIER = 1
    CONDITION_CLASS_IDENTIFIER = 2
    CONDITION_IMAGE_MATCH = 3
    CONDITION_USE_BEFORE = 4
    CONDITION_COMPONENT_SLOT = 5
    CONDITION_CHECK_CONTENT = 6
    CONDITION_DEPENDENCY_INTEGRITY = 7
    CONDITION_IS_DEPENDENCY = 8
    PROCESS_DEPENDENCY = 11
    SET_COMPONENT_INDEX = 12
    CONDITION_ABORT = 14
    TRY_EACH = 15
    WRITE = 18
    SET_PARAMETERS = 19
    OVERRIDE_PARAMETERS = 20
    FETCH = 21
    COPY = 22
    INVOKE = 23
    CONDITION_DEVICE_IDENTIFIER = 24
    CONDITION_IMAGE_NOT_MATCH = 25
    CONDITION_MINIMUM_BATTERY = 26
    CONDITION_UPDATE_AUTHORIZED = 27
    CONDITION_VERSION = 28
    WAIT = 29
    SWAP = 31
    RUN_SEQUENCE = 32
    UNLINK = 33
    OVERRIDE_MULTIPLE = 34
    COPY_PARAMS = 35


class ParameterId(IntEnum):
    """What commands read."""

    VENDOR_IDENTIFIER = 1
    CLASS_IDENTIFIER = 2
    IMAGE_DIGEST = 3
    USE_BEFORE = 4
    COMPONENT_SLOT = 5
    STRICT_ORDER = 12
    SOFT_FAILURE = 13
    IMAGE_SIZE = 14
    CONTENT = 18
    ENCRYPTION_INFO = 19
    URI = 21
    SOURCE_COMPONENT = 22
    INVOKE_ARGS = 23
    DEVICE_IDENTIFIER = 24
    FETCH_ARGS = 25
    MINIMUM_BATTERY = 26
    UPDATE_PRIORITY = 27
    VERSION = 28
    WAIT_INFO = 29
    COMPONENT_METADATA = 30


class Reason(IntEnum):
    """Why a procedure ended, in a SUIT report."""

    OK = 0
    CBOR_PARSE = 1
    COSE_UNSUPPORTED = 2
    ALG_UNSUPPORTED = 3
    UNAUTHORISED = 4
    COMMAND_UNSUPPORTED = 5
    COMPONENT_UNSUPPORTED = 6
    COMPONENT_UNAUTHORISED = 7
    PARAMETER_UNSUPPORTED = 8
    SEVERING_UNSUPPORTED = 9
    CONDITION_FAILED = 10
    OPERATION_FAILED = 11
    INVOKE_PENDING = 12


class Argument(Enum):
    """What follows a command's number."""

    POLICY = "reporting policy"
    INDEX = "component index"
    PARAMETERS = "parameter map"
    SEQUENCE = "command sequence"
    SEQUENCES = "command sequences, the last one perhaps nil"
    MULTIPLE = "parameter maps by component index"
    COPIES = "lists of parameter numbers by component index"


class Kind(Enum):
    """The type of a parameter."""

    VENDOR = "UUID of 16 bytes, or tagged private enterprise number"
    UUID = "UUID of 16 bytes"
    DIGEST = "byte string with a SUIT_Digest"
    UINT = "unsigned integer"
    INT = "integer"
    BOOL = "boolean"
    TEXT = "text"
    BYTES = "byte string"
    VERSION = "byte string with a comparison and a version"
    WAIT = "byte string with a map of events"


@dataclass(frozen=True, slots=True)
class CommandRow:
    """One row of the command registry."""

    id: CommandId
    argument: Argument
    source: str


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One row of the parameter registry."""

    id: ParameterId
    kind: Kind
    source: str


_C, _P = CommandId, ParameterId

COMMANDS: dict[int, CommandRow] = {
    **{
        number: CommandRow(number, Argument.POLICY, DRAFT)
        for number in (
            _C.CONDITION_VENDOR_IDENTIFIER,
            _C.CONDITION_CLASS_IDENTIFIER,
            _C.CONDITION_IMAGE_MATCH,
            _C.CONDITION_COMPONENT_SLOT,
            _C.CONDITION_CHECK_CONTENT,
            _C.CONDITION_ABORT,
            _C.CONDITION_DEVICE_IDENTIFIER,
            _C.WRITE,
            _C.FETCH,
            _C.COPY,
            _C.INVOKE,
            _C.SWAP,
        )
    },
    **{
        row.id: row
        for row in (
            CommandRow(_C.SET_COMPONENT_INDEX, Argument.INDEX, DRAFT),
            CommandRow(_C.TRY_EACH, Argument.SEQUENCES, DRAFT),
            CommandRow(_C.OVERRIDE_PARAMETERS, Argument.PARAMETERS, DRAFT),
            CommandRow(_C.RUN_SEQUENCE, Argument.SEQUENCE, DRAFT),
            CommandRow(_C.SET_PARAMETERS, Argument.PARAMETERS, TRUST_DOMAINS),
            CommandRow(_C.CONDITION_DEPENDENCY_INTEGRITY, Argument.POLICY, TRUST_DOMAINS),
            CommandRow(_C.CONDITION_IS_DEPENDENCY, Argument.POLICY, TRUST_DOMAINS),
            CommandRow(_C.PROCESS_DEPENDENCY, Argument.POLICY, TRUST_DOMAINS),
            CommandRow(_C.UNLINK, Argument.POLICY, TRUST_DOMAINS),
            CommandRow(_C.CONDITION_USE_BEFORE, Argument.POLICY, UPDATE_MANAGEMENT),
            CommandRow(_C.CONDITION_IMAGE_NOT_MATCH, Argument.POLICY, UPDATE_MANAGEMENT),
            CommandRow(_C.CONDITION_MINIMUM_BATTERY, Argument.POLICY, UPDATE_MANAGEMENT),
            CommandRow(_C.CONDITION_UPDATE_AUTHORIZED, Argument.POLICY, UPDATE_MANAGEMENT),
            CommandRow(_C.CONDITION_VERSION, Argument.POLICY, UPDATE_MANAGEMENT),
            CommandRow(_C.WAIT, Argument.POLICY, UPDATE_MANAGEMENT),
            CommandRow(_C.OVERRIDE_MULTIPLE, Argument.MULTIPLE, UPDATE_MANAGEMENT),
            CommandRow(_C.COPY_PARAMS, Argument.COPIES, UPDATE_MANAGEMENT),
        )
    },
}

PARAMETERS: dict[int, ParameterRow] = {
    row.id: row
    for row in (
        ParameterRow(_P.VENDOR_IDENTIFIER, Kind.VENDOR, DRAFT),
        ParameterRow(_P.CLASS_IDENTIFIER, Kind.UUID, DRAFT),
        ParameterRow(_P.IMAGE_DIGEST, Kind.DIGEST, DRAFT),
        ParameterRow(_P.USE_BEFORE, Kind.UINT, UPDATE_MANAGEMENT),
        ParameterRow(_P.COMPONENT_SLOT, Kind.UINT, DRAFT),
        ParameterRow(_P.STRICT_ORDER, Kind.BOOL, DRAFT),
        ParameterRow(_P.SOFT_FAILURE, Kind.BOOL, DRAFT),
        ParameterRow(_P.IMAGE_SIZE, Kind.UINT, DRAFT),
        ParameterRow(_P.CONTENT, Kind.BYTES, DRAFT),
        ParameterRow(_P.ENCRYPTION_INFO, Kind.BYTES, FIRMWARE_ENCRYPTION),
        ParameterRow(_P.URI, Kind.TEXT, DRAFT),
        ParameterRow(_P.SOURCE_COMPONENT, Kind.UINT, DRAFT),
        ParameterRow(_P.INVOKE_ARGS, Kind.BYTES, DRAFT),
        ParameterRow(_P.DEVICE_IDENTIFIER, Kind.UUID, DRAFT),
        ParameterRow(_P.FETCH_ARGS, Kind.BYTES, DRAFT),
        ParameterRow(_P.MINIMUM_BATTERY, Kind.UINT, UPDATE_MANAGEMENT),
        ParameterRow(_P.UPDATE_PRIORITY, Kind.INT, UPDATE_MANAGEMENT),
        ParameterRow(_P.VERSION, Kind.VERSION, UPDATE_MANAGEMENT),
        ParameterRow(_P.WAIT_INFO, Kind.WAIT, UPDATE_MANAGEMENT),
        ParameterRow(_P.COMPONENT_METADATA, Kind.BYTES, UPDATE_MANAGEMENT),
    )
}
