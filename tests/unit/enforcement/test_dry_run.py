import asyncio
import dataclasses
import logging
from ipaddress import ip_address, ip_network

from thingstead.domain.network import FlowRule, NetworkChange, ThingAddress
from thingstead.enforcement.dry_run import DryRun
from thingstead.identifier import ThingId

THING = ThingId("thing-aaaaaaaaaaaaaaaa")
RULE = FlowRule(True, ip_network("192.0.2.1/32"), 6, (443, 443))
CHANGE = NetworkChange(THING, (ThingAddress(bytes(6), ip_address("10.77.1.1")),), frozenset([RULE]))


def test_it_says_aloud_that_nothing_is_enforced(caplog):
    with caplog.at_level(logging.WARNING):
        enforcer = DryRun("no user namespaces")
    assert "NOT enforced on this machine: no user namespaces" in caplog.text
    assert enforcer.reason == "no user namespaces"


def test_it_remembers_and_gives_no_time():
    async def run():
        enforcer = DryRun("test")
        applied = await enforcer.apply(CHANGE)
        assert (applied.mode, applied.added, applied.removed, applied.seconds) == ("dry_run", 1, 0, None)
        assert (await enforcer.standing(THING)).admitted
        assert (await enforcer.apply(dataclasses.replace(CHANGE, barred=True))).added == 0
        standing = await enforcer.standing(THING)
        assert (standing.admitted, standing.barred, standing.mode) == (False, True, "dry_run")
        assert (await enforcer.apply(dataclasses.replace(CHANGE, rules=None))).removed == 1
        assert not (await enforcer.standing(THING)).admitted
        told = [await enforcer.counters(), await enforcer.rule_counters(THING), await enforcer.drops()]
        assert told == [(), (), ()]
        assert await enforcer.uphold() == ""
        enforcer.close()
        assert not (await enforcer.standing(THING)).barred

    asyncio.run(run())
