"""MUD URLs on the command line: what waits leads to its review, and dnsmasq's hook passes on what concerns us."""

import json

import pytest

from tests.unit.controller.test_brownfield import file
from tests.unit.crypto.mud_certificate import URL, device_certificate, ia5

THING, MAC, OTHER = "thing-aaaaaaaaaaaaaaaa", "02:77:00:00:00:01", "https://acme.example/other.json"
ROW: dict[str, object] = {
    "thing": THING,
    "mac": None,
    "mud_url": URL.decode(),
    "source": "credential",
    "trust": "signed",
    "waiting": [],
}


@pytest.mark.parametrize(
    ("waiting", "then"),
    [([], "thingstead thing list"), ([f"{OTHER} by dhcpv4"], f"thingstead mud review {THING}")],
)
def test_what_waits_leads_to_its_review(run, controller, waiting, then):
    controller.answer = {"result": [{**ROW, "thing": None, "mac": MAC}, {**ROW, "waiting": waiting}]}
    code, out, _ = run("mud", "urls")
    assert (code, out.splitlines()[-1]) == (0, f"next: {then}")


def test_a_review_leads_to_the_decision(run, controller):
    row = {"thing": THING, "url": OTHER, "source": "dhcpv4", "trust": "says whoever", "more": ["all"], "less": []}
    controller.answer = {"result": [row]}
    assert run("mud", "review", THING)[1].splitlines()[-1] == f"next: thingstead mud approve {THING} {OTHER}"
    controller.answer = {"result": []}
    assert "nothing waits" in run("mud", "review", THING)[1]


def test_a_certificate_is_read_here_and_sent(run, controller, tmp_path):
    leaf, _ = device_certificate(ia5(URL))
    (tmp_path / "lamp.der").write_bytes(leaf)
    assert run("thing", "mud", THING, "--certificate", "lamp.der")[0] == 0
    ((operation, arguments),) = controller.asked
    assert (operation, arguments["thing"], len(arguments["certificate"]) > 100) == ("thing.mud", THING, True)


def test_a_file_of_the_owners_is_read_here_and_sent(run, controller, tmp_path):
    (tmp_path / "learned.json").write_bytes(file())
    assert run("thing", "mud", THING, "--file", "learned.json")[0] == 0
    assert controller.asked == [("thing.mud", {"thing": THING, "file": file().decode()})]


@pytest.mark.parametrize("content", [b"{}", b"", b"\xff\xfe"])
def test_a_file_that_is_no_mud_file_is_asked_of_nobody(run, controller, tmp_path, content):
    (tmp_path / "learned.json").write_bytes(content)
    assert run("thing", "mud", THING, "--file", "learned.json")[0] != 0
    assert controller.asked == []


def test_a_file_that_is_no_certificate_is_refused_before_anybody_is_asked(run, controller, tmp_path):
    (tmp_path / "lamp.der").write_bytes(b"no")
    assert run("thing", "mud", THING, "--certificate", "lamp.der")[0] != 0
    assert controller.asked == []


@pytest.mark.parametrize(
    ("words", "environment", "asked"),
    [
        (("add", MAC, "10.77.1.1"), {}, {"mac": MAC, "url": OTHER, "carrier": "dhcpv4"}),
        (("old", MAC, "10.77.1.1", "lamp"), {}, {"mac": MAC, "url": OTHER, "carrier": "dhcpv4"}),
        (("add", "00:03:00:01", "fd77::9"), {"DNSMASQ_MAC": MAC}, {"mac": MAC, "url": OTHER, "carrier": "dhcpv6"}),
    ],
)
def test_what_dnsmasq_was_told_is_passed_on(run, controller, monkeypatch, words, environment, asked):
    for name, value in {"DNSMASQ_MUD_URL": OTHER, **environment}.items():
        monkeypatch.setenv(name, value)
    controller.answer = {"result": {"mac": MAC, "waits": True}}
    code, out, _ = run("mud", "hook", *words, "--json")
    assert (code, json.loads(out), controller.asked) == (0, controller.answer["result"], [("mud.heard", asked)])


@pytest.mark.parametrize(
    ("words", "url"),
    [(("del", MAC, "10.77.1.1"), OTHER), (("add", MAC, "10.77.1.1"), ""), (("init", "", ""), OTHER),
     (("add", "00:03:00:01", "fd77::9"), OTHER)],
)  # fmt: skip
def test_what_does_not_concern_us_is_passed_over(run, controller, monkeypatch, words, url):
    monkeypatch.setenv("DNSMASQ_MUD_URL", url)
    monkeypatch.delenv("DNSMASQ_MAC", raising=False)
    assert run("mud", "hook", *words)[:2] == (0, "")
    assert controller.asked == []


def test_names_are_shown_with_what_is_said_of_them(run, controller):
    row = {"name": "cloud.example", "addresses": ["198.51.100.7 for 60 s"], "shared": "is an alias of cdn.example"}
    controller.answer = {"result": [row]}
    out = run("network", "names")[1]
    assert "198.51.100.7 for 60 s" in out
    assert "alias of cdn.example" in out
