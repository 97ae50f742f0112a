"""A file of permits: what a person carries to things, to maintain them while their domain is not there.

Nothing in it is secret: each token is bound to the person's key, and shown under encryption.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key

__all__ = ["Carried", "PermitFile"]

_FORMAT = 1
_MOST = 1024
_LIMITS = codec.Limits(max_bytes=1 << 20, max_depth=6)


@dataclass(frozen=True, slots=True)
class Carried:
    """For one thing.

    Attributes:
        thing: its name.
        access_token: what it is shown.
        public: the key that it must prove.
    """

    thing: str
    access_token: bytes
    public: PublicKey


@dataclass(frozen=True, slots=True)
class PermitFile:
    """What one person was given.

    Attributes:
        domain: whose things they are.
        holder: subject of the tokens.
        permits: by thing, none twice.
    """

    domain: str
    holder: str
    permits: tuple[Carried, ...]

    def encode(self) -> bytes:
        """The file."""
        rows = [[one.thing, one.access_token, cose_key.public_map(one.public)] for one in self.permits]
        return codec.encode([_FORMAT, self.domain, self.holder, rows])

    @classmethod
    def decode(cls, data: bytes) -> PermitFile:
        """Read a file.

        Raises:
            DecodeError: not a file of permits.
        """
        match codec.decode(data, limits=_LIMITS):
            case [int(version), str(domain), str(holder), list(rows)] if version == _FORMAT and 0 < len(rows) <= _MOST:
                permits = tuple([_carried(row) for row in rows])
            case _:
                raise DecodeError(f"expected a file of permits of format {_FORMAT}")
        if len({one.thing for one in permits}) < len(permits):
            raise DecodeError("expected one permit for each thing")
        return cls(domain, holder, permits)


def _carried(row: Any) -> Carried:
    match row:
        case [str(thing), bytes(access_token), dict(key)]:
            return Carried(thing, access_token, cose_key.from_map(key).require_public())
        case _:
            raise DecodeError("expected a permit for a thing")
