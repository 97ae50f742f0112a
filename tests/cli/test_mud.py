import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from thingstead.crypto.authority import make_authority, make_signer
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Direction, Remote, RemoteKind

DAY = timedelta(days=1)
NOW = datetime.now(UTC)  # noqa: TID251  the command reads the machine's clock
DESCRIPTION = Description(
    url="https://aurora.example/lx-1.json",
    last_update=NOW,
    system_info="A lamp",
    manufacturer="Aurora",
    model="LX-1",
    services=(Service(Remote(RemoteKind.DNS_NAME, "time.aurora.example"), 17, remote_port=123),),
)


@pytest.fixture
def mud_file(tmp_path):
    path = tmp_path / "lx-1.json"
    path.write_bytes(render(DESCRIPTION))
    return path


def signed(path, *, expires=DAY):
    authority = make_authority("Aurora MUD", not_before=NOW - 2 * DAY, not_after=NOW + DAY)
    signer = make_signer("Aurora", authority, not_before=NOW - 2 * DAY, not_after=NOW + expires)
    signature, pem = path.with_suffix(".p7s"), path.with_suffix(".pem")
    signature.write_bytes(signer.sign_detached(path.read_bytes()))
    pem.write_bytes(authority.chain_pem)
    return ["--signature", signature, "--authority", pem]


@pytest.mark.spec("RFC 8520 3")
def test_check_says_what_a_file_is_and_what_comes_next(run, mud_file):
    code, out, _ = run("mud", "check", mud_file)
    assert code == 0
    assert "https://aurora.example/lx-1.json" in out
    assert out.splitlines()[-1] == f"next: thingstead mud explain {mud_file}"
    assert json.loads(run("mud", "check", mud_file, "--json")[1])["findings"] == []


def test_compile_says_what_the_thing_may_do(run, mud_file):
    code, out, _ = run("mud", "compile", mud_file)
    assert code == 0
    assert "time.aurora.example" in out
    assert "remote port 123" in out


def test_check_shows_where_bills_and_vulnerabilities_are_told(run, mud_file):
    document = json.loads(mud_file.read_bytes())
    document["ietf-mud:mud"]["mudtx:transparency"] = {"vuln-url": ["https://aurora.example/csaf"]}
    mud_file.write_text(json.dumps(document))
    shown = json.loads(run("mud", "check", mud_file, "--json")[1])
    assert shown["transparency"]["vulnerability_urls"] == ["https://aurora.example/csaf"]
    assert "https://aurora.example/csaf" in run("mud", "check", mud_file)[1]


def test_explain_says_each_entry_in_words_and_what_is_left_out(run, mud_file):
    document = json.loads(mud_file.read_bytes())
    document["ietf-access-control-list:acls"]["acl"][0]["aces"]["ace"].append(
        {"name": "odd", "matches": {"ipv4": {"dscp": 46}}, "actions": {"forwarding": "accept"}}
    )
    mud_file.write_text(json.dumps(document))
    code, out, _ = run("mud", "explain", mud_file)
    assert code == 0
    assert "it may contact time.aurora.example, by UDP on port 123 (time)" in out
    assert "left out: /ietf-access-control-list:acls/acl/0/aces/ace/1/matches/ipv4/dscp" in out
    shown = json.loads(run("mud", "explain", mud_file, "--json")[1])
    assert [one["entry"] for one in shown["entries"]][:1] == ["from-4-0"]
    assert len(shown["left_out"]) == 1


def test_what_entries_of_both_ip_versions_say_alike_is_said_once(run, mud_file):
    rows = run("mud", "explain", mud_file)[1].splitlines()[1:-1]
    entries = [one["entry"] for one in json.loads(run("mud", "explain", mud_file, "--json")[1])["entries"]]
    said = [row.split("  ")[0] for row in rows]
    assert len(set(said)) == len(said) < len(entries)
    assert all(any(entry in row for row in rows) for entry in entries)


def test_signer_shows_whom_a_signature_names_and_that_nobody_verified_it(run, mud_file, tmp_path):
    options = signed(mud_file)
    shown = json.loads(run("mud", "signer", options[1], "--json")[1])
    assert (shown["signer"], shown["verified"], shown["may_sign"]) == ("CN=Aurora", False, True)
    assert "-----BEGIN CERTIFICATE-----" in run("mud", "signer", options[1])[1]
    pinned = tmp_path / "pinned.pem"
    pinned.write_text(shown["certificate"])
    assert run("mud", "check", mud_file, "--signature", options[1], "--authority", pinned)[0] == 0
    code, out, err = run("mud", "signer", mud_file)
    assert (code, out) == (11, "")
    assert "expected a CMS signature in DER" in err


def test_diff_says_what_is_more_what_is_less_and_what_else_changed(run, mud_file, tmp_path):
    newer = tmp_path / "lx-2.json"
    services = (Service(Remote(RemoteKind.ANY), 6, device_port=80, opened_by=Direction.TO_DEVICE),)
    newer.write_bytes(render(replace(DESCRIPTION, services=services, system_info="A lamp with a page")))
    code, out, _ = run("mud", "diff", mud_file, newer, "--json")
    shown = json.loads(out)
    assert (code, shown["allows_more"]) == (0, True)
    assert (
        shown["more"][0]["words"] == "it may be contacted by anybody on any network, by TCP on port 80 (web in clear)"
    )
    assert shown["more"][0]["remark"] == "everybody on the Internet may open it"
    assert {one["words"] for one in shown["less"]} >= {"it may contact time.aurora.example, by UDP on port 123 (time)"}
    assert [one["what"] for one in shown["said_otherwise"]] == ["system_info"]
    assert "allows more     yes" in run("mud", "diff", mud_file, newer)[1]
    assert "allows more     no" in run("mud", "diff", mud_file, mud_file)[1]


@pytest.mark.parametrize("words", [("explain", "bad"), ("diff", "good", "bad"), ("diff", "bad", "good")])
def test_a_file_that_is_none_is_refused_with_its_place(run, mud_file, tmp_path, words):
    bad = tmp_path / "bad.json"
    bad.write_text('{"ietf-mud:mud": {"mud-version": 1}}')
    code, out, err = run("mud", words[0], *[{"good": mud_file, "bad": bad}[one] for one in words[1:]])
    assert (code, out) == (11, "")
    assert "expected a member 'ietf-access-control-list:acls'" in err


def test_a_good_signature_is_said(run, mud_file):
    code, out, _ = run("mud", "check", mud_file, *signed(mud_file), "--json")
    assert (code, json.loads(out)["signed"]) == (0, True)


def change(path):
    path.write_bytes(path.read_bytes().replace(b"A lamp", b"A lump"))


@pytest.mark.spec("RFC 8520 13.2")
@pytest.mark.parametrize(
    ("break_it", "code", "says"),
    [
        (change, 21, "digest"),
        (lambda path: path.with_suffix(".p7s").write_bytes(b"no"), 11, "expected"),
        (lambda path: path.with_suffix(".pem").write_bytes(b"no"), 11, "expected an X.509 certificate"),
        (lambda path: path.with_suffix(".p7s").unlink(), 60, "expected a file at"),
    ],
)
def test_a_signature_that_does_not_hold_is_refused(run, mud_file, break_it, code, says):
    options = signed(mud_file)
    break_it(mud_file)
    got, out, err = run("mud", "check", mud_file, *options)
    assert (got, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 2


def test_a_signer_that_ran_out_is_refused(run, mud_file):
    assert run("mud", "compile", mud_file, *signed(mud_file, expires=-DAY))[0] == 23


def test_a_signature_under_nobody_we_trust_is_refused(run, mud_file):
    assert run("mud", "check", mud_file, *signed(mud_file)[:2])[0] == 24


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        (b"{", 11, "JSON"),
        (b"{}", 11, "ietf-mud:mud"),
        (b'{"ietf-mud:mud": {"mud-version": 2}}', 12, "/ietf-mud:mud/mud-version: expected version 1, got 2"),
        (b"x" * (1 << 20), 60, "expected at most"),
    ],
)
def test_a_broken_file_is_one_sentence_with_the_place(run, tmp_path, content, code, says):
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    got, out, err = run("mud", "check", path)
    assert (got, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 2


def test_a_file_that_is_not_there_is_said(run, tmp_path):
    assert "expected a file at" in run("mud", "compile", tmp_path / "absent")[2]
