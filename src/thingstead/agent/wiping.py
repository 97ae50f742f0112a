"""How a thing forgets its domain: all goes but the maker's gifts and whose it is, and a power cut never leaves half."""

from __future__ import annotations

from thingstead.agent.ports import Home
from thingstead.agent.update_anchor import UPDATE_KEYS
from thingstead.crypto.keystore import KeyStore
from thingstead.protocols.profile.birth import BIRTH, DECRYPTION_KEY, IDENTITY_KEY
from thingstead.protocols.profile.custody import CLAIM, CUSTODY

__all__ = ["erase", "inventory", "resume"]

_MARK = "wiping"
_KEPT = frozenset({BIRTH, CUSTODY, CLAIM, UPDATE_KEYS, _MARK})
_KEPT_KEYS = frozenset({IDENTITY_KEY, DECRYPTION_KEY})


def inventory(home: Home, keys: KeyStore) -> tuple[str, ...]:
    """What `erase` would erase, by name."""
    values = [name for name in home.names() if name not in _KEPT]
    return (*values, *sorted(f"key {name}" for name in keys.ids() - _KEPT_KEYS))


def erase(home: Home, keys: KeyStore) -> None:
    """Erase it. Whatever is added to a home or key store one day goes too, unless it is made an exception here.

    The mark comes first: from then on there is no way back, and `resume` finishes what is left.

    Raises:
        StorageError: something could not be erased; without the mark nothing was.
    """
    home.save(_MARK, b"\x01")
    for name in home.names():
        if name not in _KEPT:
            home.delete(name)
    for key in sorted(keys.ids() - _KEPT_KEYS):
        keys.delete(key)
    home.delete(_MARK)


def resume(home: Home, keys: KeyStore) -> None:
    """Finish a wipe that was interrupted; to be called before anything is read from the home.

    Raises:
        StorageError: as `erase`.
    """
    if home.load(_MARK) is not None:
        erase(home, keys)
