"""From what a handshake agreed on to an OSCORE context (RFC 9528 Appendix A.1, RFC 8613 §3.2)."""

from __future__ import annotations

from typing import Protocol

from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret

__all__ = ["Agreed", "context_of"]


class Agreed(Protocol):
    """The parameters that EDHOC exports, as the handshake gives them or as somebody has kept them since."""

    @property
    def master_secret(self) -> Secret:
        """OSCORE Master Secret."""
        ...

    @property
    def master_salt(self) -> bytes:
        """OSCORE Master Salt."""
        ...

    @property
    def sender_id(self) -> bytes:
        """Ours; the peer chose it."""
        ...

    @property
    def recipient_id(self) -> bytes:
        """The peer's; we chose it."""
        ...

    @property
    def aead_id(self) -> int:
        """COSE number of the application AEAD."""
        ...

    @property
    def digest_id(self) -> int:
        """COSE number of the hash for HKDF."""
        ...


def context_of(
    agreed: Agreed, *, sequence: SequenceNumbers | None = None, window: ReplayWindow | None = None
) -> SecurityContext:
    """The context itself.

    Args:
        agreed: what the handshake led to.
        sequence: where our numbers go on; None in a context that never existed before and lives in memory alone: its
            numbers end with it, and need not be reserved on disk.
        window: an invalid one after a loss of state; None only in a context that never existed before.

    Raises:
        UnsupportedError: an algorithm that we do not have.
        ValueError: identifiers that are equal or too long.
    """
    return SecurityContext.derive(
        agreed.master_secret,
        master_salt=agreed.master_salt,
        sender_id=agreed.sender_id,
        recipient_id=agreed.recipient_id,
        aead_id=int(agreed.aead_id),
        digest_id=int(agreed.digest_id),
        sequence=sequence,
        window=window,
    )
