"""Which links are ports of a bridge, as the kernel has it now."""

from __future__ import annotations

from pyroute2 import IPRoute

__all__ = ["ports_of"]


def ports_of(interface: str) -> tuple[str, ...]:
    """Names of a bridge's ports, in the network namespace that asks; none of what is no bridge, or not there."""
    with IPRoute() as route:
        links = [link for index in route.link_lookup(ifname=interface) for link in route.get_links(master=index)]
    return tuple(sorted(str(link.get_attr("IFLA_IFNAME")) for link in links))
