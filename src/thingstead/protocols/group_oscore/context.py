"""The security context of a group: one epoch of its keys (RFC 10021 §2).

A rekey is a new `GroupContext` with a new Gid; the caller deletes the old one, and with it every key that a leaver
knows. Nothing passes from one epoch to the next but credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from thingstead.crypto.aead import Aead, aead
from thingstead.crypto.algorithm import REGISTRY
from thingstead.crypto.digest import hkdf
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.protocols.cbor import codec
from thingstead.protocols.group_oscore.algorithms import Cipher, GroupAlgorithms, group_cipher
from thingstead.protocols.oscore.context import SequenceNumbers
from thingstead.protocols.oscore.derivation import KeyDerivation, nonce_base
from thingstead.protocols.oscore.replay import ReplayWindow
from thingstead.secret import Secret

__all__ = ["Credential", "GroupContext", "Member", "OwnIdentity"]


@dataclass(frozen=True, slots=True)
class Credential:
    """An authentication credential, checked by whoever handed it in (RFC 10021 §2.4).

    Attributes:
        original: the bytes as they were issued; they are hashed and signed over, never encoded again.
        public: the key that they hold.
    """

    original: bytes
    public: PublicKey


class Member:
    """Another member, as a recipient context: keys are derived when its first message comes or goes.

    Attributes:
        kid: its Sender ID.
        credential: what its messages must verify under.
        window: its own replay window.
    """

    __slots__ = ("_group_cipher", "_key", "_pairwise", "credential", "kid", "window")

    def __init__(self, kid: bytes, credential: Credential, window: ReplayWindow) -> None:
        self.kid = kid
        self.credential = credential
        self.window = window
        self._key: Secret | None = None
        self._group_cipher: Cipher | None = None
        self._pairwise: tuple[Aead, Aead] | None = None


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """Who we are in the group.

    Attributes:
        sender_id: given by the Group Manager, unique under this Gid.
        credential: ours, as the others hold it.
        key: handle on its private half.
        sequence: our sender sequence numbers, shared by both modes (RFC 10021 §2.4.3).
    """

    sender_id: bytes
    credential: Credential
    key: PrivateKey
    sequence: SequenceNumbers


class GroupContext:
    """One epoch: the Common Context, our Sender Context, and a Recipient Context for each other member.

    Attributes:
        gid: Group Identifier: the ID Context, and the kid context of every request.
        algorithms: of this group.
        gm_credential: the Group Manager's, in its original bytes.
        own: who we are.
        own_group_cipher: of our group-mode messages; not used in a group without group mode.
        signature_encryption_key: hides the countersignatures from outsiders.
    """

    __slots__ = (
        "_common_iv",
        "_derivation",
        "_members",
        "_own_key",
        "algorithms",
        "gid",
        "gm_credential",
        "own",
        "own_group_cipher",
        "signature_encryption_key",
    )

    def __init__(
        self,
        gid: bytes,
        *,
        master_secret: Secret,
        master_salt: bytes,
        gm_credential: bytes,
        algorithms: GroupAlgorithms,
        own: OwnIdentity,
    ) -> None:
        """Derive the Common Context and our Sender Key.

        Raises:
            UnsupportedError: our key does not fit the algorithms.
            ValueError: our Sender ID is too long.
        """
        self.gid = gid
        self.algorithms = algorithms
        self.gm_credential = gm_credential
        self.own = own
        self._members: dict[bytes, Member] = {}
        self._derivation = KeyDerivation(
            master_secret, master_salt=master_salt, id_context=gid, digest_id=algorithms.digest_id
        )
        self._common_iv = self._derive("IV", b"", size=algorithms.nonce_sizes[-1])
        self._require_short(own.sender_id)
        self._own_key = self._sender_key(own.sender_id)
        key_size = REGISTRY[algorithms.derivation_id].key_size
        self.own_group_cipher = group_cipher(algorithms.derivation_id, self._own_key)
        self.signature_encryption_key = Secret(self._derive("SEKey", b"", size=key_size))

    @property
    def members(self) -> Mapping[bytes, Member]:
        """The others, by kid."""
        return MappingProxyType(self._members)

    def add_member(self, kid: bytes, credential: Credential, *, window: ReplayWindow | None = None) -> Member:
        """Take a member whose credential the Group Manager vouched for.

        Args:
            kid: its Sender ID in this epoch.
            credential: its own.
            window: an invalid one if its requests were seen before and forgotten; None if this epoch is new to us.

        Raises:
            ValueError: a kid that is ours, taken, or too long: under one Gid a kid names one credential.
        """
        self._require_short(kid)
        if kid == self.own.sender_id or kid in self._members:
            raise ValueError(f"kid {kid.hex()} is taken under this Gid (RFC 10021 §2.2)")
        member = self._members[kid] = Member(kid, credential, window or ReplayWindow())
        return member

    def group_cipher_of(self, member: Member) -> Cipher:
        """The cipher of a member's group-mode messages."""
        cipher = member._group_cipher
        if cipher is None:
            cipher = member._group_cipher = group_cipher(self.algorithms.derivation_id, self._key_of(member))
        return cipher

    def pairwise_ciphers(self, member: Member) -> tuple[Aead, Aead]:
        """The AEADs of the pairwise mode: to the member, from the member (RFC 10021 §2.5.1).

        Raises:
            UnsupportedError: no pairwise mode in this group, or keys that cannot agree.
            DecodeError: a peer key that has no shared secret with any.
        """
        ciphers = member._pairwise
        if ciphers is None:
            shared = self.own.key.agree(member.credential.public).reveal()
            ours, theirs = self.own.credential.original, member.credential.original
            ciphers = member._pairwise = (
                self._pairwise_cipher(self._own_key, self.own.sender_id, ours + theirs + shared),
                self._pairwise_cipher(self._key_of(member), member.kid, theirs + ours + shared),
            )
        return ciphers

    def nonce(self, id_piv: bytes, number: int, *, algorithm_id: int) -> bytes:
        """The nonce: XOR with as many bytes of the Common IV's start as the algorithm takes (RFC 10021 §3.3)."""
        size = REGISTRY[algorithm_id].nonce_size
        return (nonce_base(self._common_iv[:size], id_piv) ^ number).to_bytes(size, "big")

    def _pairwise_cipher(self, salt: Secret, id_: bytes, ikm: bytes) -> Aead:
        aead_id = self.algorithms.require_pairwise_mode()
        size = REGISTRY[aead_id].key_size
        info = codec.encode([id_, self.gid, aead_id, "Key", size])
        key = hkdf(Secret(ikm), salt=salt.reveal(), info=info, size=size, digest_id=self.algorithms.digest_id)
        return aead(aead_id, Secret(key))

    def _key_of(self, member: Member) -> Secret:
        key = member._key
        if key is None:
            key = member._key = self._sender_key(member.kid)
        return key

    def _sender_key(self, id_: bytes) -> Secret:
        return Secret(self._derive("Key", id_, size=REGISTRY[self.algorithms.derivation_id].key_size))

    def _derive(self, label: str, id_: bytes, *, size: int) -> bytes:
        return self._derivation.derive(label, id_=id_, algorithm_id=self.algorithms.derivation_id, size=size)

    def _require_short(self, id_: bytes) -> None:
        limit = self.algorithms.nonce_sizes[0] - 6
        if len(id_) > limit:
            raise ValueError(f"a Sender ID of at most {limit} bytes (RFC 10021 §2.2)")
