"""What ties the responses of a group to their request (RFC 10021 §6.3)."""

from __future__ import annotations

from thingstead.errors import DecodeError, ReplayError, UntrustedError
from thingstead.protocols.group_oscore.context import GroupContext, Member
from thingstead.protocols.oscore.option import decode_partial_iv

__all__ = ["GroupBinding"]

_REGISTER = 0
_WITHOUT_PARTIAL_IV = -1


class GroupBinding:
    """One request to or in a group, as both sides remember it until the exchange ends.

    It outlives a rekey: kid and kid context stay those of the request (RFC 10021 §6.1).

    Attributes:
        context: the epoch that the request was protected in.
        kid: Sender ID of the client.
        partial_iv: of the request.
        kid_context: Gid of the request.
        is_group_mode: the request was countersigned; else it was pairwise.
        peer: for the server the client; for the client of a pairwise request the server; else None.
        observe: the inner Observe value of the request, or None.
    """

    __slots__ = (
        "_is_nonce_free",
        "_kids",
        "_newest",
        "context",
        "is_group_mode",
        "kid",
        "kid_context",
        "observe",
        "partial_iv",
        "peer",
    )

    def __init__(
        self,
        context: GroupContext,
        *,
        kid: bytes,
        partial_iv: bytes,
        is_group_mode: bool,
        peer: Member | None,
        observe: int | None,
        is_nonce_free: bool,
    ) -> None:
        self.context = context
        self.kid = kid
        self.partial_iv = partial_iv
        self.kid_context = context.gid
        self.is_group_mode = is_group_mode
        self.peer = peer
        self.observe = observe
        self._is_nonce_free = is_nonce_free
        self._newest: dict[tuple[bytes, bytes], int] = {}
        self._kids: dict[bytes, bytes] = {}

    def take_nonce(self, context: GroupContext) -> bool:
        """Whether a response may use the request's nonce: once, and in the request's own epoch (RFC 10021 §6.3)."""
        is_free, self._is_nonce_free = self._is_nonce_free, False
        return is_free and context is self.context

    def check_response(self, partial_iv: bytes | None, *, server: Member, gid: bytes) -> None:
        """Refuse a response that cannot be new, or whose server changed its kid meanwhile; change nothing.

        Raises:
            ReplayError: not newer than the newest from this server in this epoch, or a second response to a
                pairwise request that observes nothing (RFC 10021 §5.3.1).
            UntrustedError: the server answered under another kid before (RFC 10021 §6.4).
        """
        server_id = server.credential.original
        if self._kids.get(server_id, server.kid) != server.kid:
            raise UntrustedError("the server changed its kid during the exchange", spec="RFC 10021 §6.4", reason="kid")
        newest = self._newest.get((server_id, gid))
        is_single = not self.is_group_mode and self.observe is None
        if newest is not None and (is_single or _number(partial_iv) <= newest):
            raise ReplayError(
                "the response was received before, or is older than one that was", spec="RFC 10021 §5.3.1"
            )

    def accept_response(self, partial_iv: bytes | None, *, server: Member, gid: bytes, is_notification: bool) -> None:
        """Take note of an authenticated response.

        Raises:
            DecodeError: a notification where nothing was observed (RFC 8613 §4.1.3.5.2).
        """
        if is_notification and self.observe != _REGISTER:
            raise DecodeError("expected no Observe in the response to a request without", spec="RFC 8613 §4.1.3.5.2")
        self.check_response(partial_iv, server=server, gid=gid)
        self._kids[server.credential.original] = server.kid
        self._newest[server.credential.original, gid] = _number(partial_iv)


def _number(partial_iv: bytes | None) -> int:
    return _WITHOUT_PARTIAL_IV if partial_iv is None else decode_partial_iv(partial_iv)
