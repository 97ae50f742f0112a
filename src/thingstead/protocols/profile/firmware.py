"""The image of a thing that the Python agent plays: a header that the agent obeys, and a body that it carries along.

::

    "TSFW"  format  header size  header (CBOR map)                        body
    4       1       2            {1: version, 2: telemetry interval, ms}  any

No processor runs it. What it changes is real all the same: the agent reads the header of the active slot when it
starts and after each activation, shows the version, and reports at the interval named there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

__all__ = ["Firmware", "decode", "encode"]

_MAGIC = b"TSFW\x01"
_HEAD_SIZE = len(_MAGIC) + 2
_VERSION, _TELEMETRY_INTERVAL = 1, 2
_LIMITS = codec.Limits(max_bytes=1 << 10, max_depth=1)
_MAX_VERSION = 32
_SHORTEST, _LONGEST = 50, 86_400_000


@dataclass(frozen=True, slots=True)
class Firmware:
    """What the agent does because of its image.

    Attributes:
        version: for people, 1 to 32 characters.
        telemetry_interval: seconds between two readings, 0.05 to 86400; None leaves it to the thing's settings.
    """

    version: str
    telemetry_interval: float | None = None


def encode(firmware: Firmware, body: bytes = b"") -> bytes:
    """The image of `firmware`.

    Raises:
        DecodeError: a version or an interval that no thing would take.
    """
    header: dict[int, Any] = {_VERSION: firmware.version}
    if firmware.telemetry_interval is not None:
        header[_TELEMETRY_INTERVAL] = round(firmware.telemetry_interval * 1000)
    encoded = codec.encode(header)
    image = _MAGIC + len(encoded).to_bytes(2, "big") + encoded + body
    decode(image)
    return image


def decode(image: bytes) -> Firmware:
    """Read the header of an image.

    Raises:
        DecodeError: not an image of this format, or with a header that cannot be obeyed.
    """
    size = int.from_bytes(image[len(_MAGIC) : _HEAD_SIZE], "big")
    encoded = image[_HEAD_SIZE : _HEAD_SIZE + size]
    if not image.startswith(_MAGIC) or len(encoded) != size:
        raise DecodeError("expected an image that begins with TSFW, format 1, and its whole header", reason="image")
    header = codec.decode_deterministic(encoded, limits=_LIMITS)
    if not isinstance(header, dict) or not header.keys() <= {_VERSION, _TELEMETRY_INTERVAL}:
        raise DecodeError("expected version and telemetry interval in the header of an image", reason="image")
    version, interval = header.get(_VERSION), header.get(_TELEMETRY_INTERVAL, _LONGEST)
    if not isinstance(version, str) or not 0 < len(version) <= _MAX_VERSION or not version.isprintable():
        raise DecodeError(f"expected a version of 1 to {_MAX_VERSION} characters in an image", reason="image")
    if type(interval) is not int or not _SHORTEST <= interval <= _LONGEST:
        raise DecodeError(
            f"expected a telemetry interval of {_SHORTEST} to {_LONGEST} ms in an image, got {interval!r:.20}",
            reason="image",
        )
    return Firmware(version, interval / 1000 if _TELEMETRY_INTERVAL in header else None)
