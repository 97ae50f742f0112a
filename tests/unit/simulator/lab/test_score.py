from dataclasses import replace

from thingstead.simulator.lab.score import Finding, Outcome, rows


def finding(detector="flood", who="plug-1", after=2.0, *, is_right=True):
    return Finding(detector, who, is_right, after, ("500 datagrams",), "It floods.", "alarm")


def outcome(*findings, expected=("flood",), stopped_by="finding"):
    return Outcome(
        scenario="mine", seed=1, rules=True, events="00", bad=9, let_through=4, repair=0, ordinary=5, kept=5,
        open_for=1.0, open_for_real=0.1, stopped_by=stopped_by, device_days=0.1, lost=0, stops=(),
        rows=rows(findings, ["arp_spoof", "flood"], expected=expected), findings=findings,
    )  # fmt: skip


def test_a_detector_has_found_what_it_told_of_the_one_who_did_it():
    row = outcome(finding()).rows[1]
    assert (row.found, row.after, row.evidence, row.false_alarms) == (True, 2.0, "500 datagrams", 0)


def test_what_is_told_of_another_is_a_false_alarm_and_finds_nothing():
    row = outcome(finding(who="lamp-1", is_right=False)).rows[1]
    assert (row.found, row.false_alarms) == (False, 1)


def test_it_did_not_hold_if_who_had_to_find_it_did_not():
    assert not outcome(finding("arp_spoof")).held


def test_it_did_not_hold_if_nothing_stopped_it():
    assert not outcome(finding(), stopped_by="nothing").held


def test_it_held_if_it_was_found_and_stopped():
    assert outcome(finding()).held


def test_detectors_that_had_nothing_to_say_have_a_row_too():
    assert [row.detector for row in outcome().rows] == ["arp_spoof", "flood"]


def test_a_verdict_does_not_hang_on_how_fast_the_machine_was():
    one = outcome(finding())
    assert replace(one, open_for_real=7.0, bad=90, let_through=50).verdict == one.verdict


def test_a_verdict_hangs_on_who_was_found():
    assert outcome(finding()).verdict != outcome().verdict
