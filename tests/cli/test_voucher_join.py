"""Maker's server, domain and things as processes over real sockets: who was sold joins, also after each was killed."""

from __future__ import annotations

import json
import signal
import time
from contextlib import ExitStack, closing

import pytest

from tests.cli.processes import Processes, short_directory
from tests.port import free_port
from thingstead.agent.program import STATUS_SOCKET
from thingstead.errors import TransportError
from thingstead.transport.control_socket import ControlClient

_RULE = '\n[[rule]]\nname = "all of aurora"\nmakers = ["aurora"]\nscope = "thing"\n'
_THINGS = ("lamp", "other", "third")


class Site(Processes):
    """A domain, its maker's server, and things that were made before they were sold."""

    def __init__(self, *place):
        super().__init__(*place)
        self.masa_port = free_port()

    def do(self, *words):
        code, out, err = self.run(*words)
        assert code == 0, (words, out, err)
        return out

    def make(self):
        self.do("init", "home", "--profile", "home")
        self.do("domain", "credential", "home")
        self.do("factory", "maker", "aurora", "--name", "aurora", "--domain", "aurora.example")
        self.do("masa", "make", "m", "--name", "aurora", "--location", f"coap://127.0.0.1:{self.masa_port}")
        self.do("trust", "add", "home", "aurora/aurora.anchor", "--server", "m/aurora.server")
        for serial in _THINGS:
            born = ("--maker", "aurora", "--model", "LX-1", "--serial", serial, "--server", "m/aurora.server")
            self.do("factory", "thing", serial, *born)
        with (self.here / "home" / "policy.toml").open("a") as policy:
            policy.write(_RULE)
        with (self.here / "home" / "thingstead.toml").open("a") as settings:
            settings.write(f'\n[coap]\nhost = "127.0.0.1"\nport = {self.port}\n')

    def sell(self, *things):
        self.do("masa", "sell", "m", *things, "--to", "home.credential")

    def masa(self):
        return self.spawn("masa", "run", "m", "--host", "127.0.0.1", "--port", self.masa_port)

    def thing(self, name):
        return self.spawn("agent", "run", name, "--controller-port", self.port)

    def told(self, *words):
        code, out, _ = self.run(*words, "--domain", "home", "--json")
        return json.loads(out) if code == 0 else None

    def until(self, condition):
        for _ in range(800):
            if condition():
                return
            time.sleep(0.05)
        raise AssertionError((self.here / "log").read_text())

    def states(self):
        return {row["serial"]: row["state"] for row in self.told("thing", "list") or []}

    def joined(self, *things):
        """Both sides know it: a domain that is killed over its answer leaves the thing to ask again."""
        self.until(lambda: all(self.states().get(one) == "operational" and self.heard(one) for one in things))

    def heard(self, thing):
        """Whether the domain takes what a thing says since it began anew."""
        try:
            with closing(ControlClient(self.here / thing / STATUS_SOCKET)) as client:
                return client.ask({})["accepted"]
        except TransportError:
            return 0

    def counted(self):
        return (self.told("status") or {"makers": {}})["makers"].get("aurora", {})


def killed(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture
def site(monkeypatch, run, process_environment):
    with short_directory("voucher-") as folder, ExitStack() as stack:
        monkeypatch.chdir(folder)
        made = Site(folder, run, process_environment, stack)
        made.make()
        yield made


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.requirement("R-59")
def test_things_join_whom_they_were_sold_to_and_do_so_after_each_part_was_killed(site):
    site.sell("other")
    masa, domain = site.masa(), site.up()
    things = {name: site.thing(name) for name in ("lamp", "other")}
    site.joined("other")
    site.until(lambda: site.counted().get("unknown thing"))
    assert "lamp" not in site.states()

    # The server is another process now and knows no session; the domain meets it again by itself.
    killed(masa)
    masa = site.masa()
    site.sell("lamp")
    site.joined("lamp")

    killed(domain)
    domain = site.up()
    site.sell("third")
    things["third"] = site.thing("third")
    site.joined(*_THINGS)
    assert site.counted()["vouched"] == 1

    # Whose it is, a thing knows from then on, without its maker.
    killed(masa)
    killed(things["lamp"])
    things["lamp"] = site.thing("lamp")
    site.joined("lamp")
    assert site.counted() == {"vouched": 1}
