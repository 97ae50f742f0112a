import sys
from pathlib import Path

import pytest

from tests.unit.protocols.mud.fixture import AT, with_ace
from thingstead.protocols.mud import matches
from thingstead.protocols.mud.file import PortRange
from thingstead.protocols.mud.match_type import match_types
from thingstead.protocols.mud.parser import parse
from thingstead.protocols.mud.rule import compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit

SCTP = '''"""Ports of SCTP (RFC 9260 §3.1): a match type of nobody's standard, to show what one more costs."""

from __future__ import annotations

from thingstead.protocols.json.place import Node
from thingstead.protocols.mud.conditions import Conditions
from thingstead.protocols.mud.match_type import MatchType

__all__ = ["MATCH_TYPES"]


def _parse(conditions: Conditions, matches: Node) -> None:
    conditions.constrain(132, matches)
    for name, node in matches.members(spec="RFC 8519 §4.2"):
        if not conditions.add_port(name, node):
            conditions.leave_out(node, "a condition that we do not know", "RFC 8520 §3.9")


MATCH_TYPES = (MatchType("{name}", _parse),)
'''
ACE = {"maker:sctp": {"destination-port": {"operator": "eq", "port": 9899}}}


@pytest.fixture
def one_more(tmp_path, monkeypatch):
    """A folder whose modules are match types too, for as long as a test runs."""
    monkeypatch.setattr(matches, "__path__", [*matches.__path__, str(tmp_path)])
    match_types.cache_clear()
    yield tmp_path
    match_types.cache_clear()
    sys.modules.pop(f"{matches.__name__}.sctp", None)


def test_a_new_match_type_is_one_small_module_and_reaches_the_rules(one_more):
    source = SCTP.replace("{name}", "maker:sctp")
    assert len(source.splitlines()) <= 50
    assert parse(with_ace(ACE)).entries == ()
    match_types.cache_clear()
    (one_more / "sctp.py").write_text(source, encoding="utf-8")
    data = with_ace(ACE)
    rule = compile_rules(admit(data, None, policy=AdmissionPolicy("lab", insecure_unsigned=True), at=AT)).rules[0]
    assert (rule.protocol, rule.remote_ports) == (132, PortRange(9899, 9899))


def test_two_modules_that_read_one_member_are_a_mistake_of_ours(one_more):
    (one_more / "sctp.py").write_text(SCTP.replace("{name}", "tcp"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"two match types read 'tcp'; one of them is in (sctp|tcp)"):
        match_types()


@pytest.mark.spec("RFC 8519 4.2")
def test_every_match_type_that_is_here_fits_into_fifty_lines():
    modules = list(Path(matches.__path__[0]).glob("[a-z]*.py"))
    assert len(modules) >= 6
    assert {path.name: lines for path in modules if (lines := len(path.read_text("utf-8").splitlines())) > 50} == {}
    assert {"ipv4", "ipv6", "tcp", "udp", "icmp", "eth", "ietf-mud:mud"} <= match_types().keys()
