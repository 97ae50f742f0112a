"""What detectors cost and how often they err: set-up captures of real products, and a day that is simulated.

A finding of `cleartext` in the captures is no error: account names and passwords are there to be read.
"""

from __future__ import annotations

import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import day
from bench.figure import Figure
from thingstead.analysis.detectors.panel import Panel
from thingstead.analysis.detectors.scene import Scene
from thingstead.errors import ProtocolError
from thingstead.protocols.packet.capture import Frame, read_capture
from thingstead.protocols.packet.packet import Packet, decode_frame

_CAPTURES = Path(__file__).resolve().parents[2] / "shared" / "data" / "captures"
_BENIGN = ("aucad+sensor-data", "iot-onboarding+mudmaker")
_SETTING_UP = "captures of real products being set up"
_DAY = "a simulated day of 20 things and a phone"
_TICK = 10.0
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
    simulated = simulate()
    yield from _told(_DAY, simulated)
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


def _packet(frame: Frame) -> Packet | None:
    try:
        return decode_frame(frame.data, at=frame.at, length=frame.length, link=frame.link)
    except ProtocolError:
        return None
