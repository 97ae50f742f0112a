"""Which algorithms, where, until when: every asset of the domain beside what is thought of its algorithms (R-86)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from thingstead.crypto.judgement import Quantum, Status
from thingstead.crypto.lifetime import judgement
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.plane import PlaneName
from thingstead.identifier import ThingId

__all__ = ["AssetRow", "Exposure", "Held", "inventory"]

Held = tuple[PlaneName | None, CryptoAsset]
"""An asset, and whose it is; None for what is above the planes."""

_WORST = (Status.RECOMMENDED, Status.ACCEPTABLE, Status.DEPRECATED, Status.FORBIDDEN)


class Exposure(StrEnum):
    """What a quantum computer of the chosen year does with an asset."""

    NONE = "none"
    READ = "what is recorded today is read then"
    FORGED = "forged then, for it is still in use"


@dataclass(frozen=True, slots=True)
class AssetRow:
    """Assets of one sort, together.

    Attributes:
        plane: whose; empty for what is above the planes.
        kind: what they are.
        name: for people.
        algorithms: by name; they hold while all of these do.
        count: how many.
        things: who depends on them.
        since: from when on the first of them counts; None where nobody wrote that down.
        until: when the first of them ends; None where none has an end.
        status: the worst of the algorithms', today.
        sunset: the first last day among the algorithms, the owner's or a guideline's; None where none has one.
        source: who says that.
        exposure: in the year that was asked for.
        replaceable: whether things get others by joining anew.
    """

    plane: str
    kind: AssetKind
    name: str
    algorithms: tuple[str, ...]
    count: int
    things: tuple[ThingId, ...]
    since: datetime | None
    until: datetime | None
    status: Status
    sunset: date | None
    source: str
    exposure: Exposure
    replaceable: bool


def inventory(held: Iterable[Held], policy: CryptoPolicy, *, at: datetime, year: int) -> tuple[AssetRow, ...]:
    """Put what is of one sort together, the worst first.

    Args:
        held: every asset of every plane, and those above them.
        policy: the owner's dates.
        at: today.
        year: by the end of which a quantum computer is to be reckoned with, if the owner does.

    Raises:
        UnsupportedError: an algorithm that nobody has judged.
    """
    together: dict[tuple[PlaneName | None, AssetKind, str, tuple[str, ...]], list[CryptoAsset]] = {}
    for plane, asset in held:
        together.setdefault((plane, asset.kind, asset.name, asset.algorithms), []).append(asset)
    rows = [_row(plane, assets, policy, at=at, year=year) for (plane, *_), assets in together.items()]
    return tuple(sorted(rows, key=lambda row: (-_WORST.index(row.status), row.plane, row.kind, row.name)))


def _row(
    plane: PlaneName | None, assets: Sequence[CryptoAsset], policy: CryptoPolicy, *, at: datetime, year: int
) -> AssetRow:
    first = assets[0]
    dated = [(last, name) for name in first.algorithms if (last := policy.sunset(name)) is not None]
    sunset, named = min(dated, default=(None, first.algorithms[0]))
    ends = [asset.until for asset in assets if asset.until is not None]
    begins = [asset.since for asset in assets if asset.since is not None]
    return AssetRow(
        plane="" if plane is None else plane.value,
        kind=first.kind,
        name=first.name,
        algorithms=first.algorithms,
        count=len(assets),
        things=tuple(dict.fromkeys(thing for asset in assets for thing in asset.things)),
        since=min(begins, default=None),
        until=min(ends, default=None),
        status=max((policy.status(name, at.date()) for name in first.algorithms), key=_WORST.index),
        sunset=sunset,
        source="the owner's policy" if named in policy.sunsets else judgement(named).source,
        exposure=_exposure(assets, policy, year),
        replaceable=first.replaceable,
    )


def _exposure(assets: Sequence[CryptoAsset], policy: CryptoPolicy, year: int) -> Exposure:
    """Whoever records an agreement has it for ever; a signature is forged only where somebody still believes it."""
    broken = {judgement(name).quantum for name in assets[0].algorithms if policy.breaks(name, year)}
    if Quantum.READ in broken:
        return Exposure.READ
    is_used = any(asset.until is None or asset.until.year >= year for asset in assets)
    return Exposure.FORGED if Quantum.FORGED in broken and is_used else Exposure.NONE
