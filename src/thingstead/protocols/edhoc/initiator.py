"""The Initiator: from message_1 to a completed session, one type per state (RFC 9528 §5, Appendix I.1).

::

    Initiator ─message_1→ WaitingForMessage2 ─receive→ Message2Received ─authenticate→ Message2Authenticated
              ─message_3→ WaitingForMessage4 ─receive→ Completed
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic

from thingstead.crypto.key import KeyType, PrivateKey
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.authentication import (
    Claim,
    advance,
    method_row,
    proof_size,
    prove,
    require_fit,
    require_own,
    verify_proof,
)
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.ead import EadItem, EadLabels, encode_ead, require_understood
from thingstead.protocols.edhoc.key_exchange import EphemeralKey
from thingstead.protocols.edhoc.message import (
    DEFAULT_LIMITS,
    Limits,
    Plaintext,
    decode_byte_string,
    decode_plaintext_2,
    decode_plaintext_4,
    encode_plaintext,
)
from thingstead.protocols.edhoc.opening import Begun, Opened, begin
from thingstead.protocols.edhoc.schedule import (
    MESSAGE_3,
    MESSAGE_4,
    Label,
    following_transcript,
    open_sealed,
    seal,
)
from thingstead.protocols.edhoc.session import Agreement, Completed, PeerT, Role, require_other, require_usable
from thingstead.protocols.edhoc.state import Patient, SingleUse
from thingstead.protocols.edhoc.suite import CipherSuite, cipher_suite
from thingstead.secret import Secret

__all__ = ["Initiator", "Message2Authenticated", "Message2Received", "WaitingForMessage2", "WaitingForMessage4"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Initiator:
    """What an Initiator wants; not a state: each `message_1` begins a session of its own.

    Attributes:
        method: RFC 9528 §3.2.
        suites: supported, the most preferred first; the order never changes for what a peer said (§5.2.2).
        selected: one of `suites`, or None for the first.
        credential: our own.
        key: the private half of it.
        connection_id: C_I, by which we will find the session and its OSCORE context.
        ephemeral: makes a fresh key pair of a curve; called once for each message_1.
        ead_labels: which EAD items the application understands.
        limits: bounds on what the peer sends.

    Raises:
        UnsupportedError: a method or suite that we do not have.
        ValueError: a key that fits neither method nor suite nor credential, or an identifier that is too long.
    """

    method: int
    suites: tuple[int, ...]
    credential: Credential
    key: PrivateKey
    connection_id: bytes
    ephemeral: Callable[[KeyType], EphemeralKey]
    selected: int | None = None
    ead_labels: EadLabels = field(default_factory=dict)
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        row = method_row(self.method)
        require_fit(row, self.suite)
        require_own(self.suite, row.initiator, self.credential, key=self.key, identifier=self.connection_id)

    @property
    def suite(self) -> CipherSuite:
        """The selected suite."""
        return cipher_suite(self.suites[0] if self.selected is None else self.selected)

    def message_1(self, ead_1: Iterable[EadItem] = ()) -> tuple[bytes, WaitingForMessage2]:
        """Begin a session (RFC 9528 §5.2.2); EAD_1 travels in clear."""
        message, begun = begin(
            self.method, self.suites, self.suite, ephemeral=self.ephemeral, c_i=self.connection_id, ead_1=ead_1
        )
        return message, WaitingForMessage2((self, begun))


class WaitingForMessage2(SingleUse[tuple[Initiator, Begun]]):
    """message_1 is out."""

    __slots__ = ()

    def receive(self, message_2: bytes) -> Message2Received:
        """Decrypt message_2 (RFC 9528 §5.3.3): anybody who saw message_1 may have made it.

        Raises:
            PeerError: an error message came instead.
            DecodeError: malformed, a G_Y that is no point, or C_R is C_I.
            UnsupportedError: a critical EAD item that is not understood.
        """
        own, begun = self._spend()
        suite, opened = begun.suite, begun.open(message_2, limits=own.limits)
        kind = method_row(own.method).responder
        read = decode_plaintext_2(opened.plaintext, proof_size=proof_size(suite, kind), limits=own.limits)
        require_usable(read.c_r, suite, other=own.connection_id)
        require_understood(read.ead, own.ead_labels, message=2)
        return Message2Received(_Decrypted(own, begun.x.key, opened, read))


@dataclass(frozen=True, slots=True)
class _Decrypted:
    initiator: Initiator
    x: EphemeralKey
    opened: Opened
    read: Plaintext


class Message2Received(SingleUse[_Decrypted]):
    """message_2 can be read; nothing in it is proven.

    Attributes:
        c_r: the Responder's connection identifier.
        id_cred_r: where to look for the Responder's credential.
        ead_2: EAD items, padding left out.
    """

    __slots__ = ("c_r", "ead_2", "id_cred_r")

    def __init__(self, decrypted: _Decrypted) -> None:
        super().__init__(decrypted)
        self.c_r = decrypted.read.c_r
        self.id_cred_r = decrypted.read.reference
        self.ead_2 = decrypted.read.ead

    def authenticate(self, credential_r: Credential) -> Message2Authenticated:
        """Verify that the Responder holds the key of `credential_r` and saw the same exchange (RFC 9528 §5.3.3).

        Raises:
            AuthenticationError: it does not, or the credential is our own.
            UnsupportedError: the credential's key does not fit method and suite.
        """
        held = self._spend()
        own, opened, read = held.initiator, held.opened, held.read
        suite = own.suite
        require_other(credential_r, own.credential)
        kind = method_row(own.method).responder
        prk_3e2m = advance(
            suite,
            kind,
            opened.prk_2e,
            label=Label.SALT_3E2M,
            th=opened.th_2,
            agree=lambda: held.x.agree(credential_r.public),
        )
        claim = Claim(
            suite=suite,
            kind=kind,
            prk=prk_3e2m,
            label=Label.MAC_2,
            th=opened.th_2,
            id_cred=read.reference.id_cred,
            cred=credential_r.cred,
            ead=read.ead_bytes,
            c_r=read.c_r,
        )
        verify_proof(claim, read.proof, credential_r.public)
        th_3 = following_transcript(suite, opened.th_2, opened.plaintext, credential_r.cred)
        return Message2Authenticated(_Known(own, suite, opened.agree_with_g_y, prk_3e2m, th_3, read.c_r, credential_r))


@dataclass(frozen=True, slots=True)
class _Known:
    initiator: Initiator
    suite: CipherSuite
    agree_with_g_y: Callable[[PrivateKey], Secret]
    prk_3e2m: Secret
    th_3: bytes
    c_r: bytes
    peer: Credential


class Message2Authenticated(SingleUse[_Known]):
    """The Responder is who `peer` says; it does not know yet who we are.

    Attributes:
        peer: the Responder's credential.
    """

    __slots__ = ("peer",)

    def __init__(self, known: _Known) -> None:
        super().__init__(known)
        self.peer = known.peer

    def message_3(self, ead_3: Iterable[EadItem] = ()) -> tuple[bytes, WaitingForMessage4[Credential]]:
        """Show our credential, readable by the Responder alone (RFC 9528 §5.4.2)."""
        held = self._spend()
        own, suite = held.initiator, held.suite
        kind = method_row(own.method).initiator
        prk_4e3m = advance(
            suite,
            kind,
            held.prk_3e2m,
            label=Label.SALT_4E3M,
            th=held.th_3,
            agree=lambda: held.agree_with_g_y(own.key),
        )
        ead = encode_ead(ead_3)
        claim = Claim(
            suite=suite,
            kind=kind,
            prk=prk_4e3m,
            label=Label.MAC_3,
            th=held.th_3,
            id_cred=own.credential.id_cred,
            cred=own.credential.cred,
            ead=ead,
        )
        plaintext = encode_plaintext(own.credential.id_cred, prove(claim, own.key), c_r=None, ead=ead)
        sealed = seal(suite, held.prk_3e2m, MESSAGE_3, th=held.th_3, plaintext=plaintext)
        agreement = Agreement(
            role=Role.INITIATOR,
            suite=suite,
            c_i=own.connection_id,
            c_r=held.c_r,
            peer=held.peer,
            prk_4e3m=prk_4e3m,
            th_4=following_transcript(suite, held.th_3, plaintext, own.credential.cred),
        )
        return codec.encode(sealed), WaitingForMessage4(agreement, limits=own.limits, ead_labels=own.ead_labels)


class WaitingForMessage4(Patient[Agreement[PeerT]], Generic[PeerT]):
    """message_3 is out; the Responder has not confirmed that it was taken."""

    __slots__ = ("_ead_labels", "_limits")

    def __init__(self, agreement: Agreement[PeerT], *, limits: Limits, ead_labels: EadLabels) -> None:
        super().__init__(agreement, patience=limits.max_forgeries)
        self._limits = limits
        self._ead_labels = ead_labels

    def receive(self, message_4: bytes) -> Completed[PeerT]:
        """Verify message_4 (RFC 9528 §5.5.3): what does not decrypt leaves this state as it was.

        Raises:
            PeerError: an error message came instead; it may be forged, and waiting may go on.
            AuthenticationError: message_4 does not decrypt.
            DecodeError: malformed.
            UnsupportedError: a critical EAD item that is not understood.
        """
        agreement = self._try()
        ciphertext = decode_byte_string(message_4, limits=self._limits)
        plaintext = open_sealed(
            agreement.suite,
            agreement.prk_4e3m,
            MESSAGE_4,
            th=agreement.th_4,
            ciphertext=ciphertext,
        )
        self._spend()
        ead_4 = decode_plaintext_4(plaintext, limits=self._limits)
        require_understood(ead_4, self._ead_labels, message=4)
        return Completed(agreement, ead_4=ead_4)

    def complete_unconfirmed(self) -> Completed[PeerT]:
        """For profiles without message_4: nothing is confirmed until the first protected message from the Responder
        verifies, and nothing may be stored before (RFC 9528 §5.4.2, §5.5).
        """
        return Completed(self._spend())
