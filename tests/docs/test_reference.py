"""Whatever somebody may set, ask or meet has its line in docs/reference, and the line is what the code says."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, operations, paths
from thingstead.errors import CONSEQUENCES
from thingstead.protocols.profile import path as profile

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CODE = re.compile(r"^```.*?^```", flags=re.MULTILINE | re.DOTALL)


def pages():
    return [*sorted(ROOT.glob("[A-Z]*.md")), *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(name):
    assert (DOCS / name).read_text() == PAGES[name](), "run `python -m tests.docs.pages docs`"


def test_every_path_says_who_serves_it_and_what_for():
    named = {getattr(profile, name) for name in profile.__all__}
    assert {path for path, server, purpose in paths() if server and purpose} == named


def test_every_argument_of_an_operation_says_what_it_is():
    told = [(name, key, meaning) for name, _, _, arguments in operations() for key, _, meaning in arguments]
    assert [(name, key) for name, key, meaning in told if not meaning] == []


def test_every_error_class_is_on_its_page():
    text = (DOCS / "reference" / "errors.md").read_text()
    assert [error.__name__ for error in CONSEQUENCES if f"`{error.__name__}`" not in text] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_leads_nowhere(page):
    text = CODE.sub("", page.read_text())
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    assert [target for target in targets if not (page.parent / target.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_no_make_target_is_named_that_is_not_there(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {word for words in re.findall(r"`make ([a-z -]+)`", page.read_text()) for word in words.split()}
    assert named <= targets
