"""A delegation: the owner of a domain lets one installer's key approve things, within bounds and until a day (R-03).

A CWT by the owner's key, bound to the installer's (`cnf`), whose `aud` and `iss` are the domain; anybody who has the
owner's public key can verify it, offline. Three claims of ours hold the bounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from datetime import datetime
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, ForbiddenError
from thingstead.protocols.cwt import confirmation, token
from thingstead.protocols.cwt.claims import Claim, Claims

__all__ = ["DEFAULT_MOST", "VerifiedDelegation", "authenticate", "issue"]

_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_CLASSES = range(3)
DEFAULT_MOST = 100
"""Things that a delegation lets in which says no number: those of before said none."""

_MOST = range(1, 10_001)
_MAX_ZONES = 64
_MAX_ZONE = 255
_SEAL = object()


@dataclass(frozen=True, slots=True)
class VerifiedDelegation:
    """What the owner lets an installer do, verified; made by `authenticate` and by nothing else.

    Attributes:
        domain: whose.
        installer: what the owner calls them.
        public: the installer's key.
        zones: where they may approve things.
        classes: of which device class (RFC 7228 §3).
        most: how many things they may let in, in all.
        issued_at: UTC.
        expires: first instant at which it no longer counts, UTC.
        cti: names this delegation.
        encoded: the token as received.
    """

    domain: str
    installer: str
    public: PublicKey
    zones: frozenset[str]
    classes: frozenset[int]
    most: int
    issued_at: datetime
    expires: datetime
    cti: bytes
    encoded: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a VerifiedDelegation is made by delegation.authenticate")

    def require(self, *, zone: str, device_class: int, at: datetime) -> None:
        """Pass where a thing of this class, on its way to this zone, is the installer's to approve.

        Raises:
            ForbiddenError: it is not, or not any more; `reason` is ``delegation``.
        """
        if at >= self.expires:
            raise _beyond(f"the delegation of {self.installer} ended at {self.expires.isoformat()}")
        if zone not in self.zones:
            raise _beyond(f"{self.installer} may approve things for {', '.join(sorted(self.zones))}; not for {zone!r}")
        if device_class not in self.classes:
            classes = ", ".join(map(str, sorted(self.classes)))
            raise _beyond(f"{self.installer} may approve things of class {classes}; not of {device_class}")


def issue(
    public: PublicKey,
    owner: PrivateKey,
    *,
    domain: str,
    installer: str,
    zones: Iterable[str],
    classes: Iterable[int],
    most: int = DEFAULT_MOST,
    at: datetime,
    expires: datetime,
    cti: bytes,
) -> bytes:
    """Sign a delegation (ESP256).

    Raises:
        DecodeError: a value that `authenticate` would refuse.
        ExpiredError: `expires` is not after `at`.
    """
    values: dict[Any, Any] = {
        Claim.ISS.value: domain,
        Claim.SUB.value: installer,
        Claim.AUD.value: domain,
        Claim.EXP.value: expires,
        Claim.IAT.value: at,
        Claim.CTI.value: cti,
        Claim.CNF.value: confirmation.for_public(public),
        Claim.ZONES.value: sorted(set(zones)),
        Claim.DEVICE_CLASSES.value: sorted(set(classes)),
        Claim.MOST_THINGS.value: most,
    }
    data = token.issue(values, owner, signature_id=AlgorithmId.ESP256)
    authenticate(data, owner.public, domain=domain, at=at)
    return data


def authenticate(data: bytes, owner: PublicKey, *, domain: str, at: datetime) -> VerifiedDelegation:
    """Verify a delegation by a domain's owner.

    Raises:
        DecodeError: not a delegation, or bounds outside their grammar.
        UnsupportedError: another algorithm, or a key that we do not have an algorithm for.
        AuthenticationError: another key signed it.
        UntrustedError: of another domain, or for another one.
        ExpiredError: outside its validity.
    """
    valid = token.authenticate(data, owner, accept=_ACCEPT, at=at, issuer=domain, audience=domain)
    claims = valid.claims
    return VerifiedDelegation(
        domain=domain,
        installer=claims.text(Claim.SUB),
        public=valid.confirmation.require_public(),
        zones=_zones(claims),
        classes=_classes(claims),
        most=_most(claims),
        issued_at=claims.required_date(Claim.IAT),
        expires=claims.required_date(Claim.EXP),
        cti=claims.token_id(),
        encoded=data,
        seal=_SEAL,
    )


def _zones(claims: Claims) -> frozenset[str]:
    zones = claims.required(Claim.ZONES)
    is_text = all(isinstance(zone, str) and 0 < len(zone) <= _MAX_ZONE for zone in zones)
    if not 0 < len(zones) <= _MAX_ZONES or not is_text:
        raise DecodeError(f"expected 1 to {_MAX_ZONES} zones of text in a delegation")
    return frozenset(zones)


def _classes(claims: Claims) -> frozenset[int]:
    classes = claims.required(Claim.DEVICE_CLASSES)
    if not classes or not all(type(one) is int and one in _CLASSES for one in classes):
        raise DecodeError("expected device classes of 0, 1 or 2 in a delegation", spec="RFC 7228 §3")
    return frozenset(classes)


def _most(claims: Claims) -> int:
    most = claims.values.get(Claim.MOST_THINGS, DEFAULT_MOST)
    if type(most) is not int or most not in _MOST:
        raise DecodeError(f"expected a number of things from {_MOST.start} to {_MOST.stop - 1} in a delegation")
    return most


def _beyond(message: str) -> ForbiddenError:
    return ForbiddenError(message, reason="delegation")
