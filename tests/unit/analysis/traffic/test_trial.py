from __future__ import annotations

from ipaddress import ip_address

import pytest

from tests.unit.analysis.traffic.packets import CLOUD, GATEWAY, TCP
from thingstead.analysis.traffic import trial as trials
from thingstead.analysis.traffic.packet_filter import Given, Passage
from thingstead.analysis.traffic.trial import Trial
from thingstead.analysis.traffic.verdict import Allowed, Denied, Opening
from thingstead.protocols.mud.file import Direction, PortRange, Remote, RemoteKind
from thingstead.protocols.mud.rule import Rule

RULE = Rule(Direction.FROM_DEVICE, 4, TCP, Remote(RemoteKind.DNS_NAME, "cloud.example"), PortRange(443, 443))
DENIED = Denied("no rule names it")


def passage(
    verdict: Allowed | Given | Denied = DENIED,
    *,
    outbound: bool = True,
    remote: bytes = CLOUD,
    names: tuple[str, ...] = (),
    protocol: int | None = TCP,
    ports: tuple[int, int] = (443, 40000),
    is_first: bool = True,
) -> Passage:
    opening = Opening(outbound, remote, names, protocol, *ports, None)
    return Passage(opening, verdict, is_first, is_let_in=is_first and not isinstance(verdict, Denied))


def held(*passages: Passage) -> Trial:
    trial = Trial()
    trial.hold(passages)
    return trial


def test_the_share_is_of_packets_both_ways() -> None:
    share = held(passage(Allowed(RULE)), passage(Allowed(RULE), is_first=False), passage()).share(4)
    assert (share.packets, share.allowed, share.flows, share.flows_allowed) == (3, 2, 2, 1)
    assert round(share.percent, 1) == 66.7


def test_nothing_of_a_version_of_ip_is_all_of_it() -> None:
    assert held().share(6).percent == 100.0


def test_versions_of_ip_are_apart() -> None:
    trial = held(passage(remote=ip_address("2001:db8::1").packed))
    assert (trial.share(4).packets, trial.share(6).packets, trial.share(6).percent) == (0, 1, 0.0)


def test_what_is_no_ip_is_no_part_of_any_share() -> None:
    trial = held(passage(remote=GATEWAY, protocol=None))
    assert trial.left_out == 1
    assert trial.share(4).packets == 0


def test_what_passes_without_a_rule_passes_and_uses_none() -> None:
    trial = held(passage(Given("every thing may")))
    assert (trial.share(4).allowed, trial.given, trial.used(), trial.refusals()) == (1, 1, {}, ())


def test_refusals_of_one_kind_are_one_row_the_loudest_first() -> None:
    again = [passage(names=("ads.example",), is_first=False)] * 5
    trial = held(passage(), passage(ports=(443, 40001)), passage(names=("ads.example",)), *again)
    loud, quiet = trial.refusals()
    assert (loud.remote, loud.flows, loud.packets) == ("ads.example", 1, 6)
    assert (quiet.remote, quiet.flows, quiet.packets) == (CLOUD, 2, 2)
    assert (quiet.outbound, quiet.protocol, quiet.port) == (True, TCP, 443)


def test_of_what_was_begun_outside_the_port_of_the_device_is_told() -> None:
    assert held(passage(outbound=False, ports=(40000, 23))).refusals()[0].port == 23


def test_rules_that_were_not_needed_are_missing_from_those_used() -> None:
    assert held(passage(Allowed(RULE))).used() == {RULE: 1}
    assert held(passage()).used() == {}


def test_a_scan_fills_no_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "_MOST_REFUSALS", 2)
    rows = held(*[passage(ports=(port, 1)) for port in range(1, 6)]).refusals()
    assert {row.reason for row in rows if row.port is None} == {"more kinds than are listed"}
    assert sum(row.flows for row in rows) == 5
    assert len(rows) == 3
