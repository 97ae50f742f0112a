"""The security context: common, sender and recipient part (RFC 8613 §3)."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.crypto.aead import Aead, aead
from thingstead.crypto.algorithm import AlgorithmId, Kind, algorithm
from thingstead.errors import AuthenticationError, StateError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.oscore.derivation import KeyDerivation, nonce_base
from thingstead.protocols.oscore.limit import key_limits
from thingstead.protocols.oscore.option import MAX_PARTIAL_IV
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret

__all__ = ["RecipientContext", "SecurityContext", "SenderContext", "SequenceNumbers"]

_OSCORE_VERSION = 1
_LIMITS = "draft-ietf-core-oscore-key-limits §2"


class SequenceNumbers:
    """The sender sequence numbers of one Sender ID: each is given out once (RFC 8613 §7.2.1, appendix B.1.1).

    Attributes:
        next: the number that `take` gives next.
        reserved: numbers below it may be taken: the store has it on disk, so that after a crash the numbers start
            there and none is used twice.
        limit: numbers from it on are never taken.
    """

    __slots__ = ("limit", "next", "reserved")

    def __init__(self, start: int = 0, *, reserved: int = MAX_PARTIAL_IV + 1) -> None:
        self.limit = MAX_PARTIAL_IV + 1
        self.next = start
        self.reserved = 0
        self.reserve(reserved)

    @property
    def is_worn(self) -> bool:
        """Whether an eighth of the numbers or less is left: time for a new context."""
        return self.next >= self.limit - (self.limit >> 3)

    def take(self) -> int:
        """Give out the next number.

        Raises:
            StateError: it is not reserved yet, or all are used up and the context is at its end.
        """
        number = self.next
        if number >= self.reserved:
            raise StateError(
                f"sender sequence number {number} is not reserved", spec="RFC 8613 §7.2.1", reason="sequence"
            )
        self.next = number + 1
        return number

    def reserve(self, limit: int) -> None:
        """Allow numbers below `limit`, which the caller has made durable; never less than before, nor over ours."""
        self.reserved = max(self.reserved, min(limit, self.limit))

    def bound(self, limit: int) -> None:
        """Lower our own limit: that of the key that the numbers are for."""
        self.limit = min(self.limit, limit)
        self.reserved = min(self.reserved, self.limit)


class _Half:
    """What a Sender Context and a Recipient Context have alike; the cipher is built at first use, then kept."""

    __slots__ = ("_aad_head", "_aad_size", "_aead", "_aead_id", "_key", "_nonce_size", "id", "nonce_base")

    def __init__(self, id_: bytes, key: Secret, *, aead_id: int, common_iv: bytes) -> None:
        self.id = id_
        self.nonce_base = nonce_base(common_iv, id_)
        self._nonce_size = len(common_iv)
        self._key: Secret | None = key
        self._aead_id = aead_id
        self._aead: Aead | None = None
        self._aad_head = b""
        self._aad_size = 0

    @property
    def aead(self) -> Aead:
        """The AEAD under this half's key.

        Raises:
            UntrustedError: the key has been given up.
        """
        cipher = self._aead
        if cipher is None:
            cipher = self._aead = self._build()
        return cipher

    def rest(self) -> None:
        """Drop the cipher, which is the most of an idle context; the next message has it built again."""
        self._aead = None

    def _build(self) -> Aead:
        if self._key is None:
            raise UntrustedError("the key has been given up", spec=_LIMITS, reason="key-limit")
        longest = key_limits(self._aead_id).message_size - algorithm(self._aead_id, Kind.AEAD).output_size
        return aead(self._aead_id, self._key, max_size=longest)

    def nonce(self, number: int) -> bytes:
        """The nonce of this half's party for one of its sequence numbers (§5.2)."""
        return (self.nonce_base ^ number).to_bytes(self._nonce_size, "big")

    def aad(self, partial_iv: bytes) -> bytes:
        """The AAD of a request from this half's party with this Partial IV, and of the responses to it (§5.4)."""
        size = len(partial_iv)
        if size != self._aad_size:
            self._aad_head, self._aad_size = _aad_head(self.id, self._aead_id, size), size
        # No Class I option is defined, so the last element of the AAD array is the empty byte string (§4.1).
        return self._aad_head + partial_iv + b"\x40"


class SenderContext(_Half):
    """What we protect with.

    Attributes:
        sequence: our sender sequence numbers.
    """

    __slots__ = ("sequence",)

    def __init__(
        self, sender_id: bytes, key: Secret, *, aead_id: int, common_iv: bytes, sequence: SequenceNumbers
    ) -> None:
        super().__init__(sender_id, key, aead_id=aead_id, common_iv=common_iv)
        self.sequence = sequence

    @property
    def sender_id(self) -> bytes:
        """Our identifier in this context: the kid of our requests."""
        return self.id


class RecipientContext(_Half):
    """What we verify the peer's messages with.

    Attributes:
        window: its replay window; it moves when a request has been authenticated, never before.
        failures: messages that did not verify, since the context was made.
    """

    __slots__ = ("failures", "window")

    def __init__(
        self, recipient_id: bytes, key: Secret, *, aead_id: int, common_iv: bytes, window: ReplayWindow
    ) -> None:
        super().__init__(recipient_id, key, aead_id=aead_id, common_iv=common_iv)
        self.window = window
        self.failures = 0

    def open(self, partial_iv: bytes, ciphertext: bytes) -> tuple[bytes, bytes, bytes]:
        """Decrypt a request of this party; plaintext, nonce and AAD, the last two for the responses to it.

        The window, where it is valid, takes the number when the tag has verified.

        Raises:
            ReplayError: the Partial IV was seen before, or is left of the window.
            UntrustedError: the key has been given up, or the number is beyond it.
            DecodeError, AuthenticationError: as for `Aead.decrypt`; the latter is counted.
        """
        number = int.from_bytes(partial_iv, "big")
        window = self.window
        if window.is_valid:
            window.check(number)
        nonce = (self.nonce_base ^ number).to_bytes(self._nonce_size, "big")
        aad = self.aad(partial_iv)
        try:
            plaintext = (self._aead or self.aead).decrypt(nonce, ciphertext, aad)
        except AuthenticationError:
            self.note_failure()
            raise
        if window.is_valid:
            window.accept(number)
        return plaintext, nonce, aad

    def note_failure(self) -> None:
        """Count a message that did not verify; at the limit the key is given up, and nothing verifies any more."""
        self.failures += 1
        if self.failures >= key_limits(self._aead_id).failures:
            self._key = self._aead = None

    @property
    def recipient_id(self) -> bytes:
        """The peer's identifier in this context: the kid of its requests."""
        return self.id


@dataclass(frozen=True, slots=True, eq=False)
class SecurityContext:
    """One association of two parties.

    Attributes:
        sender: what we protect with.
        recipient: what we verify with.
        id_context: tells contexts of equal identifiers apart; None where there is none.
        aead_id: COSE number of the AEAD algorithm.
        kid_context: what names it on the wire: the ID Context, wrapped where it came about by appendix B.2.
    """

    sender: SenderContext
    recipient: RecipientContext
    id_context: bytes | None
    aead_id: int
    kid_context: bytes | None

    @property
    def is_worn(self) -> bool:
        """Whether one of the keys comes near what it may be used for: time for a new context."""
        limits = key_limits(self.aead_id)
        recipient = self.recipient
        return (
            self.sender.sequence.is_worn
            or recipient.window.newest >= limits.numbers - (limits.numbers >> 3)
            or recipient.failures >= limits.failures >> 1
        )

    @classmethod
    def derive(
        cls,
        master_secret: Secret,
        *,
        master_salt: bytes = b"",
        sender_id: bytes,
        recipient_id: bytes,
        id_context: bytes | None = None,
        aead_id: int = AlgorithmId.AES_CCM_16_64_128,
        digest_id: int = AlgorithmId.SHA_256,
        sequence: SequenceNumbers | None = None,
        window: ReplayWindow | None = None,
        kid_context: bytes | None = None,
    ) -> SecurityContext:
        """Derive both halves from the input parameters (RFC 8613 §3.2), within the limits of their keys.

        Args:
            master_secret: shared by the two parties and nobody else.
            master_salt: may be empty.
            sender_id: ours, 0 bytes up to 6 less than the nonce.
            recipient_id: the peer's, different from ours.
            id_context: part of the derivation when it is not None.
            aead_id: COSE number of the AEAD algorithm.
            digest_id: COSE number of the HKDF's hash, SHA-256 or SHA-512.
            sequence: where our sequence numbers go on; None only in a context that never existed before.
            window: an invalid one after a loss of state (appendix B.1.2); None only in a context that never
                existed before.
            kid_context: what names it on the wire, if not the ID Context itself.

        Raises:
            UnsupportedError: an algorithm that we do not have.
            ValueError: identifiers that are equal or too long.
        """
        row = algorithm(aead_id, Kind.AEAD)
        if sender_id == recipient_id or max(len(sender_id), len(recipient_id)) > row.nonce_size - 6:
            raise ValueError(f"two different identifiers of at most {row.nonce_size - 6} bytes")
        keys = KeyDerivation(master_secret, master_salt=master_salt, id_context=id_context, digest_id=digest_id)
        common_iv = keys.derive("IV", id_=b"", algorithm_id=aead_id, size=row.nonce_size)

        sequence, window = sequence or SequenceNumbers(), window or ReplayWindow()
        for bounded in (sequence, window):
            bounded.bound(key_limits(aead_id).numbers)

        def key(id_: bytes) -> Secret:
            return Secret(keys.derive("Key", id_=id_, algorithm_id=aead_id, size=row.key_size))

        sender = SenderContext(
            sender_id,
            key(sender_id),
            aead_id=aead_id,
            common_iv=common_iv,
            sequence=sequence,
        )
        recipient = RecipientContext(
            recipient_id,
            key(recipient_id),
            aead_id=aead_id,
            common_iv=common_iv,
            window=window,
        )
        return cls(sender, recipient, id_context, aead_id, id_context if kid_context is None else kid_context)


def _aad_head(kid: bytes, aead_id: int, size: int) -> bytes:
    """The Enc_structure up to a Partial IV of `size` bytes (RFC 8613 §5.4, RFC 9052 §5.3)."""
    external = b"\x85" + codec.encode(_OSCORE_VERSION) + codec.encode([aead_id]) + codec.encode(kid)
    # The bstr around the AAD array ends with the Partial IV and an empty bstr, which `aad` adds.
    wrapped = codec.encode(external + bytes((0x40 | size,)) + bytes(size + 1))[: -size - 1]
    return b"\x83" + codec.encode("Encrypt0") + codec.encode(b"") + wrapped
