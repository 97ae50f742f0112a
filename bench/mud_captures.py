"""MUD files against what real products did: shares of IPv4 packets that are allowed, and what hearing a packet costs.

The captures are those of IoT Sentinel beside the repository; the files those of UNSW, made of traffic years apart, and
our own, learned from the first half of each product's captures and held against the second.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.figure import Figure
from thingstead.analysis.traffic.inventory import Inventory
from thingstead.analysis.traffic.listener import Listener
from thingstead.analysis.traffic.packet_filter import PacketFilter
from thingstead.analysis.traffic.proposal import propose
from thingstead.analysis.traffic.site import Site
from thingstead.analysis.traffic.trial import Trial
from thingstead.analysis.traffic.verdict import Judge
from thingstead.errors import ProtocolError
from thingstead.protocols.mud.rule import RuleSet, Surroundings, compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit
from thingstead.protocols.packet.capture import read_capture
from thingstead.protocols.packet.packet import Packet, decode_frame

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_CAPTURES = _DATA / "captures" / "aucad+sensor-data" / "iot-sentinel"
_FILES = _DATA / "mud" / "iot-onboarding+mud-visualizer" / "sample_mud_files" / "mudgee_mudfiles"
_OWN = {"TP-LinkPlugHS100": "tplinkplug"}
"""Of the eleven products one has a file there."""
_AT = datetime(2026, 11, 23, tzinfo=UTC)

_Heard = tuple[Surroundings, list[Packet]]


def figures() -> Iterator[Figure]:
    """Nothing where the captures are not there."""
    if not _CAPTURES.is_dir():
        return
    files = {path.stem.removesuffix("Mud"): _rules(path.read_bytes()) for path in sorted(_FILES.glob("*Mud.json"))}
    seconds, count = 0.0, 0
    for folder in sorted(_CAPTURES.iterdir()):
        device = bytes.fromhex((folder / "_iotdevice-mac.txt").read_text().strip().replace(":", ""))
        captures = [list(_packets(path)) for path in sorted(folder.glob("*.pcap"))]
        started = time.process_time()
        heard = [_heard(packets, device) for packets in captures]
        seconds += time.process_time() - started
        count += sum(map(len, captures))
        yield from _learned(folder.name, device, captures, heard)
        shares = {name: _share(rules, heard, device) for name, rules in files.items()}
        own = _OWN.get(folder.name)
        others = {name: share for name, share in shares.items() if name != own}
        if own is not None:
            yield Figure(f"{folder.name}: file of its type", "%", shares[own])
        yield Figure(f"{folder.name}: files of others, median", "%", median(others.values()))
        best = max(others, key=others.__getitem__)
        yield Figure(f"{folder.name}: best of others ({best})", "%", others[best])
    yield Figure(f"a packet heard, of {count:,}", "us", seconds / count * 1e6)


def _learned(name: str, device: bytes, captures: list[list[Packet]], heard: list[_Heard]) -> Iterator[Figure]:
    half = len(captures) // 2
    site = Site()
    inventory = Inventory(Listener(site))
    for packet in (packet for packets in captures[:half] for packet in packets):
        inventory.see(packet)
    seen = next(one for one in inventory.devices() if one.mac == device)
    rules = _rules(propose(seen, model=name, is_local=site.is_local, at=_AT).document)
    yield Figure(f"{name}: learned, where it was", "%", _share(rules, heard[:half], device))
    yield Figure(f"{name}: learned, elsewhere", "%", _share(rules, heard[half:], device))


def _heard(packets: list[Packet], device: bytes) -> _Heard:
    listener = Listener(Site())
    for packet in packets:
        listener.see(packet)
    return listener.site.surroundings(), [
        packet for packet in packets if device in (packet.source_mac, packet.destination_mac)
    ]


def _share(rules: RuleSet, heard: Iterable[_Heard], device: bytes) -> float:
    trial = Trial()
    for surroundings, packets in heard:
        decide = PacketFilter(Judge(rules, surroundings), surroundings, device=device)
        trial.hold(passage for packet in packets if (passage := decide.see(packet)) is not None)
    return trial.share(4).percent


def _packets(path: Path) -> Iterator[Packet]:
    with path.open("rb") as stream:
        for frame in read_capture(stream.read):
            try:
                yield decode_frame(frame.data, at=frame.at, length=frame.length, link=frame.link)
            except ProtocolError:
                continue


def _rules(document: bytes) -> RuleSet:
    return compile_rules(admit(document, None, policy=AdmissionPolicy("bench", insecure_unsigned=True), at=_AT))
