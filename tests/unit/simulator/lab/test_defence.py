"""What the kernel is told, by an enforcer that enforces nothing."""

import asyncio
from ipaddress import ip_network

from tests.unit.simulator.lab.people import cast
from thingstead.enforcement.dry_run import DryRun
from thingstead.simulator.lab.defence import KernelDefence

THOSE = cast("camera", "lamp")
NETWORKS = (ip_network("10.77.0.0/16"), ip_network("fd77::/64"))


class Kernel(DryRun):
    def __init__(self):
        super().__init__("a test")
        self.changes = []

    async def apply(self, change):
        self.changes.append(change)
        return await super().apply(change)


def admitted(*, rules):
    kernel = Kernel()
    defence = KernelDefence(kernel, NETWORKS)
    asyncio.run(defence.admit(THOSE, rules=rules))
    return kernel, defence


def test_with_rules_a_thing_may_do_what_its_habits_need():
    kernel, _ = admitted(rules=True)
    assert [len(change.rules) for change in kernel.changes] == [4, 4]
    assert all(rule.outbound for change in kernel.changes for rule in change.rules)


def test_without_a_profile_a_thing_may_do_anything():
    kernel, _ = admitted(rules=False)
    assert any(rule.remote == ip_network("0.0.0.0/0") for rule in kernel.changes[0].rules)


def test_who_is_stopped_is_barred_and_nobody_else():
    kernel, defence = admitted(rules=True)
    planes = asyncio.run(defence.stop(THOSE.things[0], None))
    assert set(planes) == {"network"}
    assert [change.thing for change in kernel.changes if change.barred] == [kernel.changes[0].thing]


def test_detectors_know_the_gateway_and_whose_every_address_is():
    scene = admitted(rules=True)[1].scene(THOSE)
    assert scene.gateways == {THOSE.gateway.mac}
    assert scene.addresses[THOSE.things[1].ipv6.packed] == THOSE.things[1].mac
    assert set(scene.things) == {one.mac for one in THOSE.things}
