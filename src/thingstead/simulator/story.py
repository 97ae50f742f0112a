"""The story of a demo after its things have joined; each part is a few checks."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from thingstead.clock import SystemClock
from thingstead.enforcement.namespace import Attachment
from thingstead.errors import ConfigError, TransportError
from thingstead.simulator.attack.aim import aim, on_loopback, on_site
from thingstead.simulator.attack.join import join
from thingstead.simulator.attack.retired import retired
from thingstead.simulator.attack.target import Target
from thingstead.simulator.attack.token import token
from thingstead.simulator.attack.verdict import Verdict
from thingstead.simulator.capture import leaks
from thingstead.simulator.demo import CONTROLLER, Demo, first
from thingstead.simulator.maker_release import bad_releases, build
from thingstead.simulator.outside import ALLOWED_PORT, FORBIDDEN_PORT, try_connection
from thingstead.simulator.report import Check
from thingstead.simulator.scenery import BornThing
from thingstead.simulator.secrets import secrets_of
from thingstead.simulator.tamper import TAMPERINGS, tampered_copy
from thingstead_verifier.verify import check as verify_ledger

__all__ = ["tell"]

Told = tuple[list[Check], dict[str, Any]]

_INSISTENCE = 0.02
_AFTERWARDS = 1.5
_MAX_TRANSMIT_WAIT = 93.0  # what was sent while nobody listened is repeated so long (RFC 7252 §4.8.2)
_VERSION = "1.1.0"
_GROUP = "lamps"


async def tell(demo: Demo) -> None:
    """Tell all of it, in the order of a life."""
    kinds = Counter(thing.kind for thing in demo.scenery.things)
    for name, title, part in _PARTS:
        told = _DRY_TITLES.get(name, title) if demo.options.site is None else title
        missing = [f"{count} x {kind}" for kind, count in _CAST.get(name, {}).items() if kinds[kind] < count]
        if missing:
            demo.report.leave_out(name, told, f"it takes {', '.join(missing)}; more --things bring them")
        else:
            await demo.step(name, told, partial(part, demo))


async def _network(demo: Demo) -> Told:
    if demo.outside is None or demo.options.site is None:
        return [Check("DRY RUN: there is no kernel to ask", held=True)], {"mode": "dry_run"}
    thing = demo.scenery.things[0]
    place = _place(demo, thing)
    host = str(demo.options.site.internet)
    allowed = await try_connection(place, (host, ALLOWED_PORT))
    forbidden = await try_connection(place, (host, FORBIDDEN_PORT), seconds=0.5)
    arrived = {port for source, port in demo.outside.accepted if source == str(place.ipv4)}
    return [
        Check(f"{thing.serial} reaches its maker's cloud, as its MUD file says", allowed and ALLOWED_PORT in arrived),
        Check("what no MUD file names is dropped by the kernel", not forbidden and FORBIDDEN_PORT not in arrived),
    ], {"mode": "nftables"}


async def _strangers(demo: Demo) -> Told:
    return _verdicts(await join(_target(demo))), {}


async def _scope(demo: Demo) -> Told:
    verdicts = await token(_target(demo))
    rows = [one for one in verdicts if one.what.startswith("/")]
    held = sum(one.held for one in rows)
    matrix = Check(
        "a member asks for every path by every method; beyond its scope all are refused",
        bool(rows) and held == len(rows),
        f"{held} of {len(rows)} paths, 7 methods each",
    )
    others = [one for one in verdicts if one not in rows]
    return [matrix, *_verdicts(others)], {"paths": len(rows)}


async def _returns(demo: Demo) -> Told:
    return _verdicts(await retired(_target(demo))), {}


def _target(demo: Demo) -> Target:
    """This demo as its attackers know it, who stand among its things."""
    clock = SystemClock()
    site = demo.options.site
    attach = on_loopback(clock) if site is None else on_site(site, clock, first=demo.next_place())
    return aim(demo.record, attach, clock=clock, random_bytes=secrets.token_bytes)


def _verdicts(verdicts: Sequence[Verdict]) -> list[Check]:
    return [
        Check(f"{one.what}: {one.expected}", one.held, f"{one.observed}; {one.evidence}".strip("; "))
        for one in verdicts
    ]


async def _group(demo: Demo) -> Told:
    lamps = [thing for thing in demo.scenery.things if thing.kind == "lamp"]

    async def all_in() -> bool:
        (group,) = [one for one in await demo.ask("group.list") if one["name"] == _GROUP]
        return bool(group["members"] == len(lamps) and group["stale"] == 0)

    formed = await demo.until(all_in)
    (before,) = [one for one in await demo.ask("group.list") if one["name"] == _GROUP]
    checks = [Check(f"{len(lamps)} lamps form a Group OSCORE group", formed, f"epoch {before['epoch']}")]
    report = await demo.ask("group.command", group=_GROUP, value="on")
    lit = [(await demo.status(lamp))["light"] for lamp in lamps]
    checks.append(Check("one message switches them all on", all(lit), f"{len(report['answers'])} answered, signed"))
    evicted = lamps[-1]
    await demo.ask("group.evict", group=_GROUP, thing=demo.thing_id(evicted))
    (after,) = [one for one in await demo.ask("group.list") if one["name"] == _GROUP]
    checks.append(
        Check("one is evicted and the group rekeyed", after["epoch"] > before["epoch"], f"epoch {after['epoch']}")
    )

    async def others_ready() -> bool:
        (group,) = [one for one in await demo.ask("group.list") if one["name"] == _GROUP]
        return bool(group["stale"] == 0)

    await demo.until(others_ready)
    await demo.ask("group.command", group=_GROUP, value="off")
    dark = [not (await demo.status(lamp))["light"] for lamp in lamps]
    checks.append(Check("the others obey the next message", all(dark[:-1])))
    checks.append(Check("the evicted one reads nothing more: its lamp is still on", not dark[-1]))
    return checks, {"epochs": [before["epoch"], after["epoch"]]}


async def _release(demo: Demo) -> Told:
    checks: list[Check] = []
    things = demo.scenery.things
    versions = {thing.model: thing.maker for thing in things}
    for model, maker in versions.items():
        files = build(_workshop(demo), demo.scenery.makers[maker].maker, model, version=_VERSION, sequence=2)
        await demo.ask("release.publish", envelope=str(files.envelope), image=str(files.image))

    async def all_updated() -> bool:
        try:
            running = [(await demo.status(thing))["version"] for thing in things]
        except TransportError:
            # One of them is just starting anew, under what it has installed.
            return False
        return all(version == _VERSION for version in running)

    updated = await demo.until(all_updated)
    count = sum([(await demo.status(thing))["version"] == _VERSION for thing in things])
    told = f"{count} of {len(things)}, {len(versions)} classes, each signed with ESP256 and ML-DSA-44"
    checks.append(Check(f"version {_VERSION} is installed on every thing", updated, told))
    model, maker = next(iter(versions.items()))
    for what, files in bad_releases(_workshop(demo), demo.scenery.makers[maker].maker, model):
        try:
            await demo.ask("release.publish", envelope=str(files.envelope), image=str(files.image))
        except ConfigError as error:
            checks.append(Check(f"{what} is refused", held=True, detail=str(error)[:120]))
        else:
            checks.append(Check(f"{what} is refused", held=False, detail="it was published"))
    return checks, {"installed": count}


async def _quarantine(demo: Demo) -> Told:
    thing = first(demo.scenery, "sensor")
    checks, figures = await _withdraw(demo, thing, "thing.quarantine")
    before = await demo.status(thing)
    await demo.ask("thing.restore", thing=demo.thing_id(thing))

    async def accepted_again() -> bool:
        return await _count(demo, thing) > int(figures["accepted_after"])

    back = await demo.until(accepted_again)
    after = await demo.status(thing)
    checks.append(Check("restored by one command, without a new join", back and after["joins"] == before["joins"]))
    return checks, figures


async def _retire(demo: Demo) -> Told:
    thing = first(demo.scenery, "lamp")
    checks, figures = await _withdraw(demo, thing, "thing.retire")

    row = await demo.ask("thing.show", thing=demo.thing_id(thing))
    checks.append(Check("it is out for good", row["state"] == "decommissioned"))
    return checks, figures


async def _withdraw(demo: Demo, thing: BornThing, operation: str) -> Told:
    """Take a thing out while it insists on every plane, and read six clocks."""
    await demo.stage.ask(thing.home.name, {"operation": "insist", "interval": _INSISTENCE})
    await asyncio.sleep(10 * _INSISTENCE)
    pounding = asyncio.get_running_loop().create_task(_pound(demo, thing)) if demo.outside else None
    try:
        before = await _count(demo, thing)
        decided = time.monotonic()
        outcome = await demo.ask(operation, thing=demo.thing_id(thing))
        settled = await _count(demo, thing)
        await asyncio.sleep(_AFTERWARDS)
        after = await _count(demo, thing)
    finally:
        if pounding is not None:
            pounding.cancel()
    clocks = {row["plane"]: row["milliseconds"] for row in outcome["planes"]}
    checks = [
        Check(
            f"{row['plane']} withdrew; asked: {row['relying_party']}",
            row["milliseconds"] is not None or not row["enforced"],
            _clock(row),
        )
        for row in outcome["planes"]
    ]
    checks.append(Check("it insists, and nothing of it is accepted any more", before > 0 and after == settled))
    if demo.outside is not None:
        last = demo.outside.accepted.get((str(_place(demo, thing).ipv4), ALLOWED_PORT), 0.0)
        late = max(0.0, last - decided) * 1000
        checks.append(Check("its last connection outside", held=True, detail=f"{late:.1f} ms after the decision"))
        clocks["network, seen from outside"] = round(late, 1)
    return checks, {"milliseconds": clocks, "accepted_before": before, "accepted_after": after}


async def _pound(demo: Demo, thing: BornThing) -> None:
    """Connect from the thing's own place, over and over."""
    site = demo.options.site
    if site is None:
        return
    while True:
        await try_connection(_place(demo, thing), (str(site.internet), ALLOWED_PORT), seconds=_INSISTENCE)
        await asyncio.sleep(_INSISTENCE)


async def _crash(demo: Demo) -> Told:
    joins = {thing.serial: (await demo.status(thing))["joins"] for thing in demo.scenery.things}
    entries = (await demo.ask("status"))["ledger"]["entries"]
    await demo.stage.kill(CONTROLLER)
    victim = _last(demo)
    await demo.stage.kill(victim.home.name)
    started = time.monotonic()
    await demo.stage.restart(CONTROLLER)
    await demo.stage.restart(victim.home.name)
    back = time.monotonic() - started

    members = _members(demo)
    told = await asyncio.gather(*[_tells(demo, thing) for thing in members])
    silent = [thing.serial for thing, tells in zip(members, told, strict=True) if not tells]
    now = {thing.serial: (await demo.status(thing))["joins"] for thing in demo.scenery.things}
    now[victim.serial] += joins[victim.serial]
    return [
        Check("controller and a thing killed with -9 are back", held=True, detail=f"{back:.1f} s"),
        Check("every thing is heard again", not silent, ", ".join(silent)),
        Check("every thing goes on under its old keys", now == joins),
        Check("nothing of the ledger is lost", (await demo.ask("status"))["ledger"]["entries"] >= entries),
    ], {"seconds": round(back, 3)}


async def _leaks(demo: Demo) -> Told:
    """Search everything that crossed the segment for every secret that anybody of the demo holds."""
    if demo.capture is None:
        return [Check("DRY RUN: there is no segment to capture", held=True)], {"mode": "dry_run"}
    held = secrets_of(demo.scenery)
    captured = demo.capture.read_bytes()
    found = leaks(captured, held)
    named = ", ".join(sorted({leak.name for leak in found}))
    told = f"{len(held)} secrets, {len(captured)} bytes" if not found else f"in clear: {named}"
    return [Check("no key or secret in clear in the whole capture", not found, told)], {"secrets": len(held)}


async def _ledger(demo: Demo) -> Told:
    domain = demo.scenery.domain
    head = domain.heads(domain.load())
    await asyncio.sleep(1.2)  # the newest head is signed within a second
    signed, key = head.read_bytes(), head.with_suffix(".key").read_bytes()
    honest, _ = tampered_copy(domain.root, _empty(demo, "honest"), "", size=0)
    verdict = await asyncio.to_thread(verify_ledger, honest, signed, key)
    checks = [Check("the separate verifier holds it", verdict.holds, f"{verdict.size} entries")]
    for name in TAMPERINGS:
        database, place = tampered_copy(domain.root, _empty(demo, name), name, size=verdict.signed)
        found = await asyncio.to_thread(verify_ledger, database, signed, key)
        located = any(finding.first <= place <= finding.last for finding in found.findings)
        detail = "; ".join(finding.text for finding in found.findings)
        checks.append(Check(f"{name} is found and located", not found.holds and located, detail[:160]))
    return checks, {"entries": verdict.size}


async def _assurance(demo: Demo) -> Told:
    document = await demo.ask("assurance")
    rows: Sequence[Mapping[str, Any]] = document["rows"]
    count = {status: sum(row["status"] == status for row in rows) for status in {row["status"] for row in rows}}
    told = ", ".join(f"{number} {status}" for status, number in sorted(count.items()))
    return [Check("every threat, challenge and requirement has its row", bool(rows), told)], {"rows": count}


def _workshop(demo: Demo) -> Path:
    folder = demo.options.root / "releases"
    folder.mkdir(exist_ok=True)
    return folder


def _last(demo: Demo) -> BornThing:
    return demo.scenery.things[-1]


def _members(demo: Demo) -> list[BornThing]:
    """Things that are still of the domain: the first lamp was retired."""
    gone = next((thing for thing in demo.scenery.things if thing.kind == "lamp"), None)
    return [thing for thing in demo.scenery.things if thing != gone]


def _place(demo: Demo, thing: BornThing) -> Attachment:
    attachment = demo.stage.actor(thing.home.name).attachment
    if attachment is None:
        raise ConfigError("there is no network namespace to look from")
    return attachment


async def _count(demo: Demo, thing: BornThing) -> int:
    """How many of a thing's requests were accepted, as the thing itself saw it."""
    return int((await demo.status(thing))["accepted"])


async def _tells(demo: Demo, thing: BornThing) -> bool:
    before = await _count(demo, thing)

    async def more() -> bool:
        return await _count(demo, thing) > before

    return await demo.until(more, seconds=_MAX_TRANSMIT_WAIT)


def _clock(row: Mapping[str, Any]) -> str:
    if not row["enforced"]:
        return f"DRY RUN: no time, for nothing is refused; {row['detail']}"
    if row["milliseconds"] is None:
        return f"still accepted: {row['detail']}"
    return f"last acceptance {row['milliseconds']:.1f} ms after the decision; {row['detail']}"


def _empty(demo: Demo, name: str) -> Path:
    copy = demo.options.root / "copies" / name.replace(" ", "-")
    copy.mkdir(parents=True)
    return copy


_PARTS: tuple[tuple[str, str, Callable[[Demo], Awaitable[Told]]], ...] = (
    ("network", "MUD files are in force in the kernel", _network),
    ("strangers", "A stranger and a forger knock, and are refused", _strangers),
    ("scope", "Every request is decided by the scope of its token", _scope),
    ("group", "Lamps obey one message, and one is evicted", _group),
    ("release", "A release with two signatures reaches every thing", _release),
    ("quarantine", "A thing is quarantined: six planes withdraw, six clocks", _quarantine),
    ("retire", "A thing is retired: six planes withdraw, six clocks", _retire),
    ("returns", "A retired thing knocks again", _returns),
    ("crash", "kill -9, and everything goes on", _crash),
    ("leaks", "The whole traffic is searched for every secret", _leaks),
    ("ledger", "The ledger is verified by a program of its own", _ledger),
    ("assurance", "RFC 8576, answered from what was just seen", _assurance),
)
_DRY_TITLES: Mapping[str, str] = {
    "network": "DRY RUN: MUD files are compiled, and NOT in force",
    "quarantine": "A thing is quarantined: six planes withdraw, five clocks",
    "retire": "A thing is retired: six planes withdraw, five clocks",
}
_CAST: Mapping[str, Mapping[str, int]] = {
    "group": {"lamp": 2},
    "quarantine": {"sensor": 1},
    "retire": {"lamp": 1},
}
"""Whom a part cannot be played without."""
