"""What devices that speak hawkBit's API rest on, by its algorithms: their proofs, the authority, and TLS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType
from thingstead.crypto.lifetime import AGREEMENTS, SIGNATURES, name_of
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.thing import DDI_CERTIFICATE, KeyRow, Thing

__all__ = ["ddi_assets"]

_SIGNED = (SIGNATURES[KeyType.P256],)
_TLS = (AGREEMENTS[KeyType.P256], name_of(AlgorithmId.A128GCM))
"""The weakest that a device may choose: what it chooses is between its library and ours."""


def ddi_assets(
    devices: Iterable[tuple[Thing, Iterable[KeyRow]]], *, authority_expires: datetime
) -> Iterator[CryptoAsset]:
    """List them.

    Args:
        devices: each with the proofs that count now.
        authority_expires: when the certificate ends that devices know the domain by.
    """
    known = [(thing.id, tuple(rows)) for thing, rows in devices]
    names = tuple([thing for thing, _ in known])
    authority = "authority of updates over HTTPS"
    yield CryptoAsset(AssetKind.CERTIFICATE, authority, _SIGNED, names, until=authority_expires)
    yield CryptoAsset(AssetKind.PROTOCOL, "TLS of updates over HTTPS", _TLS, names, replaceable=True)
    for thing, rows in known:
        for row in rows:
            if row.role == DDI_CERTIFICATE:
                kind, name, algorithms = AssetKind.CERTIFICATE, "certificate of a device", _SIGNED
            else:
                kind, name, algorithms = AssetKind.TOKEN, "token of a device", (name_of(AlgorithmId.SHA_256),)
            yield CryptoAsset(kind, name, algorithms, (thing,), row.since, row.until)
