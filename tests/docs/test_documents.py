"""README, ARCHITECTURE and SECURITY speak of what is there, and leave nothing of its kind out."""

import re
import shlex
from pathlib import Path

import pytest

from thingstead.cli import main as cli
from thingstead.cli.command import COMMANDS
from thingstead.controller.directory import KEYS
from thingstead.domain.plane import PlaneName
from thingstead.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "thingstead"
README, ARCHITECTURE, SECURITY, CONTRIBUTING = (
    (ROOT / f"{name}.md").read_text() for name in ("README", "ARCHITECTURE", "SECURITY", "CONTRIBUTING")
)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_has_its_blast_radius(key):
    assert re.search(rf"^\| key `{key}` ", SECURITY, flags=re.MULTILINE)


def test_every_row_of_the_blast_radius_says_who_holds_it_what_falls_and_what_stays():
    _, _, rest = SECURITY.partition("| part | held by | if it falls | stays |\n")
    rows = [line.strip("| ").split(" | ") for line in rest.partition("\n\n")[0].splitlines()[1:]]
    assert len(rows) > len(KEYS)
    assert [row for row in rows if len(row) != 4 or not all(row)] == []


def test_every_package_stands_on_a_floor():
    floors = ARCHITECTURE.partition("```\n")[2].partition("```")[0]
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert {name for name in packages if f"{name}/" not in floors} == set()
    assert {name for name in PlaneName if name not in floors} == set()


def test_every_decision_is_linked():
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    assert [path.name for path in records if f"(docs/adr/{path.name})" not in ARCHITECTURE] == []


@pytest.mark.parametrize("text", [README, ARCHITECTURE, SECURITY], ids=["README", "ARCHITECTURE", "SECURITY"])
def test_every_module_that_is_named_is_there(text):
    named = re.findall(r"`((?:\w+/)+\w+\.py)`", text)
    named += [f"{dotted.replace('.', '/')}.py" for dotted in re.findall(r"`((?:\w+\.)+\w+)`", text)]
    floors = {path.name for path in SOURCE.iterdir()}
    missing = [
        name
        for name in named
        if name.split("/")[0] in floors and not (SOURCE / name).exists() and not (SOURCE / name[:-3]).is_dir()
    ]
    assert missing == []


def test_every_page_is_reached_from_the_readme_and_every_link_leads_somewhere():
    reached, open_pages = set(), [ROOT / "README.md"]
    while open_pages:
        page = open_pages.pop()
        if page in reached:
            continue
        reached.add(page)
        prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
        targets = [(page.parent / link).resolve() for link in re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", prose)]
        assert [str(target) for target in targets if not target.exists()] == []
        for target in targets:
            open_pages += target.glob("*.md") if target.is_dir() else [target] if target.suffix == ".md" else []
    assert set((ROOT / "docs").rglob("*.md")) - reached == set()


def test_every_command_that_a_page_names_is_one():
    known = set(re.findall(r"^### thingstead ([a-z -]+)$", (ROOT / "docs/reference/cli.md").read_text(), re.MULTILINE))
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/explanation/*.md")]
    groups = {command.split()[0] for command in known}
    name = re.compile(r"(?:^|`)thingstead\s([a-z-]+)(?:\s([a-z][a-z-]*)(?=[`\s]))?", re.MULTILINE)
    named = {(page.name, *words) for page in pages for words in name.findall(page.read_text())}
    assert len(named) > len(known) // 2
    assert {one for one in named if one[1] not in known and " ".join(one[1:]).strip() not in known | groups} == set()


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=lambda page: str(page.relative_to(ROOT))
)
def test_a_command_line_on_a_page_has_no_words_that_the_command_does_not_take(page):
    text = page.read_text().replace("\\\n", " ")
    commands = {command.name: command for command in COMMANDS}
    wrong = []
    for line in re.findall(r"(?:^ *|`)thingstead ([^`\n]+)", text, re.MULTILINE):
        words = [one for one in shlex.split(line.rstrip("\\ &"), comments=True) if one != "|"]
        command = commands.get(" ".join(words[:2])) or commands.get(words[0])
        if command is None or "[" in line or {"...", "…"} & set(words):
            continue
        try:
            cli.parser(command, cli.load(command)).parse_args(words[len(command.words) :])
        except ConfigError as error:
            # What a sentence leaves out, or has a capital for, is the reader's to fill in.
            wrong += [line] if "unrecognized" in str(error) else []
    assert wrong == []


def test_the_page_of_changes_begins_no_entry_twice():
    beginnings = re.findall(r"^- (.{40})", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert sorted(set(beginnings)) == sorted(beginnings), "a merge may have joined an old list with the newer one"


@pytest.mark.parametrize("page", ["CHANGELOG.md", "README.md"])
def test_a_page_says_nothing_twice(page):
    text = (ROOT / page).read_text()
    lines = re.findall(r"^.{60,}", text, flags=re.MULTILINE)
    assert sorted(set(lines)) == sorted(lines), "a merge may have kept both sides"
    assert not re.search(r"^(\|.*)\n(?:.*\n)?\1$", text, flags=re.MULTILINE), "a row of a table stands there twice"


def test_the_first_screen_of_the_readme_has_the_two_commands_and_what_it_is_not():
    assert README.index("make run") < README.index("make test") < README.index("## What it is not")


def test_what_is_weak_is_called_so():
    _, _, table = README.partition("## Proved against whom")
    assert table.count("**weak**") >= 1
