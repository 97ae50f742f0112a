"""Images for demonstrations: the header that the Python agent obeys, then bytes that only have to travel.

They are no machine code. What an update changes is what the header says (see `profile.firmware`).
"""

from __future__ import annotations

from itertools import count, islice

from thingstead.crypto.digest import digest
from thingstead.protocols.profile import firmware
from thingstead.protocols.profile.firmware import Firmware

__all__ = ["demo_image"]

_DIGEST_SIZE = 32


def demo_image(model: str, version: str, *, telemetry_interval: float | None = None, size: int = 1 << 14) -> bytes:
    """An image of `size` bytes; the same arguments give the same bytes, and no two versions share more than a header.

    Args:
        model: whom it is for; only colours the filling.
        version: what the thing will show.
        telemetry_interval: seconds between two readings from then on; None leaves that to the thing's settings.
        size: in bytes; the header alone if that is more.

    Raises:
        DecodeError: a version or an interval that no thing would take.
    """
    header = firmware.encode(Firmware(version, telemetry_interval))
    blocks = (digest(f"{model} {version} {number}".encode()) for number in count())
    filling = b"".join(islice(blocks, size // _DIGEST_SIZE + 1))
    return header + filling[: max(0, size - len(header))]
