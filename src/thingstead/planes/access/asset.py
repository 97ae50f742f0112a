"""What of the access plane holds because of an algorithm: tokens, and the keys that a handshake agreed on."""

from __future__ import annotations

from collections.abc import Iterator

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.lifetime import AGREEMENTS, name_of
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.crypto_policy import agreement_of
from thingstead.identifier import ThingId
from thingstead.planes.access.holding import Holding
from thingstead.planes.access.issued_tokens import IssuedToken
from thingstead.protocols.cwt import token
from thingstead.protocols.cwt.claims import Claim

__all__ = ["SIGNED", "asset_of", "assets_of"]

SIGNED = (name_of(AlgorithmId.ESP256),)
"""What tokens are signed by."""


def assets_of(thing: ThingId, holding: Holding) -> Iterator[CryptoAsset]:
    """What a thing holds since its join, and the domain of it."""
    for name, encoded in (
        ("access token", holding.access_token),
        ("token of the domain at a thing", holding.granted_token),
    ):
        claims = token.decode(encoded).claims
        since, until = claims.required_date(Claim.IAT), claims.required_date(Claim.EXP)
        yield CryptoAsset(AssetKind.TOKEN, name, SIGNED, (thing,), since, until, replaceable=True)
    agreement = AGREEMENTS[holding.public.type]
    yield CryptoAsset(AssetKind.KEY, "identity key of a thing", (agreement,), (thing,))
    oscore = holding.oscore
    exchange = agreement_of(oscore.aead_id, oscore.digest_id, agreement)
    algorithms = (exchange, name_of(oscore.aead_id), name_of(oscore.digest_id))
    yield CryptoAsset(AssetKind.CONTEXT, "OSCORE association", algorithms, (thing,), since, until, replaceable=True)


def asset_of(one: IssuedToken) -> CryptoAsset:
    """A token that a thing or a person shows a thing."""
    parties = tuple([ThingId(name) for name in (one.subject, one.audience) if name.startswith("thing-")])
    return CryptoAsset(AssetKind.TOKEN, "token for another thing", SIGNED, parties, None, one.expires, replaceable=True)
