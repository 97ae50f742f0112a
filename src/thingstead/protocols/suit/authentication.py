"""Who signed a manifest, and whether that is enough (draft-ietf-suit-manifest §8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass

from thingstead.crypto.algorithm import Kind, algorithm
from thingstead.crypto.key import PublicKey
from thingstead.errors import AuthenticationError, DecodeError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label
from thingstead.protocols.cose.structure import CoseTag
from thingstead.protocols.suit.envelope import Envelope

__all__ = ["AuthenticatedEnvelope", "AuthenticationPolicy", "Signer", "authenticate"]

_SPEC = "draft-ietf-suit-manifest §8.3"
_SEAL = object()
_BLOCK_TAGS = frozenset({CoseTag.SIGN1, CoseTag.MAC0, CoseTag.MAC, CoseTag.SIGN})


@dataclass(frozen=True, slots=True)
class Signer:
    """One signature that a policy counts.

    Attributes:
        kid: names the key among the anchors.
        signature_id: the one algorithm in which it counts; ES256 (-7) is not ESP256 (-9).
    """

    kid: bytes
    signature_id: int

    def __post_init__(self) -> None:
        algorithm(self.signature_id, Kind.SIGNATURE)


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


def authenticate(
    envelope: Envelope, anchors: Mapping[bytes, PublicKey], policy: AuthenticationPolicy
) -> AuthenticatedEnvelope:
    """Verify the authentication blocks of an envelope; nothing of the manifest is parsed before.

    A block that claims one of the policy's signers must verify. A block of somebody else is not looked at:
    it may serve another recipient, or an algorithm to come.

    Args:
        envelope: as decoded.
        anchors: public keys by kid; a signer of the policy without an anchor is never satisfied.
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


def _signers_of(
    block: bytes, signed: bytes, anchors: Mapping[bytes, PublicKey], policy: AuthenticationPolicy
) -> set[Signer]:
    tagged = codec.decode_deterministic(block)
    if not isinstance(tagged, codec.Tag) or tagged.tag not in _BLOCK_TAGS:
        raise DecodeError("expected a tagged COSE signature or MAC in each block", spec=_SPEC)
    if tagged.tag != CoseTag.SIGN1:
        return set()
    message = sign1.decode(block)
    signature_id = message.headers.protected.get(Label.ALG)
    kid = message.headers.kid
    claimed = [
        row
        for row in policy.required
        if row.signature_id == signature_id and kid in {b"", row.kid} and row.kid in anchors
    ]
    failure: AuthenticationError | None = None
    for row in claimed:
        try:
            sign1.authenticate(message, anchors[row.kid], accept=frozenset({row.signature_id}), payload=signed)
        except AuthenticationError as error:
            failure = error
        else:
            return {row}
    if failure is not None:
        raise failure
    return set()
