"""The kernel and the offline test say the same of each packet of a real device, to it and from it (IoT Sentinel)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DEVICES = {
    "Aria": 20, "D-LinkCam": 20, "EdimaxCam1": 12, "EdimaxPlug1101W": 20, "HomeMaticPlug": 20, "Lightify": 20,
    "MAXGateway": 20, "SmarterCoffee": 20, "TP-LinkPlugHS100": 20, "WeMoInsightSwitch": 20, "iKettle2": 20,
}  # fmt: skip
"""With how many captures there are of each."""

pytestmark = [pytest.mark.namespace, pytest.mark.slow, pytest.mark.requirement("R-80")]


def replay(shared, device, profile, captures):
    folder = shared / "data/captures/aucad+sensor-data/iot-sentinel" / device
    profiles = shared / "data/mud/iot-onboarding+mud-visualizer/sample_mud_files/mudgee_mudfiles"
    file = "learned" if profile == "learned" else profiles / f"{profile}Mud.json"
    words = [file, (folder / "_iotdevice-mac.txt").read_text().strip(), *sorted(folder.glob(captures))]
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.enforcement.replay_stage", *words],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    print(device, profile, len(rows), "captures; sent, refused, kept out:", *total(rows))
    return rows


def total(rows):
    return [sum(column) for column in zip(*[offline for _, offline, _ in rows], strict=True)]


@pytest.fixture(autouse=True)
def _tcpreplay(program):
    program("tcpreplay", package="tcpreplay")


@pytest.mark.parametrize(
    ("captures", "number"), [("Setup-C-1?-STA.pcap", 6), pytest.param("*.pcap", 20, marks=pytest.mark.full)]
)
def test_the_right_profile_of_a_plug_lets_the_same_packets_through_in_the_kernel_and_offline(shared, captures, number):
    rows = replay(shared, "TP-LinkPlugHS100", "tplinkplug", captures)
    assert len(rows) == number
    assert [(name, kernel) for name, _, kernel in rows] == [(name, offline) for name, offline, _ in rows]
    sent, refused, _ = total(rows)
    assert refused < sent / 10


@pytest.mark.parametrize(
    ("device", "captures", "number"),
    [
        ("TP-LinkPlugHS100", "Setup-A-?-STA.pcap", 5),
        ("Aria", "Setup-C-?-STA.pcap", 9),
        *[pytest.param(device, "*.pcap", number, marks=pytest.mark.full) for device, number in DEVICES.items()],
    ],
)
def test_a_wrong_profile_refuses_the_same_packets_in_the_kernel_and_offline(shared, device, captures, number):
    rows = replay(shared, device, "lifxbulb", captures)
    assert len(rows) == number
    assert [(name, kernel) for name, _, kernel in rows] == [(name, offline) for name, offline, _ in rows]
    sent, refused, _ = total(rows)
    assert refused > sent / 2


@pytest.mark.full
@pytest.mark.parametrize("profile", ["learned", "samsungsmartcam"])
@pytest.mark.parametrize(("device", "number"), DEVICES.items())
def test_a_generous_profile_refuses_the_same_packets_in_the_kernel_and_offline(shared, device, profile, number):
    rows = replay(shared, device, profile, "*.pcap")
    assert len(rows) == number
    assert [(name, kernel) for name, _, kernel in rows] == [(name, offline) for name, offline, _ in rows]
