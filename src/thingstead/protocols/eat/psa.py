"""Arm's PSA attestation token, a profile of EAT (RFC 9783)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor.codec import Tag
from thingstead.protocols.cbor.shape import Check, integer, members, octets, one_or_more, text, unlike
from thingstead.protocols.corim.registry import TagNumber, Value
from thingstead.protocols.corim.statement import Environment, Measurement
from thingstead.protocols.eat.claims import ClaimsSet, EatClaim

__all__ = ["PROFILE", "Component", "PsaToken", "read"]

PROFILE = "tag:psacertified.org,2023:psa#tfm"
"""What `eat_profile` says (RFC 9783 §4.5)."""

_CLIENT, _LIFECYCLE, _IMPLEMENTATION, _CERTIFICATION, _COMPONENTS, _SERVICE = 2394, 2395, 2396, 2398, 2399, 2400
_HASH_SIZES = (32, 48, 64)
_NAMED = {32: 1, 48: 7, 64: 8}
_MAX_LIFECYCLE = 0xFFFF
_SECURED = range(0x3000, 0x3100)
_RAND = 0x01
_CERTIFICATE = re.compile(r"[0-9]{13}-[0-9]{5}")


@dataclass(frozen=True, slots=True)
class Component:
    """One software component (RFC 9783 §4.4.1).

    Attributes:
        measurement: hash of it.
        signer: hash of the key that signed it.
        kind: such as BL or PRoT; empty where it is not said.
        version: empty where it is not said.
    """

    measurement: bytes
    signer: bytes
    kind: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class PsaToken:
    """What a PSA token says; nothing of it is appraised.

    Attributes:
        instance_id: 0x01 and the hash of what proves the instance, 33 bytes.
        implementation_id: of the immutable root of trust, 32 bytes.
        client_id: who asked for it on the thing; below 0 in the normal world.
        lifecycle: of the root of trust, 0..0xFFFF.
        components: what was measured.
    """

    instance_id: bytes
    implementation_id: bytes
    client_id: int
    lifecycle: int
    components: tuple[Component, ...]

    @property
    def is_secured(self) -> bool:
        """Whether the root of trust is in the state in which it is to be relied on (RFC 9783 §4.3.1)."""
        return self.lifecycle in _SECURED

    @property
    def environment(self) -> Environment:
        """What reference values of it are about, and keys with its instance (draft-fdb-rats-psa-endorsements)."""
        return Environment(Tag(TagNumber.BYTES, self.implementation_id), instance=Tag(TagNumber.UEID, self.instance_id))

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Its components, as reference values have them."""
        return tuple(
            [
                Measurement(
                    "psa.software-component",
                    {
                        Value.DIGESTS: {_NAMED[len(one.measurement)]: one.measurement},
                        Value.CRYPTO_KEYS: (Tag(TagNumber.BYTES, one.signer),),
                        **({Value.NAME: one.kind} if one.kind else {}),
                    },
                )
                for one in self.components
            ]
        )


def read(claims: ClaimsSet) -> PsaToken:
    """Read the claims of a PSA token.

    Raises:
        DecodeError: of another profile, a claim missing, or one outside the profile's grammar.
    """
    if claims.profile != PROFILE:
        raise DecodeError(f"expected the profile {PROFILE}, got {claims.profile!r:.60}", spec="RFC 9783 §4.5")
    found = members(dict(claims.values), _CLAIMS, what="PSA token", needs=_NEEDED, extensible=True)
    if len(claims.nonces) != 1 or len(claims.nonces[0]) not in _HASH_SIZES:
        raise DecodeError("expected one nonce of 32, 48 or 64 bytes in a PSA token", spec="RFC 9783 §4.1.1")
    return PsaToken(found[EatClaim.UEID], found[_IMPLEMENTATION], found[_CLIENT], found[_LIFECYCLE], found[_COMPONENTS])


def _instance(value: Any) -> bytes:
    if not isinstance(value, bytes) or len(value) != 33 or value[0] != _RAND:
        raise unlike("an instance id of 33 bytes that begins with 0x01", value)
    return value


def _lifecycle(value: Any) -> int:
    if not 0 <= integer(value) <= _MAX_LIFECYCLE:
        raise unlike("a lifecycle of 16 bits", value)
    return int(value)


def _certification(value: Any) -> str:
    if not _CERTIFICATE.fullmatch(text(value)):
        raise unlike("a certification reference of 13 and 5 digits", value)
    return str(value)


def _component(value: Any) -> Component:
    found = members(value, _COMPONENT, what="PSA software component", needs=(2, 5))
    return Component(found[2], found[5], found.get(1, ""), found.get(4, ""))


_HASH = octets(*_HASH_SIZES)
_COMPONENT: Mapping[int, Check] = {1: text, 2: _HASH, 4: text, 5: _HASH, 6: text}
_NEEDED = (EatClaim.NONCE, EatClaim.UEID, _CLIENT, _LIFECYCLE, _IMPLEMENTATION, _COMPONENTS)
_CLAIMS: Mapping[int, Check] = {
    EatClaim.UEID: _instance,
    EatClaim.BOOTSEED: octets(*range(8, 33)),
    _CLIENT: integer,
    _LIFECYCLE: _lifecycle,
    _IMPLEMENTATION: octets(32),
    _CERTIFICATION: _certification,
    _COMPONENTS: one_or_more(_component),
    _SERVICE: text,
}
