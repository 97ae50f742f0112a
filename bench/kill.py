"""The kill, measured where it counts: from the decision to the last acceptance by any peer, and by the domain.

A thousand things over real sockets on loopback, 500 sensors and 500 lamps. Each sensor that is cut off commands five
lamps, ten times a second each, and asks the domain as often. The controller is a process of its own, the things are
another. The instant of the decision is taken before the operator's request leaves, the last acceptance at the lamp.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.figure import Figure
from bench.pairs import Pairs, Sensor, await_that, note

__all__ = ["figures"]

_THINGS = 1000
_LAMPS_EACH = 5
_KILLS = 50
_EVERY = 0.1
_SPREAD = 20.0
_AT_ONCE = 24
_LOSS = 0.2
_ATTEMPTS = 1_000_000
_APART = 40
_TOKEN_SECONDS = 150.0
_SLEEP = 45.0
_LOOK, _CALM = 65.0, 5.0
_SEED = 9770


@dataclass(frozen=True, slots=True)
class _Kill:
    """One sensor's end, in seconds after the decision.

    Attributes:
        sensor: whose.
        decided: on the monotonic clock.
        peer: the last command that any of its lamps obeyed; 0 where none came after.
        heard: when the last of its lamps knew, so that no command could come after; None where one never heard.
        domain: the last answer that it had of the domain.
        told: the last acceptance by anybody on the access plane, as the operator was told.
        bound: until when a lamp that could not be asked may accept, as the operator was told; None where all were.
    """

    sensor: Sensor
    decided: float
    peer: float
    heard: float | None
    domain: float
    told: float
    bound: float | None


def figures() -> Iterator[Figure]:
    """Online, on a line that loses one in five, cut off, asleep; and what is tried afterwards."""
    chance = random.Random(_SEED)
    with tempfile.TemporaryDirectory() as folder:
        note(f"{_THINGS} things are born and join")
        with Pairs(Path(folder), count=_THINGS // 2, each=_LAMPS_EACH, hours=2) as world:
            chosen = world.sensors()
            for loss, some in ((0.0, chosen[:_KILLS]), (_LOSS, chosen[_KILLS : 2 * _KILLS])):
                _insist(some)
                world.line(loss=loss)
                kills = _kill(world, some, chance, loss=loss)
                yield from _online(kills, loss)
                world.line()
            yield from _attempts(chosen[:_KILLS])
    with tempfile.TemporaryDirectory() as folder:
        note(f"{2 * _APART} more things are born and join; their tokens live {_TOKEN_SECONDS:.0f} s")
        with Pairs(Path(folder), count=_APART, each=_LAMPS_EACH, hours=_TOKEN_SECONDS / 3600) as world:
            yield from _out_of_reach(world)


def _insist(sensors: Sequence[Sensor]) -> None:
    for sensor in sensors:
        sensor.ask("insist", every=_EVERY)
    await_that(lambda: all(sensor.ask("status")["met"] for sensor in sensors), "all command their lamps")
    note(f"{len(sensors)} sensors command {sum(len(sensor.lamps) for sensor in sensors)} lamps")


def _kill(world: Pairs, sensors: Sequence[Sensor], chance: random.Random, *, loss: float) -> list[_Kill]:
    """Quarantine each at an instant of its own, and find out who accepted it last."""
    instants = [chance.uniform(0, _SPREAD) for _ in sensors]
    begun = time.monotonic()

    def one(sensor: Sensor, after: float) -> tuple[float, dict[str, Any]]:
        time.sleep(max(0.0, begun + after - time.monotonic()))
        return _quarantine(world, sensor)

    order = sorted(range(len(sensors)), key=lambda place: instants[place])
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        said = list(pool.map(lambda place: one(sensors[place], instants[place]), order))
    note(f"{loss:.0%} lost: {len(said)} cut off; watching")
    time.sleep(_settling(said, loss))
    return [_measured(sensors[place], *told) for place, told in zip(order, said, strict=True)]


def _quarantine(world: Pairs, sensor: Sensor) -> tuple[float, dict[str, Any]]:
    decided = time.monotonic()
    return decided, world.ask("thing.quarantine", thing=sensor.thing)


def _settling(said: Sequence[tuple[float, dict[str, Any]]], loss: float) -> float:
    """Where messages are lost, until each lamp has looked at the list by itself, which it does each minute."""
    return max(_CALM, max(decided for decided, _ in said) + (_LOOK if loss else 0.0) - time.monotonic())


def _measured(sensor: Sensor, decided: float, said: dict[str, Any]) -> _Kill:
    lamps = [lamp.ask({"operation": "status"}) for lamp in sensor.lamps.values()]
    (access,) = [plane for plane in said["planes"] if plane["plane"] == "access"]
    at, bound = datetime.fromisoformat(said["at"]), access["bound"]
    heard = [lamp["heard"] - decided for lamp in lamps if lamp["heard"] > decided]
    return _Kill(
        sensor,
        decided,
        peer=max(0.0, max(lamp["last"] for lamp in lamps) - decided),
        heard=max(heard) if len(heard) == len(lamps) else None,
        domain=max(0.0, sensor.ask("status")["served"] - decided),
        told=access["milliseconds"] / 1000,
        bound=None if bound is None else (datetime.fromisoformat(bound) - at).total_seconds(),
    )


def _online(kills: Sequence[_Kill], loss: float) -> Iterator[Figure]:
    rows = {
        "last acceptance by any of five peers": [kill.peer for kill in kills],
        "all five peers know": [kill.heard for kill in kills if kill.heard is not None],
        "last answer by the domain": [kill.domain for kill in kills],
        "last acceptance as the operator was told": [kill.told for kill in kills],
    }
    for title, seconds in rows.items():
        for name, value in _ranks(seconds).items():
            yield Figure(f"{loss:.0%} lost: {title}, {name}", "ms", round(value * 1000, 1))
    unasked = sum(kill.bound is not None for kill in kills)
    yield Figure(f"{loss:.0%} lost: kills of {len(kills)} where a peer could not be asked", "", unasked)


def _ranks(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    ranks = {"p50": len(ordered) // 2, "p99": -(-len(ordered) * 99 // 100) - 1, "max": len(ordered) - 1}
    return {name: ordered[rank] for name, rank in ranks.items()}


def _attempts(sensors: Sequence[Sensor]) -> Iterator[Figure]:
    """Fresh messages under all keys that those cut off had, and again what they said; they show tokens besides."""
    before = _accepted(sensors)
    each = _ATTEMPTS // len(sensors)
    for sensor in sensors:
        sensor.ask("attempt", count=each)
    while (made := sum(sensor.ask("status")["attempts"] for sensor in sensors)) < each * len(sensors):
        note(f"{made} attempts of {_ATTEMPTS}")
        time.sleep(10)
    time.sleep(5)
    yield Figure("attempts by 50 things that were cut off", "", made)
    yield Figure("accepted of these, by peers and domain", "", _accepted(sensors) - before)


def _accepted(sensors: Sequence[Sensor]) -> int:
    """Commands that their lamps obeyed, and answers with content that they had of the domain."""
    lamps = [lamp.ask({"operation": "status"}) for sensor in sensors for lamp in sensor.lamps.values()]
    answers = [int(sensor.ask("status")["answers"]) for sensor in sensors]
    return sum(answers) + sum(int(lamp["switched"]) for lamp in lamps)


def _out_of_reach(world: Pairs) -> Iterator[Figure]:
    """Half of the lamps do not reach the domain until their tokens have ended, the others sleep and wake."""
    chosen = world.sensors()
    apart, asleep = chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]
    _insist(chosen)
    cut_off = [host for sensor in apart for host in sensor.hosts.values()]
    sleeping = [host for sensor in asleep for host in sensor.hosts.values()]
    world.line(cut_off=cut_off, asleep=sleeping)
    left = {sensor.thing: max(sensor.ask("status")["tokens"].values()) - time.time() for sensor in chosen}
    note(f"{len(cut_off)} lamps do not reach the domain, {len(sleeping)} sleep")
    begun = time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        said = list(
            pool.map(lambda sensor: (time.monotonic(), world.ask("thing.quarantine", thing=sensor.thing)), chosen)
        )
    time.sleep(max(0.0, begun + _SLEEP - time.monotonic()))
    woke = time.monotonic()
    world.line(cut_off=cut_off)
    note("those that slept are awake")
    time.sleep(max(0.0, begun + max(left.values()) + 10 - time.monotonic()))
    kills = [_measured(sensor, *told) for sensor, told in zip(chosen, said, strict=True)]
    for what, some in (("cut off", kills[: len(apart)]), ("asleep", kills[len(apart) :])):
        bounds = [kill.bound for kill in some if kill.bound is not None]
        yield Figure(f"peers {what}: kills of {len(some)} that printed a bound", "", len(bounds))
        yield Figure(f"peers {what}: the token's remaining life at the decision, max", "s", round(_left(some, left), 1))
        yield Figure(f"peers {what}: bound printed, max", "s", round(max(bounds), 1))
    yield Figure("peers cut off: last acceptance, max", "s", round(max(kill.peer for kill in kills[: len(apart)]), 1))
    after = [kill.peer + kill.decided - woke for kill in kills[len(apart) :]]
    yield Figure("peers asleep: last acceptance after they woke, max", "s", round(max(0.0, *after), 1))
    late = sum(kill.bound is not None and kill.peer > kill.bound for kill in kills)
    yield Figure("accepted after the bound that was printed", "", late)


def _left(kills: Sequence[_Kill], left: dict[str, float]) -> float:
    return max(left[kill.sensor.thing] for kill in kills)
