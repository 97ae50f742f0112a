"""A token for another thing as its holder keeps it, in a value of its home that survives a crash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from thingstead.crypto.key import PublicKey
from thingstead.endpoint.event import Address
from thingstead.errors import DecodeError
from thingstead.protocols.ace import input_material
from thingstead.protocols.ace.input_material import InputMaterial
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key

__all__ = ["HeldToken"]

_RENEWAL_SHARE = 4


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token, and what it takes to use it: the other thing's key, or a secret that both have.

    Attributes:
        server: the other thing's name.
        access_token: as the authorization server sent it.
        rs_public: the other thing's key, which is met by EDHOC; None where there is a secret.
        issued_at: when it came.
        expires: when it ends.
        address: where the other thing was when the directory was asked; None before.
        material: the secret (RFC 9203); None where there is a key.
        series: which tokens may take its place under the same keys; empty for none.
        is_first: it can be shown by itself; one that names a secret that was told before counts under that alone.
    """

    server: str
    access_token: bytes
    rs_public: PublicKey | None
    issued_at: datetime
    expires: datetime
    address: Address | None = None
    material: InputMaterial | None = None
    series: bytes = b""
    is_first: bool = True

    @property
    def renewal(self) -> datetime:
        """From when on another is fetched: in the last quarter of its life, so that the domain may be away for that."""
        return self.expires - (self.expires - self.issued_at) / _RENEWAL_SHARE

    def encode(self) -> bytes:
        """Encode for the home, secret and all."""
        times = [int(self.issued_at.timestamp()), int(self.expires.timestamp())]
        place = None if self.address is None else list(self.address)
        key = None if self.rs_public is None else cose_key.public_map(self.rs_public)
        shared = None if self.material is None else self.material.as_map()
        return codec.encode([self.access_token, key, *times, place, shared, self.series, self.is_first])

    @classmethod
    def decode(cls, server: str, data: bytes) -> HeldToken:
        """Read back what `encode` wrote.

        Raises:
            DecodeError: damaged, or with neither key nor secret.
            UnsupportedError: of a key or secret that we do not have.
        """
        match codec.decode(data):
            case [
                bytes(access_token),
                None | dict() as key,
                int(issued_at),
                int(expires),
                None | [str(), int()] as place,
                None | dict() as shared,
                bytes(series),
                bool(is_first),
            ] if (key is None) is not (shared is None):
                return cls(
                    server,
                    access_token,
                    None if key is None else cose_key.from_map(key).require_public(),
                    datetime.fromtimestamp(issued_at, UTC),
                    datetime.fromtimestamp(expires, UTC),
                    None if place is None else (place[0], place[1]),
                    None if shared is None else input_material.decode_map(shared),
                    series,
                    is_first,
                )
            case _:
                raise DecodeError("expected a token for another thing")
