"""What is decided before anything is routed, as nft text: who sends on which port, and what stays on the segment.

Unicast from one port to another is taken up to the router, where the other table decides on it with its tracked
flows: so two things on one segment are as far apart as two sites. Of the rest only what finds neighbours is bridged,
and the multicast that somebody's rules or the owner's helpers name.

How much of that multicast a thing sends is asked where it arrives, once: what is bridged is asked for each port.

A frame may bear a tag that names no VLAN but a priority (IEEE 802.1Q): the kernel takes it off before it takes the
packet up, so what is inside decides. Only the rules for ARP cannot look behind a tag, and none behind two: such do
not pass. What is of a VLAN is for another interface. Who asks whether an address is free, and has none, claims it too:
whoever has it would give it up (RFC 4862 §5.4.3, RFC 5227 §2.1.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

from thingstead.enforcement.ruleset import NO_BOUND, SOME, log_options

__all__ = ["render_bridge_table"]


def render_bridge_table(
    name: str,
    *,
    helpers: Iterable[tuple[IPv4Address | IPv6Address, int]] = (),
    hold_ports: bool = False,
    log_group: int = 5,
) -> str:
    """Text for nft that puts an empty table in force, in place of one of the same name.

    Args:
        name: of the table.
        helpers: multicast groups and their UDP ports that may be used between things.
        hold_ports: an interface that has a place is asked for it before its address is.
        log_group: of NFLOG, which what is dropped is told to.
    """
    groups = tuple(helpers)
    text = {version: ", ".join(f"{ip} . {port}" for ip, port in groups if ip.version == version) for version in (4, 6)}
    return _TEXT.format(
        name=name,
        log=log_options(log_group),
        some=SOME,
        no_bound=NO_BOUND,
        at_once="" if hold_ports else _BOUND,
        after_place=_BOUND if hold_ports else "",
        helpers4=f"elements = {{ {text[4]} }}" if text[4] else "",
        helpers6=f"elements = {{ {text[6]} }}" if text[6] else "",
    )


_BOUND = """\
        meta pkttype host ip saddr . ether saddr @pair4 accept
        meta pkttype host meta l4proto != ipv6-icmp ip6 saddr . ether saddr @pair6 accept
"""
"""Nearly every frame is to the router, from an address that is bound to its interface: the other table decides."""

_TEXT = """\
add table bridge {name}
delete table bridge {name}
table bridge {name} {{
    counter spoofed {{ }}
    counter rogue {{ }}
    counter sideways {{ }}
    set ports {{ type iface_index; }}
    map gateway_mac {{ type iface_index : ether_addr; }}
    set held {{ type ether_addr; }}
    set place {{ type ifname . ether_addr; }}
    set barred_mac {{ type ether_addr; }}
    set known4 {{ type ipv4_addr; }}
    set known6 {{ type ipv6_addr; }}
    set pair4 {{ type ipv4_addr . ether_addr; }}
    set pair6 {{ type ipv6_addr . ether_addr; }}
    set target6 {{ typeof @th,64,128; }}
    set target_pair6 {{ typeof @th,64,128 . ether saddr; }}
    set multicast4 {{ type ether_addr . ipv4_addr . inet_service; }}
    set multicast6 {{ type ether_addr . ipv6_addr . inet_service; }}
    set paced4 {{ type ether_addr . ipv4_addr . inet_service; {no_bound}; counter; }}
    set paced6 {{ type ether_addr . ipv6_addr . inet_service; {no_bound}; counter; }}
    set helpers4 {{ type ipv4_addr . inet_service; {helpers4}; }}
    set helpers6 {{ type ipv6_addr . inet_service; {helpers6}; }}
    chain drop_spoofed {{
        counter name spoofed
        {some} log prefix "spoofed" {log}
        drop
    }}
    chain drop_rogue {{
        counter name rogue
        {some} log prefix "rogue" {log}
        drop
    }}
    chain drop_sideways {{
        counter name sideways
        {some} log prefix "sideways" {log}
        drop
    }}
    chain drop_too_much {{
        {some} log prefix "too_much" {log}
        drop
    }}
    chain arriving4 {{
        ip saddr . ether saddr != @pair4 ip saddr @known4 goto drop_spoofed
        udp sport 67 udp dport 68 goto drop_rogue
        goto upward
    }}
    chain arriving6 {{
        ip6 saddr . ether saddr != @pair6 ip6 saddr @known6 goto drop_spoofed
        meta l4proto icmpv6 goto arriving_icmp6
        udp sport 547 udp dport 546 goto drop_rogue
        goto upward
    }}
    chain arriving_icmp6 {{
        @th,0,8 136 @th,64,128 @target6 @th,64,128 . ether saddr != @target_pair6 goto drop_spoofed
        ip6 saddr :: @th,64,128 @target6 @th,64,128 . ether saddr != @target_pair6 goto drop_spoofed
        @th,0,8 {{ 134, 137 }} goto drop_rogue
        @th,0,8 {{ 135, 136 }} accept
        goto upward
    }}
    chain arriving_arp {{
        ether type != arp goto drop_spoofed
        arp saddr ip @known4 arp saddr ip . arp saddr ether != @pair4 goto drop_spoofed
        arp saddr ip 0.0.0.0 arp daddr ip @known4 arp daddr ip . arp saddr ether != @pair4 goto drop_spoofed
        accept
    }}
    chain upward {{
        meta pkttype host accept
        ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00 goto to_many
        meta pkttype set host ether daddr set iif map @gateway_mac
    }}
    chain to_many {{
        ether saddr . ip daddr . udp dport @multicast4 ip saddr . ether saddr != @pair4 goto drop_spoofed
        ether saddr . ip daddr . udp dport @paced4 accept
        ether saddr . ip6 daddr . udp dport @paced6 accept
        ether saddr . ip daddr . udp dport @multicast4 goto drop_too_much
        ether saddr . ip6 daddr . udp dport @multicast6 goto drop_too_much
        accept
    }}
    chain arriving {{
        type filter hook prerouting priority dstnat; policy accept;
{at_once}        iif != @ports accept
        ether saddr @held iifname . ether saddr != @place goto drop_spoofed
{after_place}        ether type {{ 8021q, 8021ad }} @ll,116,12 != 0 accept
        meta protocol {{ 8021q, 8021ad }} goto drop_spoofed
        meta protocol vmap {{ ip : goto arriving4, ip6 : goto arriving6, arp : goto arriving_arp }}
    }}
    chain between {{
        type filter hook forward priority filter; policy accept;
        iif != @ports accept
        ether saddr @barred_mac goto drop_sideways
        ether type arp accept
        icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} ip6 hoplimit 255 accept
        ip daddr . udp dport @helpers4 accept
        ip6 daddr . udp dport @helpers6 accept
        ether saddr . ip daddr . udp dport @multicast4 accept
        ether saddr . ip6 daddr . udp dport @multicast6 accept
        goto drop_sideways
    }}
}}
"""
