"""People and their keys on a domain that runs: who they are decides what they may, and the ledger names them."""

import asyncio
import grp
import json
import os

import pytest

from thingstead.controller.app import running
from thingstead.controller.directory import DomainDirectory
from thingstead.storage.operator_file import read_key_word

THING = "thing-abcdefghijklmnop"


@pytest.fixture
def domain(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    assert run("init", "home", "--profile", "home")[0] == 0
    directory = DomainDirectory(tmp_path / "home")
    group = grp.getgrgid(os.getgid()).gr_name
    directory.configuration.write_text(f'[domain]\nname = "home"\n[coap]\nport = 0\n[observe]\ngroup = "{group}"\n')
    return directory


def key_of(run, name):
    code, out, _ = run("operator", "key", name, "--json")
    assert code == 0
    return json.loads(out)["key"]


def served(domain, *commands):
    async def story():
        async with running(domain):
            return [await asyncio.to_thread(command) for command in commands]

    return asyncio.run(story())


def test_a_key_is_made_once_and_closed_to_others(domain, run, tmp_path):
    assert read_key_word(key_of(run, "ben"))
    assert (tmp_path / "ben").stat().st_mode & 0o077 == 0
    assert run("operator", "key", "ben")[0] == 60


def test_who_asks_with_a_directory_without_a_key_is_told_how_to_make_one_and_nothing_is_made(domain, run, tmp_path):
    code, _, err = run("thing", "list", "--domain", "home", "--as", "nobody")
    assert (code, "`thingstead operator key` makes one" in err) == (60, True)
    assert not (tmp_path / "nobody").exists()


@pytest.mark.requirement("R-06")
def test_a_user_of_this_machine_is_what_the_operators_file_says_from_the_next_request_on(domain, run):
    def command():
        return run("group", "rekey", "lamps", "--domain", "home.observe")

    def written():
        domain.operators.write_text(f"maintainer user:{os.getuid()} ben\n")
        return command()

    def wrong():
        domain.operators.write_text("maintainer\n")
        return command()

    auditor, maintainer, nobody = served(domain, command, written, wrong)
    assert "takes the right to maintain; you ask as auditor" in auditor[2]
    assert "takes the right to" not in maintainer[2]
    assert "line 1 of the operators" in nobody[2]


@pytest.mark.requirement("R-06")
def test_whoever_asks_with_a_key_is_who_the_key_says(domain, run):
    domain.operators.write_text(f"user {key_of(run, 'dora')} dora\n")
    key_of(run, "eve")
    seen, kept_out, stranger = served(
        domain,
        lambda: run("thing", "list", "--domain", "home", "--as", "dora"),
        lambda: run("policy", "reload", "--domain", "home", "--as", "dora"),
        lambda: run("thing", "list", "--domain", "home", "--as", "eve"),
    )
    assert seen[0] == 0
    assert (kept_out[0], "you ask as user:dora" in kept_out[2]) == (26, True)
    assert (stranger[0], "nobody's who may ask here" in stranger[2]) == (24, True)


@pytest.mark.requirement("R-03")
def test_an_installer_is_added_listed_and_revoked(domain, run, tmp_path):
    key = key_of(run, "ben")
    bounds = ("--zones", "floor-1,floor-2", "--classes", "1,2", "--days", "5")
    added, listed, theirs, revoked, after = served(
        domain,
        lambda: run("installer", "add", "ben", "--key", key, *bounds, "--output", "ben.delegation", "--domain", "home"),
        lambda: run("installer", "list", "--domain", "home", "--json"),
        lambda: run("thing", "admit", THING, "--domain", "home.observe", "--as", "ben"),
        lambda: run("installer", "revoke", "ben", "--domain", "home"),
        lambda: run("thing", "waiting", "--domain", "home", "--as", "ben"),
    )
    assert added[0] == 0
    assert (tmp_path / "ben.delegation").read_bytes()
    (row,) = json.loads(listed[1])
    assert (row["zones"], row["classes"]) == (["floor-1", "floor-2"], [1, 2])
    assert f"no thing {THING}" in theirs[2]
    assert (revoked[0], after[0]) == (0, 24)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (("--key", "key:AAAA", "--zones", "a"), "expected a key"),
        (("--key", "x", "--zones", "a", "--classes", "b"), "1,2"),
    ],
)
def test_what_is_no_delegation_is_one_sentence(domain, run, said, says):
    (told,) = served(domain, lambda: run("installer", "add", "ben", *said, "--domain", "home"))
    assert told[0] == 60
    assert says in told[2]


def test_config_check_reads_the_operators(domain, run):
    domain.operators.write_text("installer user:ben\n")
    code, _, err = run("config", "check", "home")
    assert (code, "thingstead installer add" in err) == (60, True)
