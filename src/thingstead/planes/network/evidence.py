"""What the network plane can show: files and signers that run out, and how far its controls hold."""

from __future__ import annotations

from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.plane import Expiry, Finding, PlaneName
from thingstead.planes.network.findings import CONTROLS, LEARNED
from thingstead.planes.network.mud_library import MudLibrary, is_owners
from thingstead.planes.network.residents import Residents

__all__ = ["assets", "expiries", "findings"]


def expiries(library: MudLibrary, residents: Residents) -> tuple[Expiry, ...]:
    """Files that must be asked for again, and signers that run out."""
    found = []
    for url, shelved in library.shelved().items():
        things = residents.with_url(url)
        if not is_owners(url):
            found.append(Expiry(f"MUD file {url}", shelved.stale_at, things, PlaneName.NETWORK, shelved.stale_at))
        if shelved.rules.signer_expires is not None:
            what = f"signer of MUD file {url}: {shelved.rules.signer}"
            found.append(Expiry(what, shelved.rules.signer_expires, things, PlaneName.NETWORK))
    return tuple(found)


def assets(library: MudLibrary, residents: Residents) -> list[CryptoAsset]:
    """The certificates of who signs the MUD files that are in force."""
    return [
        CryptoAsset(
            AssetKind.CERTIFICATE,
            f"signer of MUD file {url}",
            (rules.signer_algorithm,),
            residents.with_url(url),
            None,
            rules.signer_expires,
        )
        for url, rules in ((url, shelved.rules) for url, shelved in library.shelved().items())
        if rules.signer_algorithm
    ]


def findings(
    question: str, library: MudLibrary, residents: Residents, *, mode: str, packets_refused: int
) -> tuple[Finding, ...]:
    """What the rules in force show for `question`: it holds where the kernel keeps some."""
    row = CONTROLS.get(question)
    if row is None:
        return ()
    control, risk = row
    ruled = residents.admitted()
    filed = [one for one in ruled if library.rules(one.thing.mud_url) is not None]
    learned = sum(is_owners(one.thing.mud_url) for one in filed)
    evidence = (
        f"{len(ruled)} things under rules, {len(filed) - learned} by a MUD file of their maker, "
        f"{learned} by one of the owner's, kept by {mode}; {packets_refused} packets refused"
    )
    shown = learned if question == LEARNED else len(ruled)
    return (Finding(question, PlaneName.NETWORK, control, evidence, risk, holds=shown > 0 and mode == "nftables"),)
