"""Whether the domain still knows a thing, as far as the thing can tell (RFC 8613 §8.2)."""

from __future__ import annotations

from thingstead.errors import SecurityError, ThingsteadError
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code

__all__ = ["Doubt"]

_ENOUGH = 3


class Doubt:
    """Grows until it is enough to join again; the old association goes when the new one is committed."""

    def __init__(self) -> None:
        self._signs = 0
        self._is_worn = False

    @property
    def is_enough(self) -> bool:
        """Whether to join again."""
        return self._is_worn or self._signs >= _ENOUGH

    def settle(self) -> None:
        """It has joined."""
        self._signs = 0
        self._is_worn = False

    def wear(self) -> None:
        """Its keys have protected as much as they may."""
        self._is_worn = True

    def hear(self, answer: Message) -> bool:
        """Judge a response under the domain's own keys; whether that is reason enough by itself.

        4.01 is then its word that our token counts no more (RFC 9200 §5.10.2).
        """
        self._signs = _ENOUGH if answer.code == Code.UNAUTHORIZED else 0
        return self._signs == _ENOUGH

    def suspect(self, error: ThingsteadError) -> bool:
        """Judge a request to the domain that came to nothing; whether that makes it enough.

        An unprotected 4.01 may be forged, so that one alone never is.
        """
        if not isinstance(error, SecurityError) or error.reason == "ended":
            return False
        self._signs += 1
        return self._signs == _ENOUGH
