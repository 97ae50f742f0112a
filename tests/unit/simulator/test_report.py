import io

from thingstead.simulator.report import Check, Report, Step


def test_a_step_without_a_check_does_not_hold():
    assert not Step("a", "A", 0.0, ()).held


def test_one_failed_check_fails_step_and_report():
    out = io.StringIO()
    report = Report(out, quiet=False)
    report.add(Step("a", "A", 0.0, (Check("one", held=True), Check("two", held=False, detail="why"))))
    assert not report.held
    assert "NOT A" in out.getvalue()
    assert "! two: why" in out.getvalue()


def test_a_report_without_steps_does_not_hold():
    assert not Report(io.StringIO(), quiet=True).held


def test_a_quiet_report_says_nothing_and_keeps_its_figures():
    out = io.StringIO()
    report = Report(out, quiet=True)
    report.add(Step("a", "A", 1.23456, (Check("one", held=True),), {"n": 1}))
    assert out.getvalue() == ""
    assert report.document() == {
        "held": True,
        "steps": [
            {
                "name": "a",
                "title": "A",
                "held": True,
                "seconds": 1.235,
                "checks": [{"what": "one", "held": True, "detail": ""}],
                "figures": {"n": 1},
            }
        ],
        "left_out": {},
    }


def test_a_step_that_is_left_out_is_told_and_neither_holds_nor_fails():
    out = io.StringIO()
    report = Report(out, quiet=False)
    report.add(Step("a", "A", 1.0, (Check("one", held=True),)))
    report.leave_out("b", "B", "no lamp")
    assert report.held
    assert report.document()["left_out"] == {"b": "no lamp"}
    assert out.getvalue().endswith("--  B: left out, no lamp\n")
