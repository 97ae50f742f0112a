"""The kernel and the offline test say the same of each packet of a real device, to it and from it (IoT Sentinel)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PLUG, SCALES = "50:c7:bf:00:fc:a3", "20:f8:5e:ca:91:52"

pytestmark = [pytest.mark.namespace, pytest.mark.slow, pytest.mark.requirement("R-80")]


def replay(shared, device, mac, profile, captures):
    folder = shared / "data/captures/aucad+sensor-data/iot-sentinel" / device
    profiles = shared / "data/mud/iot-onboarding+mud-visualizer/sample_mud_files/mudgee_mudfiles"
    words = [profiles / f"{profile}Mud.json", mac, *sorted(folder.glob(captures))]
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.enforcement.replay_stage", *words],
        cwd=ROOT, env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def _tcpreplay(program):
    program("tcpreplay", package="tcpreplay")


@pytest.mark.parametrize(
    ("captures", "number"), [("Setup-C-1?-STA.pcap", 6), pytest.param("*.pcap", 20, marks=pytest.mark.full)]
)
def test_the_right_profile_of_a_plug_lets_the_same_packets_through_in_the_kernel_and_offline(shared, captures, number):
    rows = replay(shared, "TP-LinkPlugHS100", PLUG, "tplinkplug", captures)
    assert len(rows) == number
    assert [(name, kernel) for name, _, kernel in rows] == [(name, offline) for name, offline, _ in rows]
    assert sum(refused for _, (_, refused, _), _ in rows) < sum(sent for _, (sent, _, _), _ in rows) / 10


@pytest.mark.parametrize(
    ("device", "mac", "captures", "number"),
    [
        ("TP-LinkPlugHS100", PLUG, "Setup-A-?-STA.pcap", 5),
        ("Aria", SCALES, "Setup-C-?-STA.pcap", 9),
        pytest.param("TP-LinkPlugHS100", PLUG, "*.pcap", 20, marks=pytest.mark.full),
        pytest.param("Aria", SCALES, "*.pcap", 20, marks=pytest.mark.full),
    ],
)
def test_a_wrong_profile_refuses_the_same_packets_in_the_kernel_and_offline(shared, device, mac, captures, number):
    rows = replay(shared, device, mac, "lifxbulb", captures)
    assert len(rows) == number
    assert [(name, kernel) for name, _, kernel in rows] == [(name, offline) for name, offline, _ in rows]
    assert sum(refused for _, (_, refused, _), _ in rows) > sum(sent for _, (sent, _, _), _ in rows) / 2
