"""Who is served when more comes than can be served: verified sources at once, strangers in turns."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

__all__ = ["Turns"]

ItemT = TypeVar("ItemT")


class Turns(Generic[ItemT]):
    """Between two looks at a socket everything of verified sources is served, and a few datagrams of strangers.

    Strangers beyond these wait for a later look, in order; when many wait, the newest of them goes. So what a verified
    source waits for is bounded by `share`, however many strangers came before it, and what a flood can make us hold
    by `room`.

    Args:
        share: datagrams of strangers that are served between two looks.
        room: datagrams of strangers that may wait.

    Attributes:
        dropped: datagrams of strangers that found no room.
    """

    __slots__ = ("_left", "_room", "_share", "_waiting", "dropped")

    def __init__(self, *, share: int, room: int) -> None:
        self._share = self._left = share
        self._room = room
        self._waiting: deque[ItemT] = deque()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self) -> None:
        """The socket is looked at anew."""
        self._left = self._share

    def admits(self) -> bool:
        """Whether what came from a stranger is to be served now; if not, it is to `wait`."""
        if self._left and not self._waiting:
            self._left -= 1
            return True
        return False

    def wait(self, item: ItemT) -> None:
        """Keep what is not served now; with no room left it is gone."""
        if len(self._waiting) < self._room:
            self._waiting.append(item)
        else:
            self.dropped += 1

    def waited(self) -> list[ItemT]:
        """Those that have waited longest, as many as this turn still has."""
        if not self._waiting:
            return []
        count = min(self._left, len(self._waiting))
        self._left -= count
        return [self._waiting.popleft() for _ in range(count)]
