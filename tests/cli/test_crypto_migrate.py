"""The owner's side of other update keys on the command line, and the maker's."""

import json

import pytest

from thingstead.controller.directory import DomainDirectory
from thingstead.domain import anchor as anchor_file


@pytest.fixture
def here(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    maker = ("factory", "maker", "acme", "--name", "acme", "--domain", "acme.example", "--keys", "p256")
    assert run(*maker)[0] == 0
    domain = DomainDirectory(tmp_path)
    domain.trust.mkdir()
    domain.trust_maker(anchor_file.decode((tmp_path / "acme" / "acme.anchor").read_bytes()))
    assert run("factory", "rekey", "acme", "introduce", "--keys", "ml-dsa-44")[0] == 0
    return tmp_path


@pytest.mark.requirement("R-87")
def test_a_maker_is_told_what_owners_do_with_each_step(here, run):
    for step, following in [
        ("take-back", "rollback"),
        ("introduce", "start"),
        ("retire", "retire"),
        ("go-back", "rollback"),
    ]:
        keys = ("--keys", "ml-dsa-65", "--keep", "--hybrid") if step == "introduce" else ()
        code, out, _ = run("factory", "rekey", "acme", step, *keys)
        file = here / "acme" / "acme.anchor"
        assert (code, out.splitlines()[-1]) == (
            0,
            f"next: thingstead crypto migrate {following} {file} --domain DOMAIN",
        )
    shown = json.loads(run("factory", "rekey", "acme", "retire", "--json")[1])
    assert (shown["must_sign"], shown["step"], shown["in_overlap"]) == ("1 of 1 P256", 6, False)


@pytest.mark.parametrize(
    "words",
    [
        ("introduce", "--keys", "ml-dsa-65"),
        ("introduce",),
        ("introduce", "--keys", "rsa"),
        ("retire", "--keys", "ml-dsa-65"),
        ("retire", "--hybrid"),
        ("go-back",),
        ("forget",),
    ],
)
def test_a_step_that_has_no_place_is_refused(here, run, words):
    before = (here / "acme" / "acme.anchor").read_bytes()
    assert run("factory", "rekey", "acme", *words)[0] != 0
    assert (here / "acme" / "acme.anchor").read_bytes() == before


def test_a_step_that_the_domain_took_stands_in_the_owners_file_too(here, run, controller):
    controller.answer = {"result": {"maker": "acme", "number": 1, "must_sign": "both"}}
    code, out, _ = run("crypto", "migrate", "start", "acme/acme.anchor", "--until", "2030-12-31")
    assert (code, out.splitlines()[-1]) == (0, "next: thingstead crypto migrate status")
    given = {"anchor": str(here / "acme" / "acme.anchor"), "until": "2030-12-31"}
    assert controller.asked == [("migration.start", given)]
    (kept,) = DomainDirectory(here).anchors()
    assert kept == anchor_file.decode((here / "acme" / "acme.anchor").read_bytes())


def test_a_file_two_steps_ahead_is_kept_as_far_as_the_domain_took_it(here, run, controller):
    run("factory", "rekey", "acme", "retire")
    controller.answer = {"result": {"maker": "acme", "number": 1, "must_sign": "both"}}
    run("crypto", "migrate", "start", "acme/acme.anchor")
    (kept,) = DomainDirectory(here).anchors()
    assert len(kept.steps) == 1


def test_what_the_domain_refuses_changes_no_file(here, run, controller):
    refusal = {"kind": "PolicyError", "reason": "stranded", "message": "A1 sleeps too long"}
    controller.answer = {"error": refusal}
    code, _, err = run("crypto", "migrate", "start", "acme/acme.anchor", "--leaving", "A2")
    assert code != 0
    assert "A1 sleeps too long" in err
    (kept,) = DomainDirectory(here).anchors()
    assert kept.steps == ()


def test_a_plan_names_who_would_be_stranded(here, run, controller):
    row = {"thing": "thing-a", "serial": "A1", "standing": "late", "last_safe_day": "2030-12-31", "stranded": True}
    controller.answer = {"result": {"maker": "acme", "late": 1, "by_name": [row]}}
    code, out, _ = run("crypto", "migrate", "plan", "acme/acme.anchor")
    assert code == 0
    assert "A1" in out
    assert "2030-12-31" in out
    assert "1 would be stranded" in out


def test_the_status_says_who_sleeps_and_who_is_to_be_isolated(here, run, controller):
    row = {"maker": "acme", "phase": "overlap", "asleep": 2, "by_name": [], "to_isolate": ["thing-a"]}
    controller.answer = {"result": [row]}
    code, out, err = run("crypto", "migrate", "status")
    assert not err
    assert code == 0
    assert "2 sleep" in out
    assert "are held" in out


@pytest.mark.parametrize(
    "words", [("plan",), ("start",), ("status", "acme/acme.anchor"), ("hurry", "acme/acme.anchor")]
)
def test_a_step_without_its_file_is_refused(here, run, words):
    assert run("crypto", "migrate", *words)[0] != 0
