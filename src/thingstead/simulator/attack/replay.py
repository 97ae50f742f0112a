"""Replay: a genuine thing's datagrams come again (RFC 8576 §3 threat 5; RFC 8613 §7.4; RFC 7252 §4.5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from thingstead.agent.outbox import DOMAIN
from thingstead.protocols.coap.code import is_request
from thingstead.simulator.attack.member import Member, joined, telemetry, values_kept
from thingstead.simulator.attack.station import Station
from thingstead.simulator.attack.target import Target
from thingstead.simulator.attack.verdict import Traffic, Verdict, names

__all__ = ["replay"]

_NAME = "replay"
_READINGS = 3
_MID = slice(2, 4)


async def replay(target: Target) -> list[Verdict]:
    """Record what a member says, and say it again."""
    async with joined(target) as member:
        handshake = [data for data in member.station.sent if is_request(data[1])]
        start = len(member.station.sent)
        for number in range(_READINGS):
            await member.station.request(telemetry(target, float(number)), association=DOMAIN)
        recorded = [data for data in member.station.sent[start:] if is_request(data[1])]
        elsewhere = Station(target)
        try:
            return [
                await _again(target, member, member.station, recorded, "exactly as they were", "duplicate"),
                await _again(target, member, member.station, _renumbered(recorded), "as new messages", "replay"),
                await _again(target, member, elsewhere, recorded[::-1], "backwards, from another address", "replay"),
                await _handshake(target, elsewhere, handshake),
            ]
        finally:
            elsewhere.close()


async def _again(
    target: Target, member: Member, station: Station, datagrams: Iterable[bytes], how: str, reason: str
) -> Verdict:
    thrown = list(datagrams)
    kept = await values_kept(target, member)
    before = await Traffic.of(target)
    heard = await station.throw(thrown)
    risen = (await Traffic.of(target)).since(before)
    values = await values_kept(target, member)
    return Verdict(
        attack=_NAME,
        plane="data",
        what=f"{len(thrown)} recorded readings, {how}",
        expected=f"no value twice; counted as {reason}",
        observed=f"{values - kept} values more; answered: {names(Counter([data[1] for data in heard]))}",
        held=values == kept == _READINGS and risen.get(reason, 0) >= len(thrown),
        evidence=f"counted: {names(risen)}; {values} values kept for {_READINGS} said",
    )


async def _handshake(target: Target, station: Station, recorded: list[bytes]) -> Verdict:
    """The thing's own join again: message_1 begins nothing that a recording could finish."""
    things = len(await target.ask("thing.list", {}))
    before = await Traffic.of(target)
    mark = len(station.heard)
    await station.throw(_renumbered(recorded))
    after = await Traffic.of(target)
    heard = station.heard[mark:]
    joined_now = len(await target.ask("thing.list", {})) - things
    return Verdict(
        attack=_NAME,
        plane="identity",
        what="a recorded join, message_1 and message_3",
        expected="a handshake that the recording cannot finish, at most",
        observed=f"answered: {names(Counter([data[1] for data in heard]))}",
        held=joined_now == 0 and after.half_open <= before.half_open + 1,
        evidence=f"counted: {names(after.since(before))}; half-open {before.half_open} -> {after.half_open}",
    )


def _renumbered(datagrams: Iterable[bytes]) -> list[bytes]:
    """The same under other message IDs, which nothing protects: de-duplication does not see them."""
    fresh = []
    for data in datagrams:
        number = (int.from_bytes(data[_MID], "big") + 0x4000) % 0x10000
        fresh.append(data[:2] + number.to_bytes(2, "big") + data[4:])
    return fresh
