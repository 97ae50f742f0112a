"""The replay window of a recipient context (RFC 8613 §3.2.2, §7.4)."""

from __future__ import annotations

from thingstead.errors import ReplayError, UntrustedError
from thingstead.protocols.oscore.option import MAX_PARTIAL_IV

__all__ = ["ReplayWindow"]


class ReplayWindow:
    """A sliding window over the sequence numbers of one sender, in the manner of RFC 6347 §4.1.2.6.

    `check` before decryption, `accept` after it: only an authenticated message moves the window. After a loss of
    state the window is *invalid*: it cannot tell old from new until `recover` gives it a number that an Echo
    exchange proved fresh (RFC 8613 appendix B.1.2).

    Attributes:
        size: numbers that it spans.
        is_valid: it knows what was received before.
        newest: the largest number that was accepted; -1 before the first, and while nothing is known.
    """

    __slots__ = ("_doubted", "_limit", "_seen", "is_valid", "newest", "size")

    def __init__(self, size: int = 32, *, valid: bool = True) -> None:
        if size < 1:
            raise ValueError("a replay window holds at least one number")
        self.size = size
        self.is_valid = valid
        self.newest = -1
        self._limit = MAX_PARTIAL_IV + 1
        self._doubted = -1
        self._seen = 0  # bit i: newest - i was received

    def check(self, number: int) -> None:
        """Refuse a number that was received, or that lies left of the window, or beyond the key; change nothing.

        Raises:
            ReplayError: it was, or it does, or the window is invalid.
            UntrustedError: the peer's key may not be used for that many messages.
        """
        if not self.is_valid:
            raise ReplayError("the replay window was lost", spec="RFC 8613 §7.5", reason="freshness")
        behind = self.newest - number
        if behind < 0:
            if number >= self._limit:
                self._check_limit(number)
        elif behind >= self.size or self._seen >> behind & 1:
            raise ReplayError(f"Partial IV {number} was received before, or is too old", spec="RFC 8613 §7.4")

    def accept(self, number: int) -> None:
        """Mark a number whose message has been authenticated.

        Raises:
            ReplayError: as for `check`, so that a number is never accepted twice.
        """
        shift = number - self.newest
        if shift <= 0 or not self.is_valid:
            self.check(number)
            self._seen |= 1 << -shift
            return
        # A sender may jump by 2**40, and such a shift would be a number of 2**40 bits.
        self._seen = (self._seen << shift | 1) & ((1 << self.size) - 1) if shift < self.size else 1
        self.newest = number

    def recover(self, number: int) -> None:
        """Take the number of a request proved fresh: the lower limit of an invalid window, else as `accept`.

        Raises:
            ReplayError: the window has become valid meanwhile, and knows the number.
            UntrustedError: as for `check`.
        """
        self._check_limit(number)
        if self.is_valid:
            self.accept(number)
            return
        self.is_valid = True
        self.newest = number
        self._seen = (1 << self.size) - 1

    def doubt(self, number: int) -> bool:
        """Note an authenticated number while the window is invalid; False unless it is larger than all before it.

        What was recorded comes again with numbers that the peer itself has left behind.
        """
        is_newest = number > self._doubted
        self._doubted = max(number, self._doubted)
        return is_newest

    def bound(self, limit: int) -> None:
        """Refuse numbers from `limit` on: the peer's key is not made for more."""
        self._limit = min(self._limit, limit)

    def _check_limit(self, number: int) -> None:
        if number >= self._limit:
            raise UntrustedError(
                f"expected a Partial IV below {self._limit}, got {number}",
                spec="draft-ietf-core-oscore-key-limits §2.3",
                reason="key-limit",
            )
