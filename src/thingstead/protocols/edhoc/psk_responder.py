"""The Responder that shares a key with the Initiator, one type per state (draft-ietf-lake-edhoc-psk-08).

::

    PskResponder ─receive→ PskMessage1Received ─message_2→ PskWaitingForMessage3 ─receive→ PskMessage3Received
                 ─authenticate→ Message3Authenticated
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from thingstead.crypto.key import KeyType
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.credential import CredentialReference, expand_reference
from thingstead.protocols.edhoc.ead import EadItem, EadLabels, encode_ead, require_understood
from thingstead.protocols.edhoc.identifier import encode_identifier
from thingstead.protocols.edhoc.key_exchange import GX, EphemeralKey, answer_g_x
from thingstead.protocols.edhoc.message import (
    DEFAULT_LIMITS,
    Limits,
    decode_byte_string,
    decode_plaintext_4,
    read_items,
)
from thingstead.protocols.edhoc.responder import Message3Authenticated, accept_message_1
from thingstead.protocols.edhoc.schedule import (
    MESSAGE_3,
    Label,
    apply_keystream,
    following_transcript,
    mix,
    open_sealed,
    second_transcript,
    transcript_hash,
)
from thingstead.protocols.edhoc.session import Agreement, Role
from thingstead.protocols.edhoc.shared_key import (
    DRAFT,
    METHOD_PSK,
    SharedCredential,
    bound_data,
    last_transcript,
    mix_in,
)
from thingstead.protocols.edhoc.state import Patient, SingleUse
from thingstead.protocols.edhoc.suite import CipherSuite
from thingstead.secret import Secret

__all__ = ["PskMessage1Received", "PskMessage3Received", "PskResponder", "PskWaitingForMessage3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PskResponder:
    """What a Responder accepts; each message_1 begins a session of its own.

    Attributes:
        suites: supported, in any order.
        ephemeral: makes a fresh key pair of a curve.
        ead_labels: which EAD items the application understands.
        limits: bounds on what the peer sends.
    """

    suites: tuple[int, ...]
    ephemeral: Callable[[KeyType], EphemeralKey]
    ead_labels: EadLabels = field(default_factory=dict)
    limits: Limits = DEFAULT_LIMITS

    def receive(self, message_1: bytes) -> PskMessage1Received:
        """Read message_1 (RFC 9528 §5.2.3): anybody may have sent it, from anywhere.

        Raises:
            DecodeError, WrongSuiteError, UnsupportedError: as for `Responder.receive`.
        """
        read, suite, public = accept_message_1(
            message_1,
            methods=frozenset({METHOD_PSK}),
            suites=self.suites,
            ead_labels=self.ead_labels,
            limits=self.limits,
        )
        return PskMessage1Received(_Offer(self, suite, public, transcript_hash(suite, message_1), read.c_i), read.ead_1)


@dataclass(frozen=True, slots=True)
class _Offer:
    responder: PskResponder
    suite: CipherSuite
    g_x: GX
    h_message_1: bytes
    c_i: bytes


class PskMessage1Received(SingleUse[_Offer]):
    """message_1 can be read; nothing in it is proven or secret.

    Attributes:
        c_i: the Initiator's connection identifier.
        ead_1: EAD items, padding left out.
    """

    __slots__ = ("c_i", "ead_1")

    def __init__(self, offer: _Offer, ead_1: tuple[EadItem, ...]) -> None:
        super().__init__(offer)
        self.c_i = offer.c_i
        self.ead_1 = ead_1

    def message_2(self, connection_id: bytes, ead_2: Iterable[EadItem] = ()) -> tuple[bytes, PskWaitingForMessage3]:
        """Answer whoever sent message_1 (§5.2.2).

        Raises:
            DecodeError: a G_X of small order.
            ValueError: C_R is C_I or too long.
        """
        offer = self._spend()
        suite = offer.suite
        if connection_id == offer.c_i or len(connection_id) > suite.identifier_size:
            raise ValueError("a connection identifier is short, and not the peer's (RFC 9528 §3.3.3)")
        g_y, g_xy, _agree_with_y = answer_g_x(suite, offer.g_x, offer.responder.ephemeral)
        th_2 = second_transcript(suite, g_y, offer.h_message_1)
        prk = mix(suite, th_2, g_xy)
        plaintext = encode_identifier(connection_id) + encode_ead(ead_2)
        message = codec.encode(g_y + apply_keystream(suite, prk, Label.KEYSTREAM_2, plaintext, th=th_2))
        th_3 = following_transcript(suite, th_2, plaintext, b"")
        return message, PskWaitingForMessage3(_Answered(offer, prk, th_3, connection_id))


@dataclass(frozen=True, slots=True)
class _Answered:
    offer: _Offer
    prk: Secret
    th_3: bytes
    c_r: bytes


class PskWaitingForMessage3(Patient[_Answered]):
    """message_2 is out: a half-open session, which the caller must let expire.

    Attributes:
        c_r: our connection identifier.
    """

    __slots__ = ("c_r",)

    def __init__(self, answered: _Answered) -> None:
        super().__init__(answered, patience=answered.offer.responder.limits.max_forgeries)
        self.c_r = answered.c_r

    def receive(self, message_3: bytes) -> PskMessage3Received:
        """Read which key message_3 names (§5.3.3): a stream cipher hides it, and anybody may have made it.

        So this state is as it was, until `PskMessage3Received.authenticate` succeeds; its patience is bounded.

        Raises:
            PeerError, DecodeError: an error message, or malformed.
            StateError: the session went on, or the patience is over.
        """
        held = self._try()
        limits, suite = held.offer.responder.limits, held.offer.suite
        hidden = decode_byte_string(message_3, limits=limits)
        outer = apply_keystream(suite, held.prk, Label.KEYSTREAM_3A, hidden, th=held.th_3)
        items = read_items(outer, limits)
        if len(items) != 2 or not isinstance(items[1][0], bytes):
            raise DecodeError("expected ID_CRED_PSK and CIPHERTEXT_3B", spec=f"{DRAFT} §5.3")
        return PskMessage3Received(self, expand_reference(*items[0]), items[1][0])

    def conclude(self, shared: SharedCredential, sealed: bytes) -> tuple[_Answered, Secret, bytes]:
        """The step that ends this state, taken by `PskMessage3Received.authenticate` when the proof holds."""
        held = self._look()
        suite, th_3 = held.offer.suite, held.th_3
        if suite.digest is not shared.digest_id:
            raise UnsupportedError("expected a suite of the hash that the key is for", spec=f"{DRAFT} §9.5")
        prk_4e3m = mix_in(suite, held.prk, shared, th_3)
        aad = bound_data(shared, th_3)
        plaintext = open_sealed(suite, prk_4e3m, MESSAGE_3, th=th_3, ciphertext=sealed, external_aad=aad)
        return self._spend(), prk_4e3m, plaintext


class PskMessage3Received:
    """message_3 names a key; that its sender holds it, or is who sent message_1, is not proven.

    Attributes:
        id_cred_psk: where to look for the shared key.
    """

    __slots__ = ("_sealed", "_waiting", "id_cred_psk")

    def __init__(self, waiting: PskWaitingForMessage3, id_cred_psk: CredentialReference, sealed: bytes) -> None:
        self._waiting = waiting
        self._sealed = sealed
        self.id_cred_psk = id_cred_psk

    def authenticate(
        self, shared: SharedCredential
    ) -> tuple[Message3Authenticated[SharedCredential], tuple[EadItem, ...]]:
        """Verify that the Initiator holds the key and saw the same exchange (§5.3.3).

        Returns:
            The state that makes message_4, and EAD_3 without padding.

        Raises:
            AuthenticationError: it does not, or the key is not the one named; the session waits on.
            UnsupportedError: a suite of another hash than the key's, or a critical EAD item that is not understood.
            DecodeError: what was protected is malformed.
        """
        # The proof covers the identifier that we hold, not the one that came: that must be the same.
        if shared.id_cred != self.id_cred_psk.id_cred:
            raise AuthenticationError("expected the key that message_3 names", spec=f"{DRAFT} §5.3.3")
        held, prk_4e3m, plaintext = self._waiting.conclude(shared, self._sealed)
        responder, suite = held.offer.responder, held.offer.suite
        ead_3 = decode_plaintext_4(plaintext, limits=responder.limits)
        require_understood(ead_3, responder.ead_labels, message=3)
        agreement = Agreement(
            role=Role.RESPONDER,
            suite=suite,
            c_i=held.offer.c_i,
            c_r=held.c_r,
            peer=shared,
            prk_4e3m=prk_4e3m,
            th_4=last_transcript(suite, held.th_3, shared, plaintext),
        )
        return Message3Authenticated(agreement), ead_3
