"""What a release is to makers, domains and things alike: one component, where its image is, and who signs."""

from __future__ import annotations

from collections.abc import Sequence

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.errors import UnsupportedError
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import path
from thingstead.protocols.suit.authentication import AuthenticationPolicy, Signer
from thingstead.protocols.suit.manifest import ComponentId

__all__ = ["FIRMWARE", "IMAGE_URI", "MAX_IMAGE_SIZE", "authentication", "signer"]

FIRMWARE: ComponentId = (b"firmware",)
"""The one component of a thing."""

IMAGE_URI = path.UPDATE_IMAGE
"""Where the image is: a reference relative to where the envelope came from (RFC 3986 §4.2)."""

MAX_IMAGE_SIZE = 4 << 20
"""Bytes of an image that a thing takes, and so of one that is worth publishing."""

_KID_SIZE = 8
_SIGNATURES = {
    KeyType.P256: AlgorithmId.ESP256,
    KeyType.ED25519: AlgorithmId.ED25519,
    KeyType.ML_DSA_44: AlgorithmId.ML_DSA_44,
    KeyType.ML_DSA_65: AlgorithmId.ML_DSA_65,
    KeyType.ML_DSA_87: AlgorithmId.ML_DSA_87,
    KeyType.HSS_LMS: AlgorithmId.HSS_LMS,
}


def signer(key: PublicKey) -> Signer:
    """How a release key signs: its `kid` is the start of its thumbprint (RFC 9679 §5).

    Raises:
        UnsupportedError: a key of another type than releases are signed with.
    """
    if key.type not in _SIGNATURES:
        known = ", ".join(one.name for one in _SIGNATURES)
        raise UnsupportedError(f"expected a release key of {known}, got {key.type.name}")
    return Signer(cose_key.thumbprint(key)[:_KID_SIZE], _SIGNATURES[key.type])


def authentication(release_keys: Sequence[PublicKey]) -> tuple[dict[bytes, PublicKey], AuthenticationPolicy]:
    """Keys by kid, and the policy that every one of them must have signed (R-29).

    Raises:
        UnsupportedError: as for `signer`.
    """
    signers = tuple([signer(key) for key in release_keys])
    keys = {one.kid: key for one, key in zip(signers, release_keys, strict=True)}
    return keys, AuthenticationPolicy(signers)
