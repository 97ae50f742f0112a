"""The Initiator that shares a key with the Responder, one type per state (draft-ietf-lake-edhoc-psk-08).

::

    PskInitiator ─message_1→ PskWaitingForMessage2 ─receive→ PskMessage2Received ─message_3→ WaitingForMessage4
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from thingstead.crypto.key import KeyType
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.credential import compact_reference
from thingstead.protocols.edhoc.ead import EadItem, EadLabels, decode_ead, encode_ead, require_understood
from thingstead.protocols.edhoc.identifier import decode_identifier
from thingstead.protocols.edhoc.initiator import WaitingForMessage4
from thingstead.protocols.edhoc.key_exchange import EphemeralKey
from thingstead.protocols.edhoc.message import (
    DEFAULT_LIMITS,
    Limits,
    read_items,
)
from thingstead.protocols.edhoc.opening import Begun, begin
from thingstead.protocols.edhoc.schedule import (
    MESSAGE_3,
    Label,
    apply_keystream,
    following_transcript,
    seal,
)
from thingstead.protocols.edhoc.session import Agreement, Role, require_usable
from thingstead.protocols.edhoc.shared_key import (
    DRAFT,
    METHOD_PSK,
    SharedCredential,
    bound_data,
    last_transcript,
    mix_in,
)
from thingstead.protocols.edhoc.state import SingleUse
from thingstead.protocols.edhoc.suite import CipherSuite, cipher_suite
from thingstead.secret import Secret

__all__ = ["PskInitiator", "PskMessage2Received", "PskWaitingForMessage2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PskInitiator:
    """What an Initiator wants; each `message_1` begins a session of its own.

    Attributes:
        suites: supported, the most preferred first.
        selected: one of `suites`, or None for the first.
        shared: the key, and who we are.
        connection_id: C_I.
        ephemeral: makes a fresh key pair of a curve.
        ead_labels: which EAD items the application understands.
        limits: bounds on what the peer sends.

    Raises:
        UnsupportedError: a suite that we do not have.
        ValueError: a suite of another hash than the key's, or an identifier that is too long.
    """

    suites: tuple[int, ...]
    shared: SharedCredential
    connection_id: bytes
    ephemeral: Callable[[KeyType], EphemeralKey]
    selected: int | None = None
    ead_labels: EadLabels = field(default_factory=dict)
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        if self.suite.digest is not self.shared.digest_id or len(self.connection_id) > self.suite.identifier_size:
            raise ValueError(f"expected a suite of the key's hash, and a short connection identifier ({DRAFT} §9.5)")

    @property
    def suite(self) -> CipherSuite:
        """The selected suite."""
        return cipher_suite(self.suites[0] if self.selected is None else self.selected)

    def message_1(self, ead_1: Iterable[EadItem] = ()) -> tuple[bytes, PskWaitingForMessage2]:
        """Begin a session (RFC 9528 §5.2.2)."""
        message, begun = begin(
            METHOD_PSK, self.suites, self.suite, ephemeral=self.ephemeral, c_i=self.connection_id, ead_1=ead_1
        )
        return message, PskWaitingForMessage2((self, begun))


class PskWaitingForMessage2(SingleUse[tuple[PskInitiator, Begun]]):
    """message_1 is out."""

    __slots__ = ()

    def receive(self, message_2: bytes) -> PskMessage2Received:
        """Decrypt message_2 (§5.2.3), which anybody who saw message_1 may have made.

        Raises:
            PeerError, DecodeError, UnsupportedError: as for `WaitingForMessage2.receive`.
        """
        own, begun = self._spend()
        suite, opened = begun.suite, begun.open(message_2, limits=own.limits)
        items = read_items(opened.plaintext, own.limits)
        if not items:
            raise DecodeError("expected C_R in PLAINTEXT_2A", spec=f"{DRAFT} §5.2")
        c_r = decode_identifier(items[0][0])
        ead_2 = decode_ead([value for value, _raw in items[1:]], max_items=own.limits.max_ead_items)
        require_usable(c_r, suite, other=own.connection_id)
        require_understood(ead_2, own.ead_labels, message=2)
        th_3 = following_transcript(suite, opened.th_2, opened.plaintext, b"")
        return PskMessage2Received(_Known(own, opened.prk_2e, th_3, c_r), ead_2)


@dataclass(frozen=True, slots=True)
class _Known:
    initiator: PskInitiator
    prk: Secret
    th_3: bytes
    c_r: bytes


class PskMessage2Received(SingleUse[_Known]):
    """message_2 can be read; nothing in it is proven, and nothing in it could be.

    Attributes:
        c_r: the Responder's connection identifier.
        ead_2: EAD items, padding left out.
    """

    __slots__ = ("c_r", "ead_2")

    def __init__(self, known: _Known, ead_2: tuple[EadItem, ...]) -> None:
        super().__init__(known)
        self.c_r = known.c_r
        self.ead_2 = ead_2

    def message_3(self, ead_3: Iterable[EadItem] = ()) -> tuple[bytes, WaitingForMessage4[SharedCredential]]:
        """Prove that we hold the key (§5.3.2); what ends up in the peer's hands only the key's holder can read."""
        held = self._spend()
        own, suite, shared = held.initiator, held.initiator.suite, held.initiator.shared
        prk_4e3m, plaintext = mix_in(suite, held.prk, shared, held.th_3), encode_ead(ead_3)
        aad = bound_data(shared, held.th_3)
        sealed = seal(suite, prk_4e3m, MESSAGE_3, th=held.th_3, plaintext=plaintext, external_aad=aad)
        outer = compact_reference(shared.id_cred) + codec.encode(sealed)
        message = codec.encode(apply_keystream(suite, held.prk, Label.KEYSTREAM_3A, outer, th=held.th_3))
        agreement = Agreement(
            role=Role.INITIATOR,
            suite=suite,
            c_i=own.connection_id,
            c_r=held.c_r,
            peer=shared,
            prk_4e3m=prk_4e3m,
            th_4=last_transcript(suite, held.th_3, shared, plaintext),
        )
        return message, WaitingForMessage4(agreement, limits=own.limits, ead_labels=own.ead_labels)
