"""Three questions before algorithms change, answered in numbers (RFC 8576 §5.4; R-75).

1. Is it secure to install the new algorithms with the present ones?
2. Does a thing have room for the software that brings them?
3. Does the update leave the thing to its work?

What has no room, takes longer than the owner allows, or rests on nothing that still holds is an unsafe plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from thingstead.analysis.airtime import Transfer
from thingstead.analysis.link_profile import DeviceClass
from thingstead.crypto.judgement import Status
from thingstead.crypto.lifetime import name_of
from thingstead.domain.crypto_policy import CryptoPolicy

__all__ = ["Answer", "Load", "questions"]

_SLOTS = 2
"""The running image is never written: a thing holds the old and the new one (R-73)."""

_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Load:
    """What a release puts on a thing.

    Attributes:
        image: octets.
        envelope: octets, signatures included.
        signatures: COSE numbers of the algorithms it is signed with.
        present: those that things which are to install it verify already.
    """

    image: int
    envelope: int
    signatures: tuple[int, ...]
    present: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One question about one class of things, or one link.

    Attributes:
        question: 1, 2 or 3.
        about: an algorithm, a device class or a link.
        is_safe: whether nothing speaks against the plan.
        said: the numbers, in a sentence.
    """

    question: int
    about: str
    is_safe: bool
    said: str


def questions(
    load: Load,
    *,
    classes: Iterable[DeviceClass],
    transfers: Sequence[Transfer],
    crypto: CryptoPolicy,
    day: date,
    max_seconds: float,
) -> tuple[Answer, ...]:
    """Answer all three.

    Args:
        load: the release.
        classes: of the things that it is for.
        transfers: envelope and image over each link that they are on.
        crypto: the owner's dates.
        day: today.
        max_seconds: that an update may take a link, at best.
    """
    return (
        *_by_present_means(load, crypto, day),
        *[_has_room(load, one) for one in classes],
        *[_leaves_it_working(one, max_seconds) for one in transfers],
    )


def _by_present_means(load: Load, crypto: CryptoPolicy, day: date) -> list[Answer]:
    """One signature that holds on its own is enough to rest on; each is told."""
    shared = [one for one in load.signatures if one in load.present]
    rows = []
    for number in dict.fromkeys(shared):
        name = name_of(number)
        status, last = crypto.status(name, day), crypto.sunset(name)
        left = "no last day is set" if last is None else f"{(last - day).days} days are left until {last}"
        rows.append((name, status, f"{name} is {status}, {left}"))
    is_safe = any(status in {Status.RECOMMENDED, Status.ACCEPTABLE} for _, status, _ in rows)
    if not rows:
        return [Answer(1, "signatures", False, "no signature of it is of an algorithm that things verify today")]
    return [Answer(1, name, is_safe, said) for name, _, said in rows]


def _has_room(load: Load, device: DeviceClass) -> Answer:
    flash = _SLOTS * load.image + load.envelope
    ram = load.envelope + _BLOCK
    if not device.flash:
        return Answer(2, device.name, False, f"{device.name} has no room that could be counted on")
    is_safe = flash <= device.flash and ram <= device.ram
    return Answer(
        2,
        device.name,
        is_safe,
        f"two images and the envelope take {flash} of {device.flash} octets of flash; "
        f"envelope and one block take {ram} of {device.ram} octets of RAM",
    )


def _leaves_it_working(transfer: Transfer, max_seconds: float) -> Answer:
    is_safe = transfer.elapsed <= max_seconds
    return Answer(
        3,
        transfer.link,
        is_safe,
        f"{transfer.frames} frames, {transfer.air:.1f} s on the air, {transfer.elapsed:.0f} s at best "
        f"of {max_seconds:.0f} s that it may take",
    )
