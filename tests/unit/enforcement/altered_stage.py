"""Run as a program: somebody else changes the tables of the rules, or all tables; prints what was observed as JSON.

Thing 1 is admitted, thing 3 is a stranger.
"""

import asyncio
import dataclasses
import errno
import json
import socket
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.unit.enforcement.stage import ONE, PATIENCE, TCP, TWO, Stage, bound, host
from thingstead.domain.network import FlowRule, NetworkChange
from thingstead.enforcement import nftables
from thingstead.enforcement.conntrack import end_flows_of, within
from thingstead.enforcement.foreign_change import ForeignChanges
from thingstead.enforcement.namespace import inside
from thingstead.enforcement.netlink import NetfilterSocket, NetlinkError
from thingstead.enforcement.nft import load_text
from thingstead.enforcement.nftables import Nftables, NftablesConfig
from thingstead.errors import ConfigError

PROGRAM = Path("/proc/self/comm").read_text().strip()
"""Others are played by a library in this process, over a socket of its own."""

BREAKS = {
    "all tables flushed": "flush ruleset",
    "the routed table deleted": "delete table inet thingstead",
    "the bridge's table deleted": "delete table bridge thingstead",
    "a rule inserted": "insert rule inet thingstead from_segment accept",
    "the rules of a chain flushed": "flush chain inet thingstead from_thing4",
    "a bar lifted": "flush set inet thingstead barred4; flush set inet thingstead barred_mac",
    "an endpoint allowed": "add element inet thingstead out4 {{ {thing} . {internet} . tcp . 80 }}",
}


def look(stage):
    """What must pass, and what must not."""
    return {
        "allowed": stage.connects(stage.one, 443),
        "not allowed": stage.connects(stage.one, 80),
        "stranger": stage.connects(stage.three, 443),
        "barred": stage.connects(stage.two, 443),
    }


async def breaks(stage, seen):
    kernel = stage.kernel
    for name, text in BREAKS.items():
        load_text(text.format(thing=stage.one.ipv4, internet=stage.site.internet))
        opened = look(stage)
        by = await kernel.uphold()
        seen[name] = {
            "before": opened,
            "by": by,
            "then": look(stage),
            "again": await kernel.uphold(),
        }


class Flow:
    """A connection from a thing to the host outside, of which each end says something now and then."""

    def __init__(self, stage, place, web):
        self.client = inside(place.namespace, partial(socket.create_connection, (str(stage.site.internet), 80), 1))
        self.client.settimeout(PATIENCE)
        while True:
            self.server = web.accept()[0]
            if self.server.getpeername()[1] == self.client.getsockname()[1]:
                break

    def passes(self):
        self.client.send(b"x")
        self.server.settimeout(PATIENCE)
        try:
            return self.server.recv(1) == b"x"
        except TimeoutError:
            return False


async def at_once(stage, seen):
    """Nobody asks: the kernel tells, and the event loop is not busy."""
    load_text("flush ruleset")
    await asyncio.sleep(0.05)
    seen["nobody asked"] = look(stage)
    seen["told of later"] = await stage.kernel.uphold()
    load_text("flush ruleset")
    module = vars(nftables)
    loads = module["load_text"]

    def refuse(_text):
        raise ConfigError("a test")

    module["load_text"] = refuse
    await asyncio.sleep(0.05)
    module["load_text"] = loads
    load_text("table inet firewall {\n}\ndelete table inet firewall")
    await asyncio.sleep(0.05)
    seen["not put back"] = stage.connects(stage.three, 443)
    await stage.kernel.uphold()
    seen["put back later"] = look(stage)


async def flows(stage, web, seen):
    """What was opened while nothing was in force, by a thing and by somebody who is not on the segment."""
    load_text("flush ruleset")
    flow = Flow(stage, stage.one, web)
    with socket.create_connection((str(stage.site.internet), 80), 1) as others:
        seen["flow while nothing was in force"] = flow.passes()
        await stage.kernel.uphold()
        others.send(b"x")
        seen["flow after"] = flow.passes()
        counted = NetfilterSocket()
        seen["flows of others that were tracked all the time"] = end_flows_of(
            counted, within([host(stage.site.uplink)])
        )
        seen["of no prefix"] = end_flows_of(counted, within([]))
        counted.close()


async def own(stage, seen):
    """Nothing of this is anybody else's, or about our tables."""
    kernel, full = stage.kernel, stage.change(ONE, stage.one, stage.rules_of_one())
    before = (await kernel.counters())[0].seen
    load_text("table inet firewall {\nchain in {\ntype filter hook input priority 0;\n}\n}")
    found = [await kernel.uphold()]
    await kernel.apply(dataclasses.replace(full, rules=frozenset()))
    await kernel.apply(full)
    found.append(await kernel.uphold())
    load_text("delete table inet firewall")
    found.append(await kernel.uphold())
    seen["what is not about our tables"] = found
    seen["counted on"] = before > 0 and (await kernel.counters())[0].seen >= before
    load_text("flush ruleset")
    await kernel.apply(full)
    seen["a change after all tables were flushed"] = look(stage)
    seen["told after a change"] = [await kernel.uphold() for _ in range(2)]
    load_text("flush ruleset")
    seen["asked after all tables were flushed"] = (await kernel.standing(ONE)).admitted


async def names(stage, seen):
    """An address out of the DNS has the rest of its time, and none that is over comes back."""
    rules = [FlowRule(True, host(stage.site.internet), TCP, (80, 80), lifetime=seconds) for seconds in (1, 600)]
    change = stage.change(ONE, stage.one, ())
    await stage.kernel.apply(dataclasses.replace(change, rules=frozenset(rules[:1])))
    at = time.monotonic()
    load_text("flush ruleset")
    await stage.kernel.uphold()
    seen["while the name lasts"] = stage.connects(stage.one, 80)
    await asyncio.sleep(max(0.0, at + 1.1 - time.monotonic()))
    seen["after the name"] = stage.connects(stage.one, 80)
    load_text("flush ruleset")
    await stage.kernel.uphold()
    seen["a name that was over"] = stage.connects(stage.one, 80)
    await stage.kernel.apply(dataclasses.replace(change, rules=frozenset(rules[1:])))
    load_text("flush ruleset")
    await stage.kernel.uphold()
    seen["a name that is not"] = stage.connects(stage.one, 80)


async def restarts(stage, web, seen):
    """An enforcer that was killed before it put narrower rules in force, or before it ended what they do not allow."""
    wide = stage.change(ONE, stage.one, [FlowRule(True, host(stage.site.internet), TCP, (80, 80))])
    narrow = dataclasses.replace(wide, denied=wide.rules)
    await stage.kernel.apply(wide)

    async def again(change, *, kill=None):
        flow = Flow(stage, stage.one, web)
        if kill is not None:
            await kill()
        stage.kernel.close()
        stage.kernel = Nftables(NftablesConfig((stage.site.interface,), stage.site.networks))
        await stage.kernel.apply(change)
        await stage.kernel.settle()
        passed = flow.passes()
        await stage.kernel.apply(wide)
        return passed

    async def before_flows_end(change=narrow):
        def die(*_):
            raise NetlinkError(errno.EINTR, "a test")

        module = vars(nftables)
        ends, module["end_flows"] = module["end_flows"], die
        with suppress(NetlinkError):
            await stage.kernel.apply(change)
        module["end_flows"] = ends

    async def asked_again():
        """Who is told that it failed asks again, and the flows end then."""
        flow = Flow(stage, stage.one, web)
        await before_flows_end()
        await stage.kernel.apply(narrow)
        passed = flow.passes()
        await stage.kernel.apply(wide)
        return passed

    async def barred():
        """A flow that was not ended waits behind the bar for what comes after it."""
        flow, bar = Flow(stage, stage.one, web), NetworkChange(ONE, wide.addresses, None, barred=True)
        await before_flows_end(bar)
        stage.kernel.close()
        stage.kernel = Nftables(NftablesConfig((stage.site.interface,), stage.site.networks))
        await stage.kernel.apply(bar)
        await stage.kernel.settle()
        await stage.kernel.apply(dataclasses.replace(wide, rules=frozenset()))
        passed = flow.passes()
        await stage.kernel.apply(wide)
        return passed

    async def of_an_earlier_release():
        load_text("delete set inet thingstead basis4\ndelete set inet thingstead basis6")

    seen["restart"] = {
        "same rules": await again(wide),
        "refused meanwhile": await again(narrow),
        "rule gone meanwhile": await again(dataclasses.replace(wide, rules=frozenset())),
        "killed before flows ended": await again(narrow, kill=before_flows_end),
        "asked again": await asked_again(),
        "killed before flows of the barred ended": await barred(),
        "tables of an earlier release": await again(narrow, kill=of_an_earlier_release),
    }


def lost(seen):
    """More notices than the kernel keeps for us: as long as they are ours alone, nothing was changed by others."""
    kernel = NetfilterSocket()
    changes = ForeignChanges(kernel, "full")
    many = ", ".join(f"10.{number >> 8}.{number & 255}.1" for number in range(20_000))
    number = changes.number()
    load_text(f"table inet full {{\nset s {{\ntype ipv4_addr\nelements = {{ {many} }}\n}}\n}}")
    changes.committed()
    found = [changes.number() - number, changes.by()]
    load_text("table inet other {\n}")
    found.append(changes.by())
    load_text(f"flush set inet full s\nadd element inet full s {{ {many} }}")
    found.append(changes.by())
    seen["notices lost"] = [*found, changes.by()]
    changes.close()
    try:
        changes.by()
    except NetlinkError as error:
        seen["closed"] = error.reason
    kernel.close()


async def main():
    stage = Stage()
    seen = {"program": PROGRAM}
    web, secure = (inside(stage.site.outside, partial(bound, socket.SOCK_STREAM, "0.0.0.0", one)) for one in (80, 443))
    kernel = stage.kernel
    await kernel.apply(stage.change(ONE, stage.one, stage.rules_of_one()))
    await kernel.apply(NetworkChange(TWO, stage.change(TWO, stage.two, ()).addresses, None, barred=True))
    await breaks(stage, seen)
    await kernel.settle()
    await at_once(stage, seen)
    await flows(stage, web, seen)
    await own(stage, seen)
    await names(stage, seen)
    await restarts(stage, web, seen)
    stage.kernel.close()
    lost(seen)
    web.close()
    secure.close()
    print(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main())
