"""The list of responses leads to who is cut off still, and to the evidence where nobody is."""

import pytest

ROW = {
    "thing": "thing-abcdefghijklmnop",
    "detector": "scan",
    "explanation": "it tries many hosts",
    "at": "2026-11-24T01:00:00Z",
    "cut_off_after_ms": 12.5,
    "ended_by": "",
}
CLOSED = {**ROW, "response": "aaaaaaaaaaaa", "ended_at": "2026-11-24T02:00:00Z", "ended_by": "owner"}
OPEN = {**ROW, "response": "bbbbbbbbbbbb", "ended_at": None}


@pytest.mark.parametrize(
    ("rows", "then"),
    [
        ([], "thingstead ledger show --kind alarm"),
        ([CLOSED], "thingstead ledger show --kind alarm"),
        ([CLOSED, OPEN], "thingstead response undo bbbbbbbbbbbb"),
    ],
)
def test_the_next_command_is_about_who_is_cut_off(run, controller, rows, then):
    controller.answer = {"result": rows}
    code, out, _ = run("response", "list", "--domain", controller.path.parent)
    assert (code, out.splitlines()[-1]) == (0, f"next: {then}")


def test_what_was_undone_before_is_refused_with_advice_that_fits(run, controller):
    told = {"kind": "TransitionError", "reason": "transition", "message": "it was let go by owner already"}
    controller.answer = {"error": told}
    code, _, err = run("response", "undo", "aaaaaaaaaaaa", "--domain", controller.path.parent)
    assert (code, "thing show" in err) == (31, True)
