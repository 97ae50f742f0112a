"""A maker replaces its release keys: each step is signed by those of now, and stands in the anchor that owners get."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from thingstead.crypto.key import PrivateKey
from thingstead.crypto.keystore import FileKeyStore
from thingstead.domain import anchor as anchor_file
from thingstead.domain.anchor import TrustAnchor
from thingstead.errors import ConfigError, SecurityError
from thingstead.protocols.profile import key_set, succession
from thingstead.protocols.profile.key_set import KeySet
from thingstead.simulator import release_keys
from thingstead.simulator.factory import MakerDirectory
from thingstead.storage.directory import write_whole

__all__ = ["go_back", "introduce", "read", "retire", "take_back"]


def introduce(
    maker: MakerDirectory,
    kinds: Sequence[str],
    *,
    keeps: bool = False,
    threshold: int = 0,
    is_hybrid: bool = False,
    at: datetime,
) -> TrustAnchor:
    """Make release keys, and sign beside the old ones that they count too from now on.

    Args:
        maker: whose.
        kinds: of the keys that are made.
        keeps: the old keys stay among those that sign in the end.
        threshold: how many of them must sign; see `release_keys.choose`.
        is_hybrid: whether that is asked of each family of them.
        at: now.

    Raises:
        ConfigError: no such keys, or too few of the old ones are here.
        StateError: keys were introduced before, and neither stay nor are taken back.
        StorageError: the disk does not keep it.
    """
    anchor = read(maker)
    state = anchor.update_keys
    made = release_keys.created(FileKeyStore(maker.root / "keys"), kinds, again=True)
    kept = list(state.current.keys) if keeps else []
    chosen = release_keys.choose([*kept, *[key.public for key in made]], threshold=threshold, is_hybrid=is_hybrid)
    return _introduced(maker, anchor, chosen, at)


def go_back(maker: MakerDirectory, *, at: datetime) -> TrustAnchor:
    """Introduce again the keys of before the last retirement; errors as for `introduce`."""
    anchor = read(maker)
    steady = [state.current for state in anchor.states if state.incoming is None]
    before = next((keys for keys in reversed(steady) if keys != steady[-1]), None)
    if before is None:
        raise ConfigError("the release keys were never others than these")
    return _introduced(maker, anchor, before, at)


def retire(maker: MakerDirectory, *, at: datetime) -> TrustAnchor:
    """Sign that the keys that were introduced are the only ones; errors as for `introduce`."""
    anchor = read(maker)
    state = anchor.update_keys
    return _followed(maker, anchor, succession.retire(state, _signers(maker, state.effective), at=at))


def take_back(maker: MakerDirectory, *, at: datetime) -> TrustAnchor:
    """Sign that the keys that were introduced count no more; errors as for `introduce`."""
    anchor = read(maker)
    state = anchor.update_keys
    return _followed(maker, anchor, succession.take_back(state, _signers(maker, state.current), at=at))


def read(maker: MakerDirectory) -> TrustAnchor:
    """The maker's anchor as it stands.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return anchor_file.decode(maker.anchor.read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot read {maker.anchor}: {error.strerror}") from error


def _introduced(maker: MakerDirectory, anchor: TrustAnchor, keys: KeySet, at: datetime) -> TrustAnchor:
    state = anchor.update_keys
    signers = _signers(maker, key_set.both(state.current, keys))
    return _followed(maker, anchor, succession.introduce(state, keys, signers, at=at))


def _followed(maker: MakerDirectory, anchor: TrustAnchor, step: bytes) -> TrustAnchor:
    """Written only when it holds for whoever trusted the anchor of before."""
    try:
        after = anchor_file.follow(anchor, [step])
    except SecurityError as error:
        raise ConfigError(f"too few of the keys that must sign are in {maker.root}: {error}") from error
    write_whole(maker.anchor, anchor_file.encode(after))
    return after


def _signers(maker: MakerDirectory, wanted: KeySet) -> list[PrivateKey]:
    """Those of the keys that are here; one of HSS-LMS where it counts what it signs."""
    here = [*maker.maker.release_keys, *release_keys.handles(FileKeyStore(maker.root / "keys"))]
    by_public = {key.public: key for key in here}
    return [by_public[key] for key in wanted.keys if key in by_public]
