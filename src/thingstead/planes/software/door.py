"""The door to the software plane for whatever carries updates: CoAP with SUIT envelopes, or hawkBit's DDI over HTTP.

A transport asks the same few things in the same order, and decides nothing itself::

    offer = door.poll(thing)            which release it may have now; None: none, or others go first
    await door.keep(thing)              its place is on disk before the answer leaves
    door.image(thing)                   what it downloads; None once the campaign was aborted
    door.cancelled(thing)               what it was given and shall not install any more
    await door.report(thing, report)    how it ended, as a SUIT report (`outcome_report` makes one of any other word)

Whoever has something against a thing getting anything new says so by a gate: a line in `StatusTracker.gates`.
"""

from __future__ import annotations

from typing import Protocol

from thingstead.identifier import ThingId
from thingstead.planes.software.offer import Offer
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.digest import Digest, digest_of
from thingstead.protocols.suit.registry import Reason
from thingstead.protocols.suit.report import Report, encode_report

__all__ = ["Door", "outcome_report"]


class Door(Protocol):
    """What a transport asks; `StatusTracker` and, where its engine is another process, `RemoteTracker` fit it."""

    def accepts(self, thing: ThingId) -> bool:
        """Whether a poll would be answered now; who is not admitted is told nothing."""
        ...

    def poll(self, thing: ThingId) -> Offer | None:
        """The release that a thing may have now, asked as often as it likes.

        Raises:
            ForbiddenError: it is not admitted, or nobody who is trusted signs releases for it.
        """
        ...

    def is_kept(self, thing: ThingId) -> bool:
        """Whether `keep` would return at once, as it does but for the first poll of a thing in a campaign."""
        ...

    async def keep(self, thing: ThingId) -> None:
        """Return when the place of a thing is on disk.

        Raises:
            StorageError: it is not; the thing is to be told nothing, and to ask again.
        """
        ...

    def image(self, thing: ThingId) -> Offer | None:
        """The release whose image a thing downloads; errors as for `poll`."""
        ...

    def cancelled(self, thing: ThingId) -> Offer | None:
        """What a thing was given, and is not to install any more."""
        ...

    def objection(self, thing: ThingId) -> str:
        """What a gate has against a thing getting anything new; empty where none has."""
        ...

    async def report(self, thing: ThingId, encoded: bytes) -> None:
        """How it ended; errors as `StatusTracker.report` says."""
        ...


def outcome_report(offer: Offer, *, is_installed: bool) -> bytes:
    """A SUIT report of what a thing told in another language; it measured nothing, so the release's word stands for it.

    Args:
        offer: what it was given.
        is_installed: it runs it; else it does not, and keeps what it had.
    """
    images: dict[tuple[bytes, ...], Digest] = {profile.FIRMWARE: digest_of(offer.image)} if is_installed else {}
    reason = Reason.OK if is_installed else Reason.CONDITION_FAILED
    return encode_report(Report(envelope.decode(offer.encoded).digest, reason, images=images))
