from datetime import UTC, datetime

import pytest

from thingstead.errors import ConfigError
from thingstead.protocols.mud import parser
from thingstead.simulator import scenery
from thingstead.simulator.scenery import MAKERS, mud_files, prepare

AT = datetime(2026, 11, 1, tzinfo=UTC)
PORTS = {"aurora": 8443, "borealis": 8444}


def prepared(path):
    return prepare(path, things=5, site=None, coap=("127.0.0.1", 5683), mud_ports=PORTS, at=AT)


def test_things_of_three_types_and_two_makers_are_born(tmp_path):
    world = prepared(tmp_path)
    assert [thing.kind for thing in world.things] == ["lamp", "lamp", "lamp", "sensor", "meter"]
    assert {thing.maker for thing in world.things} == set(MAKERS)
    assert len({thing.serial for thing in world.things}) == 5


@pytest.mark.parametrize(
    ("things", "kinds"),
    [(1, ["sensor"]), (2, ["lamp", "sensor"]), (3, ["lamp", "lamp", "sensor"]), (4, ["lamp"] * 3 + ["sensor"])],
)
def test_few_things_are_those_that_most_can_be_shown_with(tmp_path, things, kinds):
    world = prepare(tmp_path, things=things, site=None, coap=("127.0.0.1", 5683), mud_ports=PORTS, at=AT)
    assert [thing.kind for thing in world.things] == kinds


def test_the_domain_trusts_each_maker_for_its_own_name_only(tmp_path):
    anchors = {anchor.maker: anchor for anchor in prepared(tmp_path).domain.anchors()}
    assert anchors["aurora"].speaks_for("mud.aurora.example")
    assert not anchors["aurora"].speaks_for("mud.borealis.example")


def test_the_settings_of_a_dry_run_say_so(tmp_path):
    config = prepared(tmp_path).domain.load()
    assert (config.network.enforcement, config.network.offline) == ("dry_run", True)


def test_every_type_has_a_signed_mud_file_that_parses_without_a_finding(tmp_path):
    world = prepared(tmp_path)
    files = {path: data for maker in MAKERS for path, data in mud_files(world, maker, PORTS, at=AT).items()}
    documents = [path for path in files if path.endswith(".json")]
    assert len(documents) == len(scenery._TYPES)
    for path in documents:
        assert parser.parse(files[path]).findings == ()
        assert files[f"{path}.p7s"]


def test_a_foreign_mud_file_is_served_under_the_makers_own_url(tmp_path):
    world = prepared(tmp_path)
    foreign = mud_files(world, "aurora", PORTS, at=AT)["/A-Lamp.json"]
    adopted = mud_files(world, "borealis", PORTS, at=AT, sensors=foreign)["/B-Climate.json"]
    assert parser.parse(adopted).url == "https://mud.borealis.example:8444/B-Climate.json"


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"ietf-mud:mud": 1}'])
def test_what_is_no_mud_file_is_not_served(tmp_path, document):
    with pytest.raises(ConfigError, match="ietf-mud:mud"):
        mud_files(prepared(tmp_path), "borealis", PORTS, at=AT, sensors=document)
