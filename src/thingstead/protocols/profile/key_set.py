"""Keys that sign releases, and how many of which of them are enough: all, k of n, or some of each of several groups.

One type for the owner's anchor, for what the factory puts into a thing, and for what a hand-over of updates names.
What it means is decided in one place, `thingstead.protocols.suit.authentication:AuthenticationPolicy`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from thingstead.crypto.key import KeyType, PublicKey
from thingstead.errors import DecodeError, PolicyError
from thingstead.protocols.cose import key as cose_key

__all__ = [
    "EVERY_KEY",
    "MAX_KEYS",
    "KeyGroup",
    "KeySet",
    "SigningPolicy",
    "both",
    "from_list",
    "hybrid",
    "key_id",
    "threshold",
    "to_list",
]

MAX_KEYS = 16
"""Release keys of one maker, at most."""

CLASSICAL, POST_QUANTUM = "classical", "post-quantum"
_KID_SIZE = 8
_FAMILY = {
    KeyType.P256: CLASSICAL,
    KeyType.ED25519: CLASSICAL,
    KeyType.ML_DSA_44: POST_QUANTUM,
    KeyType.ML_DSA_65: POST_QUANTUM,
    KeyType.ML_DSA_87: POST_QUANTUM,
    KeyType.HSS_LMS: POST_QUANTUM,
}
"""Which problem an attacker would have to solve; a hybrid is worth something only across two of them."""


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """So many of these keys.

    Attributes:
        at_least: how many must have signed.
        kids: their key identifiers (`key_id`).
        name: for people.
    """

    at_least: int
    kids: tuple[bytes, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class SigningPolicy:
    """Which of some keys must have signed; every group by itself.

    Attributes:
        groups: none for every key, which is what files of format 1 and 2 say.
    """

    groups: tuple[KeyGroup, ...] = ()


EVERY_KEY = SigningPolicy()


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys with a policy that fits them; there is none of another kind.

    Attributes:
        keys: each once, at most `MAX_KEYS`; with none, nobody signs.
        signing: how many of which are enough.
    """

    keys: tuple[PublicKey, ...]
    signing: SigningPolicy = EVERY_KEY

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            PolicyError: too many keys ("keys"), a key or key identifier twice ("same-key"), a group of no key or
                too many of its keys ("threshold"), or one that counts a key which is not there ("unknown-key").
        """
        kids = [key_id(key) for key in self.keys]
        if len(kids) > MAX_KEYS:
            raise PolicyError(f"expected at most {MAX_KEYS} release keys, got {len(kids)}", reason="keys")
        _require_distinct(kids)
        for group in self.signing.groups:
            _require_distinct(group.kids)
            if not 1 <= group.at_least <= len(group.kids):
                raise PolicyError(
                    f"expected signatures of 1 to {len(group.kids)} of {len(group.kids)} keys, got {group.at_least}",
                    reason="threshold",
                )
            unknown = [kid.hex() for kid in group.kids if kid not in kids]
            if unknown:
                raise PolicyError(
                    f"a policy counts {', '.join(unknown)}, of which there is no key", reason="unknown-key"
                )

    @property
    def groups(self) -> tuple[KeyGroup, ...]:
        """What must be met, written out."""
        return self.signing.groups or (KeyGroup(len(self.keys), tuple([key_id(key) for key in self.keys])),)

    def __str__(self) -> str:
        """For people, such as ``1 of 2 classical and 1 of 1 post-quantum``, or ``2 of 3 P256/ED25519``."""
        types = {key_id(key): key.type.name for key in self.keys}
        words = []
        for one in self.groups:
            kinds = one.name or "/".join(dict.fromkeys(types[kid] for kid in one.kids))
            words.append(f"{one.at_least} of {len(one.kids)} {kinds}")
        return " and ".join(words)


def key_id(key: PublicKey) -> bytes:
    """The `kid` of a release key: the start of its thumbprint (RFC 9679 §5)."""
    return cose_key.thumbprint(key)[:_KID_SIZE]


def threshold(keys: Sequence[PublicKey], at_least: int) -> KeySet:
    """`at_least` of these keys.

    Raises:
        PolicyError: as for `KeySet`.
    """
    return KeySet(tuple(keys), SigningPolicy((KeyGroup(at_least, tuple([key_id(key) for key in keys])),)))


def hybrid(keys: Sequence[PublicKey], *, at_least: int = 1) -> KeySet:
    """`at_least` of the classical keys, and as many of the post-quantum ones.

    Raises:
        PolicyError: they are all of one family ("one-group"), or as for `KeySet`.
    """
    families: dict[str, list[bytes]] = {}
    for key in keys:
        families.setdefault(_FAMILY.get(key.type, key.type.name), []).append(key_id(key))
    if len(families) < len({CLASSICAL, POST_QUANTUM}):
        raise PolicyError(
            f"a hybrid takes keys of two families, these are all {', '.join(families)}", reason="one-group"
        )
    groups = tuple([KeyGroup(at_least, tuple(kids), name) for name, kids in families.items()])
    return KeySet(tuple(keys), SigningPolicy(groups))


def both(first: KeySet, second: KeySet) -> KeySet:
    """What is enough for either alone is asked for together; a key that both have counts for both.

    Raises:
        PolicyError: more than `MAX_KEYS` together.
    """
    keys = tuple(dict.fromkeys([*first.keys, *second.keys]))
    return KeySet(keys, SigningPolicy(tuple(dict.fromkeys([*first.groups, *second.groups]))))


def to_list(policy: SigningPolicy) -> list[Any]:
    """As it stands in a file."""
    return [[one.name, one.at_least, list(one.kids)] for one in policy.groups]


def from_list(value: Any, keys: Iterable[PublicKey]) -> KeySet:
    """Read back what `to_list` wrote, and see that it fits the keys beside it.

    Raises:
        DecodeError: it is no policy, does not fit them, or counts a key in two groups.
    """
    if not isinstance(value, list):
        raise DecodeError("expected a policy of signatures", reason="signing")
    try:
        found = KeySet(tuple(keys), SigningPolicy(tuple([_group(one) for one in value])))
        _require_distinct([kid for group in found.signing.groups for kid in group.kids])
    except PolicyError as error:
        raise DecodeError(str(error), reason=error.reason) from error
    return found


def _group(value: Any) -> KeyGroup:
    match value:
        case [str(name), int(at_least), list(kids)] if not isinstance(at_least, bool) and all(
            isinstance(kid, bytes) for kid in kids
        ):
            return KeyGroup(at_least, tuple(kids), name)
        case _:
            raise DecodeError("expected a group of a policy of signatures", reason="signing")


def _require_distinct(kids: Sequence[bytes]) -> None:
    """The same key twice would make one signature of it two."""
    if len(set(kids)) != len(kids):
        raise PolicyError("a policy counts the same key, or two of one key identifier, twice", reason="same-key")
