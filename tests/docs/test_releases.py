"""What the pages on releases say is so: the commands run, in their order, and every word of a release file is named."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.phases.authoring.workshop import LAMP
from thingstead.cli import main as cli
from thingstead.clock import SystemClock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.hss_signing import HssTree
from thingstead.crypto.key import generate
from thingstead.errors import ConfigError
from thingstead.phases.authoring.recipe import read_recipe
from thingstead.phases.maintain import SigningKey
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import builder, envelope
from thingstead.protocols.suit.authentication import Signer
from thingstead.protocols.suit.parameter import WaitEvent
from thingstead.protocols.suit.registry import COMMANDS, PARAMETERS, ComponentTextKey, Member, TextKey
from thingstead.secret import Secret
from thingstead.simulator.factory import make_maker
from thingstead.simulator.firmware import demo_image
from thingstead.simulator.release_keys import KEY_TYPES

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
    new, add, inspect, sign, publish = first.splitlines()
    shown = ""
    # What goes with a release is put in before anybody signs; nobody publishes without a domain.
    for line in [new, add, inspect, *members.splitlines(), *people.splitlines(), sign]:
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


def test_what_a_signature_adds_is_what_the_page_says():
    made = read_recipe((LAMP.replace("lamps.example", "aurora.example")), lambda name: bytes(16384)).envelope
    unsigned = len(envelope.encode(made))
    keys = [generate(KEY_TYPES[name]) for name in ("p256", "ed25519", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87")]
    tree = HssTree(Secret(bytes(32)), bytes(16), height=5)
    signing: list[SigningKey] = [(profile.signer(key.public), key) for key in keys]
    signing.append((profile.signer(tree.public), Hashes(tree)))
    signing.append((Signer(bytes(8), AlgorithmId.HMAC_256_256), Secret(bytes(32))))
    added = [len(envelope.encode(builder.sign(made, [one]))) - unsigned for one in signing]
    # A tree of height 10 has five nodes of 32 bytes more on each path than the one of 5 that is grown here.
    added[5] += 5 * 32
    assert "| " + " | ".join(map(str, added)) + " |" in PAGE
    assert f"{unsigned} bytes unsigned" in PAGE


@dataclass
class Hashes:
    """A key that signs with the first leaf of its tree."""

    tree: HssTree

    @property
    def public(self):
        return self.tree.public

    def sign(self, data, signature_id):
        return self.tree.sign(0, data)

    def agree(self, peer):
        raise AssertionError
