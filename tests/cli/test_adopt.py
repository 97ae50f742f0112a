import pytest

from tests.unit.controller.test_brownfield import file

MAC = "02:77:00:00:00:01"
WORDS = ("adopt", MAC, "--ip", "10.77.0.7", "--model", "plug")


@pytest.fixture
def learned(tmp_path):
    path = tmp_path / "learned.json"
    path.write_bytes(file())
    return path


def test_a_device_is_taken_in_with_the_file_that_was_proposed(run, controller, learned):
    controller.answer = {"result": {"thing": "thing-abcdefghijklmnop", "state": "operational"}}
    code, out, _ = run(*WORDS, "--mud", learned, "--zone", "hall", "--domain", controller.path.parent)
    assert code == 0
    assert out.splitlines()[-1] == "next: thingstead thing show thing-abcdefghijklmnop"
    ((operation, asked),) = controller.asked
    assert operation == "device.adopt"
    expected = {"mac": MAC, "ip": "10.77.0.7", "model": "plug", "zone": "hall", "file": file().decode()}
    assert asked == expected


@pytest.mark.parametrize("content", [b"{}", b"", b"\xff\xfe"])
def test_what_is_no_mud_file_is_asked_of_nobody(run, controller, learned, content):
    learned.write_bytes(content)
    assert run(*WORDS, "--mud", learned, "--domain", controller.path.parent)[0] != 0
    assert controller.asked == []


def test_of_a_device_that_is_in_the_addresses_alone_are_said(run, controller):
    controller.answer = {"result": {"thing": "thing-abcdefghijklmnop", "state": "operational"}}
    assert run(*WORDS[:3], "10.77.0.7, fd77::7", "--domain", controller.path.parent)[0] == 0
    expected = {"mac": MAC, "ip": "10.77.0.7,fd77::7", "model": "", "zone": "", "file": ""}
    assert controller.asked == [("device.adopt", expected)]


@pytest.mark.parametrize(
    "words",
    [
        ("adopt", "lamp", *WORDS[2:]),
        (*WORDS[:3], "10.77", *WORDS[4:]),
        (*WORDS[:3], "10.77.0.7,,", *WORDS[4:]),
        WORDS[:2],
    ],
)
def test_what_names_no_device_is_asked_of_nobody(run, controller, learned, words):
    assert run(*words, "--mud", learned, "--domain", controller.path.parent)[0] == 60
    assert controller.asked == []


PROPOSED = {"thing": "thing-abcdefghijklmnop", "services": 1, "not_proposed": [], "doubts": [], "file": "{}"}


def test_a_proposal_is_written_to_be_looked_at(run, controller, tmp_path):
    controller.answer = {"result": PROPOSED}
    words = ("network", "propose", "thing-abcdefghijklmnop", "--domain", controller.path.parent)
    code, out, _ = run(*words, "--days", "2", "--output", "learned.json")
    assert code == 0
    assert out.splitlines()[-1] == "next: thingstead mud explain learned.json"
    assert (tmp_path / "learned.json").read_text() == "{}"
    assert controller.asked == [("network.propose", {"thing": "thing-abcdefghijklmnop", "days": 2})]


def test_a_proposal_that_is_only_looked_at_writes_nothing(run, controller, tmp_path):
    controller.answer = {"result": PROPOSED}
    before = set(tmp_path.iterdir())
    assert run("network", "propose", "thing-abcdefghijklmnop", "--domain", controller.path.parent)[0] == 0
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("days", ["0", "-1", "day"])
def test_no_time_is_no_proposal(run, controller, days):
    assert run("network", "propose", "thing-abcdefghijklmnop", "--days", days)[0] == 60
    assert controller.asked == []


STRANGER = {"neglect": "unmanaged", "thing": None, "since": None, "detail": f"{MAC} at 10.77.0.7"}
SILENT = {"neglect": "silent", "thing": "thing-abcdefghijklmnop", "since": None, "detail": "an hour"}


@pytest.mark.parametrize(
    ("found", "then"),
    [
        ([STRANGER], f"thingstead watch --interface INTERFACE --mac {MAC} --output learned"),
        ([SILENT, STRANGER], "thingstead thing show thing-abcdefghijklmnop"),
        ([], "thingstead thing list"),
    ],
)
def test_who_is_there_unasked_is_looked_at_next(run, controller, found, then):
    controller.answer = {"result": found}
    code, out, _ = run("thing", "forgotten", "--domain", controller.path.parent)
    assert code == 0
    assert out.splitlines()[-1] == f"next: {then}"
