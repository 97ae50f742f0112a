"""How a thing forgets its domain: everything but the maker's gifts goes, and a power cut never leaves half of it."""

from __future__ import annotations

from thingstead.agent.ports import Home
from thingstead.crypto.keystore import KeyStore
from thingstead.protocols.profile.birth import BIRTH, IDENTITY_KEY

__all__ = ["erase", "inventory", "resume"]

_MARK = "wiping"


def inventory(home: Home, keys: KeyStore) -> tuple[str, ...]:
    """What `erase` would erase, by name."""
    values = [name for name in home.names() if name not in {BIRTH, _MARK}]
    return (*values, *sorted(f"key {name}" for name in keys.ids() - {IDENTITY_KEY}))


def erase(home: Home, keys: KeyStore) -> None:
    """Erase it. Whatever is added to a home or key store one day goes too, unless it is made an exception here.

    The mark comes first: from then on there is no way back, and `resume` finishes what is left.

    Raises:
        StorageError: something could not be erased; without the mark nothing was.
    """
    home.save(_MARK, b"\x01")
    for name in home.names():
        if name not in {BIRTH, _MARK}:
            home.delete(name)
    for key in sorted(keys.ids() - {IDENTITY_KEY}):
        keys.delete(key)
    home.delete(_MARK)


def resume(home: Home, keys: KeyStore) -> None:
    """Finish a wipe that was interrupted; to be called before anything is read from the home.

    Raises:
        StorageError: as `erase`.
    """
    if home.load(_MARK) is not None:
        erase(home, keys)
