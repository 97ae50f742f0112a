"""What the processor asks of the world, one at a time; the one who executes it answers with `send`."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.protocols.suit.digest import Digest
from thingstead.protocols.suit.manifest import ComponentId
from thingstead.protocols.suit.parameter import WaitInfo

__all__ = [
    "CheckAuthorized",
    "CheckBattery",
    "CheckContent",
    "CheckImageMatch",
    "CheckSlot",
    "CopyComponent",
    "Effect",
    "Fetch",
    "Invoke",
    "ReadEnvelope",
    "ReadVersion",
    "SetActive",
    "Swap",
    "Unlink",
    "WaitFor",
    "Write",
]


@dataclass(frozen=True, slots=True)
class Fetch:
    """Get `uri` and store it as the component's candidate; at most `size` bytes, else raise. Answer None.

    Attributes:
        component: where to.
        uri: of a scheme that the limits allow, or an absolute path at where the envelope came from.
        size: what the manifest says the image has, in bytes.
        arguments: of the author for the fetcher, or empty.
    """

    component: ComponentId
    uri: str
    size: int
    arguments: bytes = b""


@dataclass(frozen=True, slots=True)
class Write:
    """Store `content` as the component's candidate. Answer None.

    Attributes:
        component: where to.
        content: its bytes, or their ciphertext.
        encryption_info: what `encryption.decrypt` takes; empty where nothing is encrypted.
        arguments: of a fetch that found its payload in the envelope, or empty.
    """

    component: ComponentId
    content: bytes
    encryption_info: bytes = b""
    arguments: bytes = b""


@dataclass(frozen=True, slots=True)
class CopyComponent:
    """Store the source's bytes, decrypted as for `Write`, as the component's candidate. Answer None."""

    component: ComponentId
    source: ComponentId
    encryption_info: bytes = b""


@dataclass(frozen=True, slots=True)
class Swap:
    """Make each of the two the other's candidate. Answer None."""

    component: ComponentId
    source: ComponentId


@dataclass(frozen=True, slots=True)
class CheckImageMatch:
    """Does the component have this digest and size? Answer True or False.

    The component is its candidate where this procedure wrote one, else its active image.
    """

    component: ComponentId
    digest: Digest
    size: int | None


@dataclass(frozen=True, slots=True)
class CheckContent:
    """Does the component consist of `content`, compared in constant time? Answer True or False."""

    component: ComponentId
    content: bytes


@dataclass(frozen=True, slots=True)
class CheckSlot:
    """Would the component's candidate go to this slot? Answer True or False."""

    component: ComponentId
    slot: int


@dataclass(frozen=True, slots=True)
class CheckBattery:
    """Is there at least this much energy left, in mWh? Answer True or False."""

    minimum: int


@dataclass(frozen=True, slots=True)
class CheckAuthorized:
    """May an update of this priority happen now, says whoever uses the thing? Answer True or False.

    Smaller numbers are more urgent.
    """

    priority: int


@dataclass(frozen=True, slots=True)
class ReadVersion:
    """Which version does the component have? Answer a tuple of numbers, or None where it says none."""

    component: ComponentId


@dataclass(frozen=True, slots=True)
class ReadEnvelope:
    """Get the envelope that the component is, its candidate where this procedure wrote one. Answer its bytes."""

    component: ComponentId


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Come back when all of this has happened. Answer None; to give up, raise."""

    info: WaitInfo


@dataclass(frozen=True, slots=True)
class Unlink:
    """The manifest needs the component no more: count one reference less, for good. Answer None."""

    component: ComponentId


@dataclass(frozen=True, slots=True)
class SetActive:
    """Make the candidates active and store the sequence number, in one step that a power cut cannot split.

    It comes last, once, and names only components whose candidate matched its digest after the last
    write to it. Answer None.
    """

    components: tuple[ComponentId, ...]
    sequence_number: int
    manifest_digest: Digest


@dataclass(frozen=True, slots=True)
class Invoke:
    """Hand over to the component's active image. Answer None, if ever."""

    component: ComponentId
    arguments: bytes = b""


Effect = (
    Fetch
    | Write
    | CopyComponent
    | Swap
    | CheckImageMatch
    | CheckContent
    | CheckSlot
    | CheckBattery
    | CheckAuthorized
    | ReadVersion
    | ReadEnvelope
    | WaitFor
    | Unlink
    | SetActive
    | Invoke
)
