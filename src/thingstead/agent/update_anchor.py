"""Which keys a thing trusts with its firmware, and how it comes to trust others: by steps of those that it trusts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from thingstead.agent.ports import Home
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.profile import succession, update_poll
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.profile.succession import UpdateKeys

__all__ = ["UPDATE_KEYS", "UpdateAnchor"]

UPDATE_KEYS = "update-keys"
"""Name in the thing's home; it outlives a wipe, for whose releases it takes is no secret of a domain's."""

_LOGGER = logging.getLogger(__name__)
_LIMITS = codec.Limits(max_bytes=1 << 18, max_depth=2)


class UpdateAnchor:
    """Walks from the keys of its birth, or of who took the maker's part, to those of now, one step at a time.

    Each step is verified under what the thing has, and replaces that in one write: a power cut leaves it before the
    step or behind it, and the domain sends what it lacks again.

    Args:
        home: where it is kept.
        born: what the maker gave, or who took its part.
    """

    def __init__(self, home: Home, born: Callable[[], Birth]) -> None:
        self._home = home
        self._born = born

    @property
    def serial(self) -> str:
        """The thing's, for what is written of it."""
        return self._born().serial

    def keys(self) -> UpdateKeys:
        """Which keys sign releases now."""
        birth = self._born()
        first = succession.begin(KeySet(birth.release_anchors, birth.signing), birth.release_step)
        kept = self._home.load(UPDATE_KEYS)
        if kept is None:
            return first
        match codec.decode(kept, limits=_LIMITS):
            case [bytes(origin), bytes(state)]:
                # Steps of a maker whose part another took since lead nowhere any more.
                return succession.decode_state(state) if origin == first.digest else first
            case _:
                raise DecodeError("expected a thing's update keys")

    def born(self) -> Birth:
        """What the thing is, and what a release for it has to satisfy."""
        effective = self.keys().effective
        return replace(self._born(), release_anchors=effective.keys, signing=effective.signing)

    def query(self) -> tuple[str, ...]:
        """What a poll says of it."""
        return update_poll.query(self.keys(), self._born().verifies)

    def walk(self, step: bytes) -> None:
        """Take one step.

        Raises:
            SecurityError, ProtocolError: it does not follow, or is not signed by who has to sign it; nothing changed.
            StorageError: it could not be kept; nothing changed.
        """
        birth = self._born()
        origin = succession.begin(KeySet(birth.release_anchors, birth.signing), birth.release_step).digest
        after = succession.follow(self.keys(), step)
        self._home.save(UPDATE_KEYS, codec.encode([origin, succession.encode_state(after)]))
        _LOGGER.info("%s takes releases of update keys %d: %s", birth.serial, after.number, after.effective)
