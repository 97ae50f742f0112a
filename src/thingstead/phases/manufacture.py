"""Manufacture: a maker gives a thing its key's birth certificate, and says who may have it or whom to ask for that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.protocols.cwt.credential import issue_maker_identity
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.profile.key_set import KeySet
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.protocols.profile.release import VERIFIABLE
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.voucher import voucher

__all__ = ["Maker", "Model", "bear", "bear_unsold"]


@dataclass(frozen=True, slots=True)
class Model:
    """A type of thing.

    Attributes:
        name: at most 32 bytes, goes into identities and the class identifier.
        constrained_class: RFC 7228 §3, 0..2.
        mud_url: where its MUD file is served (RFC 8520).
        support_end: last day on which the maker mends it.
        verifies: COSE algorithms of release signatures that things of it can verify.
    """

    name: str
    constrained_class: int
    mud_url: str
    support_end: date
    verifies: frozenset[int] = VERIFIABLE


@dataclass(frozen=True, slots=True)
class Maker:
    """A maker and handles on its keys.

    Attributes:
        name: as its identities are issued.
        domain: DNS name that its vendor identifier is derived from (RFC 9124 §3.1).
        anchor: signs identities and vouchers (ESP256).
        release_keys: those that sign releases now and that the maker has in hand.
        born_with: what its things are given to verify releases; None for every one of the release keys.
        release_step: how many steps that has come since the maker's first keys.
    """

    name: str
    domain: str
    anchor: PrivateKey
    release_keys: tuple[PrivateKey, ...]
    born_with: KeySet | None = None
    release_step: int = 0

    @property
    def vendor_id(self) -> bytes:
        """RFC 9124 vendor identifier."""
        return vendor_identifier(self.domain)

    def class_id(self, model: Model) -> bytes:
        """RFC 9124 class identifier of a model."""
        return class_identifier(self.vendor_id, model.name)


def bear(
    maker: Maker,
    model: Model,
    serial: str,
    *,
    thing_key: PublicKey,
    domain_key: PublicKey,
    at: datetime,
    voucher_expires: datetime,
) -> Birth:
    """Make the birth record of a thing that was sold; its private key stays in the thing's own key store.

    Args:
        maker: who makes it.
        model: what it is.
        serial: unique per maker.
        thing_key: the thing's identity key (P-256: it authenticates EDHOC method 3).
        domain_key: the key in the credential of the domain it was sold to.
        at: now.
        voucher_expires: until when the thing may be taken in with this voucher.

    Raises:
        DecodeError: a model or serial that verifiers would refuse.
    """
    written = voucher.issue(domain_key, maker.anchor, serial=serial, at=at, expires=voucher_expires)
    return replace(_born(maker, model, serial, thing_key=thing_key, at=at), voucher=written)


def bear_unsold(
    maker: Maker, model: Model, serial: str, *, thing_key: PublicKey, server: MakerServer, at: datetime
) -> Birth:
    """Make the birth record of a thing that will ask its maker's server who may have it.

    Raises:
        DecodeError: a model or serial that verifiers would refuse.
        ValueError: another maker's server.
    """
    if server.maker != maker.name:
        raise ValueError(f"a server of {server.maker} does not know things of {maker.name}")
    return replace(_born(maker, model, serial, thing_key=thing_key, at=at), server=server)


def _born(maker: Maker, model: Model, serial: str, *, thing_key: PublicKey, at: datetime) -> Birth:
    anchors = maker.born_with or KeySet(tuple([key.public for key in maker.release_keys]))
    identity = issue_maker_identity(
        thing_key,
        maker.anchor,
        maker=maker.name,
        serial=serial,
        model=model.name,
        constrained_class=model.constrained_class,
        mud_url=model.mud_url,
        support_end=model.support_end,
        at=at,
        signature_id=AlgorithmId.ESP256,
        verifies=None if model.verifies >= VERIFIABLE else model.verifies,
    )
    return Birth(
        serial=serial,
        maker_identity=identity,
        voucher=b"",
        maker_anchor=maker.anchor.public,
        release_anchors=anchors.keys,
        vendor_id=maker.vendor_id,
        class_id=maker.class_id(model),
        signing=anchors.signing,
        release_step=maker.release_step,
        verifies=model.verifies,
    )
