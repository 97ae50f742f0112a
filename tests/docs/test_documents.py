"""README, ARCHITECTURE and SECURITY speak of what is there, and leave nothing of its kind out."""

import re
from pathlib import Path

import pytest

from thingstead.controller.directory import KEYS
from thingstead.domain.plane import PlaneName

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


def test_the_first_screen_of_the_readme_has_the_two_commands_and_what_it_is_not():
    assert README.index("make run") < README.index("make test") < README.index("## What it is not")


def test_what_is_weak_is_called_so():
    _, _, table = README.partition("## Proved against whom")
    assert table.count("**weak**") >= 1
