"""Observing resources: order of notifications, and who observes (RFC 7641)."""

from __future__ import annotations

from collections.abc import Hashable
from enum import IntEnum

__all__ = ["NotificationOrder", "ObserveRequest", "Observers", "is_newer", "reregistration_wait"]

_SPAN = 1 << 24
_HALF = 1 << 23
_FRESH_AFTER = 128.0
_MIN_WAIT = 5.0
_WAIT_SPREAD = 10.0


class ObserveRequest(IntEnum):
    """Value of Observe in a request (RFC 7641 §2)."""

    REGISTER = 0
    DEREGISTER = 1


def is_newer(first: int, first_at: float, second: int, second_at: float) -> bool:
    """Whether notification `second` is newer than `first` (RFC 7641 §3.4).

    Args:
        first: its sequence number, 24 bits.
        first_at: when it came, monotonic seconds.
        second: sequence number of the later arrival.
        second_at: when that came.
    """
    return 0 < (second - first) % _SPAN < _HALF or second_at > first_at + _FRESH_AFTER


def reregistration_wait(failures: int, *, jitter: float) -> float:
    """Seconds from the end of freshness until a client asks again to observe (RFC 7641 §3.3.1).

    Between 5 and 15, so that the clients of one server do not ask together; twice as many for each time before that
    nothing came of it.

    Args:
        failures: such times in a row.
        jitter: 0 to 1, chosen at random.
    """
    return (_MIN_WAIT + _WAIT_SPREAD * jitter) * 2.0**failures


class NotificationOrder:
    """Client side of one observation: lets newer notifications pass, in the order of the sender."""

    __slots__ = ("_at", "_number")

    def __init__(self, number: int, now: float) -> None:
        self._number = number
        self._at = now

    def accept(self, number: int, now: float) -> bool:
        """True and remembered when `number` is newer than all accepted before; else it is to be dropped."""
        if not is_newer(self._number, self._at, number, now):
            return False
        self._number = number
        self._at = now
        return True


class Observers:
    """Server side: which exchanges observe, bounded in all and per peer; the caller keeps what each needs.

    One observation is known by its peer and a name, the token as a rule (RFC 7641 §4.1): registering anew replaces it.
    """

    __slots__ = ("_by_name", "_max", "_max_per_peer", "_names", "_per_peer")

    def __init__(self, *, max_observers: int, max_per_peer: int) -> None:
        self._max = max_observers
        self._max_per_peer = max_per_peer
        self._by_name: dict[tuple[Hashable, Hashable], int] = {}
        self._names: dict[int, tuple[Hashable, Hashable]] = {}
        self._per_peer: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._names)

    def register(self, peer: Hashable, name: Hashable, exchange: int) -> tuple[bool, int | None]:
        """Enter an observation.

        Returns:
            Whether there was room (without it the response goes out without Observe, RFC 7641 §4.1), and the
            exchange that the new one replaces.
        """
        replaced = self._by_name.get((peer, name))
        if replaced is not None:
            self.remove(replaced)
        elif len(self._names) >= self._max or self._per_peer.get(peer, 0) >= self._max_per_peer:
            return False, None
        self._by_name[peer, name] = exchange
        self._names[exchange] = (peer, name)
        self._per_peer[peer] = self._per_peer.get(peer, 0) + 1
        return True, replaced

    def find(self, peer: Hashable, name: Hashable) -> int | None:
        """The exchange of this observation, or None."""
        return self._by_name.get((peer, name))

    def of_peer(self, peer: Hashable) -> list[int]:
        """Every exchange in which `peer` observes."""
        return [exchange for name, exchange in self._by_name.items() if name[0] == peer]

    def remove(self, exchange: int) -> None:
        """End an observation; one that is not there is no error."""
        name = self._names.pop(exchange, None)
        if name is None:
            return
        del self._by_name[name]
        left = self._per_peer[name[0]] - 1
        if left:
            self._per_peer[name[0]] = left
        else:
            del self._per_peer[name[0]]
