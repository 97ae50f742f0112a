"""The chain of custody: the maker names the first owner of a thing, and each owner names the next.

A link is a COSE_Sign1 by the owner's key over ``[format, serial, SHA-256 of what came before, owner, owner's key, next
owner, its key, seconds since 1970, [release keys]]``, and in format 2 how many of those must sign, and how many steps
they have come (`thingstead.protocols.profile.succession`).

Before the first link comes the voucher; where there is none, the first link is by the maker's server (docs/adr/0026). A
link may name the next owner's release keys: by whoever signed the releases up to then, the maker at first; by any owner
once the maker mends the thing no more (RFC 8576 §5.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose import sign1
from thingstead.protocols.profile import key_set
from thingstead.protocols.profile.key_set import EVERY_KEY, SigningPolicy
from thingstead.protocols.voucher import voucher

__all__ = [
    "CLAIM",
    "CUSTODY",
    "MAX_LINKS",
    "Custody",
    "Owner",
    "authenticate",
    "decode_links",
    "encode_links",
    "extend",
    "head",
    "names",
]

CUSTODY, CLAIM = "custody", "claim"
"""Names in the thing's home: its links, and the key of whoever reset it by hand. They outlive a wipe, for they say
whose the thing is."""

MAX_LINKS = 32

_FORMAT = 1
_WITH_SIGNING = 2
_EXPECTED = f"expected a link of custody of format {_FORMAT} or {_WITH_SIGNING}"
_LIMITS = codec.Limits(max_bytes=1 << 16, max_depth=6)
_CONTEXT = b"thingstead custody link 1"
"""Covered by the signature and not carried: no other signature of an owner's key can pass for a link."""
_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_SECONDS = 1 << 37
_ALWAYS = timedelta(days=36_500)
"""What a voucher's end limits is how long a thing waits for its first owner; that it had one stays true."""
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owned a thing.

    Attributes:
        name: what it is called, by whom it got the thing from.
        key: what it signs links with, and a domain its handshakes.
        since: when it got the thing, by the clock of whom it got it from; None for the first one.
        release_keys: they sign releases from then on; none leaves them as they were.
        signing: how many of them are enough; every one where a link says nothing.
        release_step: how many steps they have come since the first of whose they are.
    """

    name: str
    key: PublicKey
    since: datetime | None = None
    release_keys: tuple[PublicKey, ...] = ()
    signing: SigningPolicy = EVERY_KEY
    release_step: int = 0


@dataclass(frozen=True, slots=True)
class Custody:
    """Whose a thing was and is; made by `authenticate` and by nothing else.

    Attributes:
        serial: of the thing.
        owners: the first one, that the maker's voucher names, or the maker's server, to the present one.
        head: SHA-256 of the last link, or of the voucher where there is none.
        took_over: the last link names release keys, and whoever signed releases up to then has no part in it.
    """

    serial: str
    owners: tuple[Owner, ...]
    head: bytes
    took_over: bool
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("a Custody is made by custody.authenticate")

    @property
    def owner(self) -> Owner:
        """Whose it is."""
        return self.owners[-1]

    @property
    def mender(self) -> Owner | None:
        """Whose release keys count, as many as its policy says; None where the maker's still do."""
        return next((owner for owner in reversed(self.owners) if owner.release_keys), None)

    @property
    def release_keys(self) -> tuple[PublicKey, ...]:
        """The mender's; empty where the maker's still count."""
        return () if self.mender is None else self.mender.release_keys


def head(maker_voucher: bytes, links: Sequence[bytes]) -> bytes:
    """SHA-256 of what the next link follows; of nothing, for the link that a maker's server signs."""
    return digest(links[-1] if links else maker_voucher)


def extend(before: bytes, *, serial: str, owner: Owner, to: Owner, at: datetime, key: PrivateKey) -> bytes:
    """Sign the next link with the owner's key.

    Args:
        before: see `head`.
        serial: of the thing.
        owner: who signs.
        to: who has it from now on.
        at: now.
        key: the owner's.
    """
    seconds = (at - _EPOCH) // timedelta(seconds=1)
    releases = [cose_key.public_map(one) for one in to.release_keys]
    keys = cose_key.public_map(owner.key), cose_key.public_map(to.key)
    fields = [serial, before, owner.name, keys[0], to.name, keys[1], seconds, releases]
    if to.signing == EVERY_KEY and not to.release_step:
        payload = codec.encode([_FORMAT, *fields])
    else:
        payload = codec.encode([_WITH_SIGNING, *fields, key_set.to_list(to.signing), to.release_step])
    return sign1.sign(payload, key, signature_id=AlgorithmId.ESP256, external_aad=_CONTEXT)


def authenticate(
    maker_voucher: bytes,
    links: Sequence[bytes],
    *,
    anchor: PublicKey,
    serial: str,
    supported_until: datetime,
    server: PublicKey | None = None,
) -> Custody:
    """Verify a chain of at least one link from its maker to the present owner.

    Args:
        maker_voucher: names the first owner; empty where the first link is by the maker's server.
        links: oldest first.
        anchor: the maker's key that signs vouchers.
        serial: of the thing.
        supported_until: first instant at which the maker mends it no more.
        server: the voucher key of the maker's server; None where it has none that anybody knows.

    Raises:
        DecodeError: not a voucher or link, none, or more than `MAX_LINKS`.
        UnsupportedError: another signature algorithm.
        AuthenticationError: a signature does not verify.
        UntrustedError: about another thing, a link that does not follow from what comes before it, or one that names
            release keys and is by somebody who may not.
    """
    if not 0 < len(links) <= MAX_LINKS:
        raise DecodeError(f"expected 1 to {MAX_LINKS} links of custody, got {len(links)}")
    owners: list[Owner] = []
    mender, took_over = anchor, False
    for number, data in enumerate(links):
        owner, to = _link(data, serial=serial, before=head(maker_voucher, links[:number]))
        if owners and owner.key != owners[-1].key:
            raise UntrustedError("a link of custody is signed by somebody whose the thing was not", reason="custody")
        if not owners:
            if maker_voucher:
                at = to.since or _EPOCH
                voucher.authenticate(maker_voucher, anchor, serial=serial, domain_key=owner.key, at=at, leeway=_ALWAYS)
            elif owner.key != server:
                raise UntrustedError("a chain without a voucher begins with the maker's server", reason="custody")
            owners.append(owner)
        took_over = bool(to.release_keys) and owner.key != mender
        if took_over and (to.since or _EPOCH) < supported_until:
            raise UntrustedError(f"{owner.name} had no say in whose releases count", reason="updates")
        mender = to.key if to.release_keys else mender
        owners.append(to)
    return Custody(serial, tuple(owners), head(maker_voucher, links), took_over, _SEAL)


def names(links: Sequence[bytes], key: PublicKey) -> bool:
    """Whether the last link says that the thing is the owner's of this key; nothing is verified.

    Raises:
        DecodeError: it is no link.
    """
    return bool(links) and _parties(sign1.decode(links[-1], limits=_LIMITS))[3].key == key


def encode_links(links: Sequence[bytes]) -> bytes:
    """For a thing's home, oldest first."""
    return codec.encode(list(links))


def decode_links(data: bytes | None) -> tuple[bytes, ...]:
    """Read back what `encode_links` wrote; none where nothing is.

    Raises:
        DecodeError: damaged.
    """
    links = [] if data is None else codec.decode(data, limits=_LIMITS)
    if not isinstance(links, list) or not all(isinstance(one, bytes) for one in links) or len(links) > MAX_LINKS:
        raise DecodeError("expected links of custody")
    return tuple(links)


def _link(data: bytes, *, serial: str, before: bytes) -> tuple[Owner, Owner]:
    """Who hands over to whom; the signature is verified under the key that the link itself names."""
    message = sign1.decode(data, limits=_LIMITS)
    about, follows, owner, to = _parties(message)
    sign1.authenticate(message, owner.key, accept=_ACCEPT, external_aad=_CONTEXT)
    if about != serial:
        raise UntrustedError("a link of custody is about another thing", reason="custody")
    if follows != before:
        raise UntrustedError("a link of custody does not follow what comes before it", reason="custody")
    return owner, to


def _parties(message: sign1.Sign1) -> tuple[str, bytes, Owner, Owner]:
    """The thing, what comes before, who hands it over, and to whom."""
    match codec.decode_deterministic(message.payload or b"", limits=_LIMITS):
        case [
            int(version),
            str(about),
            bytes(follows),
            str(name),
            dict(key),
            str(next_name),
            dict(next_key),
            int(seconds),
            list(releases),
            *rest,
        ] if 0 <= seconds < _MAX_SECONDS and all(isinstance(one, dict) for one in releases):
            owner = Owner(name, cose_key.from_map(key).require_public())
            signing, step = _rest(version, rest)
            keys = key_set.from_list(signing, [cose_key.from_map(one).require_public() for one in releases])
            since = _EPOCH + timedelta(seconds=seconds)
            to = Owner(next_name, cose_key.from_map(next_key).require_public(), since, keys.keys, keys.signing, step)
            return about, follows, owner, to
        case _:
            raise DecodeError(_EXPECTED)


def _rest(version: int, rest: list[Any]) -> tuple[list[Any], int]:
    """How many of the release keys must sign, and how many steps they have come."""
    match version, rest:
        case 1, []:
            return [], 0
        case 2, [list(signing), int(step)] if step >= 0:
            return signing, step
        case _:
            raise DecodeError(_EXPECTED)
