"""What ties responses to their request (RFC 8613 §8, §7.4.1)."""

from __future__ import annotations

from thingstead.errors import DecodeError, ReplayError
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.option import decode_partial_iv

__all__ = ["RequestBinding"]

_REGISTER = 0
# Marks below every Partial IV: nothing accepted yet, and the one response that may come without a Partial IV.
_NOTHING = -2
_WITHOUT_PARTIAL_IV = -1


class RequestBinding:
    """One protected request as both sides remember it until the last response.

    Made by `protect_request` and `unprotect_request` only. It carries its context, so that a response can be
    protected or verified under no other, and it gives out the request's nonce once: every further response takes a
    Partial IV of its own.

    Attributes:
        context: the security context of the exchange.
        kid: Sender ID of the client.
        partial_iv: of the request, 1..5 bytes.
        kid_context: as it stood in the request; None where it did not.
        observe: the inner Observe value of the request: 0 registers, 1 cancels, None is neither.
        nonce: of the request.
        aad: of the request and of every response to it (RFC 8613 §5.4).
    """

    __slots__ = ("_is_nonce_free", "_newest", "aad", "context", "kid", "kid_context", "nonce", "observe", "partial_iv")

    def __init__(
        self,
        context: SecurityContext,
        kid: bytes,
        partial_iv: bytes,
        kid_context: bytes | None,
        observe: int | None,
        nonce: bytes,
        aad: bytes,
        is_nonce_free: bool,
    ) -> None:
        self.context = context
        self.kid = kid
        self.partial_iv = partial_iv
        self.kid_context = kid_context
        self.observe = observe
        self.nonce = nonce
        self.aad = aad
        self._is_nonce_free = is_nonce_free
        self._newest: int | None = _NOTHING

    def take_nonce(self) -> bytes | None:
        """The request's nonce, the first time; None ever after (RFC 8613 §5.2: never twice with one key)."""
        if not self._is_nonce_free:
            return None
        self._is_nonce_free = False
        return self.nonce

    def check_response(self, partial_iv: bytes | None) -> None:
        """Refuse a response that cannot be new; change nothing.

        Raises:
            ReplayError: the exchange has had its one response, or the notification is not newer than the newest
                (RFC 8613 §7.4, §7.4.1).
        """
        number = _WITHOUT_PARTIAL_IV if partial_iv is None else decode_partial_iv(partial_iv)
        if self._newest is None or number <= self._newest:
            raise ReplayError("the response was received before, or is older than one that was", spec="RFC 8613 §7.4.1")

    def accept_response(self, partial_iv: bytes | None, *, is_notification: bool) -> None:
        """Take note of an authenticated response; what is not a notification is the last one.

        Raises:
            DecodeError: a notification where nothing was observed (RFC 8613 §4.1.3.5.2).
            ReplayError: as for `check_response`.
        """
        if is_notification and self.observe != _REGISTER:
            raise DecodeError("expected no Observe in the response to a request without", spec="RFC 8613 §4.1.3.5.2")
        self.check_response(partial_iv)
        if not is_notification:
            self._newest = None
        else:
            self._newest = _WITHOUT_PARTIAL_IV if partial_iv is None else decode_partial_iv(partial_iv)
