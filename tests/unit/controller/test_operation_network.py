"""The owner reads whom a thing talked to, allows and refuses, and sees beforehand what a refusal breaks."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from tests.unit.controller.test_flow_history import LAMP, OTHER, Desk, flow
from tests.unit.controller.test_flow_history import NO as REFUSED
from tests.unit.controller.test_virtual_patch import HOLE
from tests.unit.domain.things import AT, a_thing
from thingstead.controller import operation_network
from thingstead.controller.operation import Operations
from thingstead.controller.operation_network import NetworkAnswers
from thingstead.controller.virtual_patch import VirtualPatches
from thingstead.domain.owner_rule import Way
from thingstead.domain.register import Register
from thingstead.domain.role import OWNER, Operator, Role
from thingstead.domain.unit import Snapshot

THINGS = (a_thing(0), a_thing(1, zone="cellar", model="SW-1"))


class Site:
    """Answers over a history, two things, and rules that are kept in memory."""

    mode = "nftables"

    def __init__(self):
        self.desk, self.kept, self.holes = Desk(), {}, [HOLE]
        self.register = Register(Snapshot(things=THINGS))
        patches = VirtualPatches(self.exposures, rules=self.owner_rules, put=self.put_rule)
        self.answers = NetworkAnswers(
            self,
            self.desk.history,
            patches,
            self.register,
            addresses=lambda _thing: (bytes(6), ip_address("10.77.0.7").packed),
            local=(ip_network("10.77.0.0/16"),),
            days=7,
            clock=self.desk.clock,
        )

    async def exposures(self):
        return self.holes

    async def owner_rules(self):
        return tuple(self.kept.values())

    async def put_rule(self, rule, by):
        assert by == rule.by
        self.kept[rule.id] = rule
        return tuple([one.id for one in THINGS if rule.is_about(one)])

    async def remove_rule(self, identifier, by):
        return self.kept.pop(identifier)

    def ask(self, operation, operator=OWNER, **arguments):
        table = Operations(*operation_network.rows(self.answers))
        asked = {"operation": f"network.{operation}", "arguments": arguments}
        return asyncio.run(table.answer(asked, operator=operator))

    def result(self, operation, **arguments):
        return self.ask(operation, **arguments)["result"]

    def rule(self):
        (rule,) = self.kept.values()
        return rule


@pytest.mark.requirement("R-81")
def test_whom_a_thing_talked_to_is_told_in_words_the_most_first():
    site = Site()
    site.desk.see(flow("192.0.2.1"), flow(names=("cloud.acme.example",)), flow(names=("cloud.acme.example",)))
    first, second = site.result("talk", thing=LAMP)
    assert first["said"].startswith("it contacted cloud.acme.example by TCP port 443 (web), 2 times: 400 B sent")
    assert first["said"].endswith("its maker says so")
    assert (second["who"], second["flows"]) == ("192.0.2.1", 1)
    assert site.result("talk", thing=OTHER) == []


@pytest.mark.requirement("R-81")
def test_each_drop_has_its_reason_and_its_way_back():
    site = Site()
    site.desk.see(flow())
    site.desk.of()
    site.desk.answer = REFUSED
    site.desk.see(flow("203.0.113.5", 23), cause="refused")
    (row,) = site.result("drops", thing=LAMP, days=7)
    assert row["why"] == "no rule names it"
    assert row["undo"] == f"thingstead network allow 203.0.113.5 --thing {LAMP} --protocol tcp --port 23"


@pytest.mark.parametrize(
    ("maker", "address", "command"),
    [
        ("(adopted)", "fd77::9", "thingstead adopt 02:77:00:00:00:01 --ip 10.77.0.7,fd77::9"),
        ("(adopted)", "fe80::9", ""),
        ("acme", "fd77::9", ""),
    ],
)
def test_another_address_of_an_adopted_device_is_named_by_one_command(maker, address, command):
    site = Site()
    thing = replace(THINGS[0], version=2, maker=maker, serial="02:77:00:00:00:01")
    site.register = site.answers._register = Register(Snapshot(things=(thing,)))
    site.desk.see(flow(), cause=f"unbound {address}")
    (row,) = site.result("drops", thing=LAMP)
    assert (row["undo"], address in row["said"]) == (command, True)


def test_a_scan_is_one_row_unless_each_is_asked_for():
    site = Site()
    site.desk.answer = REFUSED
    site.desk.see(*[flow("203.0.113.5", port) for port in range(20, 40)], cause="refused")
    for operation in ("talk", "drops"):
        assert len(site.result(operation, thing=LAMP)) == 1
        assert len(site.result(operation, thing=LAMP, each=True)) == 20


def test_the_command_of_a_drop_is_one_that_works():
    site = Site()
    site.desk.answer = REFUSED
    site.desk.see(flow("203.0.113.5", 23), cause="refused")
    words = site.result("drops", thing=LAMP)[0]["undo"].split()[3:]
    options = dict(zip(words[1::2], words[2::2], strict=True))
    told = site.result("allow", to=words[0], **{key.lstrip("-"): value for key, value in options.items()})
    assert told["in_force_for"] == 1
    assert (site.rule().remote, site.rule().ports, site.rule().things) == ("203.0.113.5/32", (23, 23), (LAMP,))


def test_an_allowance_says_who_why_and_until_when():
    site = Site()
    told = site.result("allow", to="internet", zone="cellar", port="8000-8010", way="both", hours=2, cause="casting")
    rule = site.rule()
    assert (rule.refuses, rule.zone, rule.ports, rule.way) == (False, "cellar", (8000, 8010), Way.BOTH)
    assert (rule.by, rule.at, rule.until, rule.cause) == ("owner", AT, AT + timedelta(hours=2), "casting")
    assert (told["port"], told["protocol"], told["in_force_for"]) == ("8000-8010", "tcp", 1)
    assert [row["rule"] for row in site.result("rules")] == [rule.id]
    assert site.result("revoke", rule=rule.id)["rule"] == rule.id
    assert site.result("rules") == []


@pytest.mark.requirement("R-89")
def test_a_known_vulnerability_is_a_rule_for_all_that_have_it_in_one_command():
    site = Site()
    site.desk.see(flow(port=80, remote="10.77.0.50", outbound=False), flow())
    told = site.result("block", cve="cve-2026-1", port="80")
    assert (told["things"], told["in_force_for"], told["preview"]) == (1, 1, False)
    rule = site.rule()
    assert (rule.refuses, rule.vulnerability, rule.things) == (True, "cve-2026-1", (LAMP,))
    assert (rule.way, rule.protocol, rule.ports, rule.remote) == (Way.IN, 6, (80, 80), "any")
    (broken,) = told["breaks"]
    assert (broken["thing"], broken["who"], told["breaks_in_all"]) == (LAMP, "10.77.0.50", 1)


@pytest.mark.requirement("R-89")
@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        ({"port": "23"}, "all things"),
        ({"port": "23", "zone": "hall"}, "all things in hall"),
        ({"port": "23", "model": "SW-*"}, "all things of model SW-*"),
        ({"port": "23", "model": "SW-1", "zone": "hall"}, "all things of model SW-1 in hall"),
        ({"port": "23", "thing": LAMP}, LAMP),
        ({"cve": "CVE-2026-1"}, "who has CVE-2026-1, 1 now"),
        ({"cve": "CVE-2026-1", "zone": "hall"}, "who has CVE-2026-1, 1 now in hall"),
    ],
)
def test_a_rule_says_whom_it_is_about(arguments, about):
    assert Site().result("block", **arguments)["about"] == about


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({"port": "23"}, {"port": "23-23", "protocol": "TCP", "hours": 2.0, "cause": "once more"}),
        ({"cve": "CVE-2026-1"}, {"cve": "cve-2026-1"}),
        ({"to": "192.0.2.1"}, {"to": "192.0.2.1/32"}),
    ],
)
def test_a_rule_that_is_said_twice_is_one_rule_and_the_later_word_counts(first, again):
    site = Site()
    told = site.result("block", **first)
    site.desk.clock.seconds += 60
    assert told["new"]
    later = site.result("block", **again)
    assert (later["new"], later["rule"]) == (False, told["rule"])
    assert (site.rule().until is not None, site.rule().at) == ("hours" in again, site.desk.clock.utc())


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        ("block", {"port": "24"}),
        ("block", {"way": "out"}),
        ("block", {"zone": "hall"}),
        ("block", {"thing": LAMP}),
        ("block", {"protocol": "udp"}),
        ("block", {"cve": "CVE-2026-1"}),
        ("allow", {"to": "any", "way": "in", "thing": LAMP}),
    ],
)
def test_a_rule_that_says_something_else_is_another(operation, changes):
    site = Site()
    site.result("block", port="23")
    assert site.result(operation, **{"port": "23", **changes})["new"]
    assert len(site.kept) == 2


@pytest.mark.requirement("R-89")
def test_what_nobody_answered_is_not_foretold_to_break():
    site = Site()
    site.desk.see(replace(flow(), packets_in=0, octets_in=0))
    assert site.result("block", port="443", way="out", preview=True)["breaks"] == []


@pytest.mark.requirement("R-89")
def test_what_each_thing_needs_of_the_domain_is_not_foretold_to_break():
    site = Site()
    site.desk.answer = replace(site.desk.answer, by="domain")
    site.desk.see(flow())
    assert site.result("block", port="443", way="out", preview=True)["breaks"] == []


@pytest.mark.parametrize("whom", [{"zone": "halll"}, {"model": "XX-*"}, {"zone": "cellar", "model": "LX-1"}])
def test_a_rule_that_means_nobody_says_so(whom):
    for told in (Site().result("block", port="23", **whom), Site().result("allow", to="local", **whom)):
        assert (told["things"], "look at zone and model" in told["note"]) == (0, True)
    assert "note" not in Site().result("block", port="23", zone="cellar")


@pytest.mark.parametrize("mode", ["dry_run", "nobody yet"])
def test_a_rule_that_nobody_enforces_is_in_force_for_nobody(mode):
    site = Site()
    site.mode = mode
    for told in (site.result("block", port="23"), site.result("allow", to="local", zone="cellar")):
        assert (told["in_force_for"], told["enforced_by"]) == (0, f"NOBODY: {mode}")


def test_a_preview_changes_nothing():
    site = Site()
    site.desk.see(flow()).see(flow("192.0.2.1", 80), thing=OTHER)
    told = site.result("block", port="443", way="out", preview=True)
    assert (told["preview"], told["things"], told["in_force_for"]) == (True, 2, 0)
    assert [row["thing"] for row in told["breaks"]] == [LAMP]
    assert site.kept == {}


def test_what_was_refused_already_does_not_break():
    site = Site()
    site.desk.answer = REFUSED
    site.desk.see(flow())
    assert site.result("block", port="443", way="out", preview=True)["breaks"] == []


@pytest.mark.parametrize(
    ("operation", "arguments", "message"),
    [
        ("allow", {"to": "any"}, "who may do more"),
        ("allow", {"to": "a b", "thing": LAMP}, "expected a name"),
        ("allow", {"to": "any", "thing": a_thing(9).id}, "no thing"),
        ("allow", {"to": "any", "thing": "x"}, "thing id"),
        ("allow", {"to": "any", "thing": LAMP, "protocol": "sctpp"}, "protocol"),
        ("allow", {"to": "any", "thing": LAMP, "protocol": "256"}, "protocol"),
        ("allow", {"to": "any", "thing": LAMP, "port": "http"}, "port"),
        ("allow", {"to": "any", "thing": LAMP, "port": "8", "protocol": "icmp"}, "that has ports"),
        ("block", {"to": "any", "thing": LAMP, "port": "1-9", "protocol": "58"}, "that has ports"),
        ("allow", {"to": "any", "thing": LAMP, "port": "0"}, "between 1 and"),
        ("allow", {"to": "any", "thing": LAMP, "port": "90-80"}, "lower one first"),
        ("allow", {"to": "any", "thing": LAMP, "port": "80-70000"}, "between 1 and"),
        ("allow", {"to": "any", "thing": LAMP, "hours": -1}, "hours"),
        ("allow", {"to": "any", "thing": LAMP, "hours": 9000}, "hours"),
        ("allow", {"to": "any", "thing": LAMP, "way": "up"}, "way"),
        ("block", {}, "what to block"),
        ("block", {"zone": "hall"}, "what to block"),
        ("block", {"cve": "CVE-1", "thing": LAMP}, "--cve or --thing"),
        ("block", {"cve": "CVE-1"}, "no thing runs"),
        ("talk", {"thing": LAMP, "days": 8}, "1 to 7"),
        ("drops", {"thing": LAMP, "days": 0}, "1 to 7"),
        ("talk", {"thing": a_thing(9).id}, "no thing"),
    ],
)
def test_what_says_nothing_is_refused_with_the_place(operation, arguments, message):
    site = Site()
    error = site.ask(operation, **arguments)["error"]
    assert error["kind"] in {"ConfigError", "DecodeError"}
    assert message in error["message"]
    assert site.kept == {}


@pytest.mark.parametrize("role", [Role.MAINTAINER, Role.AUDITOR, Role.USER, Role.INSTALLER])
@pytest.mark.parametrize(
    ("operation", "arguments"),
    [("allow", {"to": "any", "thing": LAMP}), ("block", {"port": "80"}), ("revoke", {"rule": "x"})],
)
def test_only_the_owner_makes_rules(role, operation, arguments):
    site = Site()
    assert site.ask(operation, Operator(role), **arguments)["error"]["kind"] == "RoleError"
    assert site.kept == {}


@pytest.mark.parametrize("role", [Role.USER, Role.INSTALLER, Role.MANUFACTURER])
@pytest.mark.parametrize("operation", ["talk", "drops"])
def test_whom_things_talk_to_is_not_everybodys_to_read(role, operation):
    assert Site().ask(operation, Operator(role), thing=LAMP)["error"]["kind"] == "RoleError"
