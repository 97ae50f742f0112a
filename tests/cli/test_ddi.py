"""``thingstead thing add`` and ``domain authority``: what a device that speaks hawkBit's API has to be told."""

import http.client
import json
import os
import ssl
import time
from contextlib import ExitStack

import pytest

from tests.cli.processes import Processes, short_directory
from tests.port import free_port
from thingstead.crypto.certificate import load_certificate


def waits_for(condition, *, within=20.0):
    end = time.monotonic() + within
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


ADDED = {"thing": "thing-abcdefghijklmnop", "token": "t" * 43, "tenant": "default", "url": "https://localhost:8443"}


def test_the_authority_is_written_and_stays_the_same(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    assert run("init", "home", "--profile", "home")[0] == 0
    code, out, _ = run("domain", "authority", "home")
    assert (code, out.splitlines()[-1].startswith("next: thingstead thing add")) == (0, True)
    first = (tmp_path / "home.authority.pem").read_bytes()
    assert load_certificate(first).subject == "CN=Thingstead home"
    assert run("domain", "authority", "home", "--output", "other.pem")[0] == 0
    assert (tmp_path / "other.pem").read_bytes() == first


def test_no_authority_is_made_where_no_domain_is(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("domain", "authority", "nowhere")
    assert code == 60
    assert "no domain" in err
    assert not (tmp_path / "nowhere").exists()


def test_a_device_is_taken_in_and_its_token_shown(controller, run):
    controller.answer = {"result": ADDED}
    code, out, _ = run("thing", "add", "--maker", "aurora", "--model", "GW-1", "--serial", "G-1", "--verifies-images")
    assert code == 0
    asked = {"maker": "aurora", "model": "GW-1", "serial": "G-1", "verifies_images": True}
    assert controller.asked == [("thing.add", asked)]
    assert ADDED["token"] in out
    assert run("thing", "token", ADDED["thing"])[0] == 0
    assert controller.asked[-1] == ("thing.token", {"thing": ADDED["thing"]})


@pytest.mark.parametrize("missing", ["--maker", "--model", "--serial"])
def test_a_device_without_a_name_is_not_asked_about(controller, run, missing):
    words = {"--maker": "aurora", "--model": "GW-1", "--serial": "G-1"}
    del words[missing]
    assert run("thing", "add", *[word for pair in words.items() for word in pair])[0] == 60
    assert controller.asked == []


@pytest.mark.slow
def test_a_domain_that_runs_answers_its_devices_alone(monkeypatch, run, process_environment):
    with short_directory("ddi-") as here, ExitStack() as stack:
        monkeypatch.chdir(here)
        site = Processes(here, run, {**os.environ, **process_environment}, stack)
        port = free_port()
        assert run("init", "home", "--profile", "home")[0] == 0
        settings = here / "home" / "thingstead.toml"
        settings.write_text(
            f"{settings.read_text()}[coap]\nport = {site.port}\n[web]\nenabled = false\n"
            f"[ddi]\nenabled = true\nport = {port}\n"
        )
        assert run("domain", "authority", "home")[0] == 0
        assert run("factory", "maker", "aurora", "--name", "aurora", "--domain", "aurora.example")[0] == 0
        assert run("trust", "add", "home", "aurora/aurora.anchor")[0] == 0
        site.up()
        assert waits_for(lambda: run("status", "--domain", "home")[0] == 0)
        words = (
            "thing",
            "add",
            "--maker",
            "aurora",
            "--model",
            "GW-1",
            "--serial",
            "G-1",
            "--domain",
            "home",
            "--json",
        )
        added = json.loads(run(*words)[1])
        trust = ssl.create_default_context(cafile="home.authority.pem")
        statuses = []
        for token in (added["token"], "x" * 43):
            connection = http.client.HTTPSConnection("localhost", port, context=trust, timeout=10)
            path = f"/default/controller/v1/{added['thing']}"
            connection.request("GET", path, headers={"Authorization": f"TargetToken {token}"})
            statuses.append(connection.getresponse().status)
            connection.close()
        assert statuses == [200, 401]
