"""Resource directories of others with our clients, and ours, of a running domain, with a client of others."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.interop.endpoint_party import on_loopback
from tests.port import free_port
from thingstead.agent import association as kept
from thingstead.agent.directory import tell
from thingstead.agent.membership import ASSOCIATION
from thingstead.agent.story import Request, Wait
from thingstead.cli import main as cli
from thingstead.coap.client import Client
from thingstead.coap.exchange import Options
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.coap.uri import compose

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.spec("RFC 9176 5")]

SCRIPT = Path(__file__).parent / "aiocoap_directory_party.py"
PATIENCE = 30.0
LINKS = '</light>;rt=light,</temperature>;rt="temperature sensor"'


@pytest.fixture
def ask(capsys):
    """Run ``thingstead coap`` as somebody would type it; its exit code and what it shows."""

    def ask(*words):
        capsys.readouterr()
        code = cli.main(["coap", *map(str, words), "--json"])
        out = capsys.readouterr().out
        return code, json.loads(out) if out else None

    return ask


@pytest.fixture
def directory(request, peers, program, ask):
    """A directory of others, empty; its base URI."""
    port = free_port()
    if request.param == "aiocoap":
        base, words = f"coap://[::1]:{port}", [peers("python") / "bin" / "aiocoap-rd", "--bind", f"[::1]:{port}"]
    else:
        base = f"coap://127.0.0.1:{port}"
        words = [program("coap-rd-notls", package="libcoap3-bin"), "-A", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE
    while ask("discover", base, "--timeout", "1")[0] and time.monotonic() < end:
        pass
    yield base
    process.kill()
    process.wait()


def theirs(*names):
    return pytest.mark.parametrize("directory", names, indirect=True)


def targets(rows):
    return [row["target"] for row in rows]


@pytest.mark.spec("RFC 9176 4.1")
@theirs("aiocoap", "libcoap")
def test_discover_finds_registration_and_lookup(directory, ask):
    _, found = ask("discover", f"{directory}/?rt=core.rd*")
    kinds = {attributes["rt"] for attributes in (dict(row["attributes"]) for row in found)}
    assert "core.rd" in kinds
    assert kinds <= {"core.rd", "core.rd-lookup-ep", "core.rd-lookup-res"}


@pytest.mark.spec("RFC 9176 6.2")
@theirs("aiocoap")
def test_from_registration_to_removal_by_command(directory, ask):
    links = ("--content-format", "link-format")
    assert ask("post", f"{directory}/rd?ep=one&lt=60", LINKS, *links)[0] == 0
    assert ask("post", f"{directory}/rd?ep=two&d=floor-1&lt=60", "</light>;rt=light", *links)[0] == 0
    resources, endpoints = f"{directory}/resource-lookup/", f"{directory}/endpoint-lookup/"
    for query, count in {"rt=light": 2, "rt=temp*": 1, "ep=two": 1, "d=floor-1": 1, "rt=none": 0}.items():
        assert len(ask("get", f"{resources}?{query}")[1]["payload"] or ()) == count, query
    assert len(ask("get", f"{resources}?count=1&page=1")[1]["payload"]) == 1
    (place,) = targets(ask("get", f"{endpoints}?ep=two")[1]["payload"])
    assert ask("post", f"{directory}{place}?lt=120&et=lamp")[0] == 0
    assert targets(ask("get", f"{endpoints}?et=lamp")[1]["payload"]) == [place]
    assert ask("delete", f"{directory}{place}")[0] == 0
    assert targets(ask("get", endpoints)[1]["payload"]) != [place]
    assert ask("post", f"{directory}{place}?lt=120")[0] == 44


async def carried(story, base, seconds):
    """Go through a thing's story against a directory, so many waits; the requests and their answers."""
    host, _, port = base.removeprefix("coap://").rpartition(":")
    exchanges = []
    async with Client() as client:
        effect = next(story)
        while seconds:
            if isinstance(effect, Wait):
                seconds -= 1
                effect = story.send(None)
                continue
            assert isinstance(effect, Request)
            asked = effect.message
            assert asked.code == Code.POST
            how: Options = {} if asked.option(OptionNumber.CONTENT_FORMAT) is None else {"content_format": 40}
            uri = compose(asked, (host.strip("[]"), int(port)))
            response = await client.request(Code.POST, uri, asked.payload, **how)
            exchanges.append((uri.removeprefix(base), response.code))
            effect = story.send(response)
    return exchanges


def telling():
    return tell(lambda: "lamp-7", lambda: ["/light", "/power"], lifetime=100.0, retry=1.0, is_wanted=lambda: True)


@theirs("aiocoap")
def test_a_thing_of_ours_registers_and_renews_where_the_directory_says(directory, ask):
    exchanges = asyncio.run(carried(telling(), directory, 3))
    assert exchanges[0] == ("/rd?ep=lamp-7&lt=100", Code.CREATED)
    assert exchanges[1:] == [("/reg/1/?lt=100", Code.CHANGED)] * 2
    assert len(ask("get", f"{directory}/resource-lookup/?ep=lamp-7")[1]["payload"]) == 2


@theirs("libcoap")
def test_where_nothing_is_renewed_a_thing_of_ours_registers_anew(directory):
    exchanges = asyncio.run(carried(telling(), directory, 2))
    assert [code for _, code in exchanges] == [Code.CREATED, Code.METHOD_NOT_ALLOWED, Code.CREATED]
    assert [uri for uri, _ in exchanges[::2]] == ["/rd?ep=lamp-7&lt=100"] * 2


@pytest.mark.spec("RFC 9176 5.1")
@theirs("aiocoap")
def test_we_are_asked_what_we_have_when_we_register_simply(directory, ask):
    async def story():
        async with on_loopback(None, host="::1", is_lenient=True) as party:
            port = int(directory.rpartition(":")[2])
            return await party.ask(Code.POST, "/.well-known/rd?ep=simple", port)

    assert asyncio.run(story()).code == Code.CHANGED
    shown = ask("get", f"{directory}/resource-lookup/?ep=simple&rt=x")[1]["payload"]
    assert [target.rpartition("/")[2] for target in targets(shown)] == ["hello"]


class Domain:
    """A domain with its directory, and one thing that has joined: its association is aiocoap's from then on."""

    def __init__(self, folder, stack, environment):
        self.folder, self.stack, self.environment = folder, stack, environment
        self.port = free_port()
        self.base = f"coap://[::1]:{self.port}"

    def run(self, *words):
        assert cli.main([str(word) for word in words]) == 0

    def spawn(self, *words):
        log = self.stack.enter_context((self.folder / "log").open("a"))
        command = [sys.executable, "-m", "thingstead", *map(str, words)]
        process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def begin(self):
        self.run("init", "home", "--profile", "home")
        self.run("factory", "maker", "aurora", "--name", "aurora", "--domain", "aurora.example")
        self.run("trust", "add", "home", "aurora/aurora.anchor")
        self.run("factory", "thing", "lamp", "--maker", "aurora", "--model", "LX-1", "--serial", "L1", "--for", "home")
        rule = '\n[[rule]]\nname = "lamps"\nmakers = ["aurora"]\nscope = "thing"\n'
        policy = (self.folder / "home" / "policy.toml").read_text() + rule
        (self.folder / "home" / "policy.toml").write_text(
            policy.replace("[scope.thing]\n", '[scope.thing]\n"/.well-known/rd" = ["POST"]\n', 1)
        )
        with (self.folder / "home" / "thingstead.toml").open("a") as settings:
            settings.write(f'\n[coap]\nhost = "::1"\nport = {self.port}\nmulticast_group = ""\n')
        self.spawn("up", "home")
        thing = self.spawn(
            "agent", "run", "lamp", "--controller-host", "::1", "--controller-port", self.port, "--host", "::1"
        )
        end = time.monotonic() + PATIENCE
        home = self.folder / "lamp" / "home"
        while not (home / ASSOCIATION).exists() and time.monotonic() < end:
            time.sleep(0.05)
        thing.kill()
        thing.wait()
        return self.hand_over(home)

    def hand_over(self, home):
        """What the thing had, in aiocoap's form; beyond every number that it may have used."""
        held = kept.decode((home / ASSOCIATION).read_bytes())
        place = self.folder / "context"
        place.mkdir()
        settings = {
            "sender-id_hex": held.sender_id.hex(), "recipient-id_hex": held.recipient_id.hex(),
            "secret_hex": held.master_secret.reveal().hex(), "salt_hex": held.master_salt.hex(),
        }  # fmt: skip
        (place / "settings.json").write_text(json.dumps(settings))
        numbers = {"next-to-send": 10_000, "received": "unknown"}
        (place / "sequence.json").write_text(json.dumps(numbers))
        return place


class Aiocoap:
    """aiocoap's client for directories, registered at ours."""

    def __init__(self, python, base, context, name):
        words = [python, SCRIPT, base, str(context), name]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.base = base
        self.state = self._read()[0]

    def ask(self, method, path):
        assert self.process.stdin is not None
        self.process.stdin.write(f"{method} {self.base}{path}\n")
        self.process.stdin.flush()
        return self._read()

    def leave(self):
        """Have it remove its registration."""
        assert self.process.stdin is not None
        self.process.stdin.write("leave\n")
        self.process.stdin.flush()
        assert self._read() == ("left", "")

    def end(self):
        self.process.communicate(timeout=PATIENCE)

    def _read(self):
        assert self.process.stdout is not None
        return tuple(json.loads(self.process.stdout.readline()))


@pytest.fixture
def domain(monkeypatch, tmp_path, peer_python):
    with tempfile.TemporaryDirectory(prefix="rd-") as folder, ExitStack() as stack:
        monkeypatch.delenv("THINGSTEAD_DOMAIN", raising=False)
        monkeypatch.chdir(folder)
        environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
        yield Domain(Path(folder), stack, environment)


@pytest.mark.requirement("R-34")
@pytest.mark.timeout(120)
def test_aiocoap_in_the_place_of_a_thing_discovers_our_directory_and_stays_in_it(domain, peer_python, ask):
    context = domain.begin()
    aiocoap = Aiocoap(peer_python, domain.base, context, "lamp-of-others")
    assert aiocoap.state == "registered"
    code, found = aiocoap.ask("GET", "/rd-lookup/res?rt=light&ep=lamp-of-others")
    assert (code, found.count("/light>")) == ("2.05", 1)
    assert aiocoap.ask("POST", "/rd?ep=thing-aaaaaaaaaaaaaaaa")[0] == "4.03"
    end = time.monotonic() + 3  # longer than its lifetime of two seconds
    while time.monotonic() < end:
        assert "lamp-of-others" in aiocoap.ask("GET", "/rd-lookup/ep?ep=lamp-*")[1]
    assert aiocoap.ask("POST", "/.well-known/rd?ep=simple")[0] == "2.04"
    assert "/light>" in aiocoap.ask("GET", "/rd-lookup/res?ep=simple")[1]
    aiocoap.leave()
    assert aiocoap.ask("GET", "/rd-lookup/ep") == ("2.05", "")
    aiocoap.end()
    assert ask("get", f"{domain.base}/rd-lookup/ep")[0] == 44
    assert ask("post", f"{domain.base}/rd?ep=stranger", "</x>", "--content-format", "link-format")[0] == 44
