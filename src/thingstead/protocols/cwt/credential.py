"""The two credentials of a thing: who made it, and which domain took it in. Both are CWTs bound to its key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass
from datetime import UTC, date, datetime, time, timedelta

from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, UntrustedError
from thingstead.identifier import ThingId, thing_id
from thingstead.protocols.cwt import confirmation, token
from thingstead.protocols.cwt.claims import Claim, Claims

__all__ = [
    "INTRODUCED",
    "DomainCredential",
    "MakerIdentity",
    "authenticate_domain_credential",
    "authenticate_maker_identity",
    "introduced_maker_identity",
    "issue_domain_credential",
    "issue_maker_identity",
]

INTRODUCED = "install code"
"""Stands for the maker of things that came by an install code; with its space it is no maker's name."""

_SEAL = object()
_EPOCH = date(1970, 1, 1)
_CLASSES = range(3)
_MAX_ALGORITHMS = 16
_LAST_DAY = (date.max - _EPOCH).days


@dataclass(frozen=True, slots=True)
class MakerIdentity:
    """What the maker vouches for; made by `authenticate_maker_identity` and `introduced_maker_identity` alone.

    Attributes:
        maker: whose anchor verified it; `INTRODUCED` where the owner vouches in the maker's place.
        serial: unique per maker.
        model: the maker's name of the product (EAT `hwmodel`).
        constrained_class: 0, 1 or 2 (RFC 7228 §3).
        mud_url: where the maker says how the thing behaves (RFC 8520); always https.
        support_end: last day on which the maker mends it.
        public: the thing's key.
        kid: its identifier, or empty.
        encoded: the token as received.
        verifies: COSE algorithms of release signatures that the thing verifies; None where the maker does not say it,
            for a thing that verifies whatever is in use.
    """

    maker: str
    serial: str
    model: str
    constrained_class: int
    mud_url: str
    support_end: date
    public: PublicKey
    kid: bytes
    encoded: bytes
    verifies: frozenset[int] | None
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a MakerIdentity is made by those who verify one")

    @property
    def supported_until(self) -> datetime:
        """The first instant at which the maker mends it no more."""
        return datetime.combine(self.support_end + timedelta(days=1), time(), tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DomainCredential:
    """What the domain vouches for, verified; made by `authenticate_domain_credential` alone.

    Attributes:
        domain: whose anchor verified it.
        thing: the domain's permanent name for the thing.
        public: the thing's operational key.
        kid: its identifier, or empty.
        issued_at: UTC.
        expires: UTC.
        cti: names this credential in lists of what was revoked.
        encoded: the token as received.
    """

    domain: str
    thing: ThingId
    public: PublicKey
    kid: bytes
    issued_at: datetime
    expires: datetime
    cti: bytes
    encoded: bytes
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a DomainCredential is made by authenticate_domain_credential")


def issue_maker_identity(
    public: PublicKey,
    anchor: PrivateKey,
    *,
    maker: str,
    serial: str,
    model: str,
    constrained_class: int,
    mud_url: str,
    support_end: date,
    at: datetime,
    signature_id: int,
    kid: bytes = b"",
    anchor_kid: bytes = b"",
    verifies: frozenset[int] | None = None,
) -> bytes:
    """Issue a thing's birth certificate: it names the thing's key and does not expire.

    Args:
        public: the thing's key.
        anchor: the maker's.
        maker: `iss`.
        serial: `sub`.
        model: at most 32 bytes of UTF-8 (RFC 9711 §4.2.4).
        constrained_class: 0, 1 or 2.
        mud_url: https.
        support_end: last day of support.
        at: now, aware.
        signature_id: COSE algorithm, one of the anchor's.
        kid: identifier of the thing's key.
        anchor_kid: identifier of the maker's key.
        verifies: as in `MakerIdentity`.

    Raises:
        DecodeError: a value that `authenticate_maker_identity` would refuse.
    """
    values = {
        Claim.ISS.value: maker,
        Claim.SUB.value: serial,
        Claim.IAT.value: at,
        Claim.CNF.value: confirmation.for_public(public, kid=kid),
        Claim.HWMODEL.value: model.encode(),
        Claim.CONSTRAINED_CLASS.value: constrained_class,
        Claim.MUD_URL.value: mud_url,
        Claim.SUPPORT_END.value: (support_end - _EPOCH).days,
    }
    if verifies is not None:
        values[Claim.VERIFIES.value] = sorted(verifies)
    data = token.issue(values, anchor, signature_id=signature_id, kid=anchor_kid)
    authenticate_maker_identity(data, anchor.public, accept=frozenset({signature_id}), maker=maker, at=at)
    return data


def authenticate_maker_identity(
    data: bytes,
    anchor: PublicKey,
    *,
    accept: frozenset[int],
    maker: str,
    at: datetime,
    leeway: timedelta = timedelta(0),
) -> MakerIdentity:
    """Verify a maker's identity under the anchor that the caller holds for `maker`.

    Raises:
        DecodeError: a claim is missing or outside its range.
        UnsupportedError: an algorithm outside `accept`, or a key type that we do not have.
        AuthenticationError: the signature does not verify.
        UntrustedError: issued under another name than `maker`.
        ExpiredError: issued in the future.
    """
    valid = token.authenticate(data, anchor, accept=accept, at=at, issuer=maker, leeway=leeway)
    return _maker_identity(maker, valid.claims, data)


def introduced_maker_identity(data: bytes, is_vouched: Callable[[bytes, str, PublicKey], bool]) -> MakerIdentity:
    """Take an identity whose maker nobody here knows, for the owner has vouched for these very bytes, or did once.

    Args:
        data: the token; its signature is not looked at.
        is_vouched: asked with the token, the serial number and the key in it.

    Raises:
        UntrustedError: the owner has not.
        DecodeError: a claim is missing or outside its range.
        UnsupportedError: a key type that we do not have.
    """
    identity = _maker_identity(INTRODUCED, token.decode(data).claims, data)
    if not is_vouched(data, identity.serial, identity.public):
        raise UntrustedError("expected an identity that an install code brought", reason="unknown maker")
    return identity


def _maker_identity(maker: str, claims: Claims, data: bytes) -> MakerIdentity:
    proof = confirmation.decode(claims.required(Claim.CNF))
    return MakerIdentity(
        maker=maker,
        serial=claims.text(Claim.SUB),
        model=_model(claims),
        constrained_class=_in_range(claims, Claim.CONSTRAINED_CLASS, _CLASSES),
        mud_url=_https(claims),
        support_end=_EPOCH + timedelta(days=_in_range(claims, Claim.SUPPORT_END, range(_LAST_DAY + 1))),
        public=proof.require_public(),
        kid=proof.kid,
        encoded=data,
        verifies=_verifies(claims),
        seal=_SEAL,
    )


def issue_domain_credential(
    public: PublicKey,
    anchor: PrivateKey,
    *,
    domain: str,
    thing: ThingId,
    at: datetime,
    expires: datetime,
    cti: bytes,
    signature_id: int,
    kid: bytes = b"",
    anchor_kid: bytes = b"",
) -> bytes:
    """Issue the domain's own credential for a thing's operational key.

    Args:
        public: the thing's operational key.
        anchor: the domain's.
        domain: `iss`.
        thing: `sub`.
        at: now, aware.
        expires: `exp`, aware.
        cti: unique among the domain's tokens, at most 16 bytes.
        signature_id: COSE algorithm, one of the anchor's.
        kid: identifier of the thing's key.
        anchor_kid: identifier of the domain's key.

    Raises:
        DecodeError: a value that `authenticate_domain_credential` would refuse.
        ExpiredError: `expires` is not after `at`.
    """
    values = {
        Claim.ISS.value: domain,
        Claim.SUB.value: thing,
        Claim.IAT.value: at,
        Claim.EXP.value: expires,
        Claim.CTI.value: cti,
        Claim.CNF.value: confirmation.for_public(public, kid=kid),
    }
    data = token.issue(values, anchor, signature_id=signature_id, kid=anchor_kid)
    authenticate_domain_credential(data, anchor.public, accept=frozenset({signature_id}), domain=domain, at=at)
    return data


def authenticate_domain_credential(
    data: bytes,
    anchor: PublicKey,
    *,
    accept: frozenset[int],
    domain: str,
    at: datetime,
    leeway: timedelta = timedelta(0),
) -> DomainCredential:
    """Verify a domain's credential; that it is not revoked (`cti`) is the caller's question.

    Raises:
        DecodeError: a claim is missing or outside its range.
        UnsupportedError: an algorithm outside `accept`, or a key type that we do not have.
        AuthenticationError: the signature does not verify.
        UntrustedError: issued under another name than `domain`.
        ExpiredError: outside its validity.
    """
    valid = token.authenticate(data, anchor, accept=accept, at=at, issuer=domain, leeway=leeway)
    claims, proof = valid.claims, valid.confirmation
    return DomainCredential(
        domain=domain,
        thing=thing_id(claims.text(Claim.SUB)),
        public=proof.require_public(),
        kid=proof.kid,
        issued_at=claims.required_date(Claim.IAT),
        expires=claims.required_date(Claim.EXP),
        cti=claims.token_id(),
        encoded=data,
        seal=_SEAL,
    )


def _verifies(claims: Claims) -> frozenset[int] | None:
    said = claims.values.get(Claim.VERIFIES)
    if said is None:
        return None
    if len(said) > _MAX_ALGORITHMS or not all(type(one) is int for one in said):
        raise DecodeError(f"expected at most {_MAX_ALGORITHMS} COSE algorithms that the thing verifies")
    return frozenset(said)


def _model(claims: Claims) -> str:
    encoded = claims.required(Claim.HWMODEL)
    try:
        model = str(encoded, "utf-8")
    except UnicodeDecodeError:
        model = ""
    if not 0 < len(encoded) <= 32 or not model.isprintable() or not model:
        raise DecodeError("expected hwmodel of 1 to 32 bytes of printable UTF-8", spec="RFC 9711 §4.2.4")
    return model


def _in_range(claims: Claims, claim: Claim, allowed: range) -> int:
    value: int = claims.required(claim)
    if value not in allowed:
        raise DecodeError(f"expected {claim.name} between {allowed.start} and {allowed.stop - 1}, got {value}")
    return value


def _https(claims: Claims) -> str:
    url = claims.text(Claim.MUD_URL)
    if not url.startswith("https://"):
        raise DecodeError("expected a MUD URL over https", spec="RFC 8520 §5")
    return url
