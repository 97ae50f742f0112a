from __future__ import annotations

from ipaddress import ip_address

import pytest

from tests.unit.analysis.traffic.packets import CLOUD, GATEWAY, TCP, UDP, flow
from thingstead.analysis.traffic import trial as trials
from thingstead.analysis.traffic.trial import Trial
from thingstead.analysis.traffic.verdict import Judge
from thingstead.protocols.mud.file import Direction, PortRange, Remote, RemoteKind
from thingstead.protocols.mud.rule import Rule, RuleSet, Surroundings

RULE = Rule(Direction.FROM_DEVICE, 4, TCP, Remote(RemoteKind.DNS_NAME, "cloud.example"), PortRange(443, 443))
JUDGE = Judge(RuleSet("https://maker.example/lamp", (RULE,), (), None, "test", 48, None), Surroundings())


def held(*flows: object) -> Trial:
    trial = Trial()
    trial.hold(flows, JUDGE)  # type: ignore[arg-type]  # made by flow()
    return trial


def test_the_share_is_of_packets_both_ways() -> None:
    share = held(flow(names=("cloud.example",)), flow(protocol=UDP, packets_out=1, packets_in=0)).share(4)
    assert (share.packets, share.allowed, share.flows, share.flows_allowed) == (6, 5, 2, 1)
    assert round(share.percent, 1) == 83.3


def test_nothing_of_a_version_of_ip_is_all_of_it() -> None:
    assert held().share(6).percent == 100.0


def test_versions_of_ip_are_apart() -> None:
    trial = held(flow(remote=ip_address("2001:db8::1").packed))
    assert (trial.share(4).packets, trial.share(6).packets, trial.share(6).percent) == (0, 5, 0.0)


def test_what_is_no_ip_is_no_part_of_any_share() -> None:
    trial = held(flow(remote=GATEWAY, protocol=None))
    assert trial.left_out == 5
    assert trial.share(4).packets == 0


def test_refusals_of_one_kind_are_one_row_the_loudest_first() -> None:
    trial = held(flow(), flow(device_port=40001), flow(names=("ads.example",), packets_out=50))
    loud, quiet = trial.refusals()
    assert (loud.remote, loud.flows, loud.packets) == ("ads.example", 1, 52)
    assert (quiet.remote, quiet.flows, quiet.packets) == (CLOUD, 2, 10)
    assert (quiet.outbound, quiet.protocol, quiet.port) == (True, TCP, 443)


def test_of_what_was_begun_outside_the_port_of_the_device_is_told() -> None:
    assert held(flow(outbound=False, device_port=23)).refusals()[0].port == 23


def test_rules_that_were_not_needed_are_missing_from_those_used() -> None:
    assert held(flow(names=("cloud.example",))).used() == {RULE: 5}
    assert held(flow()).used() == {}


def test_a_scan_fills_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "_MOST_REFUSALS", 2)
    rows = held(*[flow(remote_port=port) for port in range(1, 6)]).refusals()
    assert {row.reason for row in rows if row.port is None} == {"more kinds than are listed"}
    assert sum(row.flows for row in rows) == 5
    assert len(rows) == 3
