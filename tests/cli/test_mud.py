import json
from datetime import UTC, datetime, timedelta

import pytest

from thingstead.crypto.authority import make_authority, make_signer
from thingstead.protocols.mud.builder import Description, Service, render
from thingstead.protocols.mud.file import Remote, RemoteKind

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
    assert out.splitlines()[-1] == f"next: thingstead mud compile {mud_file}"
    assert json.loads(run("mud", "check", mud_file, "--json")[1])["findings"] == []


def test_compile_says_what_the_thing_may_do(run, mud_file):
    code, out, _ = run("mud", "compile", mud_file)
    assert code == 0
    assert "time.aurora.example" in out
    assert "remote port 123" in out


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
