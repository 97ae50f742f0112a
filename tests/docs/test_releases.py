"""What the pages on releases say is so: the commands run, in their order, and every word of a release file is named."""

import re
import shlex
from pathlib import Path

import pytest

from tests.unit.phases.authoring.workshop import LAMP
from thingstead.cli import main as cli
from thingstead.clock import SystemClock
from thingstead.errors import ConfigError
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.protocols.suit.parameter import WaitEvent
from thingstead.protocols.suit.registry import COMMANDS, PARAMETERS, ComponentTextKey, Member, TextKey
from thingstead.simulator.factory import make_maker
from thingstead.simulator.firmware import demo_image

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "explanation" / "releases.md").read_text()
REFERENCE = (DOCS / "reference" / "release-file.md").read_text()
BLOCKS = re.findall(r"^```\n(thingstead .*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
(RELEASE_FILE,) = re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
# An unknown key in each table: the refusal lists those that there are.
STRANGE = (
    "x = 1",
    LAMP + "x = 1\n",
    "sequence = 1\n[[dependency]]\nx = 1",
    LAMP + "[[component.slot]]\nx = 1\n" * 2,
)


@pytest.fixture
def workshop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = make_maker(tmp_path / "aurora", name="aurora", domain="aurora.example", at=SystemClock().utc())
    Path("image.bin").write_bytes(demo_image("LX-1", "1.1.0"))
    for name in ("lamp.cdx.json", "lamp.mud.json"):
        Path(name).write_text("{}")
    Path("lamp.corim").write_bytes(b"\xd9\x01\xf5\xa0")
    return made


def test_the_commands_run_in_their_order(workshop, capsys):
    first, people, members = BLOCKS
    new, inspect, sign, publish = first.splitlines()
    shown = ""
    # What goes with a release is put in before anybody signs; nobody publishes without a domain.
    for line in [new, inspect, *members.splitlines(), *people.splitlines(), sign]:
        assert cli.main(shlex.split(line)[1:]) == 0, line + capsys.readouterr().err
        shown += capsys.readouterr().out
    assert publish.startswith("thingstead release publish")
    (story,) = re.findall(r"^```text\n(.*?)\.\.\.\n```", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert story in shown


def test_the_release_file_makes_a_release():
    beside = {"image.bin": b"image", "radio.bin": b"radio"}
    made = read_recipe(RELEASE_FILE, beside.__getitem__)
    assert set(made.words) == {"en", "de"}
    assert set(made.envelope.payloads) == {"#radio.bin"}


def test_every_word_of_a_release_file_is_on_its_page():
    enums = [
        *TextKey,
        *ComponentTextKey,
        *WaitEvent,
        *[row.id for row in COMMANDS.values()],
        *[row.id for row in PARAMETERS.values()],
    ]
    members = [one for one in Member if one not in range(1, 4)]
    words = {"shared", *[one.name.lower() for one in (*enums, *members)]}
    for text in STRANGE:
        with pytest.raises(ConfigError) as refused:
            read_recipe(text, lambda name: b"")
        listed = str(refused.value).partition("there are ")[2]
        assert listed, str(refused.value)
        words |= set(listed.split(", "))
    assert {word for word in words if f"`{word}`" not in REFERENCE and f"[{word}" not in REFERENCE} == set()
