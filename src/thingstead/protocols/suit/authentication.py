"""Who signed a manifest, and whether that is enough (draft-ietf-suit-manifest §8.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

__all__ = [
    "Anchors",
    "AuthenticatedEnvelope",
    "AuthenticationPolicy",
    "Quorum",
    "Signer",
    "Tally",
    "authenticate",
    "count",
]

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
class Quorum:
    """So many of these signers.

    Attributes:
        signers: each once.
        at_least: how many of them must have signed, 1 or more.
        name: for people, such as ``post-quantum``.
    """

    signers: tuple[Signer, ...]
    at_least: int
    name: str = ""

    def __post_init__(self) -> None:
        if len(set(self.signers)) != len(self.signers):
            raise ValueError("a policy counts each signer of a quorum once")
        if not 1 <= self.at_least <= len(self.signers):
            raise ValueError("a policy needs at least one signature of a quorum, and no more than it has signers")


@dataclass(frozen=True, slots=True)
class AuthenticationPolicy:
    """Which signatures make a manifest authentic: k of n, and where that is not all, so many of each of some groups.

    Attributes:
        required: every signer that counts, once.
        at_least: how many of them must have signed; 0 means all.
        of_each: quorums that must be met besides, each by itself; a signer counts in every one that has it.
    """

    required: tuple[Signer, ...]
    at_least: int = 0
    of_each: tuple[Quorum, ...] = ()

    def __post_init__(self) -> None:
        if not self.required or len(set(self.required)) != len(self.required):
            raise ValueError("a policy needs at least one signer, and each once")
        if not 0 <= self.at_least <= len(self.required):
            raise ValueError("a policy cannot need more signatures than it has signers")
        if not {one for quorum in self.of_each for one in quorum.signers} <= set(self.required):
            raise ValueError("a policy counts no signer in a quorum that does not count at all")

    @property
    def threshold(self) -> int:
        """How many signers must have signed."""
        return self.at_least or len(self.required)

    @property
    def quorums(self) -> tuple[Quorum, ...]:
        """All that must be met: that of all signers first."""
        return (Quorum(self.required, self.threshold), *self.of_each)


@dataclass(frozen=True, slots=True)
class Tally:
    """Whose signatures verified, and what that is worth under a policy.

    Attributes:
        policy: by which it was counted.
        signed: who, in the policy's order.
    """

    policy: AuthenticationPolicy
    signed: tuple[Signer, ...]

    @property
    def lacking(self) -> tuple[Quorum, ...]:
        """What is still missing: of each quorum not met, who may still sign, and how many of them must."""
        found = []
        for quorum in self.policy.quorums:
            absent = tuple([one for one in quorum.signers if one not in self.signed])
            missing = quorum.at_least - (len(quorum.signers) - len(absent))
            if missing > 0:
                found.append(Quorum(absent, missing, quorum.name))
        return tuple(found)

    def require(self) -> None:
        """Pass where every quorum is met.

        Raises:
            UntrustedError: too few of the signers that the policy counts.
        """
        lacking = self.lacking
        if lacking:
            missing, counted = lacking[-1], self.policy.required
            beside = f" {missing.name}" if missing.name else ""
            raise UntrustedError(
                f"expected signatures of {self.policy.threshold} of {len(counted)} signers, got {len(self.signed)}: "
                f"{missing.at_least} more{beside} of {', '.join(one.kid.hex() for one in missing.signers)}",
                spec=_SPEC,
                reason="signers",
            )


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
    tally = count(envelope.blocks, envelope.signed, anchors, policy)
    tally.require()
    envelope.digest.verify(codec.encode(envelope.manifest), what="manifest", reason="manifest-digest")
    return AuthenticatedEnvelope(envelope, tally.signed, _SEAL)


def count(
    blocks: Iterable[bytes], signed: bytes, anchors: Anchors, policy: AuthenticationPolicy, *, context: bytes = b""
) -> Tally:
    """Verify blocks over the same bytes, for `authenticate` and for whoever wants to know who is missing.

    Args:
        blocks: COSE_Sign1 or COSE_Mac0, detached.
        signed: what they are over.
        anchors: as for `authenticate`.
        policy: likewise.
        context: covered by each and carried by none (RFC 9052 §4.3, external_aad).

    Raises:
        AuthenticationError, DecodeError: as for `authenticate`.
    """
    found: set[Signer] = set()
    for block in blocks:
        found |= _signers_of(block, signed, anchors, policy, context)
    return Tally(policy, tuple([row for row in policy.required if row in found]))


def _signers_of(
    block: bytes, signed: bytes, anchors: Anchors, policy: AuthenticationPolicy, context: bytes
) -> set[Signer]:
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
            if _proves(message, anchors.get(row.kid), row, signed, context):
                return {row}
        except AuthenticationError as error:
            failure = error
    if failure is not None:
        raise failure
    return set()


def _proves(
    message: sign1.Sign1 | mac0.Mac, anchor: PublicKey | Secret | None, row: Signer, signed: bytes, context: bytes
) -> bool:
    """Whether the anchor is of the block's kind at all; where it is, it must verify."""
    accept = frozenset({row.signature_id})
    match message, anchor:
        case sign1.Sign1(), PublicKey():
            sign1.authenticate(message, anchor, accept=accept, payload=signed, external_aad=context)
            return True
        case mac0.Mac(), Secret():
            mac0.authenticate(message, anchor, accept=accept, payload=signed, external_aad=context)
            return True
        case _:
            return False
