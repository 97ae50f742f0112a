"""Values of parameters, from words to what CBOR has: one reader for each kind in the registry."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.phases.authoring.place import Files, Place
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.digest import Digest, digest_of
from thingstead.protocols.suit.encryption import EncryptedPayload
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.suit.parameter import Comparison, Version, WaitEvent
from thingstead.protocols.suit.registry import PARAMETERS, PEN_TAG, Kind, ParameterId

__all__ = ["Scope", "read_digest", "read_parameters", "read_vendor", "read_version"]

_UUID = re.compile(r"[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}")
_DNS_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_VERSION = re.compile(r"(\d{1,9}(?:\.\d{1,9}){0,7})(?:-(rc|beta|alpha)((?:\.\d{1,9}){0,4}))?")
_MATCH = re.compile(r"(>=|<=|>|<|=) *(\S+)")
_STAGES = {"rc": -1, "beta": -2, "alpha": -3}
_COMPARISONS = {
    ">": Comparison.GREATER,
    ">=": Comparison.GREATER_EQUAL,
    "=": Comparison.EQUAL,
    "<=": Comparison.LESSER_EQUAL,
    "<": Comparison.LESSER,
}
_DIGESTS = {
    "sha-256": AlgorithmId.SHA_256,
    "sha-384": AlgorithmId.SHA_384,
    "sha-512": AlgorithmId.SHA_512,
    "shake256": AlgorithmId.SHAKE256,
}
_MAX_UINT = (1 << 64) - 1
_INT = 1 << 63
_NAMES = {row.id.name.lower(): row for row in PARAMETERS.values()}
_EVENTS = {event.name.lower(): event for event in WaitEvent}


@dataclass(frozen=True, slots=True)
class Scope:
    """What names in a release file stand for.

    Attributes:
        files: what lies beside the file.
        components: index of each component and dependency by its name.
        encrypted: encrypted payloads by name.
    """

    files: Files
    components: Mapping[str, int] = field(default_factory=dict)
    encrypted: Mapping[str, EncryptedPayload] = field(default_factory=dict)

    def index(self, place: Place) -> int:
        """Index of the component that is named here.

        Raises:
            ConfigError: there is none of this name.
        """
        name = place.text()
        if name not in self.components:
            known = ", ".join(self.components) or "none"
            raise place.refuse(f"there is no component {name[:40]!r}; there are {known}")
        return self.components[name]

    def encryption(self, place: Place) -> EncryptedPayload:
        """The encrypted payload that is named here.

        Raises:
            ConfigError: there is none of this name.
        """
        name = place.text()
        if name not in self.encrypted:
            raise place.refuse(f"there is no table encryption.{name[:40]}")
        return self.encrypted[name]


def read_parameters(place: Place, scope: Scope) -> dict[int, Any]:
    """A table of parameters by their names in the registry.

    Raises:
        ConfigError: an unknown parameter, or a value that is none of its kind; names the place.
    """
    table = place.table(_NAMES)
    if not table:
        raise place.refuse("expected a parameter at least")
    read: dict[int, Any] = {}
    for name, value in table.items():
        row = _NAMES[name]
        reader = _OWN_READERS.get(row.id, _READERS[row.kind])
        read[row.id.value] = reader(value, scope)
    return read


def read_vendor(place: Place) -> Any:
    """A vendor: its DNS name, from which the identifier follows, a UUID, or a private enterprise number."""
    if isinstance(place.value, dict):
        return codec.Tag(PEN_TAG, _relative_oid(place.table(("pen",), required=("pen",))["pen"].whole(1, 1 << 32)))
    text = place.text()
    if _UUID.fullmatch(text):
        return place.uuid()
    if not _DNS_NAME.fullmatch(text):
        raise place.refuse(f"expected a DNS name such as lamps.example, or a UUID, got {text[:40]!r}")
    return vendor_identifier(text)


def read_digest(place: Place, scope: Scope) -> Digest:
    """A digest: SHA-256 in hexadecimal, of a file, or with the name of another hash."""
    if isinstance(place.value, str):
        return _digest(place, AlgorithmId.SHA_256, place.hex())
    table = place.table(("algorithm", "hex", "file"))
    algorithm_id = AlgorithmId.SHA_256
    if "algorithm" in table:
        name = table["algorithm"].text()
        if name not in _DIGESTS:
            raise table["algorithm"].refuse(f"expected one of {', '.join(_DIGESTS)}, got {name[:40]!r}")
        algorithm_id = _DIGESTS[name]
    if ("hex" in table) == ("file" in table):
        raise place.refuse("expected one of hex and file")
    if "file" in table:
        return digest_of(table["file"].file(scope.files), algorithm_id)
    return _digest(table["hex"], algorithm_id, table["hex"].hex())


def read_version(place: Place) -> Version:
    """A version such as 1.2.0 or 1.2.0-rc.1 (UPDATE_MANAGEMENT §4.4)."""
    return _version(place, place.text())


def _version_match(place: Place, _scope: Scope) -> bytes:
    """A comparison with a version, such as ``>= 1.2.0``."""
    return codec.encode(_match(place))


def _match(place: Place) -> list[Any]:
    found = _MATCH.fullmatch(place.text())
    if found is None:
        raise place.refuse(f"expected a comparison such as '>= 1.2.0', got {place.text()[:40]!r}")
    return [_COMPARISONS[found[1]].value, list(_version(place, found[2]))]


def _version(place: Place, text: str) -> Version:
    found = _VERSION.fullmatch(text)
    if found is None:
        raise place.refuse(f"expected a version such as 1.2.0 or 1.2.0-rc.1, got {text[:40]!r}")
    numbers = [int(number) for number in found[1].split(".")]
    if found[2]:
        numbers += [_STAGES[found[2]], *[int(number) for number in found[3].split(".") if number]]
    return tuple(numbers)


def _digest(place: Place, algorithm_id: int, value: bytes) -> Digest:
    size = len(digest_of(b"", algorithm_id).value)
    if len(value) != size:
        raise place.refuse(f"expected a digest of {size} bytes, got {len(value)}")
    return Digest(int(algorithm_id), value)


def _relative_oid(number: int) -> bytes:
    """A private enterprise number as RFC 9090 §2 has it below 1.3.6.1.4.1: seven bits in each byte."""
    encoded = [number & 0x7F]
    while number := number >> 7:
        encoded.append(number & 0x7F | 0x80)
    return bytes(reversed(encoded))


def _class(place: Place, _scope: Scope) -> bytes:
    if not isinstance(place.value, dict):
        return place.uuid()
    table = place.table(("vendor", "model"), required=("vendor", "model"))
    vendor = read_vendor(table["vendor"])
    if not isinstance(vendor, bytes):
        raise table["vendor"].refuse("expected a vendor with a UUID: the class identifier follows from it")
    return class_identifier(vendor, table["model"].text())


def _size(place: Place, scope: Scope) -> int:
    if isinstance(place.value, dict):
        return len(place.table(("file",), required=("file",))["file"].file(scope.files))
    return place.whole(0, _MAX_UINT)


def _encryption_info(place: Place, scope: Scope) -> bytes:
    if isinstance(place.value, dict) and "encryption" in place.value:
        return scope.encryption(place.table(("encryption",))["encryption"]).info
    return place.octets(scope.files)


def _content(place: Place, scope: Scope) -> bytes:
    if isinstance(place.value, dict) and "encryption" in place.value:
        return scope.encryption(place.table(("encryption",))["encryption"]).ciphertext
    return place.octets(scope.files)


def _wait(place: Place, scope: Scope) -> bytes:
    events: dict[int, Any] = {}
    for name, value in place.table(_EVENTS).items():
        event = _EVENTS[name]
        if event is WaitEvent.OTHER_DEVICE_VERSION:
            table = value.table(("device", "versions"), required=("device", "versions"))
            events[event.value] = [
                table["device"].octets(scope.files),
                [_match(one) for one in table["versions"].items()],
            ]
        elif event is WaitEvent.TIME:
            events[event.value] = value.moment()
        else:
            events[event.value] = value.whole(-_INT, _INT - 1)
    return codec.encode(events)


_READERS: dict[Kind, Callable[[Place, Scope], Any]] = {
    Kind.VENDOR: lambda place, _scope: read_vendor(place),
    Kind.UUID: lambda place, _scope: place.uuid(),
    Kind.DIGEST: lambda place, scope: read_digest(place, scope).encode(),
    Kind.UINT: lambda place, _scope: place.whole(0, _MAX_UINT),
    Kind.INT: lambda place, _scope: place.whole(-_INT, _INT - 1),
    Kind.BOOL: lambda place, _scope: place.flag(),
    Kind.TEXT: lambda place, _scope: place.text(),
    Kind.BYTES: lambda place, scope: place.octets(scope.files),
    Kind.VERSION: _version_match,
    Kind.WAIT: _wait,
}
_OWN_READERS: dict[ParameterId, Callable[[Place, Scope], Any]] = {
    ParameterId.CLASS_IDENTIFIER: _class,
    ParameterId.USE_BEFORE: lambda place, _scope: place.moment(),
    ParameterId.IMAGE_SIZE: _size,
    ParameterId.SOURCE_COMPONENT: lambda place, scope: scope.index(place),
    ParameterId.ENCRYPTION_INFO: _encryption_info,
    ParameterId.CONTENT: _content,
}
"""Parameters for which a release file has more words than for others of their kind."""
