"""Run as a program: captures of a real device replayed by tcpreplay through a real bridge under its MUD file's rules.

::

    device's frames --> t1 [ br0, rules, up0 ] <-- out0 everybody else's frames

Arguments: MUD file, MAC address, captures. Prints per capture what the offline test says and what the kernel counted of
the same packets: unicast IPv4 that the device sent from the address it had most of the time.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

from pyroute2 import IPRoute

from thingstead.analysis.traffic.flow import Flow
from thingstead.analysis.traffic.listener import Listener
from thingstead.analysis.traffic.site import PRIVATE, Site
from thingstead.analysis.traffic.verdict import Allowed, Judge
from thingstead.domain.network import FlowRule, NetworkChange, ThingAddress
from thingstead.enforcement import namespace
from thingstead.enforcement.namespace import inside
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.identifier import ThingId
from thingstead.protocols.mud.file import Direction
from thingstead.protocols.mud.rule import RuleSet, compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit
from thingstead.protocols.packet.capture import read_capture
from thingstead.protocols.packet.packet import decode_frame

THING = ThingId("thing-aaaaaaaaaaaaaaaa")
PERMANENT = 0x80


@dataclass(frozen=True)
class Heard:
    """One capture, offline."""

    judge: Judge
    flows: tuple[Flow, ...]
    address: IPv4Address
    rules: frozenset[FlowRule]


def listen(path: Path, rules: RuleSet, mac: bytes) -> Heard | None:
    """What the offline test makes of a capture; None where the device sent nothing by IPv4.

    Rules by name stand for all that their names are answered with in it, for both sides alike from the beginning.
    """
    listener, sent = Listener(Site(PRIVATE)), Counter[bytes]()
    found: list[Flow] = []
    with path.open("rb") as file:
        for frame in read_capture(file.read):
            packet = decode_frame(frame.data, at=frame.at, length=frame.length)
            sent.update(
                [packet.source] if packet.source_mac == mac and packet.family == 4 and any(packet.source) else []
            )
            found += listener.see(packet)
    flows = tuple([flow for flow in (*found, *listener.end()) if flow.device == mac])
    if not sent:
        return None
    named: dict[str, set[bytes]] = {}
    for flow in flows:
        for name in flow.names:
            named.setdefault(name, set()).add(flow.remote)
    surroundings = listener.site.surroundings()
    names = {name: tuple(map(ip_network, remotes)) for name, remotes in named.items()}
    meant = type(surroundings)(
        surroundings.local_networks, surroundings.my_controller, surroundings.controllers, names=names
    )
    in_force = frozenset(
        FlowRule(
            rule.opened_by is Direction.FROM_DEVICE,
            prefix,
            rule.protocol,
            (rule.remote_ports.first, rule.remote_ports.last),
            (rule.device_ports.first, rule.device_ports.last),
            None if rule.icmp is None else (rule.icmp.type, rule.icmp.code),
        )
        for rule in rules.rules
        for prefix in meant.resolve(rule, authority=rules.authority)
    )
    address = ip_address(sent.most_common(1)[0][0])
    assert isinstance(address, IPv4Address)
    return Heard(Judge(rules, meant), flows, address, in_force)


def expected(heard: Heard) -> list[int]:
    """As the offline test has it: packets from the device, of them those that no rule allows, and such ones to it."""
    packets = refused = kept_out = 0
    for flow in heard.flows:
        is_unicast = len(flow.remote) == 4 and not ip_address(flow.remote).is_multicast and flow.remote[3] != 0xFF
        if flow.protocol is None or not is_unicast:
            continue
        packets += flow.packets_out
        if not isinstance(heard.judge.judge(flow), Allowed):
            refused += flow.packets_out
            kept_out += flow.packets_in
    return [packets, refused, kept_out]


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


async def main(document: bytes, mac: bytes, captures: list[Path]) -> None:
    policy = AdmissionPolicy("a look at a file", insecure_unsigned=True)
    rules = compile_rules(admit(document, None, policy=policy, at=datetime(2026, 1, 1, tzinfo=UTC)))
    wire = Wire(mac)
    rows = []
    for capture in captures:
        heard = listen(capture, rules, mac)
        if heard is None:
            continue
        wire.place(heard.address)
        kernel = Nftables(NftablesConfig((wire.site.interface,), ()))
        await kernel.settle()
        change = NetworkChange(THING, (ThingAddress(mac, heard.address),), heard.rules)
        await kernel.apply(NetworkChange(THING, change.addresses, frozenset({FlowRule(True, ip_network("0.0.0.0/0"))})))
        # A right that is taken away ends what an earlier capture left open.
        await kernel.apply(change)
        wire.replay(capture)
        (traffic,) = await kernel.counters()
        kept_out = sum(kernel._meter._counts("inbound").values())
        rows.append([capture.name, expected(heard), [traffic.seen, traffic.refused, kept_out]])
        kernel.close()
    print(json.dumps(rows))


if __name__ == "__main__":
    asyncio.run(
        main(Path(sys.argv[1]).read_bytes(), bytes.fromhex(sys.argv[2].replace(":", "")), [*map(Path, sys.argv[3:])])
    )
