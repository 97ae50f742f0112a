"""The papers of a hand-over: what a seller gives the buyer's domain, which believes none of it without a signature.

Five signatures hold it: the maker's over the thing's identity, its owners' over the chain of custody, the thing's over
its wipe, the seller's ledger over the decision, and the seller's domain over all of it together. Between maker and
first domain, re-badgers and sellers have no ledger; from them a thing is taken that had nothing to forget, by its word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import InitVar, dataclass, replace
from datetime import datetime

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.ledger import entry as leaf
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Cause
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose import sign1
from thingstead.protocols.cose.header import Label
from thingstead.protocols.cwt.credential import MakerIdentity
from thingstead.protocols.profile import custody, papers, wipe
from thingstead.protocols.profile.custody import Custody
from thingstead.protocols.profile.papers import Papers
from thingstead.protocols.profile.wipe import WipeReceipt
from thingstead.protocols.receipts import receipt as inclusion

__all__ = ["MAX_BYTES", "AuthenticHandover", "Handover", "authenticate", "sign"]

MAX_BYTES = 1 << 17
"""More than this is not read."""

_TYPE = "application/vnd.thingstead.handover+cbor"
_FORMAT = 1
_WITHOUT_LEDGER = 2
_EXPECTED = f"expected a hand-over of format {_FORMAT} or {_WITHOUT_LEDGER}"
_LIMITS = codec.Limits(max_bytes=MAX_BYTES)
_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_SEAL = object()


@dataclass(frozen=True, slots=True)
class Handover:
    """What a seller says.

    Attributes:
        thing: its id in the seller's domain, or its serial number where the seller has none.
        domain: the seller's name.
        papers: where the thing comes from, up to the link to the buyer.
        nonce: that the thing was asked to sign.
        wipe_receipt: what it signed.
        entry: of the seller's ledger, that decided it; empty where the seller has no ledger.
        inclusion: COSE Receipt of that entry (RFC 9942).
        ledger_key: which signed the receipt; None where the seller has no ledger.
    """

    thing: str
    domain: str
    papers: Papers
    nonce: bytes
    wipe_receipt: bytes
    entry: bytes = b""
    inclusion: bytes = b""
    ledger_key: PublicKey | None = None


@dataclass(frozen=True, slots=True)
class AuthenticHandover:
    """A hand-over of which every signature verified, to us; made by `authenticate` and by nothing else.

    Attributes:
        handover: what the seller says.
        identity: the thing, by its maker.
        custody: whose it was.
        wiped: the thing's own word.
    """

    handover: Handover
    identity: MakerIdentity
    custody: Custody
    wiped: WipeReceipt
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("an AuthenticHandover is made by handover.authenticate")


def sign(handover: Handover, key: PrivateKey) -> bytes:
    """The file, signed with the key by which makers and owners know the seller's domain."""
    ledger = handover.ledger_key
    payload = codec.encode(
        [
            _WITHOUT_LEDGER if ledger is None else _FORMAT,
            handover.thing,
            handover.domain,
            papers.encode(handover.papers),
            handover.nonce,
            handover.wipe_receipt,
            *([] if ledger is None else [handover.entry, handover.inclusion, cose_key.public_map(ledger)]),
        ]
    )
    return sign1.sign(payload, key, signature_id=AlgorithmId.ESP256, protected={Label.TYP: _TYPE})


def authenticate(
    data: bytes,
    *,
    identify: Callable[[bytes, datetime], tuple[MakerIdentity, PublicKey]],
    server_key: Callable[[str], PublicKey | None],
    buyer: PublicKey,
    at: datetime,
) -> AuthenticHandover:
    """Verify a file from a seller whom nobody here knows: each signer is named by the one before, the first by us.

    Args:
        data: the file.
        identify: verifies a maker identity under an anchor that the owner trusts, and gives both.
        server_key: the voucher key of a maker's server, which names first owners where no voucher does; None where the
            owner knows none.
        buyer: the key that the last link has to name.
        at: now.

    Raises:
        DecodeError: not such a file, or a part of it that is none.
        AuthenticationError: a signature does not verify.
        UntrustedError: a maker without an anchor, another buyer, another seller, or parts that do not belong together.
    """
    message = sign1.decode(data, limits=_LIMITS)
    if message.headers.protected.get(Label.TYP) != _TYPE:
        raise DecodeError("expected what `thingstead thing hand-over` or `factory pass` wrote")
    handover = _decode(message.payload or b"")
    shown = handover.papers
    identity, anchor = identify(shown.maker_identity, at)
    chain = custody.authenticate(
        shown.voucher,
        shown.links,
        anchor=anchor,
        serial=identity.serial,
        supported_until=identity.supported_until,
        server=server_key(identity.maker),
    )
    if chain.owner.key != buyer:
        raise UntrustedError(f"{identity.serial} was handed over to {chain.owner.name}, not to us", reason="buyer")
    sign1.authenticate(message, chain.owners[-2].key, accept=_ACCEPT)
    wiped = wipe.authenticate(
        handover.wipe_receipt,
        identity.public,
        thing=handover.thing,
        domain=handover.domain,
        nonce=handover.nonce,
    )
    if handover.ledger_key is None:
        _require_nothing_to_forget(wiped)
    else:
        inclusion.authenticate(handover.inclusion, handover.entry, public=handover.ledger_key, accept=_ACCEPT)
        _require_decision(handover, buyer)
    return AuthenticHandover(handover, identity, chain, wiped, _SEAL)


def _require_nothing_to_forget(wiped: WipeReceipt) -> None:
    """Who has a domain has a ledger, and shows that it decided."""
    if wiped.erased:
        raise UntrustedError("the thing was in a domain, whose ledger does not say that it left", reason="entry")


def _require_decision(handover: Handover, buyer: PublicKey) -> None:
    """The ledger of the seller must say what the seller says."""
    entry = leaf.decode(handover.entry)
    said = (entry.kind, entry.cause, entry.thing, entry.details.get("wipe_receipt"), entry.details.get("next_owner"))
    meant = (
        Kind.TRANSITION,
        Cause.HANDED_OVER.value,
        handover.thing,
        digest(handover.wipe_receipt),
        cose_key.thumbprint(buyer),
    )
    if said != meant:
        raise UntrustedError("the ledger entry is not about this hand-over to us", reason="entry")


def _decode(payload: bytes) -> Handover:
    match codec.decode(payload, limits=_LIMITS):
        case [int(version), str(thing), str(domain), bytes(shown), bytes(nonce), bytes(receipt), *ledger]:
            said = Handover(thing, domain, papers.decode(shown), nonce, receipt)
        case _:
            raise DecodeError(_EXPECTED)
    match version, ledger:
        case 1, [bytes(entry), bytes(proof), dict(key)]:
            return replace(said, entry=entry, inclusion=proof, ledger_key=cose_key.from_map(key).require_public())
        case 2, []:
            return said
        case _:
            raise DecodeError(_EXPECTED)
