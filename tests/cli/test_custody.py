"""A thing's way from its maker to its first domain, as it is typed."""

import json

import pytest

from thingstead.agent.file_home import FileHome
from thingstead.agent.program import HOME
from thingstead.controller.directory import DomainDirectory
from thingstead.protocols.profile.custody import CUSTODY, decode_links

pytestmark = pytest.mark.requirement("R-11")


@pytest.fixture
def chain(tmp_path, monkeypatch, run):
    """A current directory with a maker, a re-badger, a seller, a domain, and a thing that is its maker's still."""
    monkeypatch.chdir(tmp_path)
    for name in ("aurora", "glow", "shop"):
        assert run("factory", "maker", name, "--name", name, "--domain", f"{name}.example")[0] == 0
    assert run("init", "home", "--profile", "home")[0] == 0
    assert run("domain", "credential", "home")[0] == 0
    words = ("--maker", "aurora", "--model", "LX-1", "--serial", "A-1", "--for", "aurora")
    assert run("factory", "thing", "lamp", *words)[0] == 0
    return tmp_path


def links(folder):
    return decode_links(FileHome(folder / "lamp" / HOME).load(CUSTODY))


def test_maker_re_badger_and_seller_pass_it_on_and_each_command_names_the_next(chain, run):
    told = []
    for by, to, *more in [("aurora", "glow/glow.anchor", "--updates"), ("glow", "shop"), ("shop", "home.credential")]:
        code, out, err = run("factory", "pass", "lamp", "--by", by, "--to", to, *more, "--json")
        assert (code, err) == (0, "")
        told.append(json.loads(out))
    assert [(one["by"], one["to"], one["updates_by"], one["links"]) for one in told] == [
        ("aurora", "glow", "glow", 1),
        ("glow", "shop", "as before", 2),
        ("shop", "home", "as before", 3),
    ]
    assert (chain / "lamp.handover").stat().st_mode & 0o777 == 0o600
    out = run("factory", "pass", "lamp", "--by", "shop", "--to", "home", "--output", "other")[1]
    assert out == ""


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("lamp", "--by", "shop", "--to", "home"), 24, "another domain"),
        (("lamp", "--by", "aurora", "--to", "home", "--updates"), 60, "has no release keys"),
        (("lamp", "--by", "aurora", "--to", "absent"), 60, "absent"),
        (("absent", "--by", "aurora", "--to", "home"), 60, "factory thing"),
        (("lamp", "--by", "home", "--to", "home"), 60, "no maker at"),
        (("lamp", "--by", "aurora"), 60, "--to"),
    ],
    ids=["not its owner", "a domain's updates", "to nobody", "no thing", "by a domain", "to whom"],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(chain, run, words, code, says):
    found, out, err = run("factory", "pass", *words)
    assert (found, out) == (code, "")
    assert says in err
    assert links(chain) == ()
    assert not (chain / "lamp.handover").exists()


def test_what_has_something_of_a_domain_is_not_passed_on(chain, run):
    FileHome(chain / "lamp" / HOME).save("association", b"secret")
    code, _, err = run("factory", "pass", "lamp", "--by", "aurora", "--to", "home")
    assert (code, "association" in err) == (13, True)


def test_a_thing_may_be_sold_to_a_re_badger_at_once_who_has_no_say_in_its_updates(chain, run):
    words = ("--maker", "aurora", "--model", "LX-1", "--serial", "A-2", "--for", "glow")
    assert run("factory", "thing", "second", *words)[0] == 0
    code, _, err = run("factory", "pass", "second", "--by", "glow", "--to", "shop", "--updates")
    assert (code, "no say in whose releases" in err) == (24, True)
    assert run("factory", "pass", "second", "--by", "glow", "--to", "home")[0] == 0
    assert DomainDirectory(chain / "home").public("domain")
