import json
from datetime import UTC, datetime

import pytest

from tests.unit.analysis.traffic.packets import CLOUD, LAMP, PHONE, SYN, SYN_ACK, capture, look_up, packet, tcp
from tests.unit.protocols.tls.hello import body, tls
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind

DESCRIPTION = Description(
    url="https://aurora.example/lx-1.json",
    last_update=datetime(2026, 1, 1, tzinfo=UTC),
    system_info="A lamp",
    manufacturer="Aurora",
    model="LX-1",
    services=(Service(Remote(RemoteKind.DNS_NAME, "cloud.example"), 6, remote_port=443),),
)
LAMP_MAC = "02:77:00:00:00:01"
PACKETS = (
    *look_up("cloud.example", CLOUD, at=1.0),
    tcp(LAMP, CLOUD, (40000, 443), SYN, at=2.0),
    tcp(CLOUD, LAMP, (443, 40000), SYN_ACK, at=2.1),
    tcp(LAMP, CLOUD, (40001, 23), SYN, at=3.0),
)


@pytest.fixture
def mud_file(tmp_path):
    path = tmp_path / "lx-1.json"
    path.write_bytes(render(DESCRIPTION))
    return path


@pytest.fixture
def pcap(tmp_path):
    path = tmp_path / "lamp.pcap"
    path.write_bytes(capture(PACKETS))
    return path


@pytest.mark.spec("RFC 8520 5")
def test_what_is_allowed_and_why_the_rest_is_not(run, mud_file, pcap):
    code, out, _ = run("mud", "test", mud_file, "--pcap", pcap, "--mac", LAMP_MAC, "--json")
    shown = json.loads(out)
    assert code == 0
    assert (shown["ipv4"]["packets"], shown["ipv4"]["packets_allowed"]) == (5, 4)
    telnet = next(row for row in shown["denied"] if "23" in row["service"])
    assert telnet["reason"] == "there it is allowed TCP port 443, and this was TCP port 23"


def test_a_directory_is_all_of_its_captures(run, mud_file, pcap):
    pcap.with_name("again.pcapng").write_bytes(pcap.read_bytes())
    _, out, _ = run("mud", "test", mud_file, "--pcap", pcap.parent, "--json")
    assert json.loads(out)["captures"] == 2


def test_a_name_of_one_capture_stands_for_nothing_in_the_next(run, mud_file, tmp_path):
    folder = tmp_path / "captures"
    folder.mkdir()
    (folder / "1.pcap").write_bytes(capture(PACKETS[:2]))
    (folder / "2.pcap").write_bytes(capture(PACKETS[2:4]))
    _, out, _ = run("mud", "test", mud_file, "--pcap", folder, "--mac", LAMP_MAC, "--json")
    shown = json.loads(out)
    assert shown["ipv4"]["packets_allowed"] == len(PACKETS[:2])
    assert "no look-up was seen" in shown["denied"][0]["reason"]


def test_of_several_devices_one_has_to_be_named(run, mud_file, pcap):
    pcap.write_bytes(capture([*PACKETS, packet(PHONE, LAMP, 1, 2)]))
    code, _, err = run("mud", "test", mud_file, "--pcap", pcap)
    assert code == 60
    assert f"{LAMP_MAC}, 02:77:00:00:00:02" in err


def test_a_capture_that_was_cut_off_counts_as_far_as_it_goes(run, mud_file, pcap):
    pcap.write_bytes(pcap.read_bytes()[:-3])
    code, out, err = run("mud", "test", mud_file, "--pcap", pcap, "--mac", LAMP_MAC)
    assert code == 0
    assert "the 4 frames before count" in err
    assert "percent allowed" in out


def test_frames_that_contradict_themselves_are_counted_and_told(run, mud_file, pcap):
    data = bytearray(capture(PACKETS))
    data[24 + 16 + 14] = 0x41
    pcap.write_bytes(data)
    code, _, err = run("mud", "test", mud_file, "--pcap", pcap, "--mac", LAMP_MAC)
    assert code == 0
    assert "1 of 5 frames are not to be read" in err


@pytest.mark.parametrize("content", [b"", b"no capture", bytes(100)])
def test_what_is_no_capture_is_refused(run, mud_file, pcap, content):
    pcap.write_bytes(content)
    assert run("mud", "test", mud_file, "--pcap", pcap)[0] != 0


def test_a_directory_without_captures_is_refused(run, mud_file, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, err = run("mud", "test", mud_file, "--pcap", tmp_path / "empty")
    assert code == 60
    assert "expected captures" in err


def test_a_capture_that_is_not_there_is_refused(run, mud_file, tmp_path):
    assert run("mud", "test", mud_file, "--pcap", tmp_path / "absent.pcap")[0] == 60


@pytest.mark.parametrize("mac", ["02:77", "lamp", "02:77:00:00:00:01:02", ""])
def test_what_is_no_mac_address_is_refused(run, mud_file, pcap, mac):
    assert run("mud", "test", mud_file, "--pcap", pcap, "--mac", mac)[0] == 60


def test_who_is_not_in_the_capture_fits_no_file(run, mud_file, pcap):
    code, out, err = run("mud", "test", str(mud_file), "--pcap", str(pcap), "--mac", "02:00:00:00:00:99")
    assert (code, out) == (60, "")
    assert "02:00:00:00:00:99 sent nothing there" in err


def test_a_file_that_is_no_mud_file_is_refused(run, pcap, tmp_path):
    (tmp_path / "bad.json").write_bytes(b"{}")
    assert run("mud", "test", tmp_path / "bad.json", "--pcap", pcap)[0] != 0


@pytest.mark.requirement("R-80")
@pytest.mark.parametrize(("profile", "least", "most"), [("tplinkplug", 92, 96), ("lifxbulb", 0, 25)])
def test_the_profile_of_a_real_plug_fits_it_and_another_does_not(run, shared, profile, least, most):
    """The profiles were made of traffic years apart from these captures, by others (UNSW, IoT Sentinel)."""
    folder = shared / "data/mud/iot-onboarding+mud-visualizer/sample_mud_files/mudgee_mudfiles"
    captures = shared / "data/captures/aucad+sensor-data/iot-sentinel/TP-LinkPlugHS100"
    words = ("--pcap", captures, "--mac", "50:c7:bf:00:fc:a3", "--json")
    _, out, _ = run("mud", "test", folder / f"{profile}Mud.json", *words)
    assert least <= json.loads(out)["ipv4"]["percent_allowed"] <= most


@pytest.mark.spec("RFC 9761 6")
def test_handshakes_are_held_against_the_profiles_of_the_file(run, mud_file, tmp_path):
    document = json.loads(mud_file.read_bytes())
    profile = {"tls-dtls-profile": [{"name": "new", "supported-tls-version": ["tls13"]}]}
    for acl in document["ietf-access-control-list:acls"]["acl"]:
        for ace in acl["aces"]["ace"]:
            ace["matches"]["ietf-acl-tls:client-profiles"] = profile
    mud_file.write_text(json.dumps(document))
    hello = packet(LAMP, CLOUD, 40000, 443, at=2.2, protocol=6, flags=16, payload=tls(body(version=0x0302)))
    path = tmp_path / "hello.pcap"
    path.write_bytes(capture((*PACKETS, hello)))
    shown = json.loads(run("mud", "test", mud_file, "--pcap", path, "--mac", LAMP_MAC, "--json")[1])
    assert shown["handshakes_with_a_profile"] == 1
    (strange,) = shown["handshakes_outside_it"]
    assert strange == {"other_side": "cloud.example", "port": 443, "profile": "new", "offers": ["version 0x0302"]}
