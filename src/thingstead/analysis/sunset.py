"""What becomes of whom when an owner ends an algorithm: who gets another by joining anew, who is isolated (R-76)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from thingstead.analysis.crypto_inventory import Held
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.crypto_policy import CryptoPolicy, suites_taken
from thingstead.domain.plane import Expiry, PlaneName
from thingstead.identifier import ThingId

__all__ = ["Effect", "effect", "own_dates"]

_WARNING = timedelta(days=180)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Effect:
    """What the dates of a policy do to things on one day.

    Attributes:
        moves: things that join anew and are as before, and what they get another of.
        isolates: things that have no other way, and what they have under what is no longer taken.
    """

    moves: Mapping[ThingId, tuple[str, ...]]
    isolates: Mapping[ThingId, tuple[str, ...]]


def effect(held: Iterable[Held], policy: CryptoPolicy, day: date, *, suites: Sequence[int]) -> Effect:
    """Look at every asset whose algorithms are not all taken on `day`.

    Args:
        held: every asset of the domain.
        policy: the owner's dates.
        day: which.
        suites: cipher suites of EDHOC that both sides have.
    """
    remain = suites_taken(policy, suites, day)
    moves: dict[ThingId, dict[str, None]] = {}
    isolates: dict[ThingId, dict[str, None]] = {}
    for _, asset in held:
        if all(policy.takes(name, day) for name in asset.algorithms):
            continue
        told = moves if _is_replaced(asset, remain) else isolates
        for thing in asset.things:
            told.setdefault(thing, {})[asset.name] = None
    for thing in isolates:
        moves.pop(thing, None)
    return Effect(_plain(moves), _plain(isolates))


def own_dates(
    held: Callable[[], Sequence[Held]], policy: CryptoPolicy, *, today: date, suites: Sequence[int]
) -> Iterator[Expiry]:
    """The owner's dates that are still to come, for the calendar: whom each strands who cannot have another algorithm.

    Args:
        held: lists every asset of the domain; asked only where a date is to come.
        policy: the owner's dates.
        today: the day.
        suites: cipher suites of EDHOC that both sides have.
    """
    coming = {name: last for name, last in policy.sunsets.items() if last >= today}
    assets = held() if coming else ()
    for name, last in coming.items():
        day = last + _DAY
        alone = CryptoPolicy({name: last}, policy.quantum_year)
        stranded = effect(assets, alone, day, suites=suites).isolates
        at = datetime.combine(day, time(), tzinfo=UTC)
        what = f"algorithm {name}, by the owner's policy"
        yield Expiry(what, at, tuple(stranded), PlaneName.IDENTITY, warning=_WARNING)


def _is_replaced(asset: CryptoAsset, remain: Sequence[int]) -> bool:
    return asset.replaceable and (asset.kind is not AssetKind.CONTEXT or bool(remain))


def _plain(told: Mapping[ThingId, Mapping[str, None]]) -> dict[ThingId, tuple[str, ...]]:
    return {thing: tuple(names) for thing, names in told.items()}
