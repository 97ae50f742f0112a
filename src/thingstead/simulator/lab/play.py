"""Playing a script on a site of its own: each step is done, counted, and answered before the next one.

The lab's clock stands still while something is done and jumps to the next step, so an hour of ordinary life takes
seconds. What is counted here is the ground truth: which bad packets were sent, and which came through. Who found it,
and what was done about it, is read from the controller's ledger and responses. Real time is taken beside it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from thingstead.analysis.detectors.detector import detectors
from thingstead.domain.ledger.entry import Entry
from thingstead.errors import DecodeError
from thingstead.protocols.packet.packet import Packet, decode_frame
from thingstead.simulator.lab.cast import SITE, Cast
from thingstead.simulator.lab.hand import Hands
from thingstead.simulator.lab.household import Household
from thingstead.simulator.lab.recording import Recording
from thingstead.simulator.lab.scenario import Scenario
from thingstead.simulator.lab.score import Finding, Outcome, Stop, rows
from thingstead.simulator.lab.script import Step
from thingstead.simulator.lab.tap import Sighting, Tap
from thingstead.simulator.lab.truth import Count, Truth

__all__ = ["BEGINNING", "Lab", "play"]

BEGINNING = datetime(2026, 1, 5, 8, tzinfo=UTC).timestamp()
"""When every scenario begins, by the lab's clock."""

_GIVES_UP = 12
"""Bad packets that are sent after the sender was cut off: enough to see that it is."""

_UPLINK, _BRIDGE, _PORT = "up0", "br0", "t"
_DAY = 86_400.0


@dataclass(slots=True)
class Lab:
    """Everything that a run needs, made by whoever made the site.

    Attributes:
        cast: who is there.
        hands: who sends.
        tap: sees every frame at every interface, for the count.
        household: the domain, whose controller finds and answers.
        recording: where frames are kept.
    """

    cast: Cast
    hands: Hands
    tap: Tap
    household: Household
    recording: Recording


@dataclass(slots=True)
class _Run:
    """What is known so far.

    Attributes:
        truth: which packets are bad.
        count: of bad packets.
        ordinary: of packets to the Internet in ordinary life.
        began: who has done something bad, and when by the lab's clock.
        stops: who was cut off.
        findings: what was told.
        vain: bad steps since their sender was cut off.
        repair: bad datagrams to the domain's endpoint since their sender was cut off.
    """

    truth: Truth
    count: Count = field(default_factory=Count)
    ordinary: Count = field(default_factory=Count)
    began: dict[str, float] = field(default_factory=dict)
    stops: dict[str, Stop] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    vain: int = 0
    repair: int = 0


async def play(lab: Lab, scenario: Scenario, steps: Sequence[Step], *, seed: int, events: str) -> Outcome:
    """Play it to its end, and say what it came to.

    Raises:
        ForbiddenError: a step would leave the lab; nothing was sent of it.
    """
    run = _Run(Truth(steps), began=_silenced(scenario))
    await lab.household.until(0.0)
    for _ in lab.tap.drain():
        # What was seen until everybody was in is no part of the scenario.
        pass
    accused, updated = _accused(scenario), scenario.updated
    for step in steps:
        if updated and step.at >= scenario.warm_up:
            await _pass_time(lab, run, scenario.warm_up)
            await lab.household.update({lab.cast.named(name).kind for name in updated})
            updated = ()
        await _pass_time(lab, run, step.at)
        if _is_vain(run, step, accused):
            continue
        if step.pattern:
            for who in accused[step.who]:
                run.began.setdefault(who, step.at)
        was_cut_off = step.who in run.stops
        arrived = lab.hands.do(step)
        _watch(lab, run, step.at)
        if step.pattern and arrived:
            _arrive(run, step, was_cut_off=was_cut_off)
        await lab.household.settle()
        _take_up(lab, run)
    await _pass_time(lab, run, scenario.warm_up + scenario.seconds)
    return _outcome(lab, scenario, run, seed=seed, events=events)


def _silenced(scenario: Scenario) -> dict[str, float]:
    """Who is rightly named for what nobody does, and from when on."""
    silencing = [attack for attack in scenario.attacks if attack.pattern.silences]
    return {who: scenario.warm_up + attack.at for attack in silencing for who in attack.tells_of}


def _accused(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Whom findings rightly name for what somebody does."""
    accused: dict[str, tuple[str, ...]] = {}
    for attack in scenario.attacks:
        accused[attack.by] = accused.get(attack.by, ()) + attack.tells_of
    return accused


def _arrive(run: _Run, step: Step, *, was_cut_off: bool) -> None:
    """Something bad came out of the gateway's own sockets: let through, or left open for whoever has to be mended."""
    if was_cut_off:
        run.repair += 1
    else:
        run.count.passage(step.at, time.time())


def _is_vain(run: _Run, step: Step, accused: Mapping[str, Sequence[str]]) -> bool:
    """Whether it tells nothing any more: who does it is cut off, and has tried often enough since."""
    if not step.pattern:
        return step.who in run.stops
    run.vain += all(who in run.stops for who in accused[step.who])
    return run.vain > _GIVES_UP


async def _pass_time(lab: Lab, run: _Run, until: float) -> None:
    await lab.household.until(until)
    _take_up(lab, run)


def _watch(lab: Lab, run: _Run, now: float) -> None:
    for sighting in lab.tap.drain():
        lab.recording.keep(sighting, at=BEGINNING + now)
        try:
            packet = decode_frame(sighting.frame, at=BEGINNING + now)
        except DecodeError:
            continue
        _tally(lab.cast, run, sighting, packet, now)


def _tally(cast: Cast, run: _Run, sighting: Sighting, packet: Packet, now: float) -> None:
    is_port = sighting.interface == _UPLINK or sighting.interface.startswith(_PORT)
    if run.truth.is_bad(packet, sighting.frame):
        if is_port and not sighting.outgoing:
            run.count.attempt(now, sighting.at)
        elif is_port or (packet.arp is not None and not sighting.outgoing):
            # What is said by ARP reaches the gateway itself, which believes it or not.
            run.count.passage(now, sighting.at)
    elif sighting.interface == _BRIDGE and sighting.outgoing and _is_answer(cast, run, packet):
        run.count.passage(now, sighting.at)
    elif is_port and packet.destination != cast.gateway.ipv4.packed and run.truth.is_ordinary(packet):
        if sighting.outgoing:
            run.ordinary.passage(now, sighting.at)
        else:
            run.ordinary.attempt(now, sighting.at)


def _is_answer(cast: Cast, run: _Run, packet: Packet) -> bool:
    """Whether the gateway itself answers something bad, which then came through to it."""
    return packet.source == cast.gateway.ipv4.packed and run.truth.is_answer(packet)


def _take_up(lab: Lab, run: _Run) -> None:
    """What the controller has told, and whom it has cut off, since this was called last."""
    run.findings += [_finding(lab.cast, run, entry) for entry in lab.household.alarms()]
    for who, response in lab.household.responses():
        began = run.began.get(who)
        if who not in run.stops and began is not None:
            planes = {one.plane.value: one.milliseconds / 1000 for one in response.planes if one.milliseconds}
            run.stops[who] = Stop(who, response.detector, response.at.timestamp() - BEGINNING - began, planes)


def _finding(cast: Cast, run: _Run, entry: Entry) -> Finding:
    now, device = entry.at.timestamp() - BEGINNING, entry.details["device"]
    who = _who(cast, device) if isinstance(device, bytes) and device else SITE
    began = run.began.get(who)
    if began is not None and began > now:
        began = None
    first = began if run.count.first is None else run.count.first[0]
    return Finding(
        entry.cause,
        who,
        is_right=began is not None,
        after=None if first is None else now - first,
        evidence=tuple(str(entry.details["evidence"]).split("; ")),
        explanation=str(entry.details["explanation"]),
        severity=str(entry.details["severity"]),
    )


def _who(cast: Cast, device: bytes) -> str:
    """The thing of that link-layer address; where somebody else used it, whoever is behind the port that follows."""
    port = device[6:].decode()
    return next((one.name for one in cast.things if (one.port == port if port else one.mac == device)), device.hex(":"))


def _outcome(lab: Lab, scenario: Scenario, run: _Run, *, seed: int, events: str) -> Outcome:
    count = run.count
    spans = _spans(count)
    return Outcome(
        scenario=scenario.name,
        seed=seed,
        rules=scenario.rules,
        events=events,
        bad=count.tried,
        let_through=count.passed,
        repair=run.repair,
        ordinary=run.ordinary.tried,
        kept=run.ordinary.passed,
        open_for=spans[0],
        open_for_real=spans[1],
        stopped_by=_stopped_by(run),
        device_days=len(lab.cast.things) * (scenario.warm_up + scenario.seconds) / _DAY,
        lost=lab.tap.lost() + lab.household.unseen(),
        stops=tuple(run.stops.values()),
        rows=rows(run.findings, [one.name for one in detectors()], expected=scenario.found_by),
        findings=tuple(run.findings),
    )


def _spans(count: Count) -> tuple[float | None, float | None]:
    if count.first is None or count.last is None:
        return None, None
    return count.last[0] - count.first[0], count.last[1] - count.first[1]


def _stopped_by(run: _Run) -> str:
    if not run.count.tried:
        return "nobody"
    if not run.count.passed:
        return "rules"
    return "finding" if run.stops and run.count.after else "nothing"
