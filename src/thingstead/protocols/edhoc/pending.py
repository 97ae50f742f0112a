"""Half-open sessions: how many, and for how long (RFC 9528 §9.7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from thingstead.errors import StateError

__all__ = ["PendingSessions"]


class _Session(Protocol):
    @property
    def c_r(self) -> bytes: ...


SessionT = TypeVar("SessionT", bound=_Session)


@dataclass(frozen=True, slots=True)
class _Pending(Generic[SessionT]):
    session: SessionT
    source: Hashable
    deadline: float


class PendingSessions(Generic[SessionT]):
    """Sessions that wait for message_3, by our connection identifier.

    message_1 costs its sender nothing, so the table is bounded: a host holds half of it at most, and its own oldest
    session makes room for its next; when all is full, the oldest of the host that holds most does. One host's flood so
    pushes out itself. Sources that may be forged take a quarter (`is_crowded`), so that not even a flood in the name of
    a genuine Initiator ends its session; many hosts that can be reached have to fill the whole table within one round
    trip of an Initiator before they hinder it, and the Responder never stops answering.
    """

    __slots__ = ("_lifetime", "_limit", "_sessions", "evicted")

    def __init__(self, *, limit: int = 64, lifetime: float = 30.0) -> None:
        """Hold up to `limit` sessions for `lifetime` seconds each; `evicted` counts those that made room."""
        self._limit = limit
        self._lifetime = lifetime
        self._sessions: dict[bytes, _Pending[SessionT]] = {}
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._sessions)

    def __contains__(self, c_r: bytes) -> bool:
        """Whether an identifier is taken, also by a session that has run out of time but not been dropped yet."""
        return c_r in self._sessions

    def is_crowded(self, now: float) -> bool:
        """Whether a quarter of the room is taken: time to ask a source to show itself first (RFC 9528 §9.7)."""
        self.expire(now)
        return len(self._sessions) * 4 >= self._limit

    def is_from(self, c_r: bytes, source: Hashable) -> bool:
        """Whether message_2 of this session went to `source`: who can read it receives what is sent there."""
        pending = self._sessions.get(c_r)
        return pending is not None and pending.source == source

    def add(self, session: SessionT, *, source: Hashable, now: float) -> None:
        """Keep a session whose message_2 is about to go out to `source`.

        Raises:
            ValueError: its connection identifier is taken.
        """
        self.expire(now)
        if session.c_r in self._sessions:
            raise ValueError("a connection identifier names one session")
        if (evicted := self._to_evict(_host(source))) is not None:
            del self._sessions[evicted]
            self.evicted += 1
        self._sessions[session.c_r] = _Pending(session, source, now + self._lifetime)

    def find(self, c_r: bytes, *, now: float) -> SessionT:
        """The session that a request names; it stays until `discard`, so that a forgery does not end it.

        Raises:
            StateError: there is none, or it has run out of time.
        """
        self.expire(now)
        pending = self._sessions.get(c_r)
        if pending is None:
            raise StateError("no session waits for this message_3", spec="RFC 9528 §5.1", reason="no session")
        return pending.session

    def _to_evict(self, host: Hashable) -> bytes | None:
        """The session that makes room for one more of `host`; None while there is room."""
        held = Counter([_host(one.source) for one in self._sessions.values()])
        if held[host] * 2 < max(self._limit, 2):
            if len(self._sessions) < self._limit:
                return None
            host = max(held, key=held.__getitem__)
        return next(c_r for c_r, one in self._sessions.items() if _host(one.source) == host)

    def discard(self, c_r: bytes) -> None:
        """Drop a session that went on or came to nothing."""
        self._sessions.pop(c_r, None)

    def expire(self, now: float) -> None:
        """Drop what has run out of time; insertion order is the order of deadlines."""
        while self._sessions:
            c_r, oldest = next(iter(self._sessions.items()))
            if oldest.deadline > now:
                return
            del self._sessions[c_r]


def _host(source: Hashable) -> Hashable:
    """A source without its port: whoever owns an address has all of its ports."""
    return source[0] if isinstance(source, tuple) else source
