"""A maintainer at the controller and before the thing, with sockets, processes and files of their own."""

import asyncio
import json
import socket
from contextlib import closing

import pytest

from thingstead.agent.config import AgentConfig
from thingstead.agent.program import STATUS_SOCKET
from thingstead.agent.program import run as live
from thingstead.controller.app import running
from thingstead.controller.directory import DomainDirectory
from thingstead.errors import TransportError
from thingstead.transport.control_socket import ControlClient

pytestmark = pytest.mark.requirement("R-07")


def _free():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _status(path):
    """How a thing stands; nothing of one that is beginning anew."""
    try:
        with closing(ControlClient(path)) as client:
            return client.ask({})
    except TransportError:
        return {}


@pytest.fixture
def place(tmp_path, monkeypatch, run):
    """A domain, a thing that was sold to it, a maintainer and a user with keys."""
    monkeypatch.chdir(tmp_path)

    def made(*words):
        code, out, err = run(*words, "--json")
        assert code == 0, err
        return json.loads(out)

    made("init", "home", "--profile", "home")
    directory = DomainDirectory(tmp_path / "home")
    port = _free()
    directory.configuration.write_text(f'[domain]\nname = "home"\n[coap]\nport = {port}\n[network]\noffline = true\n')
    made("factory", "maker", "aurora", "--name", "aurora", "--domain", "aurora.example")
    made("trust", "add", "home", "aurora/aurora.anchor")
    rule = '\n[[rule]]\nname = "lamps"\nmakers = ["aurora"]\nzone = "hall"\nscope = "thing"\n'
    directory.policy.write_text(directory.policy.read_text() + rule)
    made("factory", "thing", "lamp", "--maker", "aurora", "--model", "LX-1", "--serial", "A-1", "--for", "home")
    keys = {name: made("operator", "key", name)["key"] for name in ("ben", "dora")}
    directory.operators.write_text(f"maintainer {keys['ben']} ben\nuser {keys['dora']} dora\n")
    config = AgentConfig(tmp_path / "lamp", controller_port=port, port=_free(), retry_interval=0.2)
    return directory, config


@pytest.mark.slow
def test_a_life_in_maintenance_with_and_without_the_domain(place, run):
    directory, config = place

    async def said(*words, domain=True):
        more = ("--domain", "home") if domain else ()
        code, out, err = await asyncio.to_thread(lambda: run(*words, *more, "--json"))
        return code, json.loads(out) if out else err

    async def until(condition):
        async with asyncio.timeout(60):
            while not await condition():  # noqa: ASYNC110  other processes and sockets have no event to wait for
                await asyncio.sleep(0.05)

    async def has_begun_anew():
        told = await asyncio.to_thread(_status, config.home / STATUS_SOCKET)
        return told.get("joins") == 0

    def beside(task, *words):
        where = ("--port", config.port, "--permit", "ben.permit", "--as", "ben")
        return said("maintenance", "beside", task, *where, *words, domain=False)

    async def story():
        async with asyncio.TaskGroup() as tasks:
            living = tasks.create_task(live([config]))
            async with running(directory):
                things: list[dict[str, str]] = []

                async def joined():
                    things[:] = (await said("thing", "list"))[1]
                    return [one["state"] for one in things] == ["operational"]

                await until(joined)
                thing = things[0]["thing"]
                assert (await said("maintenance", "begin", thing, "--as", "dora"))[0] == 26
                assert (await said("maintenance", "begin", thing, "--as", "ben"))[0] == 0
                assert (await said("maintenance", "diagnose", thing, "--as", "ben"))[1]["in_maintenance"] is True
                assert (await said("maintenance", "end", thing, "--as", "ben"))[0] == 0
                assert (await said("maintenance", "permit", "dora", thing))[0] == 26
                assert (await said("maintenance", "permit", "ben", thing, "--hours", "1"))[0] == 0
            # The domain is down: its maintainer goes to the thing.
            assert (await beside("begin"))[0] == 0
            code, told = await beside("configure", "--telemetry-interval", "0.5")
            assert (code, told["telemetry_interval"]) == (0, 0.5)
            assert (await beside("restart"))[0] == 0
            await until(has_begun_anew)
            assert (await beside("diagnose"))[1]["in_maintenance"] is True
            async with running(directory):

                async def told_of():
                    shown = (await said("maintenance", "show", thing))[1]
                    return shown["orders_told"] == 7 and not shown["missing"]

                await until(told_of)
                entries = (await said("ledger", "show", "--thing", thing, "--count", "200"))[1]
                done = [(one["actor"], one["cause"]) for one in entries if one["kind"] == "maintenance"]
                assert sorted(done) == sorted(
                    ("maintainer:ben", task)
                    for task in ("begin", "diagnose", "end", "begin", "configure", "restart", "diagnose")
                )
                assert (await said("thing", "list"))[1][0]["state"] == "maintenance"
            living.cancel()

    asyncio.run(story())


def test_a_key_for_which_there_is_no_permit_and_a_file_that_is_none_are_refused(place, run, tmp_path):
    (tmp_path / "x.permit").write_bytes(b"\x00")
    code, _, err = run("maintenance", "beside", "begin", "--permit", "x.permit", "--as", "ben")
    assert (code, "file of permits" in err) == (11, True)
    assert run("maintenance", "beside", "begin", "--permit", "none.permit", "--as", "ben")[0] == 60
