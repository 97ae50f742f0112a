"""What of a domain above its planes holds because of an algorithm: its own keys, its makers', the handshake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from thingstead.crypto.keystore import KeyStore
from thingstead.crypto.lifetime import AGREEMENTS, SIGNATURES
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.crypto_policy import secrecy_of
from thingstead.domain.register import Register
from thingstead.identifier import KeyId

__all__ = ["own_assets"]


def own_assets(
    keys: KeyStore,
    register: Register,
    anchors: Iterable[TrustAnchor],
    *,
    suites: Iterable[int],
) -> Iterator[CryptoAsset]:
    """List them.

    Args:
        keys: the domain's; only public halves are looked at.
        register: the things; those that have joined.
        anchors: the makers that are trusted.
        suites: of EDHOC that the domain takes.
    """
    members = [thing for thing in register.things() if thing.joined_at is not None]
    names = tuple([thing.id for thing in members])
    domain, ledger = (keys.handle(KeyId(name)).public for name in ("domain", "ledger"))
    yield CryptoAsset(AssetKind.KEY, "key of the domain, which things know it by", (AGREEMENTS[domain.type],), names)
    yield CryptoAsset(AssetKind.KEY, "key of the ledger", (SIGNATURES[ledger.type],))
    yield CryptoAsset(AssetKind.SIGNATURE, "heads of the ledger", (SIGNATURES[ledger.type],))
    for number in suites:
        yield CryptoAsset(AssetKind.PROTOCOL, f"EDHOC with suite {number}", secrecy_of(number))
    for anchor in anchors:
        made = tuple([thing.id for thing in members if thing.maker == anchor.maker])
        signed = (SIGNATURES[anchor.identity_key.type],)
        yield CryptoAsset(AssetKind.KEY, f"key that {anchor.maker} signs identities and vouchers with", signed, made)
