"""Run as a program: captures of a real device replayed by tcpreplay through a real bridge under its MUD file's rules.

::

    device's frames --> t1 [ br0, rules, up0 ] <-- out0 everybody else's frames

Arguments: MUD file, or "learned" for what our own learner makes of half of them; MAC address; captures. Prints for each
what the offline test says and what the kernel counted of the same packets: IPv4 for one host, or for all of them.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_network
from pathlib import Path

from pyroute2 import IPRoute

from thingstead.analysis.traffic.inventory import Inventory
from thingstead.analysis.traffic.listener import Listener
from thingstead.analysis.traffic.name_book import NameBook
from thingstead.analysis.traffic.packet_filter import PacketFilter
from thingstead.analysis.traffic.proposal import propose
from thingstead.analysis.traffic.site import PRIVATE, Site
from thingstead.analysis.traffic.verdict import Denied, Judge
from thingstead.domain.network import FlowRule, NetworkChange, ThingAddress
from thingstead.enforcement import namespace
from thingstead.enforcement.namespace import inside
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.identifier import ThingId
from thingstead.protocols.mud.file import Direction
from thingstead.protocols.mud.rule import RuleSet, Surroundings, compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit
from thingstead.protocols.packet.capture import read_capture
from thingstead.protocols.packet.packet import Packet, decode_frame

AT = datetime(2026, 1, 1, tzinfo=UTC)
ALL_HOSTS = b"\xff" * 4, bytes([224, 0, 0, 1])
THING = ThingId("thing-aaaaaaaaaaaaaaaa")
PERMANENT = 0x80


@dataclass(frozen=True)
class Heard:
    """One capture, offline.

    Attributes:
        addresses: that the device sent from, or was sent to at.
        rules: as the kernel gets them.
        counted: packets from the device, of them those that no rule lets pass, and such ones to it.
    """

    addresses: tuple[IPv4Address, ...]
    rules: frozenset[FlowRule]
    counted: list[int]


def read(path: Path) -> list[Packet]:
    """All of a capture. The replay takes no time, so none passes for the offline side either."""
    with path.open("rb") as file:
        packets = [decode_frame(frame.data, at=frame.at, length=frame.length) for frame in read_capture(file.read)]
    for packet in packets:
        packet.at = 0.0
    return packets


def listen(packets: list[Packet], rules: RuleSet, mac: bytes) -> Heard | None:
    """What the offline test makes of a capture; None where the device sent nothing by IPv4 that the kernel counts.

    Rules by name stand for all that their names are answered with in it, for both sides alike from the beginning.
    The gateway of the capture is behind the uplink like everybody else: this machine gives no addresses.
    """
    site, names, named = Site(PRIVATE), NameBook(), dict[str, set[bytes]]()
    for packet in packets:
        site.see(packet)
        names.see(packet)
    own = [packet for packet in packets if mac in (packet.source_mac, packet.destination_mac)]
    for packet in own:
        remote = packet.destination if packet.source_mac == mac else packet.source
        for name in names.names_of(remote, 0.0) if packet.family else ():
            named.setdefault(name, set()).add(remote)
    answers = {name: tuple(map(ip_network, remotes)) for name, remotes in named.items()}
    surroundings = replace(site.surroundings(), names=answers)
    decide = PacketFilter(Judge(rules, surroundings), Surroundings(), device=mac)
    counted = [0, 0, 0]
    for packet in packets:
        passage = decide.see(packet)
        if passage is None or not is_counted(packet):
            continue
        is_sent, is_refused = packet.source_mac == mac, isinstance(passage.verdict, Denied)
        counted[0] += is_sent
        counted[1] += is_sent and is_refused
        counted[2] += not is_sent and is_refused
    seen = filter(is_counted, own)
    addresses = sorted({packet.source if packet.source_mac == mac else packet.destination for packet in seen})
    if not addresses:
        return None
    return Heard(tuple(map(IPv4Address, addresses)), in_force(rules, surroundings), counted)


def is_counted(packet: Packet) -> bool:
    """What the kernel counts of a thing: what is for one host, or for all hosts, of which this machine is one."""
    is_to_many = bool(packet.destination_mac[0] & 1)
    return packet.family == 4 and any(packet.source) and (not is_to_many or packet.destination in ALL_HOSTS)


def in_force(rules: RuleSet, surroundings: Surroundings) -> frozenset[FlowRule]:
    """Rules in addresses, and that every thing may renew its lease."""
    made = {
        FlowRule(
            rule.opened_by is Direction.FROM_DEVICE,
            prefix,
            rule.protocol,
            (rule.remote_ports.first, rule.remote_ports.last),
            (rule.device_ports.first, rule.device_ports.last),
            None if rule.icmp is None else (rule.icmp.type, rule.icmp.code),
        )
        for rule in rules.rules
        for prefix in surroundings.resolve(rule, authority=rules.authority)
    }
    return frozenset({*made, FlowRule(True, ip_network("255.255.255.255/32"), 17, (67, 67))})


class Wire:
    """A site whose two cables end in one namespace, where tcpreplay speaks for both sides."""

    def __init__(self, mac: bytes) -> None:
        self.site = site = namespace.Site.create()
        self.mac = mac
        with IPRoute() as route:
            index = {name: route.link_lookup(ifname=name)[0] for name in (site.interface, "up0")}
            self.bridge = index[site.interface]
            # What is for the device comes in by the uplink as it was captured, with the device's own address on it.
            route.link("set", index=index["up0"], address=mac.hex(":"))
            route.link("add", ifname="t1", kind="veth", peer={"ifname": "far1"})
            route.link("set", index=route.link_lookup(ifname="far1")[0], net_ns_fd=site.outside)
            port = route.link_lookup(ifname="t1")[0]
            route.link("set", index=port, master=self.bridge, state="up")
            route.neigh(
                "add", dst=str(site.internet), lladdr="02:77:ff:ff:ff:fe", ifindex=index["up0"], state=PERMANENT
            )
            for half in ("0.0.0.0/1", "128.0.0.0/1"):
                route.route("add", dst=half, gateway=str(site.internet))
        inside(site.outside, self._silence)
        for name, value in (("nf_conntrack_checksum", "0"), ("nf_conntrack_tcp_be_liberal", "1")):
            Path("/proc/sys/net/netfilter", name).write_text(value, encoding="ascii")

    @staticmethod
    def _silence() -> None:
        Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1", encoding="ascii")
        with IPRoute() as there:
            there.flush_addr(index=there.link_lookup(ifname="eth0")[0])
            for name in ("eth0", "far1"):
                there.link("set", index=there.link_lookup(ifname=name)[0], state="up", arp=False)

    def place(self, address: IPv4Address) -> None:
        """Where the device is in this capture."""
        with IPRoute() as route:
            route.route("replace", dst=f"{address}/32", oif=self.bridge)
            route.neigh("replace", dst=str(address), lladdr=self.mac.hex(":"), ifindex=self.bridge, state=PERMANENT)

    def replay(self, capture: Path) -> None:
        """Every frame in its order: the device's on its port, all others on the uplink."""
        with tempfile.TemporaryDirectory() as folder:
            cache = f"{folder}/sides"
            words = ["tcpprep", f"--mac={self.mac.hex(':')}", f"--pcap={capture}", f"--cachefile={cache}"]
            subprocess.run(words, check=True, capture_output=True)
            command = ["tcpreplay", "--topspeed", f"--cachefile={cache}", "--intf1=far1", "--intf2=eth0", str(capture)]
            done = inside(
                self.site.outside, lambda: subprocess.run(command, check=False, capture_output=True, text=True)
            )
            if done.returncode:
                raise SystemExit(done.stderr)


def learned(captures: list[Path], mac: bytes) -> RuleSet:
    """The file that our own learner makes of the first half of the captures."""
    site = Site(PRIVATE)
    inventory = Inventory(Listener(site))
    for capture in captures[: len(captures) // 2]:
        with capture.open("rb") as file:
            for frame in read_capture(file.read):
                inventory.see(decode_frame(frame.data, at=frame.at, length=frame.length))
    device = next(one for one in inventory.devices() if one.mac == mac)
    return compiled(propose(device, model="learned", is_local=site.is_local, at=AT).document)


def compiled(document: bytes) -> RuleSet:
    return compile_rules(admit(document, None, policy=AdmissionPolicy("a look", insecure_unsigned=True), at=AT))


async def main(rules: RuleSet, mac: bytes, captures: list[Path]) -> None:
    wire = Wire(mac)
    rows = []
    for capture in captures:
        heard = listen(read(capture), rules, mac)
        if heard is None:
            continue
        for address in heard.addresses:
            wire.place(address)
        kernel = Nftables(NftablesConfig((wire.site.interface,), ()))
        await kernel.settle()
        change = NetworkChange(THING, tuple(ThingAddress(mac, address) for address in heard.addresses), heard.rules)
        await kernel.apply(replace(change, rules=frozenset({FlowRule(True, ip_network("0.0.0.0/0"))})))
        # A right that is taken away ends what an earlier capture left open.
        await kernel.apply(change)
        wire.replay(capture)
        (traffic,) = await kernel.counters()
        kept_out = sum(kernel._meter._counts("inbound").values())
        rows.append([capture.name, heard.counted, [traffic.seen, traffic.refused, kept_out]])
        await kernel.apply(NetworkChange(THING, change.addresses, None))
        kernel.close()
    print(json.dumps(rows))


if __name__ == "__main__":
    interface, recorded = bytes.fromhex(sys.argv[2].replace(":", "")), [*map(Path, sys.argv[3:])]
    is_learned = sys.argv[1] == "learned"
    file = learned(recorded, interface) if is_learned else compiled(Path(sys.argv[1]).read_bytes())
    asyncio.run(main(file, interface, recorded))
