from dataclasses import replace
from ipaddress import ip_address, ip_network

from tests.unit.enforcement.test_layout import HERE, ONE, RANGE, WEB, change
from thingstead.domain.network import FlowRule, NetworkChange
from thingstead.enforcement.layout import lay_out
from thingstead.enforcement.table import Element, Table
from thingstead.enforcement.transaction import difference, from_nothing, transaction


def test_what_both_have_is_not_sent_again():
    before, after = lay_out(change(WEB)), lay_out(change(WEB, RANGE))
    sent = b"".join(
        message.body for message in transaction(Table("t"), [difference(before, after, kept=frozenset(), standing=())])
    )
    assert b"out_wide4" in sent
    assert b"known4" not in sent


def test_what_another_thing_has_too_is_not_taken_away():
    bar = lay_out(NetworkChange(ONE, (HERE,), None, barred=True))
    shared = Element("barred_mac", HERE.mac)
    nothing = lay_out(NetworkChange(ONE, (), None))
    gone = transaction(Table("t"), [difference(bar, nothing, kept=frozenset({shared}), standing=())])
    assert [message.family for message in gone if b"barred_mac" in message.body] == [7]


def test_a_chain_that_others_have_is_neither_made_nor_taken_away():
    everything = frozenset({FlowRule(True, ip_network("0.0.0.0/0"))})
    laid, without = lay_out(change(denied=everything)), lay_out(change())
    (chain,) = laid.chains
    for standing in ((), (chain.name,)):
        for before, after in ((without, laid), (laid, without)):
            found = difference(before, after, kept=frozenset(), standing=standing)
            assert bool(found.made or found.dropped) is not bool(standing)
            assert chain.entry in found.gone | found.fresh


def test_many_things_are_put_in_together_each_chain_once_and_none_is_left_out():
    everything = frozenset({FlowRule(True, ip_network("0.0.0.0/0"))})
    places = [replace(HERE, ip=ip_address("10.77.1.0") + number) for number in range(300)]
    layouts = [lay_out(change(WEB, addresses=(one,), denied=everything)) for one in places]
    parts = list(from_nothing(Table("t"), layouts))
    assert 1 < len(parts) < 10
    sent = b"".join(message.body for part in parts for message in part)
    assert all(sent.count(one.ip.packed + HERE.mac) for one in places)
    assert sum(message.type == 0x0A03 for part in parts for message in part) == 1


def test_nothing_is_put_in_by_no_message():
    assert list(from_nothing(Table("t"), [])) == [[]]
