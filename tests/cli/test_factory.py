"""A maker's side on the command line, and what a domain takes of it."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from thingstead.agent.program import STATUS_SOCKET
from thingstead.controller.directory import DomainDirectory
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import firmware
from thingstead.storage.directory import locked


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def maker(here, run):
    assert run("factory", "maker", "aurora", "--name", "aurora", "--domain", "aurora.example")[0] == 0
    return here / "aurora"


@pytest.fixture
def domain(here, run):
    assert run("init", "home", "--profile", "home")[0] == 0
    return DomainDirectory(here / "home")


THING = ("factory", "thing", "lamp", "--maker", "aurora", "--model", "LX-1", "--serial", "A-1", "--for")


def test_from_a_maker_to_a_born_thing_each_command_names_the_next(here, run, domain, maker):
    for words, following in [
        (("trust", "add", "home", "aurora/aurora.anchor"), "next: thingstead up home"),
        (("domain", "credential", "home"), "next: thingstead factory thing THING --maker MAKER"),
        ((*THING, "home.credential"), "next: thingstead agent run lamp"),
    ]:
        code, out, _ = run(*words)
        assert code == 0
        assert out.splitlines()[-1].startswith(following)
    born = birth_record.decode((here / "lamp" / "home" / "birth").read_bytes())
    assert born.serial == "A-1"
    exported = ccs.decode((here / "home.credential").read_bytes())
    assert exported.public == domain.public("domain")


def test_a_thing_may_be_sold_to_a_directory_or_to_a_file(here, run, domain, maker):
    run("domain", "credential", "home", "--output", "c")
    shown = [
        json.loads(run("factory", "thing", name, *THING[3:], sold_to, "--json")[1])["sold_to"]
        for name, sold_to in (("one", "home"), ("two", "c"))
    ]
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("factory", "maker", "aurora", "--name", "aurora", "--domain", "aurora.example"), 60, "already"),
        (("factory", "maker", "x", "--name", "A B", "--domain", "aurora.example"), 60, "expected a maker's name"),
        ((*THING, "absent"), 60, "expected a file at"),
        ((*THING, "aurora/aurora.anchor"), 11, "expected"),
        ((*THING, "aurora/mud"), 60, "expected a domain's directory or its .credential file"),
        ((*THING, "home", "--class", "7"), 60, "expected a whole number from 0 to 2"),
        ((*THING, "home", "--support-end", "tomorrow"), 60, "expected a day such as 2031-12-31"),
        (("factory", "thing", "lamp", "--maker", "home"), 60, "arguments are required"),
        ((*THING[:4], "home", *THING[5:], "home"), 60, "no maker at"),
        (("agent", "run", "lamp"), 60, "no thing lives in"),
        (("agent", "run", "a", "b", "--port", "5"), 60, "several share no port"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(run, domain, maker, words, code, says):
    got, out, err = run(*words)
    assert (got, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 2


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_thing_leaves_no_socket_behind_when_it_is_stopped(here, run, domain, maker, process_environment, number):
    run(*THING, "home")
    command = [sys.executable, "-m", "thingstead", "agent", "run", "lamp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=process_environment) as process:
        socket = here / "lamp" / STATUS_SOCKET
        while not socket.exists() and process.poll() is None:
            time.sleep(0.02)
        assert process.poll() is None
        process.send_signal(number)
        assert process.wait(60) == 0
    assert not socket.exists()


@pytest.mark.slow
def test_a_thing_without_its_birth_record_ends_with_an_error(here, run, domain, maker):
    run(*THING, "home")
    (here / "lamp" / "home" / "birth").unlink()
    code, _, err = run("agent", "run", "lamp")
    assert code == 50
    assert len(err.splitlines()) == 2


@pytest.mark.spec("RFC 8613 12.1")
@pytest.mark.parametrize("lives_in", ["another process", "this process"])
def test_a_thing_lives_once(here, run, domain, maker, lives_in):
    run(*THING, "home")
    with ExitStack() as stack:
        if lives_in == "another process":
            stack.callback(os.close, locked(here / "lamp" / "lock", "it is free"))
        code, _, err = run("agent", "run", "lamp", *(["lamp"] if lives_in == "this process" else []))
    assert (code, len(err.splitlines())) == (60, 2)
    assert "lives in another process already" in err
    assert not (here / "lamp" / STATUS_SOCKET).exists()


@pytest.mark.parametrize(
    "words",
    [
        ("agent", "run", "lamp", "--port", "65536"),
        ("agent", "run", "lamp", "--controller-port", "0"),
        ("agent", "run", "lamp", "--controller-host", "nowhere"),
        ("agent", "run", "lamp", "--multicast-group", "10.0.0.1"),
        ("release", "new", "--image", "i", "--maker", "m", "--model", "M", "--version", "1", "--sequence=-1"),
        (*THING, "home", "--voucher-days", "99999999999"),
        (*THING, "home", "--class", "3"),
        ("factory", "image", "i", "--model", "M", "--version", "1", "--telemetry-interval", "0"),
    ],
)
def test_a_number_out_of_bounds_is_refused_before_anything_is_made(here, run, words):
    code, _, err = run(*words)
    assert (code, list(here.iterdir())) == (60, [])
    assert "expected " in err


def test_an_image_is_one_that_the_agent_obeys(here, run):
    code, out, _ = run("factory", "image", "image.bin", "--model", "LX-1", "--version", "1.1.0")
    assert code == 0
    assert "next: thingstead release new --image image.bin" in out
    assert firmware.decode((here / "image.bin").read_bytes()).version == "1.1.0"
