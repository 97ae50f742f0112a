"""A rule of the owner's is about whom it names, and its other side is one that there can be."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.domain.owner_rule import OwnerRule, Way, as_prefix, parse_remote
from thingstead.errors import ConfigError

LAMP, OTHER = a_thing(0), a_thing(1, zone="cellar", model="SW-1")
RULE = OwnerRule("r1", True, (), "", "", Way.IN, "any", 6, (80, 80), "hole", "", "owner", AT)


@pytest.mark.parametrize(
    ("changes", "lamp", "other"),
    [
        ({}, True, True),
        ({"things": (LAMP.id,)}, True, False),
        ({"zone": "cellar"}, False, True),
        ({"model": "LX-*"}, True, False),
        ({"zone": "cellar", "model": "LX-*"}, False, False),
        ({"vulnerability": "CVE-2026-1"}, False, False),
        ({"vulnerability": "CVE-2026-1", "things": (OTHER.id,)}, False, True),
    ],
)
def test_a_rule_is_about_whom_each_of_its_words_names(changes, lamp, other):
    rule = replace(RULE, **changes)
    assert (rule.is_about(LAMP), rule.is_about(OTHER)) == (lamp, other)


def test_a_rule_ends_when_it_says():
    assert not RULE.has_ended(AT + timedelta(days=9999))
    rule = replace(RULE, until=AT)
    assert rule.has_ended(AT)
    assert not rule.has_ended(AT - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("ANY", "any"),
        ("internet", "internet"),
        (" local ", "local"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("Cloud.Acme.Example.", "cloud.acme.example"),
        ("_coap._udp.acme.example", "_coap._udp.acme.example"),
    ],
)
def test_the_other_side_has_one_spelling(text, remote):
    assert parse_remote(text) == remote
    assert (as_prefix(remote) is None) == ("/" not in remote)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        "192.0.2.7/24",
        "192.0.2.300",
        "fd77::1/64",
        "a b",
        "a/b",
        "x" * 64,
        ".".join(["abc"] * 70),
        "é.de",
        "thing-abcdefghijklmnop",
    ],
)
def test_what_is_no_other_side_is_refused(text):
    with pytest.raises(ConfigError):
        parse_remote(text)
