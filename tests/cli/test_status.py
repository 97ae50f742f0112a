"""The status leads to what is most urgent."""

import pytest

ALARMED = {"alarms": {"last_day": 2, "newest": {"cause": "flood"}, "cut_off": 0, "next": "thingstead ledger show"}}


@pytest.mark.parametrize(
    ("told", "then"),
    [
        ({"waiting": 0, "alarms": {"next": ""}}, "thingstead thing list"),
        ({"waiting": 2, "alarms": {"next": ""}}, "thingstead thing waiting"),
        ({"waiting": 2}, "thingstead thing waiting"),
        ({"waiting": 2, **ALARMED}, "thingstead ledger show"),
    ],
)
def test_alarms_come_before_who_waits(run, controller, told, then):
    controller.answer = {"result": told}
    code, out, _ = run("status", "--domain", controller.path.parent)
    assert (code, out.splitlines()[-1]) == (0, f"next: {then}")
