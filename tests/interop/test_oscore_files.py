"""Contexts that `thingstead oscore` exports and imports, with whoever they are exported to and imported from."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_coap import FORMATS, Serving
from tests.port import free_port
from thingstead.cli import main as cli
from thingstead.storage.oscore_context import ContextFile

pytestmark = [pytest.mark.interop, pytest.mark.slow]

_AEADS = ["AES-CCM-16-64-128", "A128GCM"]


def thingstead(*words):
    assert cli.main([str(word) for word in words]) == 0


def spent(path):
    file = ContextFile.open(path)
    file.close()
    return file.sequences.sender


@pytest.fixture
def libcoap(peers):
    def ask(conf, uri):
        program = peers("libcoap") / "coap-client"
        words = [program, "-E", f"{conf},{conf}.seq", "-B", "10", "-m", "get", uri]
        return subprocess.run(words, capture_output=True, timeout=20, check=False).stdout.strip()

    return ask


@pytest.fixture
def aiocoap(peer_python):
    def ask(folder, uri):
        program = peer_python.with_name("aiocoap-client")
        words = [program, "--quiet", "--credentials", folder / "credentials.json", uri]
        done = subprocess.run(words, capture_output=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return ask


@pytest.fixture
def served(tmp_path, request):
    """A server of ours, and the half of its client; nothing is public there."""
    aead, id_context = getattr(request, "param", (_AEADS[0], []))
    thingstead("oscore", "create", tmp_path / "client", "--aead", aead, *id_context)
    thingstead(
        "oscore", "export", tmp_path / "client", "--form", "thingstead", "--peer", "--output", tmp_path / "server"
    )
    with Serving("127.0.0.1", oscore=[tmp_path / "server"]) as server:
        yield server, tmp_path / "client"


@pytest.mark.spec("RFC 8613 8")
@pytest.mark.parametrize("served", [(_AEADS[0], []), (_AEADS[0], ["--id-context", "37cb"])], indirect=True)
def test_libcoap_asks_us_under_what_we_exported_and_goes_on_after_a_restart(served, libcoap, tmp_path):
    server, context = served
    thingstead("oscore", "export", context, "--form", "libcoap", "--output", tmp_path / "conf")
    for _ in range(2):
        assert libcoap(tmp_path / "conf", f"{server.uri}/untold") == FORMATS["/untold"][1]


@pytest.mark.spec("RFC 8613 8")
@pytest.mark.parametrize("served", [(aead, []) for aead in _AEADS], indirect=True)
def test_aiocoap_asks_us_under_what_we_exported_and_goes_on_after_a_restart(served, aiocoap, tmp_path):
    server, context = served
    thingstead("oscore", "export", context, "--form", "aiocoap", "--output", tmp_path / "folder")
    for _ in range(2):
        assert aiocoap(tmp_path / "folder", f"{server.uri}/untold") == FORMATS["/untold"][1]


@pytest.mark.spec("RFC 8613 7.2.1")
def test_a_context_goes_round_and_no_number_comes_twice(served, libcoap, aiocoap, tmp_path):
    server, context = served
    uri = f"{server.uri}/untold"
    thingstead("coap", "get", uri, "--oscore", context)
    numbers = [spent(context)]
    for turn in range(2):
        conf, folder, first, second = (tmp_path / f"{name}{turn}" for name in ("conf", "folder", "first", "second"))
        thingstead("oscore", "export", context, "--form", "libcoap", "--output", conf)
        assert libcoap(conf, uri)
        thingstead("oscore", "import", conf, "--output", first)
        numbers.append(spent(first))
        thingstead("oscore", "export", first, "--form", "aiocoap", "--output", folder)
        assert aiocoap(folder, uri)
        thingstead("oscore", "import", folder, "--output", second)
        numbers.append(spent(second))
        context = second
    thingstead("coap", "get", uri, "--oscore", context)
    assert numbers == sorted(set(numbers))


@pytest.fixture
def serving():
    """Run a server of others, told a line first, until the test ends; it answers at the URI when this returns."""
    running = []

    def serve(words, uri, line=b""):
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        running.append(process)
        assert process.stdin is not None
        process.stdin.write(line)
        process.stdin.flush()
        while cli.main(["coap", "get", uri, "--timeout", "1"]) == 41:
            pass

    yield serve
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.spec("RFC 8613 8")
def test_we_ask_libcoap_under_what_we_exported(peers, serving, tmp_path, capsys):
    port = free_port("127.0.0.1")
    thingstead("oscore", "create", tmp_path / "ours")
    thingstead("oscore", "export", tmp_path / "ours", "--form", "libcoap", "--peer", "--output", tmp_path / "conf")
    program, conf, uri = peers("libcoap") / "coap-server", tmp_path / "conf", f"coap://127.0.0.1:{port}/"
    serving([program, "-A", "127.0.0.1", "-p", str(port), "-E", f"{conf},{conf}.seq"], uri)
    capsys.readouterr()
    for _ in range(2):
        thingstead("coap", "get", uri, "--oscore", tmp_path / "ours")
        assert "libcoap" in capsys.readouterr().out


@pytest.mark.spec("RFC 8613 8")
@pytest.mark.parametrize("scheme", ["coap", "coap+tcp"])
@pytest.mark.parametrize("aead", _AEADS)
def test_we_ask_aiocoap_under_what_we_exported(peer_python, serving, tmp_path, capsys, aead, scheme):
    port = free_port("::1")
    thingstead("oscore", "create", tmp_path / "ours", "--aead", aead)
    folder, uri = tmp_path / "folder", f"{scheme}://[::1]:{port}/store"
    thingstead("oscore", "export", tmp_path / "ours", "--form", "aiocoap", "--peer", "--output", folder)
    line = json.dumps(["serve", [port, str(folder)]]).encode() + b"\n"
    serving([peer_python, Path(__file__).with_name("aiocoap_party.py")], uri, line)
    for payload in ("one", "two"):
        thingstead("coap", "put", uri, payload, "--oscore", tmp_path / "ours")
        capsys.readouterr()
        thingstead("coap", "get", uri, "--oscore", tmp_path / "ours")
        assert payload in capsys.readouterr().out
