"""``thingstead proxy``: what it says before it serves, and that it serves."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.unit.coap.party import run as with_server
from thingstead.coap.client import Client
from thingstead.protocols.coap.registry import Code, OptionNumber

SETTINGS = """
[listen]
port = {port}
[[origin]]
name = "old.example"
address = "127.0.0.1"
port = {origin}
reverse = true
approach = "shared-credentials"
exception_until = 2099-12-31
exception_reason = "a lamp without OSCORE"
"""


@pytest.fixture
def settings(tmp_path):
    def write(text, **values):
        path = tmp_path / "proxy.toml"
        path.write_text(text.format(**values))
        return path

    return write


def test_check_says_where_it_goes_for_whom_and_what_it_could_read(run, settings):
    code, out, err = run("proxy", "check", settings(SETTINGS, port=5690, origin=5683))
    assert code == 0
    assert "coap://127.0.0.1:5690" in out
    assert "old.example:5683" in out
    assert "can read and change everything, until 2099-12-31: a lamp without OSCORE" in out + err


def test_check_says_that_a_proxy_without_origins_goes_nowhere(run, settings):
    code, out, err = run("proxy", "check", settings(""))
    assert code == 0
    assert "every request will be refused" in out + err


@pytest.mark.parametrize(
    ("uri", "code", "told"),
    [
        ("coap://old.example/x", 0, "127.0.0.1 port 5683 over UDP"),
        ("coap://OLD.example:5683/x", 0, "everything, until 2099-12-31"),
        ("coap://127.0.0.1/x", 0, "coap-client -P coap://127.0.0.1:5690 coap://127.0.0.1/x"),
        ("coap://other.example/x", 30, 'add one with name = "other.example"'),
        ("coap://169.254.169.254/latest", 30, "names are never resolved"),
        ("coap://old.example:99/x", 30, "add an [[origin]] with port = 99"),
        ("coap+tcp://old.example/x", 30, 'scheme = "coap+tcp"'),
        ("http://old.example/x", 12, "coap+tcp"),
        ("old.example", 11, "absolute CoAP URI"),
    ],
)
def test_check_explains_of_a_uri_whether_it_would_go_there_and_what_is_missing(run, settings, uri, code, told):
    found, out, err = run("proxy", "check", settings(SETTINGS, port=5690, origin=5683), uri)
    assert found == code
    assert told in out + err


def test_check_says_that_an_exception_has_run_out(run, settings):
    text = SETTINGS.replace("2099", "2020")
    code, _, err = run("proxy", "check", settings(text, port=5690, origin=5683), "coap://old.example/x")
    assert code == 30
    assert "has run out" in err


@pytest.mark.parametrize(
    ("text", "told"),
    [("[listen]\nport = 'x'", "int"), ("[[origin]]\nname = 'a'", "address"), ("[proxy]", "no setting 'proxy'")],
)
def test_settings_that_cannot_be_kept_are_one_sentence_and_the_exit_code_of_settings(run, settings, text, told):
    code, _, err = run("proxy", "run", settings(text))
    assert code == 60
    assert told in err
    assert err.count("\n") <= 2


@pytest.mark.slow
@pytest.mark.parametrize("words", [(), ("--json",)], ids=["people", "programs"])
def test_it_serves_until_it_is_told_to_end(settings, process_environment, words):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def story(server, _uri):
        path = settings(SETTINGS, port=port, origin=server.port)
        command = [sys.executable, "-m", "thingstead", "proxy", "run", str(path), "--every", "0.05", *words]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        environment |= process_environment
        proxy = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, env=environment)
        try:
            assert proxy.stdout is not None
            while b"origins" not in await proxy.stdout.readline():
                pass
            async with Client() as client:
                response = await client.get(f"coap://127.0.0.1:{port}/hello")
                refused = await client.get(
                    f"coap://127.0.0.1:{port}/", options=[(OptionNumber.PROXY_URI, b"coap://elsewhere/")]
                )
            assert refused.code == Code.PROXYING_NOT_SUPPORTED
            # It says so while it runs.
            while b"route" not in (said := await proxy.stdout.readline()):
                assert said
        finally:
            proxy.send_signal(signal.SIGINT)
            rest, _ = await proxy.communicate()
        return response.payload, proxy.returncode, rest

    payload, code, rest = with_server(story, host="127.0.0.1")
    assert payload == b"hello"
    assert code == 0
    assert b"relayed" in rest
    if words:
        assert json.loads(rest.splitlines()[-1])["relayed"] == 1
        assert json.loads(rest.splitlines()[-1])["refused"] == {"route": 1}
