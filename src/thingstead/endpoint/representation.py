"""Response bodies that are fetched block by block: which one a later block is asked of (RFC 7959 §2.4, §2.7)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from thingstead.crypto.digest import digest
from thingstead.protocols.coap.block import Limits
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import is_no_cache_key
from thingstead.protocols.coap.registry import OptionNumber
from thingstead.protocols.coap.shelf import Shelved

__all__ = ["Representations", "operation"]

_NOT_OPERATION = frozenset(
    int(number)
    for number in (
        OptionNumber.IF_NONE_MATCH,
        OptionNumber.OBSERVE,
        OptionNumber.BLOCK1,
        OptionNumber.BLOCK2,
        OptionNumber.ECHO,
        OptionNumber.OSCORE,
        OptionNumber.NO_RESPONSE,
    )
)


def operation(request: Message) -> tuple[object, ...]:
    """What makes two requests of a peer blocks of one operation (RFC 7959 §2.5, RFC 9175 §3.3).

    The method, and every option of the cache key, the Request-Tag among them; not the payload, which differs
    from block to block.
    """
    options = [
        option for option in request.options if option[0] not in _NOT_OPERATION and not is_no_cache_key(option[0])
    ]
    return (request.code, *options)


class _Name(NamedTuple):
    operation: tuple[object, ...]
    body: bytes


class Representations(Shelved[Message]):
    """Bodies by peer, operation and the body of the request that they answer, which is part of it (RFC 8132 §2).

    Args:
        limits: their number, bytes and age.
    """

    __slots__ = ()

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits.shelf())

    def put(self, peer: Hashable, request: Message, body: bytes, whole: Message, now: float) -> None:
        """Keep what `request`, whose `body` may have come in pieces, was answered with, where there is room."""
        self._shelf.put(peer, _name(request, body), whole, size=len(whole.payload), now=now)

    def look(self, peer: Hashable, request: Message, now: float) -> Message | None:
        """What a request for a later block is asked of; None when nothing of that is held.

        A request that has a body again is of the one with this body. Without one, as RFC 7959 draws it, it is of the
        latest of its operation; who asks several at once tells them apart by Request-Tag (RFC 9175 §3.5.2).
        """
        name = _name(request, request.payload)
        if not request.payload:
            for held in reversed(self._shelf.keys(peer)):
                if isinstance(held, _Name) and held.operation == name.operation:
                    return self._shelf.look(peer, held, now)
        return self._shelf.look(peer, name, now)


def _name(request: Message, body: bytes) -> _Name:
    return _Name(operation(request), digest(body) if body else b"")
