"""A switch commands a lamp over real sockets, in processes of their own, with the controller's process gone."""

import json
import signal
import time
from contextlib import ExitStack, closing

import pytest

from tests.cli.processes import Processes, short_directory
from tests.port import free_port
from thingstead.agent.program import STATUS_SOCKET
from thingstead.transport.control_socket import ControlClient

_POLICY = """
[scope.switching]
"/light" = ["PUT"]

[[rule]]
name = "all of aurora"
makers = ["aurora"]
scope = "thing"

[[peer]]
name = "switches command lamps"
clients = ["SW-*"]
servers = ["LX-*"]
scope = "switching"
hours = 0.002
same_zone = false
"""
_LIFE = 8.0


@pytest.fixture
def here(monkeypatch):
    with short_directory("peers-") as folder:
        monkeypatch.chdir(folder)
        yield folder


class Site(Processes):
    """A domain, a switch and a lamp, each in its process."""

    def __init__(self, *place):
        super().__init__(*place)
        self.lamp_port = free_port()

    def make(self):
        words: tuple[str, ...]
        for words in (
            ("init", "home", "--profile", "home"),
            ("factory", "maker", "aurora", "--name", "aurora", "--domain", "aurora.example"),
            ("trust", "add", "home", "aurora/aurora.anchor"),
        ):
            assert self.run(*words)[0] == 0
        for name, model in (("switch", "SW-1"), ("lamp", "LX-1")):
            words = ("factory", "thing", name, "--maker", "aurora", "--model", model, "--serial", name, "--for", "home")
            assert self.run(*words)[0] == 0
        with (self.here / "home" / "policy.toml").open("a") as policy:
            policy.write(_POLICY)
        with (self.here / "home" / "thingstead.toml").open("a") as settings:
            settings.write(f"\n[coap]\nport = {self.port}\n")

    def things(self):
        names = {"lamp": ("--port", self.lamp_port), "switch": ()}
        return [self.spawn("agent", "run", name, "--controller-port", self.port, *more) for name, more in names.items()]

    def joined(self):
        """The lamp's id, once both are in."""
        for _ in range(600):
            code, out, _ = self.run("thing", "list", "--domain", "home", "--json")
            rows = {row["serial"]: row for row in json.loads(out)} if code == 0 else {}
            if len(rows) == 2 and all(row["state"] == "operational" for row in rows.values()):
                return rows["lamp"]["thing"]
            time.sleep(0.05)
        raise AssertionError((self.here / "log").read_text())

    def press(self, lamp, value):
        code, out, _ = self.run("agent", "command", "switch", lamp, value, "--json")
        return code, json.loads(out).get("answer")

    def switched(self, lamp, value):
        """Press until it is taken: the two may just be on their way in."""
        for _ in range(100):
            if self.press(lamp, value) == (0, "2.04"):
                return
            time.sleep(0.1)
        raise AssertionError((self.here / "log").read_text())

    def status(self, name):
        with closing(ControlClient(self.here / name / STATUS_SOCKET)) as client:
            return client.ask({})


@pytest.fixture
def site(here, run, process_environment):
    with ExitStack() as stack:
        made = Site(here, run, process_environment, stack)
        made.make()
        yield made


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.requirement("R-57")
def test_a_switch_commands_a_lamp_while_no_controller_runs_and_until_its_right_ends(site):
    controller = site.up()
    site.things()
    lamp = site.joined()
    site.switched(lamp, "on")
    began = time.monotonic()
    controller.send_signal(signal.SIGKILL)
    controller.wait()
    assert site.press(lamp, "off") == (0, "2.04")
    time.sleep(max(0.0, _LIFE + 1 - (time.monotonic() - began)))
    assert site.status("lamp")["light"] is False
    assert site.press(lamp, "on")[0] != 0
    assert site.status("lamp")["light"] is False
    site.up()
    site.switched(lamp, "on")
    assert site.status("lamp")["light"] is True


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("agent", "command", "switch", "thing-aaaaaaaaaaaaaaaa", "on", "--port", "9"), 40),
        (("agent", "command", "switch", "thing-aaaaaaaaaaaaaaaa", "dim", "--port", "9"), 60),
        (("agent", "command", "switch", "thing-aaaaaaaaaaaaaaaa", "on", "--port", "-1"), 60),
    ],
)
def test_what_cannot_be_commanded_is_one_sentence(site, words, code):
    got, out, err = site.run(*words)
    assert (got, out) == (code, "")
    assert len(err.splitlines()) == 2
