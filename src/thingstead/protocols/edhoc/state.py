"""What every state of a session has in common: it is used once, and its secrets leave it then."""

from __future__ import annotations

from typing import Generic, TypeVar

from thingstead.errors import StateError

__all__ = ["Patient", "SingleUse"]

T = TypeVar("T")


class SingleUse(Generic[T]):
    """A state that holds `T` until its one step is taken.

    The step fails or succeeds; either way the state is spent and refers to no secret any more (RFC 9528 §5.1).
    """

    __slots__ = ("_held",)

    def __init__(self, held: T) -> None:
        self._held: T | None = held

    def _look(self) -> T:
        held = self._held
        if held is None:
            raise StateError(f"{type(self).__name__} has been used; a session goes forward only", spec="RFC 9528 §5.1")
        return held

    def _spend(self) -> T:
        held = self._look()
        self._held = None
        return held


class Patient(SingleUse[T]):
    """A state that waits for a message under an AEAD.

    What does not decrypt is not from the peer: it changes nothing, so that one forged datagram does not end a session
    (RFC 9528 §9.7). The patience is bounded.
    """

    __slots__ = ("_patience",)

    def __init__(self, held: T, *, patience: int) -> None:
        super().__init__(held)
        self._patience = patience

    def _try(self) -> T:
        if self._patience == 0:
            self._held = None
        held = self._look()
        self._patience -= 1
        return held
