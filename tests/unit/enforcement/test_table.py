import struct

import pytest

from thingstead.enforcement.netlink import attribute, nested
from thingstead.enforcement.table import BRIDGE, Element, Listed, Match, Table, Verdict, packet_counts, rule_packets

TABLE = Table("t")
NEW_ELEMENT, ASK_ELEMENT, DELETE_ELEMENT = 0x0A0C, 0x0A0D, 0x0A0E
NEW_CHAIN, DELETE_CHAIN, NEW_RULE, DELETE_RULE = 0x0A03, 0x0A05, 0x0A06, 0x0A08
CREATE, APPEND = 0x400, 0x800
NESTED = 0x8000
GOTO, JUMP = b"\xff\xff\xff\xfc", b"\xff\xff\xff\xfd"


def tree(data):
    """Attributes, and within those that say that they are nested again attributes."""
    found = []
    while data:
        size, kind = struct.unpack_from("=HH", data)
        value = data[4:size]
        found.append((kind & 0x3FFF, tree(value) if kind & NESTED else value))
        data = data[size + -size % 4 :]
    return found


def elements(message):
    """Name of the set and the elements of a message."""
    fields = dict(tree(message.body))
    assert fields[1] == b"t\0"
    return fields[2], [dict(element) for _, element in fields[3]]


def test_an_element_for_good_has_a_key_and_no_timeout():
    (message,) = TABLE.add([Element("known4", b"\x0a\x4d\1\1")])
    assert (message.type, message.flags) == (NEW_ELEMENT, CREATE)
    assert elements(message) == (b"known4\0", [{1: [(1, b"\x0a\x4d\1\1")]}])


@pytest.mark.parametrize(("seconds", "milliseconds"), [(0, 0), (1, 1000), (1 << 32, 1000 << 32)])
def test_a_lifetime_is_told_in_milliseconds(seconds, milliseconds):
    (message,) = TABLE.add([Element("out4", b"key.", seconds)])
    _, (element,) = elements(message)
    assert element[4] == milliseconds.to_bytes(8, "big")


def test_an_element_of_a_map_jumps_to_its_chain_so_that_the_packet_comes_back():
    (message,) = TABLE.add([Element("out_wide4", b"key.", verdict=Verdict("thing"))])
    _, (element,) = elements(message)
    assert element[2] == [(2, [(1, JUMP), (2, b"thing\0")])]


def test_what_is_spared_goes_back_before_any_rule_and_is_not_counted():
    protocol = Match(0, 0, b"\x11", b"\x11")
    _, spared, rule = TABLE.add_chain("many", [()], target="denied4", spared=[(protocol,)])
    expressions = [[dict(one)[1] for _, one in dict(tree(message.body))[4]] for message in (spared, rule)]
    assert expressions == [[b"meta\0", b"range\0", b"immediate\0"], [b"counter\0", b"immediate\0"]]
    assert b"\xff\xff\xff\xfb" in spared.body


def test_what_matches_up_to_a_bound_is_counted_after_it():
    (message,) = TABLE.add([Element("thing4", b"key.", within=(7, 9))])
    _, (element,) = elements(message)
    (_, limit), (_, counter) = element[11]
    assert dict(limit)[1] == b"limit\0"
    numbers = dict(dict(limit)[2])
    assert [int.from_bytes(numbers[place], "big") for place in (1, 3, 5)] == [7, 9, 0]
    assert dict(counter)[1] == b"counter\0"


def test_what_is_deleted_is_made_by_no_flag():
    (message,) = TABLE.delete([Element("known4", b"key.")])
    assert (message.type, message.flags) == (DELETE_ELEMENT, 0)


def test_each_message_is_about_one_set_and_of_bounded_size():
    many = [Element(f"out{number % 2}", number.to_bytes(16, "big")) for number in range(1000)]
    messages = TABLE.add(many)
    sizes = [(elements(message)[0], len(elements(message)[1])) for message in messages]
    assert sizes == [(b"out0\0", 400), (b"out0\0", 100), (b"out1\0", 400), (b"out1\0", 100)]
    assert all(len(message.body) < 60_000 for message in messages)
    sent = {element[1][0][1] for message in messages for element in elements(message)[1]}
    assert sent == {one.key for one in many}


@pytest.mark.parametrize("change", [TABLE.add, TABLE.delete])
def test_nothing_to_change_is_no_message(change):
    assert change([]) == []


def test_a_rule_of_a_chain_counts_and_leaves_it_for_good_when_all_its_conditions_hold():
    protocol, address = Match(0, 0, b"\x11", b"\x11"), Match(1, 16, b"\x0a\0\0\0", b"\x0a\xff\xff\xff")
    chain, rule = TABLE.add_chain("thing", [(protocol, address)], target="allowed")
    assert (chain.type, chain.flags) == (NEW_CHAIN, CREATE)
    assert dict(tree(chain.body))[3] == b"thing\0"
    assert (rule.type, rule.flags) == (NEW_RULE, CREATE | APPEND)
    expressions = [dict(one) for _, one in dict(tree(rule.body))[4]]
    assert [one[1] for one in expressions] == [
        b"meta\0", b"range\0", b"payload\0", b"range\0", b"counter\0", b"immediate\0"
    ]  # fmt: skip
    assert dict(expressions[2][2]) == {1: b"\0\0\0\1", 2: b"\0\0\0\1", 3: b"\0\0\0\x10", 4: b"\0\0\0\4"}
    assert dict(expressions[3][2])[3] == [(1, address.first)]
    assert dict(expressions[3][2])[4] == [(1, address.last)]
    assert dict(expressions[5][2])[2] == [(2, [(1, GOTO), (2, b"allowed\0")])]


def test_a_chain_without_rules_sends_nothing_anywhere():
    assert [message.type for message in TABLE.add_chain("thing", [], target="allowed")] == [NEW_CHAIN]


def test_a_chain_is_emptied_before_it_is_deleted():
    assert [(one.type, one.flags) for one in TABLE.delete_chain("thing")] == [(DELETE_RULE, 0), (DELETE_CHAIN, 0)]


def test_a_question_changes_nothing():
    one, every = TABLE.query(Element("thing4", b"key.")), TABLE.query_all("thing4")
    assert (one.type, one.flags, every.type, every.flags) == (ASK_ELEMENT, 0, ASK_ELEMENT, 0)
    assert elements(one) == (b"thing4\0", [{1: [(1, b"key.")]}])
    assert tree(every.body) == [(1, b"t\0"), (2, b"thing4\0")]


def counted(key, *expression):
    return nested(1, nested(1, attribute(1, key)), *expression)


COUNTER = nested(7, attribute(1, b"counter\0"), nested(2, attribute(1, bytes(8)), attribute(2, (5).to_bytes(8, "big"))))
LIMIT = nested(7, attribute(1, b"limit\0"), nested(2, attribute(2, (5).to_bytes(8, "big"))))


@pytest.mark.parametrize(("expression", "packets"), [([COUNTER], 5), ([LIMIT], 0), ([], 0)])
def test_only_a_counter_counts(expression, packets):
    answer = attribute(1, b"t\0") + nested(3, counted(b"key1", *expression))
    assert list(packet_counts([answer])) == [(b"key1", packets)]


@pytest.mark.parametrize("answer", [b"", attribute(1, b"t\0"), nested(3)])
def test_an_answer_without_elements_counts_nothing(answer):
    assert list(packet_counts([answer])) == []


def test_the_elements_of_all_parts_of_an_answer_are_counted():
    parts = [nested(3, counted(b"key1", COUNTER), counted(b"key2", COUNTER)), nested(3, counted(b"key3"))]
    assert list(packet_counts(parts)) == [(b"key1", 5), (b"key2", 5), (b"key3", 0)]


def test_a_condition_may_ask_a_set_whose_element_runs_out():
    _, rule = TABLE.add_chain("thing", [(Listed("named_out4", 12, 8),)], target="passed")
    payload, lookup, *_ = [dict(one) for _, one in dict(tree(rule.body))[4]]
    assert dict(payload[2]) == {1: b"\0\0\0\1", 2: b"\0\0\0\1", 3: b"\0\0\0\x0c", 4: b"\0\0\0\x08"}
    assert (lookup[1], dict(lookup[2])) == (b"lookup\0", {1: b"named_out4\0", 2: b"\0\0\0\1"})


def test_an_element_with_a_bound_is_found_by_what_is_over_it():
    (message,) = TABLE.add([Element("flows4", b"key.", limit=(20, 40))])
    _, (element,) = elements(message)
    name, data = element[7]
    assert name == (1, b"limit\0")
    assert dict(data[1]) == {
        1: (20).to_bytes(8, "big"), 2: (1).to_bytes(8, "big"), 3: (40).to_bytes(4, "big"), 5: b"\0\0\0\1",
    }  # fmt: skip


def test_elements_of_two_families_travel_apart():
    messages = TABLE.add([Element("known4", b"key."), Element("known4", b"key.", family=BRIDGE)])
    assert sorted(message.family for message in messages) == [1, 7]


def test_data_of_an_element_is_carried_beside_its_key():
    (message,) = TABLE.add([Element("gateway_mac", b"key.", data=b"\2\0\0\0\0\1", family=BRIDGE)])
    _, (element,) = elements(message)
    assert element[2] == [(1, b"\2\0\0\0\0\1")]


def test_of_several_expressions_of_an_element_the_counter_counts():
    both = nested(11, COUNTER[:0] + nested(1, COUNTER[4:]), nested(1, LIMIT[4:]))
    assert list(packet_counts([nested(3, counted(b"key1", both))])) == [(b"key1", 5)]


@pytest.mark.parametrize(("expressions", "packets"), [([COUNTER], 5), ([LIMIT], 0), ([LIMIT, COUNTER], 5), ([], 0)])
def test_each_rule_of_a_chain_has_its_count(expressions, packets):
    rule = attribute(1, b"t\0") + nested(4, *(nested(1, one[4:]) for one in expressions))
    assert list(rule_packets([rule, rule])) == [packets, packets]
