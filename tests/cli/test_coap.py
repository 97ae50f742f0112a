"""``thingstead coap`` against a server of ours: payloads where results go, all else beside them."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from tests.unit.coap.party import LARGE, halves
from tests.unit.coap.test_stream_shell import over_tcp
from thingstead.coap.server import Server
from thingstead.errors import TransportError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, MessageType, decode, encode
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.problem import Problem, with_problem
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.transport.udp import open_multicast_socket, open_socket

SENML = [{-2: "lamp/", 0: "power", 1: "W", 2: 4.5, 6: 1_700_000_000.5}, {0: "on", 4: True, 6: 1_700_000_000.5}]
PROBLEM = Problem("a title", "\x1b[2Jdetail", response_code=0x84, unprocessed_options=(11, 2049), custom={7: {1: 2}})
FORMATS = {
    "/text": (ContentFormat.TEXT_PLAIN, b"warm \xc3\xbc"),
    "/json": (ContentFormat.JSON, b'{"on":true}'),
    "/cbor": (ContentFormat.CBOR, codec.encode({1: [b"\x01", None]})),
    "/senml": (ContentFormat.SENML_CBOR, codec.encode(SENML)),
    "/links": (ContentFormat.LINK_FORMAT, b'</light>;rt="light";obs'),
    "/bytes": (ContentFormat.OCTET_STREAM, b"\x00\xff"),
    "/liar": (ContentFormat.CBOR, b"\xff"),
    "/untold": (None, b"something"),
    "/hostile": (None, b"\x1b]0;title\x07"),
    "/sequence": (ContentFormat.CBOR_SEQ, b"\x01\x02"),
}


def content(number, payload):
    options = [] if number is None else [(int(OptionNumber.CONTENT_FORMAT), encode_uint(number))]
    return Message(Code.CONTENT, options=options, payload=payload)


def echo(call):
    number = call.request.option(OptionNumber.CONTENT_FORMAT)
    return content(None if number is None else int.from_bytes(number, "big"), call.request.payload)


def fill(server, *, public):
    for path, (number, payload) in FORMATS.items():
        server.serve(path, Code.GET, lambda _, told=(number, payload): content(*told), public=public)
    for method in (Code.POST, Code.PUT, Code.FETCH, Code.PATCH, Code.IPATCH):
        server.serve("/echo", method, echo, public=public)
    server.serve(
        "/made", Code.POST, lambda _: Message(Code.CREATED, options=[(OptionNumber.LOCATION_PATH, b"7")]), public=public
    )
    server.serve("/gone", Code.DELETE, lambda _: Message(Code.DELETED), public=public)
    server.serve("/fault", Code.GET, lambda _: Message(Code.SERVICE_UNAVAILABLE, payload=b"later"), public=public)
    server.serve("/problem", Code.GET, lambda _: with_problem(Message(Code.CONFLICT), PROBLEM), public=public)
    server.serve("/state", Code.GET, lambda _: content(ContentFormat.TEXT_PLAIN, b"on"), public=public)
    server.serve("/state", Code.PUT, lambda _: Message(Code.CHANGED), public=public)
    server.serve("/silent", Code.GET, lambda _: None, public=public)
    server.serve("/ticks", Code.GET, lambda _: content(None, b"tick"), public=public, observable=True)


class Serving:
    """A server in a thread of its own, which ticks while anybody observes."""

    def __init__(self, host, **options):
        self.host, self.options = host, options
        self.observers = 0
        self.ready, self.thread = threading.Event(), threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self):
        self.loop, self.stopped = asyncio.get_running_loop(), asyncio.Event()
        async with Server(self.host, 0, **self.options) as server:
            fill(server, public=not self.options.get("oscore"))
            self.uri = f"coap://{f'[{self.host}]' if ':' in self.host else self.host}:{server.port}"
            self.ready.set()
            while not self.stopped.is_set():
                self.observers = server.changed("/ticks")
                await asyncio.sleep(0.01)

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(5)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.stopped.set)
        self.thread.join(5)


@pytest.fixture(scope="module")
def server():
    with Serving("::1") as serving:
        yield serving


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    ours, theirs = halves(tmp_path_factory.mktemp("contexts"))
    with Serving("127.0.0.1", oscore=[theirs]) as serving:
        serving.context = ours
        yield serving


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/text", "warm ü\n"),
        ("/json", '{\n  "on": true\n}\n'),
        ("/cbor", "{1: [h'01', null]}\n"),
        ("/sequence", "1\n2\n"),
        ("/untold", "something\n"),
        ("/links", "resource  attributes\n/light    rt=light, obs=-\n"),
    ],
)
def test_the_payload_is_shown_as_its_format_says_and_nothing_else(run, server, path, shown):
    assert run("coap", "get", f"{server.uri}{path}") == (0, shown, "")


@pytest.mark.spec("RFC 8428 4")
def test_readings_are_a_table(run, server):
    _, out, _ = run("coap", "get", f"{server.uri}/senml")
    assert out.splitlines()[1].split() == ["lamp/power", "4.5", "W", "2023-11-14T22:13:20.500+00:00"]
    assert out.splitlines()[2].split()[:2] == ["lamp/on", "yes"]


@pytest.mark.slow
def test_bytes_reach_a_program_as_they_are(server):
    done = subprocess.run(
        [sys.executable, "-m", "thingstead", "coap", "get", f"{server.uri}/bytes"],
        capture_output=True,
        env={"PYTHONPATH": ":".join(sys.path)},
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\x00\xff", b"")


def test_a_file_gets_the_payload_as_it_came(run, server, tmp_path):
    code, out, err = run("coap", "get", f"{server.uri}/cbor", "--output", tmp_path / "body")
    assert (code, out) == (0, "")
    assert "written" in err
    assert (tmp_path / "body").read_bytes() == FORMATS["/cbor"][1]


def test_a_link_to_a_file_stays_and_a_device_is_written_to(run, server, tmp_path):
    for name, target in (("link", tmp_path / "body"), ("device", os.devnull)):
        (tmp_path / name).symlink_to(target)
        assert run("coap", "get", f"{server.uri}/cbor", "--output", tmp_path / name)[0] == 0
        assert (tmp_path / name).is_symlink()
    assert (tmp_path / "body").read_bytes() == FORMATS["/cbor"][1]
    assert (tmp_path / "device").is_char_device()


def test_a_payload_that_is_not_what_it_says_is_shown_and_that_is_said(run, server):
    code, out, err = run("coap", "get", f"{server.uri}/liar")
    assert (code, out) == (0, "ff\n")
    assert "not the application/cbor that it says" in err


def test_a_program_gets_one_document(run, server):
    code, out, _ = run("coap", "get", f"{server.uri}/cbor", "--json")
    told = json.loads(out)
    assert (code, told["code"], told["content_format"]) == (0, "2.05 Content", "application/cbor")
    assert told["payload"] == "{1: [h'01', null]}"
    assert told["payload_base64"] == "oQGCQQH2"
    assert not told["protected"]


@pytest.mark.parametrize("command", ["post", "put", "fetch", "patch", "ipatch"])
def test_a_typed_payload_of_cbor_is_diagnostic_notation(run, server, command):
    words = ("coap", command, f"{server.uri}/echo", "{1: h'ff', \"a\": [true]}", "--content-format", "cbor", "--json")
    assert json.loads(run(*words)[1])["payload_base64"] == "ogFB/2FhgfU="


@pytest.mark.spec("RFC 7959 2")
def test_a_large_file_goes_block_wise_by_itself(run, server, tmp_path):
    (tmp_path / "body").write_bytes(LARGE)
    out = tmp_path / "back"
    assert run("coap", "put", f"{server.uri}/echo", "--file", tmp_path / "body", "--output", out)[0] == 0
    assert out.read_bytes() == LARGE


def test_standard_input_is_a_payload(run, server, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"piped")))
    assert run("coap", "post", f"{server.uri}/echo", "-")[1] == "piped\n"


@pytest.mark.parametrize(
    ("command", "path", "says"), [("post", "/made", "2.01 Created: /7"), ("delete", "/gone", "2.02 Deleted")]
)
def test_what_has_no_payload_says_its_code_beside(run, server, command, path, says):
    assert run("coap", command, f"{server.uri}{path}") == (0, "", f"{says}\n")


@pytest.mark.spec("RFC 7252 5.9")
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["get", "{uri}/nothing"], 44, "4.04 Not Found"),
        (["get", "{uri}/fault"], 45, "5.03 Service Unavailable: later"),
        (["get", "{uri}/silent", "--timeout", "0.05"], 42, "did not answer within 0.05 s"),
        (["get", "coap://127.0.0.1:{closed}/x"], 41, "nobody can be reached at 127.0.0.1"),
        (["get", "coap://nobody.invalid/x"], 41, "no address is known for nobody.invalid"),
        (["put", "coap://[ff02::fd]/x", "1"], 12, "unicast"),
        (["get", "coap+tcp://224.0.1.187/x"], 12, "a multicast address"),
        (["discover", "coap://224.0.1.187", "--interface", "192.0.2.77"], 41, "no group is reached from 192.0.2.77"),
        (["put", "{uri}/echo", "x", "--if-match", "xyz"], 60, "expected hexadecimal digits"),
        (["get", "{uri}/text", "--block-size", "100"], 60, "expected one of 16, 32"),
        (["get", "{uri}/text", "--proxy", "[::1]:5683"], 60, "expected coap://HOST"),
        (["get", "coap://a.example/x", "--proxy", "coap://127.0.0.1:{closed}"], 41, "nobody can be reached"),
        (["discover", "coap://224.0.1.187", "--proxy", "{uri}"], 12, "nor a proxy"),
        (["get", "{uri}/text", "--etag", "001122334455667788"], 60, "expected at most 8 bytes"),
        (["put", "{uri}/state", "x", "--if-none-match"], 44, "4.12 Precondition Failed"),
        (["put", "{uri}/state", "x", "--if-match", "00ff"], 44, "4.12 Precondition Failed"),
        (["get", "/light"], 60, "expected coap://HOST"),
        (["get", "coaps://[::1]/light"], 12, "OSCORE"),
        (["get", "coap://[::1]:99999/light"], 60, "expected a port"),
        (["get", "{uri}/text", "--timeout", "0"], 60, "expected seconds above 0"),
        (["get", "{uri}/text", "--accept", "xyz"], 60, "a media type or a name like cbor"),
        (["get", "{uri}/text", "--oscore", "absent"], 60, "expected an OSCORE context"),
        (["put", "{uri}/echo", "{{1", "--content-format", "cbor"], 60, "diagnostic notation"),
        (["put", "{uri}/echo", "x", "--file", "y"], 60, "got both"),
        (["put", "{uri}/echo", "--file", "absent"], 60, "expected a file"),
        (["discover", "coap://127.0.0.1:{closed}"], 41, "nobody can be reached"),
        (["observe", "{uri}/nothing"], 44, "4.04"),
        (["observe", "{uri}/ticks", "--count", "0"], 60, "at least 1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_goes_wrong_is_one_sentence_and_has_its_exit_code(run, server, words, code, says):
    with open_socket("127.0.0.1", 0) as probe:
        closed = probe.getsockname()[1]
    got, out, err = run("coap", *[word.format(uri=server.uri, closed=closed) for word in words])
    assert (got, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 2


@pytest.mark.spec("RFC 9290 2")
def test_what_a_peer_says_of_an_error_is_told_in_words_that_move_no_cursor(run, server):
    code, out, err = run("coap", "get", f"{server.uri}/problem")
    assert (code, out) == (44, "")
    told = err.splitlines()
    assert told[0] == "title: a title"
    assert told[1].startswith("detail: ")
    assert "\x1b" not in err
    assert told[2:5] == ["response code: 4.04 Not Found", "unprocessed options: Uri-Path, 2049", "custom: {7: {1: 2}}"]


@pytest.mark.spec("RFC 7959 2.4")
def test_blocks_are_as_small_as_one_likes(run, server, tmp_path):
    (tmp_path / "body").write_bytes(bytes(200))
    sent = ("coap", "put", f"{server.uri}/echo", "--file", tmp_path / "body", "--block-size", "64", "-v")
    _, _, err = run(*sent, "--output", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == bytes(200)
    assert "Block1 3/0/64" in err
    assert "Block2 3/0/64" in err


@pytest.mark.spec("RFC 7252 5.7.2")
def test_a_proxy_is_told_the_whole_uri(run, server):
    words = ("coap", "get", "coap://lamp.example/text", "--proxy", server.uri)
    code, _, err = run(*words, "-v")
    assert code == 45
    assert "Proxy-Scheme coap" in err
    assert "Uri-Host lamp.example" in err
    assert "5.05 Proxying Not Supported" in err


@pytest.mark.spec("RFC 7252 5.10.8")
def test_the_entity_tag_of_one_answer_is_the_condition_of_the_next_request(run, server):
    tag = json.loads(run("coap", "get", f"{server.uri}/state", "--etag", "00", "--json")[1])["etag"]
    assert run("coap", "get", f"{server.uri}/state", "--etag", tag) == (0, "", "2.03 Valid\n")
    assert run("coap", "put", f"{server.uri}/state", "x", "--if-match", tag) == (0, "", "2.04 Changed\n")


@pytest.mark.spec("RFC 7967 2.1")
def test_what_wants_no_response_waits_for_none(run, server):
    code, out, err = run("coap", "post", f"{server.uri}/silent", "x", "--no-response", "-v")
    assert (code, out) == (0, "")
    assert err.splitlines()[-1] == "sent, once; nobody says whether it came"
    assert "NON POST /silent" in err


@pytest.fixture
def group():
    """A member of a group, on loopback; its URI."""
    try:
        sock = open_multicast_socket("224.0.1.187", 0, interface="127.0.0.1")
    except TransportError:
        pytest.skip("ABSENT: multicast on loopback")
    sock.settimeout(20)

    def answer():
        data, asker = sock.recvfrom(1500)
        asked = decode(data)
        links = content(ContentFormat.LINK_FORMAT, b'</light>;rt="light"')
        told = Message(Code.CONTENT, MessageType.NON, 1, asked.token, links.options, links.payload)
        with open_socket("127.0.0.1", 0) as own:
            own.sendto(encode(told), asker)

    thread = threading.Thread(target=answer)
    thread.start()
    with sock:
        yield f"coap://224.0.1.187:{sock.getsockname()[1]}"
        thread.join(20)


@pytest.mark.spec("RFC 7252 8.2")
@pytest.mark.parametrize("words", [["discover", "{group}"], ["get", "{group}/.well-known/core"]])
def test_a_group_is_asked_who_is_there(run, group, words):
    command = [word.format(group=group) for word in words]
    code, out, err = run("coap", *command, "--interface", "127.0.0.1", "--timeout", "0.2")
    assert (code, out.splitlines()[1].split()) == (0, ["/light", "rt=light"])
    assert "127.0.0.1:" in err
    assert "2.05 Content" in err


def test_an_error_is_one_document_too(run, server):
    code, out, _ = run("coap", "get", f"{server.uri}/nothing", "--json")
    assert (code, json.loads(out)["error"]["reason"]) == (44, "4.04")


@pytest.mark.spec("RFC 6690 4")
def test_a_host_tells_what_it_serves(run, server):
    code, out, _ = run("coap", "discover", server.uri)
    assert code == 0
    assert "/senml" in out
    assert any(row["target"] == "/senml" for row in json.loads(run("coap", "discover", server.uri, "--json")[1]))


@pytest.mark.spec("RFC 7641 3")
def test_an_observation_ends_after_as_many_as_were_wanted(run, server):
    assert run("coap", "observe", f"{server.uri}/ticks", "--count", 3) == (0, "tick\n" * 3, "")
    lines = run("coap", "observe", f"{server.uri}/ticks", "--count", 2, "--json")[1].splitlines()
    assert [json.loads(line)["payload"] for line in lines] == ["tick", "tick"]


@pytest.mark.spec("RFC 7641 4.1")
def test_what_nobody_may_observe_answers_once_and_says_so(run, server):
    code, out, err = run("coap", "observe", f"{server.uri}/text")
    assert (code, out) == (0, "warm ü\n")
    assert "lets nobody observe" in err


@pytest.mark.slow
@pytest.mark.spec("RFC 7641 3.6")
def test_ctrl_c_ends_an_observation_at_the_peer_too(server):
    process = subprocess.Popen(
        [sys.executable, "-m", "thingstead", "coap", "observe", f"{server.uri}/ticks"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"tick\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, b"")
    deadline = time.monotonic() + 5
    while server.observers and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.observers == 0


def test_an_exchange_is_drawn_beside_its_result(run, server):
    code, out, err = run("coap", "get", f"{server.uri}/text", "-v")
    assert (code, out) == (0, "warm ü\n")
    assert "CON GET /text" in err
    assert "ACK 2.05 Content" in err
    assert server.uri.removeprefix("coap://") in err.splitlines()[0]


@pytest.mark.spec("RFC 8613 8")
def test_with_a_context_nothing_goes_out_in_clear(run, secured):
    words = (
        "coap",
        "put",
        f"{secured.uri}/echo",
        "true",
        "--content-format",
        "cbor",
        "--oscore",
        secured.context,
        "-v",
    )
    code, out, err = run(*words)
    assert (code, out) == (0, "true\n")
    assert "OSCORE kid 01 number" in err
    assert "echo" not in err


@pytest.mark.spec("RFC 8613 8.2")
def test_a_context_that_the_peer_does_not_know_is_no_success(run, server, tmp_path):
    ours, _ = halves(tmp_path)
    code, out, err = run("coap", "get", f"{server.uri}/text", "--oscore", ours)
    assert (code, out) == (24, "")
    assert "4.01" in err


@pytest.mark.slow
def test_what_a_peer_wrote_moves_no_cursor_of_a_terminal(server, monkeypatch):
    """On a terminal, which a pseudo-terminal is to the program."""
    leader, follower = os.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "thingstead", "coap", "get", f"{server.uri}/hostile"],
        stdout=follower,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
        timeout=20,
        check=False,
    )
    os.close(follower)
    shown = os.read(leader, 4096)
    os.close(leader)
    assert done.returncode == 0
    assert b"\x1b" not in shown
    assert b"\x07" not in shown


@pytest.mark.spec("RFC 8323 8.1")
def test_over_tcp_it_is_the_same(run):
    async def story(uri, _server):
        return await asyncio.to_thread(run, "coap", "get", f"{uri}/a", "-v")

    code, out, err = over_tcp(story)
    assert (code, out) == (0, "hello\n")
    assert "7.01 CSM" in err
    assert "GET /a" in err
    assert "CON" not in err
