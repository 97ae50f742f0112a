"""Join: a stranger, a counterfeiter and a forger knock (RFC 8576 §3 threats 1 and 2; RFC 9528 §5.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from thingstead.agent.association import DomainAssociation
from thingstead.crypto.key import KeyType, PrivateKey, generate
from thingstead.phases.manufacture import Maker
from thingstead.protocols.profile.birth import Birth
from thingstead.simulator.attack.member import birth_of, joining
from thingstead.simulator.attack.station import Station
from thingstead.simulator.attack.target import Target
from thingstead.simulator.attack.verdict import Traffic, Verdict, names, progress

__all__ = ["join"]

_NAME = "join"
_MALLORY = "mallory"

_Disguise = Callable[[Target], tuple[Birth, PrivateKey]]


@dataclass(frozen=True, slots=True)
class _Knock:
    """Who knocks, how it looks, and the reason for which it has to be refused."""

    who: str
    disguise: _Disguise
    reason: str


def _stranger(target: Target) -> tuple[Birth, PrivateKey]:
    return birth_of(target, _maker(_MALLORY), target.model)


def _counterfeiter(target: Target) -> tuple[Birth, PrivateKey]:
    return birth_of(target, _maker(target.maker.name), target.model)


def _forger(target: Target) -> tuple[Birth, PrivateKey]:
    birth, key = birth_of(target, _maker(_MALLORY), target.model)
    return replace(birth, maker_identity=target.copied_identity), key


_KNOCKS = (
    _Knock("a stranger: unknown maker, self-made voucher", _stranger, "unknown maker"),
    _Knock("a counterfeiter: a trusted maker's name, another anchor", _counterfeiter, "unauthenticated"),
    _Knock("a forger: a genuine thing's identity, not its key", _forger, "unauthenticated"),
)


async def join(target: Target) -> list[Verdict]:
    """Let each of them go as far as the domain lets it."""
    return [await _knock(target, knock) for knock in _KNOCKS]


async def _knock(target: Target, knock: _Knock) -> Verdict:
    birth, key = knock.disguise(target)
    things = {row["thing"] for row in await target.ask("thing.list", {})}
    before = await Traffic.of(target)
    station = Station(target)
    try:
        result, codes = await station.play(joining(target, birth, key))
    finally:
        station.close()
    after = await Traffic.of(target)
    rows = await target.ask("thing.list", {})
    kept = [row["thing"] for row in rows if row["thing"] not in things and row["serial"] == birth.serial]
    risen = after.since(before)
    is_in = isinstance(result, DomainAssociation)
    return Verdict(
        attack=_NAME,
        plane="identity",
        what=knock.who,
        expected=f"refused at message_3 ({knock.reason}), nothing kept",
        observed="it is in" if is_in else progress(codes),
        held=not is_in
        and len(codes) == 2
        and knock.reason in risen
        and not kept
        and after.half_open <= before.half_open,
        evidence=f"counted: {names(risen)}; half-open {before.half_open} -> {after.half_open}; kept: {len(kept)}",
    )


def _maker(name: str) -> Maker:
    """Somebody who calls himself so, with an anchor of his own."""
    return Maker(name, f"{_MALLORY}.example", generate(KeyType.P256), (generate(KeyType.P256),))
