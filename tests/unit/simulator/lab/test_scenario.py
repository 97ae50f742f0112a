import re

import pytest

from thingstead.errors import ConfigError
from thingstead.simulator.lab.pattern.pattern import patterns
from thingstead.simulator.lab.scenario import load, parse, shipped

GOOD = """
summary = "a plug floods a victim"
spec = "RFC 8576 §3"
rules = true
warm_up = 10
seconds = 20
found_by = ["horizontal_scan"]

[things]
plug = 1
lamp = 1

[[attack]]
pattern = "flood"
by = "plug-1"
at = 1
packets = 5
"""


def read(text=GOOD):
    return parse(text.encode(), name="mine")


def test_a_scenario_says_who_does_what_and_when():
    read_one = read()
    assert (read_one.name, read_one.rules, read_one.things) == ("mine", True, {"plug": 1, "lamp": 1})
    (attack,) = read_one.attacks
    assert (attack.by, attack.at, attack.tells_of, attack.pattern.name) == ("plug-1", 1.0, ("plug-1",), "flood")
    assert attack.pattern.packets == 5


def test_what_a_file_does_not_set_is_as_the_pattern_has_it():
    (attack,) = read().attacks
    assert attack.pattern.kind == "udp"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("rules = true", "rules = 1", "rules: expected true or false"),
        ("rules = true\n", "", "rules: expected true or false"),
        ("warm_up = 10", "warm_up = -1", "warm_up: expected seconds"),
        ("seconds = 20", "seconds = 1e9", "seconds: expected seconds"),
        ("seconds = 20", "seconds = nan", "seconds: expected seconds"),
        ('summary = "', 'colour = "red"\nsummary = "', "unknown: colour"),
        ("[things]", "[owner]\ncolour = 1\n[things]", "owner: unknown: colour"),
        ("[things]", "[owner]\nhold_ports = 1\n[things]", "owner: hold_ports: expected true or false"),
        ("[things]", "[owner]\nquarantine_from = 'never'\n[things]", "owner: quarantine_from: expected one of notice"),
        ("[things]", "[owner]\nquarantine_from = []\n[things]", "owner: quarantine_from: expected one of notice"),
        ("[things]", "[[owner]]\n[things]", "owner: expected a table"),
        ("plug = 1", "toaster = 1", "things: unknown: toaster"),
        ("plug = 1", "plug = 0", "things: plug: expected 1 or more"),
        ("plug = 1", "plug = 21", "expected 2 to 20 in all"),
        ("plug = 1", "plug = true", "things: plug: expected 1 or more"),
        ('by = "plug-1"', 'by = "plug-2"', "attack 1: by: expected outside or one of lamp-1, plug-1"),
        ('pattern = "flood"', 'pattern = "rootkit"', "attack 1: pattern: expected one of amplify, arp"),
        ("packets = 5", "packets = 0", "packets: expected 1 to 20000"),
        ("packets = 5", "packets = 20001", "packets: expected 1 to 20000"),
        ("packets = 5", "packets = 1.5", "packets: expected int, got float"),
        ("packets = 5", "every = -1", "every: expected 0 to"),
        ("packets = 5", "pakets = 5", "unknown: pakets"),
        ("packets = 5", 'tells_of = ["nobody"]', "tells_of: 'nobody' is none that is known"),
        ('found_by = ["horizontal_scan"]', 'found_by = ["magic"]', "found_by: 'magic' is none that is known"),
        ("rules = true", 'rules = true\nupdated = ["plug-2"]', "updated: 'plug-2' is none that is known"),
        ("rules = true", 'rules = true\nasleep = ["hub-1"]', "asleep: 'hub-1' is none that is known"),
        (
            'found_by = ["horizontal_scan"]',
            'found_by = [["horizontal_scan"]]',
            "found_by: \"['horizontal_scan']\" is none",
        ),
        ("rules = true", "rules = true\nasleep = {}", "asleep: '{}' is none that is known"),
        ("packets = 5", "tells_of = [{}]", "tells_of: '{}' is none that is known"),
        ("at = 1", 'at = "soon"', "at: expected seconds"),
        ("[things]", "[things", "expected TOML"),
    ],
)
def test_what_is_no_scenario_is_refused_with_the_place(old, new, why):
    assert old in GOOD
    with pytest.raises(ConfigError, match=re.escape(why)):
        read(GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("pattern", "option", "why"),
    [
        ("port-scan", 'target = "hub-9"', "target: expected one of"),
        ("forge", 'claimed = "nobody"', "claimed: expected one of"),
        ("sweep", "ports = [0]", "ports: expected a list of ports"),
        ("sweep", "ports = 23", "ports: expected a list of ports"),
        ("sweep", "ports = [true]", "ports: expected a list of ports"),
        ("sweep", "local = 1", "local: expected bool, got int"),
        ("flood", 'kind = "magic"', "kind: expected one of"),
        ("dictionary", "port = 99", "port: expected one of"),
        ("beacon", "port = 0", "port: expected 1 to 65535, got 0"),
        ("long-header", "port = 65536", "port: expected 1 to 65535, got 65536"),
    ],
)
def test_an_option_of_another_kind_is_refused(pattern, option, why):
    text = GOOD.replace('pattern = "flood"', f'pattern = "{pattern}"').replace("packets = 5", option)
    with pytest.raises(ConfigError, match=re.escape(why)):
        read(text)


def test_a_file_that_is_too_long_is_not_read():
    with pytest.raises(ConfigError, match="at most 65536 octets"):
        parse(b"#" * 65_537, name="mine")


@pytest.mark.parametrize(
    "data",
    [b"\xff", b"= 1", b"seconds = " + b"9" * 5_000, b"seconds = " + b"[" * 20_000],
    ids=["text", "key", "digits", "depth"],
)
def test_what_is_no_text_is_refused(data):
    with pytest.raises(ConfigError, match="expected TOML"):
        parse(data, name="mine")


def test_a_name_that_is_neither_shipped_nor_a_file_is_refused():
    with pytest.raises(ConfigError, match=r"expected a file \.toml or one of after-an-update, amplification"):
        load("stuxnet")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot read"):
        load(str(tmp_path / "mine.toml"))


def test_a_file_of_one_s_own_is_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert load(str(path)) == read()


def test_there_are_a_dozen_scenarios_and_more():
    assert len(shipped()) >= 12


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_scenario_can_be_read(name):
    scenario = load(name)
    assert scenario.attacks
    assert scenario.spec.startswith("RFC ")


def test_every_pattern_is_played_in_some_scenario():
    played = {attack.pattern.name for name in shipped() for attack in load(name).attacks}
    assert played == set(patterns())
