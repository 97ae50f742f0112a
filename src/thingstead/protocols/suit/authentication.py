"""Who signed a manifest, and whether that is enough (draft-ietf-suit-manifest §8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass

from thingstead.crypto.algorithm import REGISTRY, Kind
from thingstead.crypto.key import PublicKey
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import mac0, sign1
from thingstead.protocols.cose.header import Label
from thingstead.protocols.cose.structure import CoseTag
from thingstead.protocols.suit.envelope import Envelope
from thingstead.secret import Secret

__all__ = ["Anchors", "AuthenticatedEnvelope", "AuthenticationPolicy", "Signer", "authenticate"]

Anchors = Mapping[bytes, PublicKey | Secret]
"""Keys by kid: public ones for signatures, shared ones for MACs."""

_SPEC = "draft-ietf-suit-manifest §8.3"
_SEAL = object()
_BLOCK_TAGS = frozenset({CoseTag.SIGN1, CoseTag.MAC0, CoseTag.MAC, CoseTag.SIGN})
_PROVING = frozenset({Kind.SIGNATURE, Kind.MAC})


@dataclass(frozen=True, slots=True)
class Signer:
    """One signature that a policy counts, or one MAC.

    A MAC shows that somebody made it who has the key, and everybody who checks it has: it is for a policy that
    says so, never for a release that many things take (R-70).

    Attributes:
        kid: names the key among the anchors.
        signature_id: the one algorithm in which it counts; ES256 (-7) is not ESP256 (-9).
    """

    kid: bytes
    signature_id: int

    def __post_init__(self) -> None:
        row = REGISTRY.get(self.signature_id)
        if row is None or row.kind not in _PROVING:
            raise UnsupportedError(f"expected a signature or a MAC, got {self.signature_id}", spec=_SPEC)


@dataclass(frozen=True, slots=True)
class AuthenticationPolicy:
    """Which signatures make a manifest authentic: `at_least` of the signers in `required`.

    Attributes:
        required: signers, each counted once.
        at_least: how many of them must have signed; 0 means all.
    """

    required: tuple[Signer, ...]
    at_least: int = 0

    def __post_init__(self) -> None:
        if not self.required or len(set(self.required)) != len(self.required):
            raise ValueError("a policy needs at least one signer, and each once")
        if not 0 <= self.at_least <= len(self.required):
            raise ValueError("a policy cannot need more signatures than it has signers")

    @property
    def threshold(self) -> int:
        """How many signers must have signed."""
        return self.at_least or len(self.required)


@dataclass(frozen=True, slots=True)
class AuthenticatedEnvelope:
    """An envelope whose manifest satisfies a policy; made by `authenticate` and by nothing else.

    Attributes:
        envelope: its manifest is proved; severed members and payloads are proved when their digest is compared.
        signers: those whose signature verified, in the policy's order.
    """

    envelope: Envelope
    signers: tuple[Signer, ...]
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("an AuthenticatedEnvelope is made by authentication.authenticate")


def authenticate(envelope: Envelope, anchors: Anchors, policy: AuthenticationPolicy) -> AuthenticatedEnvelope:
    """Verify the authentication blocks of an envelope; nothing of the manifest is parsed before.

    A block that claims one of the policy's signers must verify. A block of somebody else is not looked at:
    it may serve another recipient, or an algorithm to come.

    Args:
        envelope: as decoded.
        anchors: a signer of the policy without an anchor is never satisfied.
        policy: which signatures count, and how many of them are enough.

    Raises:
        AuthenticationError: unsigned, a signature that does not verify, or a manifest that was not signed.
        UntrustedError: too few of the signers that the policy counts.
        DecodeError: a block outside the grammar of COSE.
    """
    if not envelope.blocks:
        raise AuthenticationError("expected a signed manifest, got none", spec=_SPEC, reason="unsigned")
    found: set[Signer] = set()
    for block in envelope.blocks:
        found |= _signers_of(block, envelope.signed, anchors, policy)
    if len(found) < policy.threshold:
        raise UntrustedError(
            f"expected signatures of {policy.threshold} of {len(policy.required)} signers, got {len(found)}",
            spec=_SPEC,
            reason="signers",
        )
    envelope.digest.verify(codec.encode(envelope.manifest), what="manifest", reason="manifest-digest")
    return AuthenticatedEnvelope(envelope, tuple([row for row in policy.required if row in found]), _SEAL)


def _signers_of(block: bytes, signed: bytes, anchors: Anchors, policy: AuthenticationPolicy) -> set[Signer]:
    tagged = codec.decode_deterministic(block)
    if not isinstance(tagged, codec.Tag) or tagged.tag not in _BLOCK_TAGS:
        raise DecodeError("expected a tagged COSE signature or MAC in each block", spec=_SPEC)
    if tagged.tag not in {CoseTag.SIGN1, CoseTag.MAC0}:
        return set()
    message = sign1.decode(block) if tagged.tag == CoseTag.SIGN1 else mac0.decode(block)
    claimed = [
        row
        for row in policy.required
        if row.signature_id == message.headers.protected.get(Label.ALG) and message.headers.kid in {b"", row.kid}
    ]
    failure: AuthenticationError | None = None
    for row in claimed:
        try:
            if _proves(message, anchors.get(row.kid), row, signed):
                return {row}
        except AuthenticationError as error:
            failure = error
    if failure is not None:
        raise failure
    return set()


def _proves(message: sign1.Sign1 | mac0.Mac, anchor: PublicKey | Secret | None, row: Signer, signed: bytes) -> bool:
    """Whether the anchor is of the block's kind at all; where it is, it must verify."""
    match message, anchor:
        case sign1.Sign1(), PublicKey():
            sign1.authenticate(message, anchor, accept=frozenset({row.signature_id}), payload=signed)
            return True
        case mac0.Mac(), Secret():
            mac0.authenticate(message, anchor, accept=frozenset({row.signature_id}), payload=signed)
            return True
        case _:
            return False
