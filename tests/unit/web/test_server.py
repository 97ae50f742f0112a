"""The page beside another program, on a socket that was bound before."""

import asyncio
import json
import os
import signal
import socket
import tempfile

import httpx
import pytest

from tests.unit.web.fakes import THINGS, FakeController
from thingstead.clock import SystemClock
from thingstead.errors import ConfigError
from thingstead.web.server import inherited_listener, open_listener, page


def fetch(listener, path="/snapshot", **changes):
    async def run():
        async with (
            page(FakeController().ask, listener, clock=SystemClock()) as url,
            httpx.AsyncClient(trust_env=False) as browser,
        ):
            return url, await browser.get(url.rstrip("/") + path, **changes)

    return asyncio.run(run())


def test_an_inherited_socket_is_served_and_closed():
    inherited = inherited_listener(open_listener().detach())
    url, response = fetch(inherited)
    assert url.startswith("http://127.0.0.1:")
    assert response.status_code == 200
    assert "server" not in response.headers
    assert inherited.fileno() == -1


def test_rebinding_is_refused_on_the_wire_too():
    assert fetch(open_listener(), headers={"host": "attacker.example"})[1].status_code == 421


def test_events_carry_snapshots_and_end_with_the_server():
    async def run():
        async with (
            page(FakeController().ask, open_listener(), clock=SystemClock()) as url,
            httpx.AsyncClient(trust_env=False) as browser,
            browser.stream("GET", url + "events") as events,
        ):
            assert events.headers["content-type"].startswith("text/event-stream")
            lines = []
            async for line in events.aiter_lines():
                lines.append(line)
                if line.startswith("data: "):
                    return lines
        return []

    *before, told = asyncio.run(run())
    assert "event: snapshot" in before
    assert json.loads(told.removeprefix("data: "))["things"] == THINGS


def test_signals_stay_with_the_process():
    async def run():
        before = signal.getsignal(signal.SIGINT)
        async with page(FakeController().ask, open_listener(), clock=SystemClock()):
            await asyncio.sleep(0)
            return before is signal.getsignal(signal.SIGINT)

    assert asyncio.run(run())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "", "127.0.0.1 "])
def test_only_loopback_is_listened_on(host):
    with pytest.raises(ConfigError, match=r"expected a loopback address|expected an IP address"):
        open_listener(host)


def test_a_port_that_is_taken_is_said():
    taken = open_listener()
    try:
        with pytest.raises(ConfigError, match="cannot serve the page"):
            open_listener("127.0.0.1", taken.getsockname()[1])
    finally:
        taken.close()


def _everywhere():
    return socket.create_server(("0.0.0.0", 0))


def _silent():
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    return made


@pytest.mark.parametrize("make", [_everywhere, _silent, lambda: socket.socket(socket.AF_UNIX), tempfile.TemporaryFile])
def test_a_descriptor_that_is_no_loopback_listener_is_refused(make):
    with make() as made, pytest.raises(ConfigError, match="expected descriptor"):
        inherited_listener(os.dup(made.fileno()))


def test_a_descriptor_that_is_not_open_is_refused():
    with pytest.raises(ConfigError, match="Bad file descriptor"):
        inherited_listener(999)
