"""``thingstead masa``: from nothing to a server that runs."""

import json
import os
import signal
import subprocess
import sys

import pytest

from thingstead.masa.directory import open_masa
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import join


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
    code, out, _ = run("masa", "make", "m", "--name", "aurora")
    assert (code, out.splitlines()[-1]) == (0, "next: thingstead masa sell m THING --to DOMAIN.credential")
    code, out, _ = run("masa", "sell", "m", "lamp", "--to", "home.credential")
    assert (code, out.splitlines()[-1]) == (0, "next: thingstead masa run m")
    born = birth_record.decode((here / "lamp" / "home" / "birth").read_bytes())
    name = join.identity_credential(born.maker_identity, ccs.decode(born.maker_identity).public).id_cred
    (sale,) = open_masa(here / "m").sales.read().find(name)
    domain = ccs.decode((here / "home.credential").read_bytes()).public
    assert (sale.serial, sale.to) == ("A-1", (cose_key.thumbprint(domain).hex(),))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("make", "m", "--name", "aurora"), "already"),
        (("sell", "m", "lamp", "--to", "home.credential"), "already"),
        (("sell", "m", "home", "--to", "home.credential"), "no thing was born"),
        (("sell", "lamp", "lamp", "--to", "home.credential"), "thingstead masa make"),
        (("sell", "m", "lamp", "--to", "nowhere"), "nowhere"),
        (("run", "lamp"), "thingstead masa make"),
    ],
)
def test_what_cannot_be_done_is_said(here, run, words, told):
    run("masa", "make", "m", "--name", "aurora")
    run("masa", "sell", "m", "lamp", "--to", "home.credential")
    code, _, err = run("masa", *words)
    assert code != 0
    assert told in err


def test_it_runs_and_says_what_it_refused(here, run, process_environment):
    run("masa", "make", "m", "--name", "aurora")
    words = ("masa", "run", "m", "--host", "127.0.0.1", "--port", "0", "--json")
    with subprocess.Popen(
        [sys.executable, "-m", "thingstead", *words],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **process_environment},
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert run("coap", "post", f"{told['server']}/.well-known/lake-authz/voucherrequest", "x")[0] != 0
        process.send_signal(signal.SIGTERM)
        assert json.loads(process.stdout.read()) == {"vouched": 0, "refused": {"unprotected": 1}}
    assert process.returncode == 0
