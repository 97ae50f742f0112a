"""The enforcer behind its socket does what the port does, and takes nothing that is no change of a thing's rules."""

import asyncio
import os
import socket
import threading
from ipaddress import ip_address, ip_network

import pytest

from thingstead.domain.network import (
    AppliedChange,
    Drop,
    FlowRule,
    NetworkChange,
    NetworkStanding,
    RuleTraffic,
    ThingAddress,
)
from thingstead.enforcement.dry_run import DryRun
from thingstead.errors import PolicyError, TransportError
from thingstead.identifier import ThingId
from thingstead.keeper.enforcer import Enforcer
from thingstead.keeper.server import serve
from thingstead.transport.enforcement_socket import Ask, RemoteEnforcement, encode_change

ONE = ThingId("thing-aaaaaaaaaaaaaaaa")
RULE = FlowRule(True, ip_network("192.0.2.0/24"), 17, (5683, 5683), (0, 65535), None, 60)
PING = FlowRule(False, ip_network("2001:db8::/32"), 58, icmp=(128, None))
CHANGE = NetworkChange(ONE, (ThingAddress(bytes(6), ip_address("192.0.2.7")),), frozenset({RULE, PING}))


class Counting(DryRun):
    """Has counted something."""

    settled = 0

    async def settle(self):
        self.settled += 1
        return self.mode

    async def uphold(self):
        return "nft"

    async def rule_counters(self, thing):
        return (RuleTraffic(RULE, False, 3), RuleTraffic(PING, True, 1)) if thing == ONE else ()

    async def drops(self):
        return (Drop(1.5, "refused", b"frame"),)


class Refusing(DryRun):
    """Says that the address is another's."""

    async def apply(self, change):
        raise PolicyError("the address is another thing's")


@pytest.fixture
def remote(tmp_path):
    opened = []

    def over(rules):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "enforcer.socket"))
        listener.listen()
        arguments = (Enforcer(rules), listener)
        threading.Thread(target=serve, args=arguments, kwargs={"user": os.geteuid()}, daemon=True).start()
        opened.append(RemoteEnforcement(tmp_path / "enforcer.socket"))
        return opened[0]

    yield over
    for one in opened:
        one.close()


def test_several_changes_come_through_in_order_and_an_address_of_another_is_said(remote):
    other = NetworkChange(ThingId("thing-bbbbbbbbbbbbbbbb"), (), frozenset({PING}))
    done = asyncio.run(remote(DryRun("a test")).apply_all((CHANGE, other)))
    assert [(one.thing, one.added) for one in done] == [(ONE, 2), (other.thing, 1)]


def test_of_several_changes_one_with_an_address_of_another_is_refused(remote):
    with pytest.raises(PolicyError, match="another thing's"):
        asyncio.run(remote(Refusing("a test")).apply_all((CHANGE,)))


def test_a_change_comes_through_whole_and_its_standing_back(remote):
    rules = DryRun("a test")
    there = remote(rules)

    async def story():
        applied = await there.apply(CHANGE)
        return applied, await there.standing(ONE), await there.counters()

    applied, standing, counters = asyncio.run(story())
    assert applied == AppliedChange(ONE, "dry_run", 2, 0, None)
    assert standing == NetworkStanding(ONE, "dry_run", admitted=True, barred=False)
    assert counters == ()
    assert rules._changes[ONE] == CHANGE


def test_what_was_counted_and_logged_comes_back_whole(remote):
    rules = Counting("a test")
    there = remote(rules)

    async def story():
        assert await there.settle() == rules.mode
        assert await there.uphold() == "nft"
        return await there.rule_counters(ONE), await there.drops()

    rows, drops = asyncio.run(story())
    assert rows == (RuleTraffic(RULE, False, 3), RuleTraffic(PING, True, 1))
    assert rules.settled == 1
    assert drops == (Drop(1.5, "refused", b"frame"),)


def test_a_refusal_is_the_port_s_own(remote):
    with pytest.raises(PolicyError, match="another thing"):
        asyncio.run(remote(Refusing("a test")).apply(CHANGE))


def test_where_nobody_enforces_any_more_it_is_told(tmp_path):
    with pytest.raises(TransportError):
        asyncio.run(RemoteEnforcement(tmp_path / "none").standing(ONE))


GOOD = encode_change(CHANGE)


@pytest.mark.parametrize(
    "message",
    [
        [Ask.APPLY],
        [Ask.APPLY, []],
        [Ask.APPLY, ["../etc", *GOOD[1:]]],
        [Ask.APPLY, [ONE, [[b"", "no address", ""]], None, False, *GOOD[4:]]],
        [Ask.APPLY, [ONE, ["x"], None, False, *GOOD[4:]]],
        [Ask.APPLY, [ONE, [], [["x"]], False, *GOOD[4:]]],
        [Ask.APPLY, [ONE, [], [[True, "no prefix", None, [0, 0, 0, 0], None, None]], False, *GOOD[4:]]],
        [Ask.APPLY, [ONE, [], None, 1, *GOOD[4:]]],
        [Ask.STANDING, "nobody"],
        [Ask.RULE_COUNTERS, "nobody"],
        [Ask.DROPS, 1],
        [Ask.SETTLE, True],
        [Ask.STANDING],
        [17, "flush ruleset"],
    ],
    ids=[
        "nothing",
        "empty",
        "another name",
        "no address",
        "no place",
        "no rule",
        "no prefix",
        "no flag",
        "nobody",
        "rules of nobody",
        "which drops",
        "settle what",
        "of whom",
        "another demand",
    ],
)
def test_what_is_no_change_of_a_thing_is_refused(message):
    rules = DryRun("a test")
    enforcer = Enforcer(rules)
    assert enforcer.answer(message)[0] == 1
    assert rules._changes == {}
    enforcer.close()


def bent(*, address=None, rule=None, rate=(1, 1, 1)):
    rows = [] if rule is None else [[True, "192.0.2.0/24", *rule]]
    return [ONE, [] if address is None else [address], rows, False, [], list(rate), False, [], []]


@pytest.mark.parametrize(
    "change",
    [
        bent(address=[b"\2" * 5, "192.0.2.7", ""]),
        bent(address=[b"\2" * 7, "192.0.2.7", ""]),
        bent(address=[b"\2" * 6, "192.0.2.7", "t" * 16]),
        bent(rule=[256, [0, 1, 0, 1], None, None]),
        bent(rule=[-1, [0, 1, 0, 1], None, None]),
        bent(rule=[6, [0, 65_536, 0, 1], None, None]),
        bent(rule=[6, [-1, 1, 0, 1], None, None]),
        bent(rule=[6, [0, 1, 2, 1], None, None]),
        bent(rule=[1, [0, 1, 0, 1], [256, None], None]),
        bent(rule=[1, [0, 1, 0, 1], [None, -1], None]),
        bent(rule=[6, [0, 1, 0, 1], None, 0]),
        bent(rule=[6, [0, 1, 0, 1], None, 1 << 31]),
        bent(rate=(0, 1, 1)),
        bent(rate=(1, 1 << 31, 1)),
    ],
)
def test_what_does_not_fit_into_its_field_in_the_kernel_moves_no_other(change):
    rules = DryRun("a test")
    enforcer = Enforcer(rules)
    assert enforcer.answer([Ask.APPLY, change])[0] == 1
    assert rules._changes == {}
    enforcer.close()


def test_the_largest_that_fits_is_taken():
    enforcer = Enforcer(DryRun("a test"))
    largest = (1 << 31) - 1
    rule = [255, [0, 65_535, 65_535, 65_535], [255, None], largest]
    change = bent(address=[b"\2" * 6, "192.0.2.7", "t" * 15], rule=rule, rate=(largest, 1, largest))
    assert enforcer.answer([Ask.APPLY, change])[0] == 0
    enforcer.close()
