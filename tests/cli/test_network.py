"""The list of the owner's rules leads to the newest, or to making one; a preview to the rule itself."""

import pytest

RULE = {"rule": "3f2a9c41", "verdict": "refuse", "about": "all things"}


@pytest.mark.parametrize(
    ("rows", "then"),
    [
        ([], "thingstead network block --help"),
        ([RULE, {**RULE, "rule": "aaaaaaaa"}], "thingstead network revoke aaaaaaaa"),
    ],
)
def test_rules_lead_to_the_newest_or_to_a_first(run, controller, rows, then):
    controller.answer = {"result": rows}
    code, out, _ = run("network", "rules", "--domain", controller.path.parent)
    assert (code, out.splitlines()[-1]) == (0, f"next: {then}")


@pytest.mark.parametrize(
    ("preview", "then"),
    [(True, "thingstead network block, without --preview"), (False, "thingstead network revoke 3f2a9c41")],
)
def test_a_block_leads_to_its_undoing_and_a_preview_to_the_block(run, controller, preview, then):
    controller.answer = {"result": {**RULE, "preview": preview, "breaks": []}}
    words = ("network", "block", "--port", "23", *(["--preview"] if preview else []))
    assert run(*words, "--domain", controller.path.parent)[1].splitlines()[-1] == f"next: {then}"


def test_every_attempt_is_asked_for_by_name(run, controller):
    controller.answer = {"result": []}
    thing = "thing-abcdefghijklmnop"
    run("network", "drops", thing, "--domain", controller.path.parent)
    run("network", "drops", thing, "--each", "--days", "7", "--domain", controller.path.parent)
    assert [asked["days"] for _, asked in controller.asked] == [1, 7]
    assert [asked.get("each", False) for _, asked in controller.asked] == [False, True]


@pytest.mark.requirement("R-89")
def test_what_is_known_of_software_leads_to_what_blocking_it_breaks(run, controller):
    controller.answer = {"result": [{"thing": "thing-abcdefghijklmnop", "id": "CVE-2026-9"}]}
    out = run("osv", "list", "--domain", controller.path.parent)[1]
    assert out.splitlines()[-1] == "next: thingstead network block --cve CVE-2026-9 --preview"
    controller.answer = {"result": []}
    assert "osv import" in run("osv", "list", "--domain", controller.path.parent)[1].splitlines()[-1]
