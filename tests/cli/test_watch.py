import json
import subprocess
import sys

import pytest

from tests.unit.analysis.traffic.packets import (
    CLOUD,
    LAMP,
    PHONE,
    ROUTER,
    SYN,
    SYN_ACK,
    TCP,
    capture,
    look_up,
    packet,
    tcp,
)  # fmt: skip
from thingstead.protocols.mud.parser import parse

LAMP_MAC, PHONE_MAC = "02:77:00:00:00:01", "02:77:00:00:00:02"
HEADERS = b"HTTP/1.1 200 OK\r\nServer: mosquitto/1.4.1\r\n\r\n"
PACKETS = (
    *look_up("cloud.example", CLOUD, at=1.0),
    tcp(LAMP, CLOUD, (40000, 443), SYN, at=2.0),
    tcp(CLOUD, LAMP, (443, 40000), SYN_ACK, at=2.1),
    tcp(PHONE, LAMP, (40001, 80), SYN, at=3.0),
    tcp(LAMP, PHONE, (80, 40001), SYN_ACK, at=3.0),
    packet(LAMP, PHONE, 80, 40001, protocol=TCP, flags=16, payload=HEADERS, at=3.1),
    packet(ROUTER, LAMP, 9, 9, at=4.0),
)
RECORD = {
    "id": "OSV-2020-1",
    "affected": [{"package": {"name": "mosquitto", "ecosystem": "OSS-Fuzz"}, "versions": ["1.4.1"]}],
}


@pytest.fixture
def pcap(tmp_path):
    path = tmp_path / "home.pcap"
    path.write_bytes(capture(PACKETS))
    return path


@pytest.mark.requirement("R-12")
def test_everybody_who_was_heard_is_told_though_nobody_manages_it(run, pcap):
    code, out, _ = run("watch", "--pcap", pcap, "--json")
    rows = {row["mac"]: row for row in json.loads(out)}
    assert code == 0
    assert rows[LAMP_MAC]["services"] == ["TCP port 80 (web in clear)"]
    assert rows[LAMP_MAC]["addresses"] == ["10.77.0.7"]
    assert [row["kind"] for row in rows.values()][-1] == "gateway"
    assert rows[LAMP_MAC]["supported"] == "not known"
    assert rows[LAMP_MAC]["maker"] == "(an address of its own making)"


@pytest.mark.requirement("R-81")
def test_all_of_one_device_in_sentences(run, pcap):
    shown = json.loads(run("watch", "--pcap", pcap, "--mac", LAMP_MAC, "--json")[1])
    talks = [row["what"] for row in shown["talks"]]
    assert any("it contacted cloud.example once by TCP port 443" in one for one in talks)
    assert shown["software"] == ["mosquitto 1.4.1"]


def test_known_vulnerabilities_of_what_it_names_are_told(run, pcap, tmp_path):
    (tmp_path / "osv.json").write_text(json.dumps(RECORD))
    shown = json.loads(run("watch", "--pcap", pcap, "--mac", LAMP_MAC, "--osv", tmp_path / "osv.json", "--json")[1])
    assert [row["id"] for row in shown["vulnerabilities"]] == ["OSV-2020-1"]


def test_who_was_not_held_against_any_records_is_not_called_clean(run, pcap, tmp_path):
    (tmp_path / "osv.json").write_text(json.dumps(RECORD))
    for words in ((), ("--mac", LAMP_MAC)):
        _, out, _ = run("watch", "--pcap", pcap, *words, "--json")
        shown = json.loads(out)
        assert (shown if words else shown[0])["vulnerabilities"] is None
        assert "were not looked for" in run("watch", "--pcap", pcap, *words)[2]
    row = json.loads(run("watch", "--pcap", pcap, "--osv", tmp_path / "osv.json", "--json")[1])[0]
    assert row["vulnerabilities"] == 1


def test_the_next_command_leads_from_all_devices_over_one_to_its_file(run, pcap, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = run("watch", "--pcap", pcap)[1].splitlines()[-1]
    assert whole == f"next: thingstead watch --pcap {pcap} --mac {LAMP_MAC} --output learned"
    words = whole.removeprefix("next: thingstead ").split()
    one = run(*words)[1].splitlines()[-1]
    assert one == "next: thingstead mud explain learned/02-77-00-00-00-01.json"
    assert run(*one.removeprefix("next: thingstead ").split())[0] == 0
    file = "learned/02-77-00-00-00-01.json"
    tried = run("mud", "test", file, "--pcap", pcap, "--mac", LAMP_MAC)[1].splitlines()[-1]
    assert tried == f"next: thingstead adopt {LAMP_MAC} --ip ADDRESS --model MODEL --mud {file}"
    assert "next:" not in run("mud", "test", file, "--pcap", pcap, "--mac", PHONE_MAC)[1]


@pytest.mark.parametrize(
    ("option", "content", "why"),
    [
        ("--osv", "[", "expected records of known vulnerabilities"),
        ("--osv", None, "records"),
        ("--profiles", "{}", "expected a directory of MUD files"),
    ],
)
def test_what_would_find_nothing_is_refused_rather_than_found_clean(run, pcap, tmp_path, option, content, why):
    if content is not None:
        (tmp_path / "given.json").write_text(content)
    code, _, err = run("watch", "--pcap", pcap, option, tmp_path / "given.json")
    assert code == 60
    assert why in err


def test_records_that_cannot_be_read_are_told_beside_those_that_can(run, pcap, tmp_path):
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv" / "a.json").write_text(json.dumps(RECORD))
    (tmp_path / "osv" / "b.json").write_text("[")
    code, _, err = run("watch", "--pcap", pcap, "--osv", tmp_path / "osv")
    assert code == 0
    assert "osv: 1 are no records; " in err


@pytest.mark.requirement("R-81")
def test_a_proposed_file_allows_what_it_was_made_of(run, pcap, tmp_path):
    run("watch", "--pcap", pcap, "--output", tmp_path / "learned")
    learned = tmp_path / "learned" / "02-77-00-00-00-01.json"
    parse(learned.read_bytes())
    shown = json.loads(run("mud", "test", learned, "--pcap", pcap, "--mac", LAMP_MAC, "--json")[1])
    assert shown["denied"] == [
        {
            "begun_by": "other side",
            "other_side": "10.77.0.1",
            "service": "UDP port 9",
            "flows": 1,
            "packets": 1,
            "reason": "there it is allowed TCP port 80, and this was UDP port 9",
        }
    ]


def test_the_type_is_told_by_files_of_known_types_and_whether_it_is_mended(run, pcap, tmp_path):
    run("watch", "--pcap", pcap, "--output", tmp_path / "known")
    learned = tmp_path / "known" / "02-77-00-00-00-01.json"
    learned.write_text(learned.read_text().replace('"is-supported": true', '"is-supported": false'))
    (tmp_path / "known" / "other.json").write_text("{}")
    code, out, err = run("watch", "--pcap", pcap, "--profiles", tmp_path / "known", "--json")
    row = next(row for row in json.loads(out) if row["mac"] == LAMP_MAC)
    assert code == 0
    assert row["like"] == ["https://02-77-00-00-00-01.invalid/learned.json (100%)"]
    assert row["supported"] == "no more"
    assert err == ""


def test_a_file_that_is_no_mud_file_is_passed_over_and_told(run, pcap, tmp_path):
    (tmp_path / "known").mkdir()
    (tmp_path / "known" / "other.json").write_text("{}")
    code, out, err = run("watch", "--pcap", pcap, "--profiles", tmp_path / "known")
    assert code == 0
    assert "other.json" in err
    assert LAMP_MAC in out


def test_who_has_nothing_to_propose_gets_no_file(run, tmp_path):
    path = tmp_path / "quiet.pcap"
    path.write_bytes(capture([packet(LAMP, CLOUD, 5000, 443)]))
    run("watch", "--pcap", path, "--output", tmp_path / "learned")
    assert list((tmp_path / "learned").iterdir()) == []


def test_a_device_that_was_not_heard_is_refused(run, pcap):
    code, _, err = run("watch", "--pcap", pcap, "--mac", "02:77:00:00:00:99")
    assert code == 60
    assert "02:77:00:00:00:99 sent nothing there" in err


def test_an_empty_capture_tells_of_nobody(run, tmp_path):
    path = tmp_path / "empty.pcap"
    path.write_bytes(capture([]))
    assert "nobody was heard" in run("watch", "--pcap", path)[1]


@pytest.mark.parametrize("words", [[], ["--interface", "lo", "--pcap", "home.pcap"]])
def test_either_an_interface_or_a_capture_has_to_be_named(run, words):
    code, _, err = run("watch", *words)
    assert code == 60
    assert "either --interface or --pcap" in err


def test_an_interface_that_is_not_there_is_refused(run):
    code, _, err = run("watch", "--interface", "nowhere0")
    assert code != 0
    assert "cannot see the frames of nowhere0" in err


@pytest.mark.parametrize("text", ["0", "-1", "nan", "day", "1e9"])
def test_a_time_that_nobody_waits_for_is_refused(run, text):
    assert run("watch", "--interface", "nowhere0", "--minutes", text)[0] == 60


@pytest.mark.namespace
@pytest.mark.slow
@pytest.mark.requirement("R-12")
def test_a_device_that_nobody_knows_is_heard_on_an_interface():
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.watch_stage"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    rows = {row["mac"]: row for row in json.loads(done.stdout)}
    # Its kernel solicits routers from an address of its own, up to a second after the interface (RFC 4861 §6.3.7).
    assert [one for one in rows[LAMP_MAC]["addresses"] if not one.startswith("fe80:")] == ["10.77.1.1"]


KINDS = {
    "Aria": ("20:f8:5e:ca:91:52", "scale"),
    "D-LinkCam": ("b0:c5:54:25:5b:0e", "camera"),
    "EdimaxCam1": ("74:da:38:80:7a:08", "camera"),
    "EdimaxPlug1101W": ("74:da:38:4a:76:49", "smart plug"),
    "HomeMaticPlug": ("00:1a:22:05:c4:2e", "hub"),
    "Lightify": ("84:18:26:7b:5f:6b", "light"),
    "MAXGateway": ("00:1a:22:03:cb:be", "hub"),
    "SmarterCoffee": ("5c:cf:7f:07:ae:fb", "single board or microcontroller"),
    "TP-LinkPlugHS100": ("50:c7:bf:00:fc:a3", "smart plug"),
    "WeMoInsightSwitch": ("94:10:3e:41:c2:05", "smart plug"),
    "iKettle2": ("5c:cf:7f:06:d9:02", "single board or microcontroller"),
}
"""Two say too little of themselves for their kind: what is said then is less, and not something else."""


@pytest.mark.requirement("R-12")
@pytest.mark.parametrize("product", sorted(KINDS))
def test_the_kinds_of_real_products(run, shared, product):
    mac, kind = KINDS[product]
    folder = shared / "data/captures/aucad+sensor-data/iot-sentinel" / product
    first = sorted(folder.glob("*.pcap"))[:2]
    found = [
        row["kind"]
        for path in first
        for row in json.loads(run("watch", "--pcap", path, "--json")[1])
        if row["mac"] == mac
    ]
    assert kind in found
    assert set(found) <= {kind, ""}
