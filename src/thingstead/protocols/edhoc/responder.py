"""The Responder: from message_1 to a completed session, one type per state (RFC 9528 §5, Appendix I.2).

::

    Responder ─receive→ Message1Received ─message_2→ WaitingForMessage3 ─receive→ Message3Received
              ─authenticate→ Message3Authenticated ─message_4→ Completed
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic

from thingstead.crypto.key import KeyType, PrivateKey, PublicKey
from thingstead.errors import UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.authentication import (
    Claim,
    Method,
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
from thingstead.protocols.edhoc.key_exchange import GX, EphemeralKey, answer_g_x, read_g_x
from thingstead.protocols.edhoc.message import (
    DEFAULT_LIMITS,
    Limits,
    Message1,
    Plaintext,
    decode_byte_string,
    decode_message_1,
    decode_plaintext_3,
    encode_plaintext,
)
from thingstead.protocols.edhoc.schedule import (
    MESSAGE_3,
    MESSAGE_4,
    Label,
    apply_keystream,
    following_transcript,
    mix,
    open_sealed,
    seal,
    second_transcript,
    transcript_hash,
)
from thingstead.protocols.edhoc.session import (
    Agreement,
    Completed,
    OscoreParameters,
    PeerT,
    Role,
    require_other,
    require_usable,
)
from thingstead.protocols.edhoc.state import Patient, SingleUse
from thingstead.protocols.edhoc.suite import CipherSuite, accept_suite
from thingstead.secret import Secret

__all__ = [
    "Message1Received",
    "Message3Authenticated",
    "Message3Received",
    "Responder",
    "WaitingForMessage3",
    "accept_message_1",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Responder:
    """What a Responder accepts; not a state: each message_1 begins a session of its own.

    Attributes:
        methods: accepted (RFC 9528 §3.2).
        suites: supported, in any order.
        ephemeral: makes a fresh key pair of a curve; called once for each message_2.
        ead_labels: which EAD items the application understands.
        limits: bounds on what the peer sends.
    """

    methods: frozenset[int]
    suites: tuple[int, ...]
    ephemeral: Callable[[KeyType], EphemeralKey]
    ead_labels: EadLabels = field(default_factory=dict)
    limits: Limits = DEFAULT_LIMITS

    def receive(self, message_1: bytes) -> Message1Received:
        """Read message_1 (RFC 9528 §5.2.3): anybody may have sent it, from anywhere.

        Nothing is computed for it yet; how many sessions may be half open, and whether the source must show first
        that it is reachable (RFC 9175), is the caller's to decide.

        Raises:
            DecodeError: malformed, or a G_X that is no point of the suite's curve.
            WrongSuiteError: the suite selected is not the one that both prefer.
            UnsupportedError: a method not accepted at all or with this suite, or a critical EAD item not understood.
        """
        read, suite, public = accept_message_1(
            message_1,
            methods=self.methods,
            suites=self.suites,
            ead_labels=self.ead_labels,
            limits=self.limits,
        )
        method = method_row(read.method)
        require_fit(method, suite)
        offer = _Offer(self, method, suite, public, transcript_hash(suite, message_1), read.c_i)
        return Message1Received(offer, read.ead_1)


def accept_message_1(
    message_1: bytes,
    *,
    methods: frozenset[int],
    suites: tuple[int, ...],
    ead_labels: EadLabels,
    limits: Limits,
) -> tuple[Message1, CipherSuite, GX]:
    """Read message_1 and check method, suite, G_X, C_I and EAD_1, in this order (RFC 9528 §5.2.3).

    Raises:
        DecodeError, WrongSuiteError, UnsupportedError: as `Responder.receive` says.
    """
    read = decode_message_1(message_1, limits=limits)
    if read.method not in methods:
        raise UnsupportedError(f"expected one of methods {sorted(methods)}, got {read.method}", spec="RFC 9528 §3.2")
    suite = accept_suite(read.suites, suites)
    public = read_g_x(suite, read.g_x)
    require_usable(read.c_i, suite)
    require_understood(read.ead_1, ead_labels, message=1)
    return read, suite, public


@dataclass(frozen=True, slots=True)
class _Offer:
    responder: Responder
    method: Method
    suite: CipherSuite
    g_x: GX
    h_message_1: bytes
    c_i: bytes


class Message1Received(SingleUse[_Offer]):
    """message_1 can be read; nothing in it is proven or secret.

    Attributes:
        c_i: the Initiator's connection identifier.
        method: the Initiator's choice, which we accept.
        suite: the selected suite.
        ead_1: EAD items, padding left out.
    """

    __slots__ = ("c_i", "ead_1", "method", "suite")

    def __init__(self, offer: _Offer, ead_1: tuple[EadItem, ...]) -> None:
        super().__init__(offer)
        self.c_i = offer.c_i
        self.method = offer.method
        self.suite = offer.suite
        self.ead_1 = ead_1

    def message_2(
        self, connection_id: bytes, credential: Credential, *, key: PrivateKey, ead_2: Iterable[EadItem] = ()
    ) -> tuple[bytes, WaitingForMessage3]:
        """Show our credential to whoever sent message_1 (RFC 9528 §5.3.2).

        Args:
            connection_id: C_R, by which we will find the session and its OSCORE context.
            credential: our own; any active attacker learns it.
            key: the private half of it.
            ead_2: readable by any active attacker too.

        Raises:
            DecodeError: a G_X of small order.
            ValueError: C_R is C_I or too long, or the key is not that of the credential, or fits not the suite.
        """
        offer = self._spend()
        suite, kind = offer.suite, offer.method.responder
        require_own(suite, kind, credential, key=key, identifier=connection_id, other=offer.c_i)
        g_y, g_xy, agree_with_y = answer_g_x(suite, offer.g_x, offer.responder.ephemeral)
        th_2 = second_transcript(suite, g_y, offer.h_message_1)
        prk_2e = mix(suite, th_2, g_xy)
        prk_3e2m = advance(
            suite, kind, prk_2e, label=Label.SALT_3E2M, th=th_2, agree=lambda: key.agree(offer.g_x.public)
        )
        ead = encode_ead(ead_2)
        claim = Claim(
            suite=suite,
            kind=kind,
            prk=prk_3e2m,
            label=Label.MAC_2,
            th=th_2,
            id_cred=credential.id_cred,
            cred=credential.cred,
            ead=ead,
            c_r=connection_id,
        )
        plaintext = encode_plaintext(credential.id_cred, prove(claim, key), c_r=connection_id, ead=ead)
        th_3 = following_transcript(suite, th_2, plaintext, credential.cred)
        message = codec.encode(g_y + apply_keystream(suite, prk_2e, Label.KEYSTREAM_2, plaintext, th=th_2))
        return message, WaitingForMessage3(_Answered(offer, agree_with_y, prk_3e2m, th_3, connection_id, credential))


@dataclass(frozen=True, slots=True)
class _Answered:
    offer: _Offer
    agree_with_y: Callable[[PublicKey], Secret]
    prk_3e2m: Secret
    th_3: bytes
    c_r: bytes
    credential: Credential


class WaitingForMessage3(Patient[_Answered]):
    """message_2 is out: a half-open session, which the caller must let expire.

    Attributes:
        c_r: our connection identifier, which precedes message_3 over CoAP.
    """

    __slots__ = ("c_r",)

    def __init__(self, answered: _Answered) -> None:
        super().__init__(answered, patience=answered.offer.responder.limits.max_forgeries)
        self.c_r = answered.c_r

    def receive(self, message_3: bytes) -> Message3Received:
        """Decrypt message_3 (RFC 9528 §5.4.3): what does not decrypt leaves this state as it was.

        Raises:
            PeerError: an error message came instead; it may be forged, and waiting may go on.
            AuthenticationError: message_3 does not decrypt.
            DecodeError: malformed.
            UnsupportedError: a critical EAD item that is not understood.
        """
        held = self._try()
        responder, suite = held.offer.responder, held.offer.suite
        ciphertext = decode_byte_string(message_3, limits=responder.limits)
        plaintext = open_sealed(suite, held.prk_3e2m, MESSAGE_3, th=held.th_3, ciphertext=ciphertext)
        self._spend()
        size = proof_size(suite, held.offer.method.initiator)
        read = decode_plaintext_3(plaintext, proof_size=size, limits=responder.limits)
        require_understood(read.ead, responder.ead_labels, message=3)
        return Message3Received(_Decrypted(held, plaintext, read))


@dataclass(frozen=True, slots=True)
class _Decrypted:
    answered: _Answered
    plaintext: bytes
    read: Plaintext


class Message3Received(SingleUse[_Decrypted]):
    """message_3 comes from whoever sent message_1; who that is, is not proven.

    Attributes:
        id_cred_i: where to look for the Initiator's credential.
        ead_3: EAD items, padding left out.
    """

    __slots__ = ("ead_3", "id_cred_i")

    def __init__(self, decrypted: _Decrypted) -> None:
        super().__init__(decrypted)
        self.id_cred_i = decrypted.read.reference
        self.ead_3 = decrypted.read.ead

    def authenticate(self, credential_i: Credential) -> Message3Authenticated[Credential]:
        """Verify that the Initiator holds the key of `credential_i` and saw the same exchange (RFC 9528 §5.4.3).

        Raises:
            AuthenticationError: it does not, or the credential is our own.
            UnsupportedError: the credential's key does not fit method and suite.
        """
        decrypted = self._spend()
        held, read = decrypted.answered, decrypted.read
        suite, kind = held.offer.suite, held.offer.method.initiator
        require_other(credential_i, held.credential)
        prk_4e3m = advance(
            suite,
            kind,
            held.prk_3e2m,
            label=Label.SALT_4E3M,
            th=held.th_3,
            agree=lambda: held.agree_with_y(credential_i.public),
        )
        claim = Claim(
            suite=suite,
            kind=kind,
            prk=prk_4e3m,
            label=Label.MAC_3,
            th=held.th_3,
            id_cred=read.reference.id_cred,
            cred=credential_i.cred,
            ead=read.ead_bytes,
        )
        verify_proof(claim, read.proof, credential_i.public)
        agreement = Agreement(
            role=Role.RESPONDER,
            suite=suite,
            c_i=held.offer.c_i,
            c_r=held.c_r,
            peer=credential_i,
            prk_4e3m=prk_4e3m,
            th_4=following_transcript(suite, held.th_3, decrypted.plaintext, credential_i.cred),
        )
        return Message3Authenticated(agreement)


class Message3Authenticated(SingleUse[tuple[Agreement[PeerT], Completed[PeerT]]], Generic[PeerT]):
    """The Initiator is who `peer` says. What must last, such as the association, is stored before message_4 goes out.

    Attributes:
        peer: the Initiator's credential.
    """

    __slots__ = ("peer",)

    def __init__(self, agreement: Agreement[PeerT]) -> None:
        super().__init__((agreement, Completed(agreement)))
        self.peer = agreement.peer

    def oscore(self) -> OscoreParameters:
        """The OSCORE parameters of this session, for the caller that stores them before message_4 goes out."""
        return self._look()[1].oscore()

    def message_4(self, ead_4: Iterable[EadItem] = ()) -> tuple[bytes, Completed[PeerT]]:
        """Confirm the keys to the Initiator (RFC 9528 §5.5.2)."""
        agreement, completed = self._spend()
        sealed = seal(
            agreement.suite,
            agreement.prk_4e3m,
            MESSAGE_4,
            th=agreement.th_4,
            plaintext=encode_ead(ead_4),
        )
        return codec.encode(sealed), completed

    def complete_without_message_4(self) -> Completed[PeerT]:
        """For profiles in which the first protected message from us confirms the keys (RFC 9528 §5.5)."""
        return self._spend()[1]
