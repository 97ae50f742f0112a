"""Every module is covered by its own test module; who is excepted is listed here, and the list may only shrink."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE, HOMES = ROOT / "src" / "thingstead", ROOT / "tests" / "unit"

COMPOSITION_ROOTS = {
    "agent/parts",
    "agent/program",
    "controller/app",
    "controller/composition",
    "controller/controller",
    "controller/engines",
    "controller/entrance",
    "controller/lookout",
    "controller/upkeep",
    "proxy/program",
    "simulator/decade/decade",
    "simulator/decade/event",
    "simulator/decade/play",
    "simulator/decade/resident",
    "simulator/decade/wink",
    "simulator/demo",
    "simulator/lab/dummy",
    "simulator/lab/play",
    "simulator/lab/tap",
    "simulator/launch",
    "simulator/stage",
    "simulator/story",
    "simulator/stubborn",
    "simulator/virtual/domain",
    "simulator/virtual/thing",
    "simulator/virtual/world",
    "web/ddi",
}
"""They put together what is tested elsewhere; scenarios and transcripts run them, as they do all of ``cli``."""

DECLARATIONS = {
    "agent/config",
    "agent/ports",
    "analysis/requirement",
    "controller/apart",
    "controller/figures",
    "controller/foundation",
    "controller/service",
    "domain/crypto_asset",
    "domain/network",
    "domain/ports",
    "domain/purpose",
    "domain/service",
    "domain/unit",
    "endpoint/config",
    "endpoint/event",
    "phases/knocking",
    "planes/network/alarm",
    "planes/network/findings",
    "planes/software/findings",
    "planes/software/offer",
    "planes/software/part",
    "protocols/ace/groupcomm_registry",
    "protocols/corim/registry",
    "protocols/profile/path",
    "protocols/suit/effect",
    "simulator/attack/target",
}
"""Data, protocols and names without a branch."""

DISCOVERED = {"simulator/lab/pattern"}
"""Folders whose modules are found by themselves: the one test module there takes whatever stands in them."""


def modules():
    found = {path.relative_to(SOURCE).with_suffix("").as_posix() for path in SOURCE.rglob("*.py")}
    return {name for name in found if not name.split("/")[-1].startswith("__") and not name.startswith("cli/")}


def is_at_home(module):
    folder, _, name = module.rpartition("/")
    home = folder.rpartition("/")[2] if folder in DISCOVERED else name
    return (HOMES / folder / f"test_{home}.py").exists()


def test_every_module_has_its_own_test_module():
    assert {one for one in modules() - COMPOSITION_ROOTS - DECLARATIONS if not is_at_home(one)} == set()


def test_nothing_is_excepted_twice_or_without_need():
    assert set() == COMPOSITION_ROOTS & DECLARATIONS
    assert modules() >= COMPOSITION_ROOTS | DECLARATIONS
