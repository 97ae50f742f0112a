"""What a thing keeps of updates, and differences between images."""

from tests.properties.decoder import Decoder
from thingstead.agent import slot_pointer
from thingstead.agent.ports import Installed, Standing
from thingstead.agent.slot_pointer import Pointer
from thingstead.phases.delta import make_patch
from thingstead.protocols.profile import delta
from thingstead.protocols.profile.release import FIRMWARE

_OLD, _NEW = bytes(range(200)), bytes(range(100)) + b"new" + bytes(range(90, 200))
_POINTER = Pointer(Standing(Installed(1)), {FIRMWARE: 0}, {}).activated([FIRMWARE], Installed(7, b"digest")).booted()


def _apply(data: bytes) -> bytes:
    made = delta.apply(data, lambda at, size: _OLD[at : at + size], old_size=len(_OLD), max_size=4096)
    return b"".join(made)


DECODERS = (
    Decoder("agent.slot_pointer.decode", slot_pointer.decode, (_POINTER.encode().hex(),)),
    Decoder("profile.delta.apply", _apply, (make_patch(_OLD, _NEW).hex(),)),
    Decoder("profile.delta.require_arguments", delta.require_arguments, (delta.ARGUMENTS.hex(),)),
)
