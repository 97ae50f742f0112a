"""The fixed part of the ruleset, as nft text: made once, then only elements and small chains change.

::

    input, forward --jump--> from_segment --known--> from_thing4/6 --allowed--> passed --to the segment--> to_segment
    output --------jump----------------------------------------------------------------------------------> to_segment
                                                                        to_segment --known--> to_thing4/6 --> accept

Order is the argument. First the binding of address and interface, and how much: who is barred has none, so that no
open flow outlives a quarantine, and what repairs is decided packet by packet. Then open flows; then how many it opens;
then what is denied, before what is allowed; of both the exact lookups in hash sets first, last the thing's own chain,
where its ranges and prefixes are. Everything else is dropped and counted, and logged under one word. What to_segment
does not know passes where it comes from this machine, and nobody else reaches: not all prefixes of a segment need be
known.

A flow is open once a packet of it has passed every hook, when its entry is confirmed: what nobody answers, as a log
sent by UDP, is decided on once too, and is one flow to the bound on flows.

What nearly every packet passes is few lookups: they are what forwarding costs. So the first rules of forward take what
an open flow sends out of the segment, by one lookup of its binding, whose element counts it and says whether it is too
much. That it came from a segment need not be asked: what comes from elsewhere and goes elsewhere is not decided here.
ICMP takes the longer way: what is said of a flow that failed belongs to that flow for the kernel, whoever says it. A
thing says so of its own flows alone; of another's it would carry anything to the other's peer, or cut the other off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

__all__ = ["NO_BOUND", "SOME", "log_options", "render_table"]

SOME = "limit rate 50/second burst 100 packets"
"""What anybody can cause is logged in samples, or a flood would be a flood of our log."""


def render_table(
    name: str,
    *,
    interfaces: Sequence[str],
    local: Iterable[IPv4Network | IPv6Network],
    onboarding: Iterable[tuple[str, int]],
    log_group: int = 5,
) -> str:
    """Text for nft that puts an empty table in force, in place of one of the same name, in one transaction.

    Args:
        name: of the table.
        interfaces: behind which things live; other traffic of this machine is not touched.
        local: prefixes in use there; they may overlap, which the kernel's sets may not.
        onboarding: protocol name and port at which this machine answers things it does not know yet.
        log_group: of NFLOG, which what is dropped is told to.
    """
    prefixes = tuple(local)
    four = ", ".join(map(str, collapse_addresses(one for one in prefixes if isinstance(one, IPv4Network))))
    six = ", ".join(map(str, collapse_addresses(one for one in prefixes if isinstance(one, IPv6Network))))
    names = [f'"{interface}"' for interface in interfaces]
    services = ", ".join(f"{protocol} . {port}" for protocol, port in onboarding)
    log = log_options(log_group)
    return _TEXT.format(
        name=name,
        # One name is compared, several are looked up.
        segments=names[0] if len(names) == 1 else f"{{ {', '.join(names)} }}",
        local4=f"elements = {{ {four} }}" if four else "",
        local6=f"elements = {{ {six} }}" if six else "",
        onboarding=f"elements = {{ {services} }}" if services else "",
        sets=_family_sets("4", "ipv4_addr") + _family_sets("6", "ipv6_addr"),
        chains=_family_chains("4", "ip", log) + _family_chains("6", "ip6", log),
        some=SOME,
        log=log,
        neighbours=_NEIGHBOURS,
        open=_OPEN,
    )


def log_options(group: int) -> str:
    """Where a logging rule tells what it saw, and how much of it: enough for the headers and a name that is asked."""
    return f"group {group} snaplen 192 queue-threshold 1"


def _family_sets(family: str, address: str) -> str:
    flow = f"{address} . {address} . inet_proto . inet_service"
    rules = "".join(_RULE_SETS.format(no=no, family=family, address=address, flow=flow) for no in ("no_", ""))
    return _FAMILY_SETS.format(family=family, address=address, of_each=_OF_EACH, no_bound=NO_BOUND) + rules


def _family_chains(family: str, ip: str, log: str) -> str:
    neighbours = f"        {_NEIGHBOURS}\n" if family == "6" else ""
    forged = _FORGED.format(family=family, ip=ip, icmp=_ICMP[family])
    server, client = _DHCP_PORTS[family]
    return _FAMILY_CHAINS.format(
        family=family,
        ip=ip,
        some=SOME,
        log=log,
        neighbours=neighbours,
        forged=forged,
        open=_OPEN,
        server=server,
        client=client,
    )


_TEXT = """\
add table inet {name}
delete table inet {name}
table inet {name} {{
    counter strangers {{ }}
    counter refused_inbound {{ }}
    set onboarding {{ type inet_proto . inet_service; {onboarding}; }}
    set local4 {{ type ipv4_addr; flags interval; {local4}; }}
    set local6 {{ type ipv6_addr; flags interval; {local6}; }}
    set barred_mac {{ type ether_addr; counter; }}
{sets}
    chain passed {{
        oifname {segments} goto to_segment
        accept
    }}
    chain allowed {{
        accept
    }}
    chain drop_barred {{
        {some} log prefix "barred" {log}
        drop
    }}
{chains}
    chain from_segment {{
        ip saddr . ether saddr @thing4 goto from_thing4
        ip6 saddr . ether saddr @thing6 goto from_thing6
        ip saddr . ether saddr @bound4 goto too_much4
        ip6 saddr . ether saddr @bound6 goto too_much6
        ip saddr @barred4 goto from_barred4
        ip6 saddr @barred6 goto from_barred6
        ether saddr @barred_mac goto drop_barred
        {neighbours}
    }}
    chain to_segment {{
        ip daddr @barred4 goto to_barred4
        ip6 daddr @barred6 goto to_barred6
        {open} accept
        icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} ip6 hoplimit 255 accept
        ip daddr @known4 goto to_thing4
        ip6 daddr @known6 goto to_thing6
        ip daddr @local4 drop
        ip6 daddr @local6 drop
    }}
    chain drop_stranger {{
        counter name strangers
        {some} log prefix "stranger" {log}
        drop
    }}
    chain input {{
        type filter hook input priority filter; policy drop;
        iifname != {segments} accept
        jump from_segment
        meta l4proto . th dport @onboarding accept
        goto drop_stranger
    }}
    chain forward {{
        type filter hook forward priority filter; policy drop;
        meta nfproto ipv4 oifname != {segments} meta l4proto != icmp {open} ip saddr . ether saddr @thing4 accept
        meta nfproto ipv6 oifname != {segments} meta l4proto != icmpv6 {open} ip6 saddr . ether saddr @thing6 accept
        iifname {segments} jump from_segment
        iifname {segments} goto drop_stranger
        oifname {segments} goto to_segment
        accept
    }}
    chain output {{
        type filter hook output priority filter; policy drop;
        oifname {segments} udp sport 67 udp dport 68 accept
        oifname {segments} jump to_segment
        accept
    }}
}}
"""

_NEIGHBOURS = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } ip6 hoplimit 255 accept"

_OPEN = "ct status confirmed"

_ICMP = {"4": "icmp", "6": "icmpv6"}
_FORGED = (
    "meta l4proto {icmp} ct state related ct original {ip} saddr . ether saddr != @bound{family} "
    "ct reply {ip} saddr . ether saddr != @bound{family}"
)
"""An error about a flow of somebody else: who sends it neither opened it nor answered, however it is translated."""

NO_BOUND = "limit rate 1000000000/second burst 1000000000 packets"
"""One a nanosecond: an element that says no bound of its own has this one."""

_DHCP_PORTS = {"4": (67, 68), "6": (547, 546)}
"""Of server and client (RFC 2131 §4.1, RFC 8415 §7.2)."""

_OF_EACH = "counter; limit rate 10/second burst 20 packets"
"""Each thing has its own share of the log: who floods hides nothing of what another does."""

_FAMILY_SETS = """\
    set basis{family} {{ type {address}; }}
    set barred{family} {{ type {address}; }}
    set stopped{family} {{ type {address}; {of_each}; }}
    set thing{family} {{ type {address} . ether_addr; {no_bound}; counter; }}
    set bound{family} {{ type {address} . ether_addr; counter; }}
    set known{family} {{ type {address}; }}
    set refused{family} {{ type {address}; {of_each}; }}
    set inbound{family} {{ type {address}; {of_each}; }}
    set learning{family} {{ type {address}; }}
    set flows{family} {{ type {address}; limit rate over 1/second; }}
    set named_out{family} {{ type {address} . {address}; flags timeout; }}
    set named_in{family} {{ type {address} . {address}; flags timeout; }}
    map repair_from{family} {{ type {address} . ether_addr : verdict; }}
    map repair_to{family} {{ type {address} : verdict; }}
"""

_RULE_SETS = """\
    set {no}out{family} {{ type {flow}; flags timeout; counter; }}
    set {no}out_from{family} {{ type {flow}; flags timeout; counter; }}
    set {no}in{family} {{ type {flow}; flags timeout; counter; }}
    set {no}in_from{family} {{ type {flow}; flags timeout; counter; }}
    map {no}out_wide{family} {{ type {address} : verdict; }}
    map {no}in_wide{family} {{ type {address} : verdict; }}
"""

_FAMILY_CHAINS = """\
    chain denied{family} {{
        {ip} saddr @refused{family} log prefix "denied" {log}
        drop
    }}
    chain denied_inbound{family} {{
        {ip} daddr @inbound{family} log prefix "denied_inbound" {log}
        drop
    }}
    chain too_much{family} {{
        {ip} saddr @refused{family} log prefix "too_much" {log}
        drop
    }}
    chain rogue{family} {{
        {ip} saddr @refused{family} log prefix "rogue" {log}
        drop
    }}
    chain learned{family} {{
        {some} log prefix "learned" {log}
        goto passed
    }}
    chain learned_inbound{family} {{
        {some} log prefix "learned" {log}
        accept
    }}
    chain from_barred{family} {{
        {ip} saddr . ether saddr vmap @repair_from{family}
        {ip} saddr @stopped{family} log prefix "barred" {log}
        drop
    }}
    chain to_barred{family} {{
        {ip} daddr vmap @repair_to{family}
        goto drop_barred
    }}
    chain from_thing{family} {{
{neighbours}        {forged} goto rogue{family}
        {open} goto passed
        udp sport {server} udp dport {client} goto rogue{family}
        {ip} saddr @flows{family} goto too_much{family}
        {ip} saddr . {ip} daddr . meta l4proto . th dport @no_out{family} goto denied{family}
        {ip} saddr . {ip} daddr . meta l4proto . th sport @no_out_from{family} goto denied{family}
        {ip} saddr vmap @no_out_wide{family}
        {ip} saddr . {ip} daddr . meta l4proto . th dport @out{family} goto passed
        {ip} saddr . {ip} daddr . meta l4proto . th sport @out_from{family} goto passed
        {ip} saddr vmap @out_wide{family}
        {ip} saddr @learning{family} goto learned{family}
        {ip} saddr @refused{family} log prefix "refused" {log}
        drop
    }}
    chain to_thing{family} {{
        {ip} daddr . {ip} saddr . meta l4proto . th dport @no_in{family} goto denied_inbound{family}
        {ip} daddr . {ip} saddr . meta l4proto . th sport @no_in_from{family} goto denied_inbound{family}
        {ip} daddr vmap @no_in_wide{family}
        {ip} daddr . {ip} saddr . meta l4proto . th dport @in{family} accept
        {ip} daddr . {ip} saddr . meta l4proto . th sport @in_from{family} accept
        {ip} daddr vmap @in_wide{family}
        {ip} daddr @learning{family} {ip} saddr @local{family} goto learned_inbound{family}
        counter name refused_inbound
        {ip} daddr @inbound{family} log prefix "refused_inbound" {log}
        drop
    }}
"""
