"""What of the software plane holds because of an algorithm: the keys of updates, and what they have signed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from thingstead.crypto.lifetime import SIGNATURES
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.identifier import ThingId
from thingstead.planes.software.release import Line, Release

__all__ = ["software_assets"]


def software_assets(
    anchors: Iterable[TrustAnchor],
    things: Callable[[str], Sequence[ThingId]],
    offered: Mapping[Line, Release],
) -> Iterator[CryptoAsset]:
    """List them.

    Args:
        anchors: the makers that are trusted.
        things: who takes releases of an anchor, by its name.
        offered: what is current of each line.
    """
    algorithms: dict[str, tuple[str, ...]] = {}
    for anchor in anchors:
        found = tuple([SIGNATURES[key.type] for key in anchor.release_keys])
        algorithms[anchor.maker] = tuple(dict.fromkeys(found))
        takers = tuple(things(anchor.maker))
        for name in found:
            yield CryptoAsset(AssetKind.KEY, f"update key of {anchor.maker}", (name,), takers)
    for line, release in offered.items():
        signed = algorithms.get(line.source, ())
        if signed:
            name, takers = f"release {release.version} of {line.source}", tuple(things(line.source))
            yield CryptoAsset(AssetKind.SIGNATURE, name, signed, takers, None, release.use_before)
