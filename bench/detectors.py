"""What detectors cost and how often they err: set-up captures of real products, and days that are simulated.

A finding of `cleartext` in the captures is no error: account names and passwords are there to be read.
"""

from __future__ import annotations

import time
import tracemalloc
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from heapq import merge
from itertools import groupby
from pathlib import Path

from bench import day
from bench.figure import Figure
from bench.other_days import SEEDS, OtherDay
from thingstead.analysis.detectors.panel import Panel
from thingstead.analysis.detectors.scene import Scene
from thingstead.errors import ProtocolError
from thingstead.identifier import thing_id_from_random
from thingstead.protocols.packet.capture import Frame, read_capture
from thingstead.protocols.packet.packet import Packet, decode_frame

_CAPTURES = Path(__file__).resolve().parents[2] / "shared" / "data" / "captures"
_BENIGN = ("aucad+sensor-data", "iot-onboarding+mudmaker")
_SETTING_UP = "captures of real products being set up"
_DAY = "a simulated day of 20 things and a phone"
_MIXED = "the same captures, all on one site"
_OTHER = "a day of seed {seed} that nothing was tuned on"
_TICK, _PAUSE = 10.0, 5.0
_TRUE = "cleartext"


@dataclass(slots=True)
class Outcome:
    """What came of packets."""

    packets: int = 0
    device_days: float = 0.0
    seconds: float = 0.0
    found: Counter[str] = field(default_factory=Counter)

    @property
    def false_alarms(self) -> int:
        return sum(count for name, count in self.found.items() if name != _TRUE)


def figures() -> Iterator[Figure]:
    """Errors and cost of both."""
    captured = captures()
    if captured is not None:
        yield from _told(_SETTING_UP, captured)
        yield Figure(f"secrets in clear found in {_SETTING_UP}", "findings", captured.found[_TRUE])
    mixed = mix()
    if mixed is not None:
        yield from _told(_MIXED, mixed)
    yield from _told(_DAY, simulate())
    for seed in SEEDS:
        yield from _told(_OTHER.format(seed=seed), simulate_other(seed))
    few, many = memory(20), memory(60)
    yield Figure("memory of all detectors with 60 things, after a simulated hour", "KiB", many)
    yield Figure("memory of all detectors, for each thing more", "KiB", (many - few) / 40)


def captures() -> Outcome | None:
    """Each capture by itself, for each is another site; None where they are not here."""
    paths = sorted(path for name in _BENIGN for path in (_CAPTURES / name).rglob("*.pcap*"))
    outcome = Outcome()
    for path in paths:
        with path.open("rb") as file:
            packets = [one for one in map(_packet, read_capture(file.read)) if one is not None]
        if packets:
            devices = {one.source_mac for one in packets}
            outcome.device_days += len(devices) * (packets[-1].at - packets[0].at) / day.SECONDS
            _show(Panel(Scene()), packets, outcome)
    return outcome if paths else None


def simulate(seconds: float = day.SECONDS) -> Outcome:
    """A day of `bench.day`, or its beginning."""
    devices, outcome = day.things(), Outcome()
    panel = Panel(day.scene(devices))
    morning: list[Packet] = []
    evening: list[Packet] = []
    for packet in day.packets(devices, seconds=seconds):
        (morning if packet.at < day.UPDATED_AT else evening).append(packet)
    _show(panel, morning, outcome)
    panel.scene = day.updated(panel.scene, devices)
    _show(panel, evening, outcome)
    outcome.device_days = (len(devices) + 1) * seconds / day.SECONDS
    return outcome


def simulate_other(seed: int, seconds: float = day.SECONDS) -> Outcome:
    """A day of `bench.other_days`, whole or all of it in less time."""
    today = OtherDay(seed, seconds)
    outcome, panel, passing = Outcome(device_days=today.device_days), Panel(Scene()), today.packets()
    moments = today.moments()
    for began, packets in groupby(passing, key=lambda packet: moments[bisect_right(moments, packet.at) - 1]):
        panel.scene = today.known(began, panel.scene)
        _show(panel, list(packets), outcome)
    return outcome


def mix() -> Outcome | None:
    """One site with all products of the captures, each set up over and over; None where they are not here.

    Who carries packets from outside is the gateway, and everybody else a thing; nobody says who has which address.
    """
    folders = sorted({path.parent for name in _BENIGN for path in (_CAPTURES / name).rglob("*.pcap*")})
    packets = list(merge(*[_one_after_another(folder) for folder in folders], key=_when))
    gateways = frozenset(one.source_mac for one in packets if one.source and Scene().is_outside(one.source))
    macs = {one.source_mac for one in packets if one.source_mac} - gateways
    claims = [one.arp for one in packets if one.arp is not None and one.arp.sender_mac in gateways]
    things = {mac: thing_id_from_random(mac.rjust(10, b"\0")) for mac in macs}
    scene = Scene(
        gateways=gateways,
        gateway_addresses=frozenset(one.sender_ip for one in claims if any(one.sender_ip)),
        things=things,
        intervals=dict.fromkeys(things.values(), 3600.0),
    )
    outcome = Outcome(device_days=sum(_stay(packets, mac) for mac in macs))
    _show(Panel(scene), packets, outcome)
    return outcome if folders else None


def memory(things: int) -> float:
    """KiB that are kept after an hour."""
    devices = day.things(things)
    packets = list(day.packets(devices, seconds=3600.0))
    tracemalloc.start()
    panel = Panel(day.scene(devices))
    before, _ = tracemalloc.get_traced_memory()
    for packet in packets:
        panel.see(packet)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / 1024


def _told(what: str, outcome: Outcome) -> Iterator[Figure]:
    yield Figure(f"device-days in {what}", "days", outcome.device_days)
    yield Figure(f"false alarms in {what}", "alarms", outcome.false_alarms)
    yield Figure(f"false alarms per device-day in {what}", "alarms", outcome.false_alarms / outcome.device_days)
    for name, count in sorted(outcome.found.items()):
        if name != _TRUE:
            yield Figure(f"of these by {name}, in {what}", "alarms", count)
    yield Figure(f"all detectors, per packet of {what}", "us", outcome.seconds / outcome.packets * 1e6)


def _show(panel: Panel, packets: list[Packet], outcome: Outcome) -> None:
    began, ticked = time.process_time(), packets[0].at if packets else 0.0
    for packet in packets:
        outcome.found.update(one.detector for one in panel.see(packet))
        if packet.at - ticked >= _TICK:
            ticked = packet.at
            outcome.found.update(one.detector for one in panel.tick(ticked))
    outcome.seconds += time.process_time() - began
    outcome.packets += len(packets)


def _one_after_another(folder: Path) -> Iterator[Packet]:
    at = 0.0
    for path in sorted(folder.glob("*.pcap*")):
        with path.open("rb") as file:
            packets = sorted([one for one in map(_packet, read_capture(file.read)) if one is not None], key=_when)
        for packet in packets:
            yield replace(packet, at=packet.at - packets[0].at + at)
        at += packets[-1].at - packets[0].at + _PAUSE if packets else 0.0


def _stay(packets: list[Packet], mac: bytes) -> float:
    heard = [one.at for one in packets if one.source_mac == mac]
    return (heard[-1] - heard[0]) / day.SECONDS


def _when(packet: Packet) -> float:
    return packet.at


def _packet(frame: Frame) -> Packet | None:
    try:
        return decode_frame(frame.data, at=frame.at, length=frame.length, link=frame.link)
    except ProtocolError:
        return None
