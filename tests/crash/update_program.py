"""A thing that does nothing but update, release after release, until it is killed: arguments are its slots and a count.

Each line of its output is the sequence number that it confirmed.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from tests.unit.agent.updates import Domain, Thing, released
from thingstead.agent.file_slots import FileSlots
from thingstead.protocols.profile import firmware
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.suit import envelope

__all__ = ["image"]

_SIZE = 60_000


def image(number: int) -> bytes:
    """The image of release `number`; of the factory's, 1."""
    return firmware.encode(Firmware(f"1.{number}.0"), random.Random(number).randbytes(_SIZE + number))


def main(directory: Path, last: int) -> None:
    """Update up to release `last`."""
    slots = FileSlots(directory)
    while (installed := slots.standing().installed.sequence_number) < last:
        number = installed + 1
        offered = Domain(envelope.encode(released(image(number), sequence_number=number)), image(number))
        Thing(slots, offered).poll()
        if slots.standing().reverted:
            # Killed three times in one trial: the thing went back, as it should; here somebody says to try again.
            slots.forgive()
        print(slots.standing().installed.sequence_number, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
