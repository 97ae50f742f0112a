"""What a release is to makers, domains and things alike: one component, where its image is, and who signs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.errors import DecodeError, UnsupportedError, UntrustedError
from thingstead.protocols.profile import path
from thingstead.protocols.profile.key_set import EVERY_KEY, KeySet, SigningPolicy, key_id
from thingstead.protocols.suit import authentication as suit
from thingstead.protocols.suit.authentication import AuthenticationPolicy, Quorum, Signer, Tally
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.manifest import ComponentId

__all__ = [
    "FIRMWARE",
    "IMAGE_URI",
    "MAX_IMAGE_SIZE",
    "REVERTED",
    "STAGING",
    "VERIFIABLE",
    "authentication",
    "image_name",
    "image_uri",
    "signer",
    "tally",
]

FIRMWARE: ComponentId = (b"firmware",)
"""The component that every thing has."""

STAGING: ComponentId = (b"staging",)
"""Where ciphertext of a release waits until it is decrypted into its component; nothing of it ever runs."""

IMAGE_URI = path.UPDATE_IMAGE
"""Where the image is: a reference relative to where the envelope came from (RFC 3986 §4.2)."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def image_uri(name: str) -> str:
    """Where an image is that goes beside the first one: the same place, and its file name as the query.

    Raises:
        DecodeError: a name of other characters than a-z, 0-9, ".", "_" and "-", or of more than 64.
    """
    if _NAME.fullmatch(name) is None:
        raise DecodeError(f"expected a file name of 1 to 64 of a-z0-9._-, got {name[:40]!r}", reason="uri")
    return f"{IMAGE_URI}?{name}"


def image_name(uri: str) -> str | None:
    """Which image a URI names: the file name of one beside the first, empty for the first; None for anything else."""
    place, separator, name = uri.partition("?")
    if place != IMAGE_URI or (separator and _NAME.fullmatch(name) is None):
        return None
    return name


MAX_IMAGE_SIZE = 4 << 20
"""Bytes of an image that a thing takes, and so of one that is worth publishing."""

REVERTED = 1
"""Result code of a report: the release was started and did not prove itself, so that the one before came back."""

_SIGNATURES = {
    KeyType.P256: AlgorithmId.ESP256,
    KeyType.ED25519: AlgorithmId.ED25519,
    KeyType.ML_DSA_44: AlgorithmId.ML_DSA_44,
    KeyType.ML_DSA_65: AlgorithmId.ML_DSA_65,
    KeyType.ML_DSA_87: AlgorithmId.ML_DSA_87,
    KeyType.HSS_LMS: AlgorithmId.HSS_LMS,
}


VERIFIABLE = frozenset({int(one) for one in _SIGNATURES.values()})
"""COSE algorithms of release signatures that a thing with our agent verifies."""


def signer(key: PublicKey) -> Signer:
    """How a release key signs: its `kid` is the start of its thumbprint (RFC 9679 §5).

    Raises:
        UnsupportedError: a key of another type than releases are signed with.
    """
    if key.type not in _SIGNATURES:
        known = ", ".join(one.name for one in _SIGNATURES)
        raise UnsupportedError(f"expected a release key of {known}, got {key.type.name}")
    return Signer(key_id(key), _SIGNATURES[key.type])


def authentication(
    release_keys: Iterable[PublicKey], signing: SigningPolicy = EVERY_KEY
) -> tuple[dict[bytes, PublicKey], AuthenticationPolicy]:
    """Keys by kid, and the policy that enough of them must have signed (R-29).

    Args:
        release_keys: those that count.
        signing: how many of which are enough; every one of them unless something else is said.

    Raises:
        UnsupportedError: as for `signer`.
        PolicyError: as for `KeySet`.
        UntrustedError: there is no key at all.
    """
    fitting = KeySet(tuple(release_keys), signing)
    if not fitting.keys:
        raise UntrustedError("nobody signs releases here", reason="signers")
    keys = {key_id(key): key for key in fitting.keys}
    signers = {kid: signer(key) for kid, key in keys.items()}
    quorums = tuple(
        [Quorum(tuple([signers[kid] for kid in one.kids]), one.at_least, one.name) for one in fitting.groups]
    )
    counted = tuple([one for kid, one in signers.items() if any(kid in group.kids for group in fitting.groups)])
    if len(quorums) == 1:
        return keys, AuthenticationPolicy(counted, quorums[0].at_least)
    are_apart = sum(len(one.signers) for one in quorums) == len(counted)
    at_least = sum(one.at_least for one in quorums) if are_apart else max(one.at_least for one in quorums)
    return keys, AuthenticationPolicy(counted, at_least, quorums)


def tally(envelope: Envelope, release_keys: Iterable[PublicKey], signing: SigningPolicy = EVERY_KEY) -> Tally:
    """Whose signatures of an envelope verify, and who is missing (`Tally.lacking`); nothing of it is proved by that.

    Raises:
        AuthenticationError, DecodeError: a block of one of these keys that does not verify, or no block of COSE.
        UnsupportedError, PolicyError: as for `authentication`.
    """
    keys, policy = authentication(release_keys, signing)
    return suit.count(envelope.blocks, envelope.signed, keys, policy)
