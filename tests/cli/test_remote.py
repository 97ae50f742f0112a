"""What commands ask of a running controller, and what they make of its answers."""

import json

import pytest

from thingstead import errors
from thingstead.errors import CONSEQUENCES

THING = "thing-abcdefghijklmnop"


@pytest.mark.parametrize(
    ("words", "operation", "arguments"),
    [
        (("thing", "list"), "thing.list", {}),
        (("thing", "show", THING), "thing.show", {"thing": THING}),
        (("thing", "admit", THING, "--scope", "lamp"), "thing.admit", {"thing": THING, "scope": "lamp"}),
        (("thing", "quarantine", THING, "--cause", "odd"), "thing.quarantine", {"thing": THING, "cause": "odd"}),
        (("thing", "restore", THING), "thing.restore", {"thing": THING}),
        (("thing", "retire", THING), "thing.retire", {"thing": THING}),
        (("thing", "hand-over", THING, "--forced"), "thing.hand-over", {"thing": THING, "forced": True}),
        (("group", "command", "lamps", "on"), "group.command", {"group": "lamps", "value": "on"}),
        (("group", "rekey", "lamps"), "group.rekey", {"group": "lamps"}),
        (("group", "evict", "lamps", THING), "group.evict", {"group": "lamps", "thing": THING}),
        (("data", "list"), "data.list", {}),
        (("data", "show", THING), "data.show", {"thing": THING}),
        (("data", "erase", THING), "data.erase", {"thing": THING}),
        (("ledger", "show", "--kind", "refusal"), "ledger.show", {"count": 20, "kind": "refusal"}),
        (("ledger", "proof", "7"), "ledger.proof", {"index": 7}),
        (("release", "list"), "release.list", {}),
        (("status",), "status", {}),
        (("ask", "x.y", "a=1", "b=text", 'c={"d": [true]}'), "x.y", {"a": 1, "b": "text", "c": {"d": [True]}}),
    ],
)
def test_a_command_asks_the_operation_of_its_name(run, controller, words, operation, arguments):
    code, _, err = run(*words)
    assert (code, err) == (0, "")
    ((asked, given),) = controller.asked
    assert asked == operation
    assert {key: value for key, value in given.items() if value is not False} == arguments


def test_the_controller_is_told_whole_paths(run, controller, tmp_path):
    run("release", "publish", "lamp.suit", "image.bin")
    assert controller.asked[0][1] == {"envelope": str(tmp_path / "lamp.suit"), "image": str(tmp_path / "image.bin")}


def test_a_list_becomes_a_table_and_names_the_next_command(run, controller):
    controller.answer = {"result": [{"thing": THING, "model": "LX-1", "state": "operational"}]}
    code, out, _ = run("thing", "list")
    assert code == 0
    assert out.splitlines()[1].startswith(f"{THING}  -      LX-1")
    assert out.splitlines()[-1] == f"next: thingstead thing show {THING}"


def test_the_next_command_names_what_nobody_gave_by_its_kind(run, controller):
    controller.answer = {"result": []}
    assert run("thing", "list")[1].splitlines()[-1] == "next: thingstead thing show THING"


def test_an_empty_list_teaches(run, controller):
    controller.answer = {"result": []}
    assert "thingstead factory thing" in run("thing", "list")[1]


def test_a_program_gets_the_result_untouched(run, controller):
    controller.answer = {"result": {"thing": THING, "planes": [{"plane": "data", "milliseconds": None}]}}
    assert json.loads(run("thing", "retire", THING, "--json")[1]) == controller.answer["result"]


@pytest.mark.parametrize("cls", list(CONSEQUENCES))
def test_the_controllers_refusal_keeps_its_exit_code(run, controller, cls):
    controller.answer = {"error": {"kind": cls.__name__, "message": "no, because", "reason": "x"}}
    row = CONSEQUENCES[cls]
    assert run("thing", "list") == (row.exit_code, "", f"thingstead: no, because\n{row.advice}\n")


@pytest.mark.parametrize("kind", ["CONSEQUENCES", "dataclass", "", None, "__name__", "Consequence"])
def test_a_refusal_of_a_kind_that_we_do_not_know_is_still_one(run, controller, kind):
    controller.answer = {"error": {"kind": kind, "message": "no"}}
    assert run("thing", "list")[0] == CONSEQUENCES[errors.ThingsteadError].exit_code


PACKS = ['[{"n":"load","v":1}]', '[{"n":"load","v":2}]']


def page(number):
    """The pages of an export: two with values, and one that is empty by now."""
    senml = [*PACKS, "[]"][number]
    following = f"load {number}" if number < 2 else ""
    return {"result": {"thing": THING, "values": senml.count("v"), "senml": senml, "following": following}}


def test_an_export_is_written_page_by_page_and_private(run, controller, tmp_path):
    controller.answers = [page(number) for number in range(3)]
    code, out, _ = run("data", "export", THING, "--output", "out.senml", "--json")
    assert (code, json.loads(out)) == (0, {"written": str(tmp_path / "out.senml"), "packs": 2, "values": 2})
    assert (tmp_path / "out.senml").read_text().splitlines() == PACKS
    assert (tmp_path / "out.senml").stat().st_mode & 0o077 == 0
    assert [given for _, given in controller.asked] == [
        {"thing": THING},
        {"thing": THING, "after": "load 0"},
        {"thing": THING, "after": "load 1"},
    ]


def test_an_export_goes_to_standard_output_as_it_comes(run, controller):
    controller.answers = [page(number) for number in range(3)]
    assert run("data", "export", THING)[1].splitlines() == PACKS


def test_an_export_that_breaks_off_leaves_nothing_behind(run, controller, tmp_path):
    (tmp_path / "out.senml").write_text("as it was")
    controller.answers = [page(0), {"error": {"kind": "StorageError", "message": "no", "reason": "x"}}]
    assert run("data", "export", THING, "--output", "out.senml")[0] == CONSEQUENCES[errors.StorageError].exit_code
    assert [path.read_text() for path in tmp_path.glob("out*")] == ["as it was"]


def test_a_receipt_is_written_as_bytes(run, controller, tmp_path):
    controller.answer = {"result": {"entry": {"index": 7}, "receipt": "0oRD"}}
    assert run("ledger", "proof", "7", "--output", "r")[0] == 0
    assert (tmp_path / "r").read_bytes() == b"\xd2\x84\x43"


def test_assurance_is_text_for_people_json_for_programs_and_one_html_file(run, controller, tmp_path):
    controller.answer = {"result": {"text": "T1 shown", "html": "<html></html>", "rows": []}}
    assert run("assurance")[1].startswith("T1 shown\n")
    assert json.loads(run("assurance", "--json")[1])["rows"] == []
    assert run("assurance", "--html", "a.html")[0] == 0
    assert (tmp_path / "a.html").read_text() == "<html></html>"
    assert [operation for operation, _ in controller.asked] == ["assurance.text", "assurance", "assurance.page"]
