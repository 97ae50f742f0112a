"""A completed session: whom it is with, and the keys it gives to applications (RFC 9528 §4.2, Appendix A.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import AuthenticationError, DecodeError
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.schedule import Label, expand, expand_secret
from thingstead.protocols.edhoc.suite import CipherSuite
from thingstead.secret import Secret

__all__ = ["Agreement", "Completed", "ExporterLabel", "OscoreParameters", "Role", "require_other", "require_usable"]

_SALT_SIZE = 8
PeerT = TypeVar("PeerT")


class Role(IntEnum):
    """Which side of the session we are."""

    INITIATOR = 1
    RESPONDER = 2


class ExporterLabel(IntEnum):
    """RFC 9528 §10.1."""

    OSCORE_MASTER_SECRET = 0
    OSCORE_MASTER_SALT = 1


@dataclass(frozen=True, slots=True)
class OscoreParameters:
    """What an OSCORE security context is derived from (RFC 9528 Appendix A.1, RFC 8613 §3.2).

    Attributes:
        master_secret: as long as the key of the application AEAD.
        master_salt: 8 bytes.
        sender_id: the identifier that the peer chose: the Initiator sends under C_R.
        recipient_id: the identifier that we chose.
        aead_id: COSE number of the application AEAD.
        digest_id: COSE number of the hash for HKDF.
    """

    master_secret: Secret
    master_salt: bytes
    sender_id: bytes
    recipient_id: bytes
    aead_id: AlgorithmId
    digest_id: AlgorithmId


@dataclass(frozen=True, slots=True)
class Agreement(Generic[PeerT]):
    """What both sides hold once message_3 is made or verified.

    Attributes:
        role: ours.
        suite: the selected suite.
        c_i: chosen by the Initiator.
        c_r: chosen by the Responder.
        peer: the credential that the peer proved to hold the key of.
        prk_4e3m: of message_4 and of PRK_out.
        th_4: the hash of the whole exchange.
    """

    role: Role
    suite: CipherSuite
    c_i: bytes
    c_r: bytes
    peer: PeerT
    prk_4e3m: Secret
    th_4: bytes


class Completed(Generic[PeerT]):
    """A session whose both ends are authenticated; made by the states of `initiator` and `responder` only.

    Attributes:
        role: ours.
        suite: the selected suite.
        c_i: chosen by the Initiator.
        c_r: chosen by the Responder.
        peer: the peer's credential, authenticated.
        ead_4: of message_4, on the Initiator's side.
    """

    __slots__ = ("_prk_exporter", "_prk_out", "c_i", "c_r", "ead_4", "peer", "role", "suite")

    def __init__(self, agreement: Agreement[PeerT], *, ead_4: tuple[EadItem, ...] = ()) -> None:
        suite = agreement.suite
        self.role = agreement.role
        self.suite = suite
        self.c_i = agreement.c_i
        self.c_r = agreement.c_r
        self.peer = agreement.peer
        self.ead_4 = ead_4
        self._prk_out = expand_secret(suite, agreement.prk_4e3m, Label.PRK_OUT, context=agreement.th_4)
        self._prk_exporter = expand_secret(suite, self._prk_out, Label.PRK_EXPORTER, context=b"")

    def update_keys(self, context: bytes) -> None:
        """EDHOC_KeyUpdate (RFC 9528 Appendix H): what is exported from now on tells nothing about what was before.

        It protects no later keys from whoever has this one, as another handshake would.

        Args:
            context: what both sides agree to be the occasion, such as a counter.
        """
        self._prk_out = expand_secret(self.suite, self._prk_out, Label.KEY_UPDATE, context=context)
        self._prk_exporter = expand_secret(self.suite, self._prk_out, Label.PRK_EXPORTER, context=b"")

    def export(self, label: int, context: bytes, size: int) -> Secret:
        """EDHOC_Exporter (RFC 9528 §4.2.1); a pair of label and context serves one purpose only.

        Raises:
            ValueError: a label outside 0 to 65535, or more bytes than HKDF gives.
        """
        if not 0 <= label <= 0xFFFF:
            raise ValueError(f"an exporter label is 0 to 65535, got {label} (RFC 9528 §10.1)")
        return Secret(expand(self.suite, self._prk_exporter, label, context=context, size=size))

    def oscore(self) -> OscoreParameters:
        """Parameters of the OSCORE context that this session sets up (RFC 9528 Appendix A.1)."""
        ours, theirs = (self.c_i, self.c_r) if self.role is Role.INITIATOR else (self.c_r, self.c_i)
        return OscoreParameters(
            master_secret=self.export(ExporterLabel.OSCORE_MASTER_SECRET, b"", self.suite.application_key_size),
            master_salt=self.export(ExporterLabel.OSCORE_MASTER_SALT, b"", _SALT_SIZE).reveal(),
            sender_id=theirs,
            recipient_id=ours,
            aead_id=self.suite.application_aead,
            digest_id=self.suite.application_digest,
        )


def require_usable(identifier: bytes, suite: CipherSuite, *, other: bytes | None = None) -> None:
    """Check a connection identifier received, which becomes an OSCORE ID (RFC 9528 §3.3.3).

    Raises:
        DecodeError: longer than the application AEAD leaves room for, or the same as `other`.
    """
    if len(identifier) > suite.identifier_size:
        raise DecodeError(
            f"expected a connection identifier of at most {suite.identifier_size} bytes, got {len(identifier)}",
            spec="RFC 8613 §3.3",
        )
    if identifier == other:
        raise DecodeError("expected C_R to differ from C_I", spec="RFC 9528 §3.3.3", reason="same identifier")


def require_other(peer: Credential, own: Credential) -> None:
    """Refuse a peer that shows our own key: nobody else was active then (RFC 9528 §9.2).

    Raises:
        AuthenticationError: it does.
    """
    if peer.public == own.public:
        raise AuthenticationError("the peer's credential is our own", spec="RFC 9528 §9.2", reason="reflection")
