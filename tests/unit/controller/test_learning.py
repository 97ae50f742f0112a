"""Invariant: what is proposed is what the thing did, nobody dropped, and somebody answered."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import AT, a_thing
from thingstead.controller.brownfield import own_url
from thingstead.controller.learning import Learning
from thingstead.domain.contact import Contact
from thingstead.domain.network import ThingAddress
from thingstead.errors import ConfigError
from thingstead.protocols.mud.file import RemoteKind
from thingstead.protocols.mud.parser import parse

MAC = bytes.fromhex("027700000001")
THING = a_thing(1)
PLACE = ThingAddress(MAC, ip_address("10.77.0.7"))


def contact(who="cloud.example", address="198.51.100.9", **changes):
    given = {
        "outbound": True, "who": who, "address": address, "protocol": 6, "port": 443, "allowed": True, "by": "owner",
        "rule": "", "why": "", "first": AT, "last": AT + timedelta(seconds=9), "flows": 1, "packets_out": 3,
        "octets_out": 180, "packets_in": 3, "octets_in": 180, "dropped": 0,
    }  # fmt: skip
    return Contact(**{**given, **changes})


def proposed(*contacts, local=(), doors=()):
    asked = []

    async def kept(thing, days):
        asked.append((thing, days))
        return contacts

    learning = Learning(kept, locate=lambda _thing: (PLACE,), local=local, doors=doors, clock=JumpingClock())
    proposal = asyncio.run(learning.propose(THING, days=2))
    assert asked == [(THING.id, 2)]
    return proposal


def remotes(proposal):
    return {str(one.remote) for one in parse(proposal.document).entries}


@pytest.mark.requirement("R-81")
def test_a_thing_gets_a_file_of_its_own_that_names_whom_it_asked():
    proposal = proposed(contact())
    # By its id: things behind a router have one link-layer address in common, or none.
    assert parse(proposal.document).url == f"https://{THING.id}.invalid/learned.json"
    assert remotes(proposal) == {"dns-name cloud.example"}


def test_an_adopted_device_keeps_the_url_it_has():
    url = "https://02-77-00-00-00-01.invalid/learned.json"
    assert own_url(replace(THING, mud_url=url)) == url
    assert own_url(replace(THING, mud_url="https://maker.example/x.json")) == own_url(THING)


@pytest.mark.requirement("R-81")
def test_what_no_rule_allows_yet_is_learned_where_it_passed():
    assert remotes(proposed(contact(allowed=False, by="nobody"))) == {"dns-name cloud.example"}


def test_a_neighbour_is_the_local_network_whatever_the_domain_calls_it():
    proposal = proposed(contact("thing-abcdefghijklmnop", "10.77.0.9"))
    assert remotes(proposal) == {RemoteKind.LOCAL_NETWORKS.value}


def test_what_the_settings_call_local_is_local():
    proposal = proposed(contact("198.51.100.9"), local=(ip_network("198.51.100.0/24"),))
    assert remotes(proposal) == {RemoteKind.LOCAL_NETWORKS.value}


def test_an_address_without_a_name_stays_one():
    assert remotes(proposed(contact("198.51.100.9"))) == {"prefix 198.51.100.9/32"}


@pytest.mark.requirement("R-81")
@pytest.mark.parametrize(
    "changes",
    [
        {"allowed": False, "dropped": 1},
        {"protocol": None},
        {"address": ""},
        {"packets_in": 0},
        {"outbound": False},
        {"protocol": 1, "port": None},
    ],
)
def test_what_was_refused_unanswered_or_begun_outside_is_not_proposed(changes):
    assert proposed(contact(**changes)).services == 0


def test_of_a_thing_that_is_nowhere_nothing_is_proposed():
    async def kept(_thing, _days):
        raise AssertionError("nothing is read for nobody")

    learning = Learning(kept, locate=lambda _thing: (), local=(), clock=JumpingClock())
    with pytest.raises(ConfigError, match="not known where"):
        asyncio.run(learning.propose(THING, days=1))


def test_what_every_thing_may_ask_the_domain_is_not_proposed_and_the_rest_is():
    ours = contact(who="this domain", address="10.77.0.1", protocol=17, port=5683)
    broker = contact(who="this domain", address="10.77.0.1", port=8883)
    assert remotes(proposed(ours, doors={(17, 5683)}, local=(ip_network("10.77.0.0/16"),))) == set()
    assert remotes(proposed(ours, broker, doors={(17, 5683)}, local=(ip_network("10.77.0.0/16"),))) == {
        "local-networks"
    }
