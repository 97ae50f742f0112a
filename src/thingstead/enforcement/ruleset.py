"""The fixed part of the ruleset, as nft text: made once, then only elements and small chains change.

::

    input, forward --jump--> from_segment --known--> from_thing4/6 --allowed--> passed --to the segment--> to_segment
    output --------goto----------------------------------------------------------------------------------> to_segment
                                                                        to_segment --known--> to_thing4/6 --> accept

Order is the argument: barred first, so that no established flow outlives a quarantine; then the binding of address
and interface; then established flows; then exact lookups in hash sets; last the thing's own chain, where its
ranges and prefixes are. Everything else is dropped and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

__all__ = ["render_table"]


def render_table(
    name: str,
    *,
    interfaces: Sequence[str],
    local: Iterable[IPv4Network | IPv6Network],
    onboarding: Iterable[tuple[str, int]],
) -> str:
    """Text for nft that puts an empty table in force, in place of one of the same name, in one transaction.

    Args:
        name: of the table.
        interfaces: behind which things live; other traffic of this machine is not touched.
        local: prefixes in use there; they may overlap, which the kernel's sets may not.
        onboarding: protocol name and port at which this machine answers things it does not know yet.
    """
    prefixes = tuple(local)
    four = ", ".join(map(str, collapse_addresses(one for one in prefixes if isinstance(one, IPv4Network))))
    six = ", ".join(map(str, collapse_addresses(one for one in prefixes if isinstance(one, IPv6Network))))
    segments = ", ".join(f'"{interface}"' for interface in interfaces)
    services = ", ".join(f"{protocol} . {port}" for protocol, port in onboarding)
    return _TEXT.format(
        name=name,
        segments=f"elements = {{ {segments} }}",
        local4=f"elements = {{ {four} }}" if four else "",
        local6=f"elements = {{ {six} }}" if six else "",
        onboarding=f"elements = {{ {services} }}" if services else "",
        sets=_family_sets("4", "ipv4_addr") + _family_sets("6", "ipv6_addr"),
        chains=_family_chains("4", "ip") + _family_chains("6", "ip6"),
    )


def _family_sets(family: str, address: str) -> str:
    return _FAMILY_SETS.format(family=family, address=address)


def _family_chains(family: str, ip: str) -> str:
    return _FAMILY_CHAINS.format(family=family, ip=ip)


_TEXT = """\
add table inet {name}
delete table inet {name}
table inet {name} {{
    counter strangers {{ }}
    counter refused_inbound {{ }}
    set segments {{ type ifname; {segments}; }}
    set onboarding {{ type inet_proto . inet_service; {onboarding}; }}
    set local4 {{ type ipv4_addr; flags interval; {local4}; }}
    set local6 {{ type ipv6_addr; flags interval; {local6}; }}
    set barred_mac {{ type ether_addr; counter; }}
{sets}
    chain passed {{
        oifname @segments goto to_segment
        accept
    }}
    chain allowed {{
        accept
    }}
{chains}
    chain from_segment {{
        ip saddr @barred4 drop
        ip6 saddr @barred6 drop
        ether saddr @barred_mac drop
        icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit }} ip6 hoplimit 255 accept
        ip saddr . ether saddr @thing4 goto from_thing4
        ip6 saddr . ether saddr @thing6 goto from_thing6
    }}
    chain to_segment {{
        ip daddr @barred4 drop
        ip6 daddr @barred6 drop
        ct state established,related accept
        icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} ip6 hoplimit 255 accept
        ip daddr @known4 goto to_thing4
        ip6 daddr @known6 goto to_thing6
        ip daddr @local4 drop
        ip6 daddr @local6 drop
        accept
    }}
    chain input {{
        type filter hook input priority filter; policy drop;
        iifname != @segments accept
        jump from_segment
        meta l4proto . th dport @onboarding accept
        counter name strangers
    }}
    chain forward {{
        type filter hook forward priority filter; policy drop;
        iifname @segments jump from_segment
        iifname @segments counter name strangers drop
        oifname @segments goto to_segment
        accept
    }}
    chain output {{
        type filter hook output priority filter; policy drop;
        oifname @segments goto to_segment
        accept
    }}
}}
"""

_FAMILY_SETS = """\
    set barred{family} {{ type {address}; counter; }}
    set thing{family} {{ type {address} . ether_addr; counter; }}
    set known{family} {{ type {address}; }}
    set refused{family} {{ type {address}; counter; }}
    set out{family} {{ type {address} . {address} . inet_proto . inet_service; flags timeout; }}
    set out_from{family} {{ type {address} . {address} . inet_proto . inet_service; flags timeout; }}
    set in{family} {{ type {address} . {address} . inet_proto . inet_service; flags timeout; }}
    set in_from{family} {{ type {address} . {address} . inet_proto . inet_service; flags timeout; }}
    map out_wide{family} {{ type {address} : verdict; }}
    map in_wide{family} {{ type {address} : verdict; }}
"""

_FAMILY_CHAINS = """\
    chain from_thing{family} {{
        ct state established,related goto passed
        {ip} saddr . {ip} daddr . meta l4proto . th dport @out{family} goto passed
        {ip} saddr . {ip} daddr . meta l4proto . th sport @out_from{family} goto passed
        {ip} saddr vmap @out_wide{family}
        {ip} saddr @refused{family} drop
        drop
    }}
    chain to_thing{family} {{
        {ip} daddr . {ip} saddr . meta l4proto . th dport @in{family} accept
        {ip} daddr . {ip} saddr . meta l4proto . th sport @in_from{family} accept
        {ip} daddr vmap @in_wide{family}
        counter name refused_inbound drop
    }}
"""
