"""What a thing makes of a difference between images, and of what it kept of an update."""

from __future__ import annotations

from tests.fuzz.target import Target, attempt, ensure
from thingstead.agent import slot_pointer
from thingstead.agent.ports import Installed, Standing
from thingstead.agent.slot_pointer import Pointer
from thingstead.phases.delta import make_patch
from thingstead.protocols.profile import delta
from thingstead.protocols.profile.release import FIRMWARE

_OLD, _NEW = bytes(range(256)) * 4, bytes(range(100)) + b"new" + bytes(range(90, 256)) * 3
_MOST = 8192
_POINTER = Pointer(Standing(Installed(1)), {FIRMWARE: 0}, {}).activated([FIRMWARE], Installed(7, b"digest"))


def _apply(data: bytes) -> None:
    """It makes what its head says, no more than is allowed, and reads nothing but the old image."""

    def old(at: int, size: int) -> bytes:
        ensure(0 <= at <= at + size <= len(_OLD), "read outside of the old image")
        return _OLD[at : at + size]

    made = attempt(lambda: b"".join(delta.apply(data, old, old_size=len(_OLD), max_size=_MOST)))
    if made is not None:
        ensure(len(made) == int.from_bytes(data[24:32], "little") <= _MOST, "another size than was said")


def _pointer(data: bytes) -> None:
    """What is read is written the same, and its components have an active slot."""
    read = attempt(lambda: slot_pointer.decode(data))
    if read is not None:
        ensure(slot_pointer.decode(read.encode()) == read, "written otherwise than read")
        ensure(all(read.active(one) in {0, 1} for one in read.trial_places or read.places), "no active slot")


TARGETS = (
    Target("update.delta", _apply, (make_patch(_OLD, _NEW), make_patch(_OLD, _OLD))),
    Target("update.pointer", _pointer, (_POINTER.encode(), _POINTER.confirmed().encode())),
)
