"""A domain before it runs: made, checked, trusting."""

import asyncio
import grp
import json
import os
import socket
import stat

import pytest

from tests.unit.domain.test_anchor import ACME, MOVED
from thingstead.cli.template import policy_template
from thingstead.controller.app import running
from thingstead.controller.directory import DomainDirectory
from thingstead.domain import anchor as anchor_file
from thingstead.domain.policy import ProfileName
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile import path
from thingstead.simulator.factory import make_maker
from thingstead.storage.policy_file import parse_policy


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def domain(here, run):
    assert run("init", "home", "--profile", "home")[0] == 0
    return DomainDirectory(here / "home")


@pytest.fixture
def anchor(here, utc):
    return make_maker(here / "aurora", name="aurora", domain="aurora.example", at=utc).anchor


def test_init_makes_a_closed_directory_and_keeps_the_ledgers_key_outside(domain, here):
    for found in [domain.root, *domain.root.rglob("*")]:
        assert stat.S_IMODE(found.stat().st_mode) & 0o077 == 0
    key = cose_key.decode((here / "heads" / "home.key").read_bytes())
    assert key.require_public() == domain.public("ledger")


@pytest.mark.parametrize("profile", list(ProfileName))
def test_each_profile_has_a_policy_that_lets_nobody_in_yet(profile):
    policy = parse_policy(policy_template(profile))
    assert policy.join.profile is profile
    assert policy.join.rules == ()
    policy.join.scopes["thing"].allows(path.TELEMETRY, Code.POST)
    policy.granted.allows(path.WIPE, Code.POST)


def test_the_rule_that_the_policy_shows_is_one_once_it_is_uncommented():
    text, peers, rest = policy_template(ProfileName.BUILDING).partition("# What becomes of a release")
    for line in ("[[rule]]", "name =", "makers =", "models =", "zone =", "scope ="):
        text = text.replace(f"# {line}", line)
    assert [rule.zone for rule in parse_policy(text + peers + rest).join.rules] == ["floor-1"]


@pytest.mark.parametrize("name", ["Büro 3", 'a "quoted" name', "back\\slash", "🏠"])
def test_a_domain_may_have_any_name(here, run, name):
    assert run("init", "x", "--name", name)[0] == 0
    assert json.loads(run("config", "check", "x", "--json")[1])["domain"]["name"] == name


def test_config_check_prints_the_effective_settings_and_names_makers_without_anchor(domain, run):
    text = domain.policy.read_text()
    rule = '[[rule]]\nname = "lamps"\nmakers = ["aurora"]\nscope = "thing"\n'
    domain.policy.write_text(text.replace("# A series", f"{rule}\n# A series"))
    code, out, _ = run("config", "check", "home")
    assert code == 0
    assert "5683" in out
    assert "the policy names makers without an anchor: aurora" in out


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("thingstead.toml", "[domain]\nnmae = 'x'\n", "no setting 'nmae'"),
        ("thingstead.toml", "[coap]\nport = 'x'\n", "port"),
        ("thingstead.toml", "[domain]\nheads = 'inside'\n", "must lie outside"),
        ("thingstead.toml", "[", "is not TOML"),
        ("policy.toml", "profile = 'palace'\n", "the join policy cannot be read"),
        ("policy.toml", "[[rule]]\nname = 'x'\nmakers = []\nscope = 'none'\n", "gives the scope 'none'"),
        ("trust/x.anchor", "no anchor", "is not a trust anchor"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_the_place(domain, run, file, text, says):
    (domain.root / file).write_text(text)
    code, out, err = run("config", "check", "home")
    assert (code, out) == (60, "")
    assert says in err
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("init", "home"), 60, "a domain is at"),
        (("init", "x", "--profile", "palace"), 60, "invalid choice: 'palace'"),
        (("up", "absent"), 60, "no domain at"),
        (("config", "check", "absent"), 60, "`thingstead init"),
        (("domain", "credential", "absent"), 60, "no domain at"),
        (("trust", "add", "home", "thingstead.toml"), 60, "expected a file at"),
        (("trust", "add", "home", "home/policy.toml"), 11, ""),
        (("trust", "list", "absent"), 60, "no domain at"),
        (("trust", "remove", "absent", "aurora"), 60, "no domain at"),
        (("trust", "remove", "home", "../policy"), 60, "no maker '../policy' is trusted; there are: none"),
        (("policy", "reload", "--domain", "home"), 40, "no controller answers at"),
        (("thing", "list", "--domain", "home"), 40, "no controller answers at"),
        (("thing", "list"), 60, "expected --domain DIR, THINGSTEAD_DOMAIN"),
        (("ask", "thing.list", "no-equals-sign", "--domain", "home"), 60, "expected name=value"),
        (("ledger", "verify", "home"), 60, "expected a file at"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(domain, run, words, code, says):
    got, out, err = run(*words)
    assert (got, out) == (code, "")
    assert says in err
    assert len(err.splitlines()) == 2


def test_an_anchor_is_added_once_and_replaced_only_on_demand(domain, anchor, run, here, utc):
    assert "no maker is trusted" in run("trust", "list", "home")[1]
    assert run("trust", "add", "home", anchor)[0] == 0
    assert run("trust", "add", "home", anchor)[0] == 0
    forged = make_maker(here / "forger", name="aurora", domain="aurora.example", at=utc).anchor
    code, _, err = run("trust", "add", "home", forged)
    assert code == 60
    assert "another anchor of aurora" in err
    assert (domain.trust / "aurora.anchor").read_bytes() == anchor.read_bytes()
    assert run("trust", "add", "home", forged, "--replace")[0] == 0
    assert len(json.loads(run("trust", "list", "home", "--json")[1])) == 1


@pytest.mark.requirement("R-76")
def test_an_anchor_that_ends_a_change_of_update_keys_is_not_put_there_silently(domain, run, here):
    domain.trust_maker(MOVED)
    (here / "acme.anchor").write_bytes(anchor_file.encode(ACME))
    assert run("trust", "add", "home", here / "acme.anchor")[0] == 60
    assert "knows nothing of 2 steps" in run("trust", "add", "home", here / "acme.anchor", "--replace")[1]
    assert "steps" not in run("trust", "add", "home", here / "acme.anchor")[1]


def test_a_domain_that_runs_is_told_of_its_makers(here, controller, run, anchor):
    (here / "thingstead.toml").unlink()
    home = here / "home"
    assert run("init", home)[0] == 0
    assert "from now on" not in run("trust", "add", home, anchor)[1]
    (home / "control.sock").symlink_to(controller.path)
    assert "from now on" in run("trust", "add", home, anchor)[1]
    controller.answer = {"result": {"staying": ["thing-abcdefghijklmnop"]}}
    assert "thing-abcdefghijklmnop joined before" in run("trust", "remove", home, "aurora")[1]
    assert controller.asked == [("trust.reload", {}), ("trust.reload", {})]
    assert not list((home / "trust").iterdir())


def test_an_anchor_that_a_running_domain_cannot_take_up_is_an_error(here, controller, run, anchor):
    (here / "thingstead.toml").unlink()
    home = here / "home"
    assert run("init", home)[0] == 0
    (home / "control.sock").symlink_to(controller.path)
    controller.answer = {"error": {"kind": "ConfigError", "message": "x.anchor is not a trust anchor"}}
    code, _, err = run("trust", "add", home, anchor)
    assert code == 60
    assert "x.anchor is not a trust anchor" in err


def test_the_domain_is_found_by_option_then_environment_then_directory(domain, run, monkeypatch, here):
    absent = here / "absent"
    monkeypatch.setenv("THINGSTEAD_DOMAIN", str(absent))
    assert f"no controller answers at {absent}" in run("thing", "list")[2]
    assert f"no controller answers at {domain.root}" in run("thing", "list", "--domain", "home")[2]
    monkeypatch.delenv("THINGSTEAD_DOMAIN")
    monkeypatch.chdir(domain.root)
    assert f"no controller answers at {domain.root}" in run("thing", "list")[2]


def test_an_observer_looks_and_touches_nothing(domain, run):
    group = grp.getgrgid(os.getgid()).gr_name
    settings = f'[domain]\nname = "home"\n[coap]\nport = 0\n[observe]\ngroup = "{group}"\n'
    domain.configuration.write_text(settings)

    async def story():
        async with running(domain):
            looked = await asyncio.to_thread(run, "status", "--domain", "home.observe")
            touched = await asyncio.to_thread(run, "group", "create", "lamps", "--domain", "home.observe")
            backed_up = await asyncio.to_thread(run, "backup", "x", "--domain", "home.observe")
        return looked, touched, backed_up

    looked, touched, backed_up = asyncio.run(story())
    assert (looked[0], touched[0], backed_up[0]) == (0, 26, 26)
    assert "group.create takes the right to own; you ask as auditor" in touched[2]
    assert not (domain.root.parent / "home.observe").exists()
    assert not (domain.root.parent / "x").exists()


@pytest.mark.parametrize(
    ("observe", "says"),
    [
        ('group = "no-such-group"', "no group 'no-such-group'"),
        ('group = "root"\nsocket = "inside"', "must lie outside"),
        ('groups = "root"', "no setting 'groups'"),
    ],
)
def test_a_group_that_cannot_observe_is_one_sentence(domain, run, observe, says):
    domain.configuration.write_text(f"[coap]\nport = 0\n[web]\nenabled = false\n[observe]\n{observe}\n")
    code, _, err = run("up", "home")
    assert code == 60
    assert says in err
    assert len(err.splitlines()) == 2


def test_a_coap_port_that_is_taken_is_one_sentence(domain, run):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        domain.configuration.write_text(f"[coap]\nport = {port}\n[web]\nenabled = false\n")
        code, _, err = run("up", "home")
    assert code == 43
    assert str(port) in err
    assert len(err.splitlines()) == 2
