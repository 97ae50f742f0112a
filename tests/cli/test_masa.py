"""``thingstead masa``: from nothing to a server that runs."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest

from tests.unit.masa.wire import Buyer, asked
from thingstead.controller.directory import DomainDirectory
from thingstead.identifier import KeyId
from thingstead.masa.directory import open_masa
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.lake_authz import message, voucher
from thingstead.protocols.lake_authz.voucher import Binding
from thingstead.protocols.profile import birth as birth_record

MAKE = ("masa", "make", "m", "--name", "aurora", "--location", "coap://127.0.0.1:5699")


@pytest.fixture
def here(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    assert run("init", "home", "--profile", "home")[0] == 0
    assert run("domain", "credential", "home")[0] == 0
    assert run("factory", "maker", "aurora", "--name", "aurora", "--domain", "aurora.example")[0] == 0
    thing = ("--maker", "aurora", "--model", "LX-1", "--serial", "A-1", "--for", "home.credential")
    assert run("factory", "thing", "lamp", *thing)[0] == 0
    return tmp_path


def test_a_thing_is_sold_under_the_name_that_it_will_use_in_edhoc(here, run):
    code, out, _ = run(*MAKE)
    assert (code, out.splitlines()[-1]) == (0, "next: thingstead masa sell m THING --to DOMAIN.credential")
    code, out, _ = run("masa", "sell", "m", "lamp", "--to", "home.credential")
    assert (code, out.splitlines()[-1]) == (0, "next: thingstead masa run m")
    born = birth_record.decode((here / "lamp" / "home" / "birth").read_bytes())
    name = birth_record.credential(born, ccs.decode(born.maker_identity).public).id_cred
    (sale,) = open_masa(here / "m").sales.read().find(name)
    domain = ccs.decode((here / "home.credential").read_bytes()).public
    assert (sale.serial, sale.to) == ("A-1", (cose_key.thumbprint(domain).hex(),))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (MAKE[1:], "already"),
        (("sell", "m", "lamp", "--to", "home.credential"), "A-1 is there 2 times"),
        (("sell", "m", "home", "--to", "home.credential"), "no thing was born"),
        (("sell", "lamp", "lamp", "--to", "home.credential"), "thingstead masa make"),
        (("sell", "m", "lamp", "--to", "nowhere"), "nowhere"),
        (("run", "lamp"), "thingstead masa make"),
    ],
)
def test_what_cannot_be_done_is_said(here, run, words, told):
    run(*MAKE)
    run("masa", "sell", "m", "lamp", "--to", "home.credential")
    code, _, err = run("masa", *words)
    assert code != 0
    assert told in err


def test_it_vouches_over_udp_for_whom_the_file_says_and_tells_what_it_did(here, run, process_environment):
    run(*MAKE)
    run("masa", "sell", "m", "lamp", "--to", "home.credential")
    of_domains, of_things = (
        ccs.decode((here / "m" / f"{name}.credential").read_bytes()).public for name in ("session", "voucher")
    )
    thing = bytes.fromhex(open_masa(here / "m").sales.path.read_text().split('id_cred_i = "')[1].split('"')[0])
    words = ("masa", "run", "m", "--host", "127.0.0.1", "--port", "0", "--json")
    with (
        subprocess.Popen(
            [sys.executable, "-m", "thingstead", *words],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **process_environment},
        ) as process,
        ExitStack() as stopping,
    ):
        stopping.callback(process.kill)
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert run("coap", "post", f"{told['server']}/.well-known/lake-authz/voucherrequest", "x")[0] != 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.5)
            client.connect(("127.0.0.1", int(told["server"].rpartition(":")[2])))

            def carry(outgoing, _now):
                for data, _to in outgoing:
                    client.send(data)
                return [client.recv(1500)]

            home = Buyer(
                carry, server=of_domains, key=DomainDirectory(here / "home").key_store().handle(KeyId("domain"))
            )
            question, key = asked(thing=thing, server=of_things)
            got = message.decode_response(home.voucher(question.encode(), home.meet()).payload)
        held = voucher.authenticate(got, key, Binding(question.h_21, thing, home.credential.cred))
        assert held.binding.id_cred_i == thing
        process.send_signal(signal.SIGTERM)
        counted = json.loads(process.stdout.read())
        assert (counted["vouched"], counted["refused"]) == (1, {"unprotected": 1})
        ended = process.wait(10)
    assert ended == 0
    (line,) = (here / "m" / "vouched.jsonl").read_text().splitlines()
    assert json.loads(line)["serial"] == "A-1"


@pytest.fixture
def supplied(here, run):
    """A domain that trusts the maker, a server with a card, and a thing that asks it."""
    assert run(*MAKE)[0] == 0
    thing = ("--maker", "aurora", "--model", "LX-1", "--serial", "A-2", "--server", "m/aurora.server")
    code, out, _ = run("factory", "thing", "asking", *thing)
    assert (code, out.splitlines()[-1]) == (0, "next: thingstead masa sell SERVER asking --to DOMAIN.credential")
    assert "coap://127.0.0.1:5699" in out
    return here


def test_a_domain_is_given_the_server_with_the_anchor_and_keeps_it(supplied, run):
    code, out, _ = run("trust", "add", "home", "aurora/aurora.anchor", "--server", "m/aurora.server")
    assert (code, "coap://127.0.0.1:5699" in out) == (0, True)
    for words in (("trust", "add", "home", "aurora/aurora.anchor"), ("trust", "list", "home")):
        code, out, _ = run(*words)
        assert (code, "coap://127.0.0.1:5699" in out) == (0, True)


def test_a_server_is_added_to_a_maker_that_is_trusted_already(supplied, run):
    assert run("trust", "add", "home", "aurora/aurora.anchor")[0] == 0
    assert run("trust", "add", "home", "aurora/aurora.anchor", "--server", "m/aurora.server")[0] == 0
    (anchor,) = DomainDirectory(supplied / "home").anchors()
    assert anchor.server == open_masa(supplied / "m").card


def test_a_thing_that_asks_another_server_is_not_sold_here(supplied, run):
    run("masa", "make", "n", "--name", "aurora", "--location", "coap://127.0.0.1:5698")
    code, _, err = run("masa", "sell", "n", "asking", "--to", "home.credential")
    assert code != 0
    assert "does not ask this server" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("trust", "add", "home", "aurora/aurora.anchor", "--server", "b/borealis.server"), "server of aurora"),
        (("trust", "add", "home", "aurora/aurora.anchor", "--server", "home.credential"), "expected"),
        (("trust", "add", "home", "aurora/aurora.anchor", "--server", "nowhere"), "nowhere"),
        (("factory", "thing", "x", *(THING := ("--maker", "aurora", "--model", "M", "--serial", "A-3"))), "--server"),
        (("factory", "thing", "x", *THING, "--server", "m/aurora.server", "--for", "home"), "--server"),
        (("factory", "thing", "x", *THING, "--server", "b/borealis.server"), "server of aurora"),
        (("factory", "thing", "x", *THING, "--server", "home.credential"), "expected"),
    ],
    ids=["other-maker", "no-card", "absent", "neither", "both", "born-of-other", "born-of-no-card"],
)
def test_a_card_that_does_not_fit_is_refused(supplied, run, words, told):
    run("masa", "make", "b", "--name", "borealis", "--location", "coap://127.0.0.1:5698")
    code, _, err = run(*words)
    assert code != 0
    assert told in err
    assert not (supplied / "x").exists()
