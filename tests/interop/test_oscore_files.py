"""Contexts that `thingstead oscore` exports and imports, with whoever they are exported to and imported from."""

import subprocess

import pytest

from tests.cli.test_coap import FORMATS, Serving
from thingstead.cli import main as cli
from thingstead.storage.oscore_context import ContextFile
from thingstead.transport.udp import open_socket

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


@pytest.mark.spec("RFC 8613 8")
def test_we_ask_libcoap_under_what_we_exported(peers, tmp_path, capsys):
    with open_socket("127.0.0.1", 0) as probe:
        port = probe.getsockname()[1]
    thingstead("oscore", "create", tmp_path / "ours")
    thingstead("oscore", "export", tmp_path / "ours", "--form", "libcoap", "--peer", "--output", tmp_path / "conf")
    program = peers("libcoap") / "coap-server"
    words = [program, "-A", "127.0.0.1", "-p", str(port), "-E", f"{tmp_path / 'conf'},{tmp_path / 'conf'}.seq"]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        uri = f"coap://127.0.0.1:{port}/"
        while cli.main(["coap", "get", uri, "--timeout", "1"]) == 41:
            pass
        capsys.readouterr()
        for _ in range(2):
            thingstead("coap", "get", uri, "--oscore", tmp_path / "ours")
            assert "libcoap" in capsys.readouterr().out
    finally:
        server.terminate()
        server.wait(5)
