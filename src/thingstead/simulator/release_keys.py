"""A maker's release keys as files: which are made, how many of them must sign, and which of them sign now."""

from __future__ import annotations

from collections.abc import Sequence

from thingstead.crypto.key import KeyType, PrivateKey, PublicKey
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain.anchor import TrustAnchor
from thingstead.errors import ConfigError, PolicyError
from thingstead.identifier import KeyId
from thingstead.protocols.profile import key_set
from thingstead.protocols.profile.key_set import KeySet

__all__ = ["KEY_TYPES", "USUAL", "choose", "created", "handles", "held"]

KEY_TYPES = {
    "p256": KeyType.P256,
    "ed25519": KeyType.ED25519,
    "ml-dsa-44": KeyType.ML_DSA_44,
    "ml-dsa-65": KeyType.ML_DSA_65,
    "ml-dsa-87": KeyType.ML_DSA_87,
}
"""Kinds of release keys that are kept in files."""

USUAL = ("p256", "ml-dsa-44")

_PREFIX = "release-"


def created(keys: FileKeyStore, kinds: Sequence[str], *, again: bool) -> list[PrivateKey]:
    """Make a key of each kind, several of a kind where it is named so often.

    Args:
        keys: where.
        kinds: of `KEY_TYPES`.
        again: make new ones beside those that are there; else take up what an interrupted call made.

    Raises:
        ConfigError: a kind that there is not.
        StorageError: the disk does not keep it.
    """
    if not kinds:
        raise ConfigError("expected at least one release key")
    unknown = [kind for kind in kinds if kind not in KEY_TYPES]
    if unknown:
        raise ConfigError(f"expected release keys of {', '.join(KEY_TYPES)}, got {', '.join(unknown)[:60]!r}")
    found: list[PrivateKey] = []
    taken = set(keys.ids()) if again else set()
    for kind in kinds:
        numbered = (KeyId(f"{_PREFIX}{kind}" if one == 1 else f"{_PREFIX}{kind}-{one}") for one in range(1, 1000))
        name = next(one for one in numbered if one not in taken)
        taken.add(name)
        if name not in keys.ids():
            keys.create(name, KEY_TYPES[kind])
        found.append(keys.handle(name))
    return found


def choose(keys: Sequence[PublicKey], *, threshold: int = 0, is_hybrid: bool = False) -> KeySet:
    """What must be met by these keys.

    Args:
        keys: those that count.
        threshold: how many must sign, of each family where it is a hybrid; 0 for all, or one of each.
        is_hybrid: whether of the classical and the post-quantum ones each so many must sign.

    Raises:
        ConfigError: no such policy over these keys.
    """
    try:
        if is_hybrid:
            return key_set.hybrid(keys, at_least=threshold or 1)
        return key_set.threshold(keys, threshold) if threshold else KeySet(tuple(keys))
    except PolicyError as error:
        raise ConfigError(str(error)) from error


def held(keys: FileKeyStore, anchor: TrustAnchor, *further: PrivateKey) -> tuple[PrivateKey, ...]:
    """Those of the keys that sign releases now which are here; others may be with other people."""
    here = {handle.public: handle for handle in (*further, *handles(keys))}
    return tuple([here[key] for key in anchor.release_keys if key in here])


def handles(keys: FileKeyStore) -> list[PrivateKey]:
    """Every release key that was ever made here."""
    return [keys.handle(name) for name in sorted(keys.ids()) if name.startswith(_PREFIX)]
