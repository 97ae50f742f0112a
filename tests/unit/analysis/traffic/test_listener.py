from __future__ import annotations

from ipaddress import ip_network

from tests.unit.analysis.traffic.packets import CLOUD, DEVICE, LAMP, SYN, look_up, packet, tcp
from thingstead.analysis.traffic.flow import Limits
from thingstead.analysis.traffic.listener import Listener
from thingstead.analysis.traffic.site import Site


def test_who_turns_out_to_be_the_gateway_was_never_a_device() -> None:
    listener = Listener(Site((ip_network("10.77.0.0/24"),)))
    listener.see(packet(LAMP, CLOUD, 5000, 443))
    listener.see(packet(CLOUD, LAMP, 443, 5000))
    assert [flow.device for flow in listener.end()] == [DEVICE]


def test_a_look_up_names_what_follows_it() -> None:
    listener = Listener(Site(), limits=Limits(idle_seconds=5.0))
    for one in (*look_up("cloud.example", CLOUD), tcp(LAMP, CLOUD, (5000, 443), SYN, at=1.0)):
        listener.see(one)
    ended = listener.see(tcp(LAMP, CLOUD, (5001, 443), SYN, at=100.0))
    assert [flow.remote_name for flow in ended if flow.device == DEVICE] == [None, "cloud.example"]
