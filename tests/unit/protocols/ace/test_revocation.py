"""What a requester hears of the list: never less than has changed, and never somebody else's part of it."""

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.ace import revocation
from thingstead.protocols.ace.revocation import Change, Limits, TrlError, UpdateCollection
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.problem import decode_problem
from thingstead.protocols.coap.registry import Code

LIMITS = Limits(max_n=4, max_diff_batch=2, max_index=9)


def a_hash(number):
    return b"\x01" + bytes([number]) * 32


def changed(count, limits=LIMITS):
    collection = UpdateCollection(limits)
    for number in range(count):
        collection.add(Change(added=(a_hash(number),)))
    return collection


def told(*queries, count=0, limits=LIMITS):
    message = revocation.answer(queries, (), changed(count, limits), limits)
    assert message.code == Code.CONTENT
    return codec.decode(message.payload)


def diff(*numbers, cursor, more):
    return {1: [[[], [a_hash(number)]] for number in numbers], 2: cursor, 3: more}


@pytest.mark.spec("RFC 9770 7")
def test_a_full_query_gives_all_hashes_and_no_cursor_before_the_first_change():
    message = revocation.answer((), (a_hash(2), a_hash(1)), changed(0), LIMITS)
    assert codec.decode(message.payload) == {0: [a_hash(1), a_hash(2)], 2: None}


@pytest.mark.spec("RFC 9770 6.3")
def test_what_a_query_says_beside_diff_and_cursor_is_passed_over():
    assert told("pmax=60", "rt", count=2) == {0: [], 2: 1}


@pytest.mark.spec("RFC 9770 9.2.1")
@pytest.mark.parametrize("queries", [("diff=0",), ("diff=3", "cursor=7")])
def test_of_no_change_a_diff_query_hears_nothing_and_no_more(queries):
    assert told(*queries) == diff(cursor=None, more=False)


@pytest.mark.spec("RFC 9770 9.2.2")
@pytest.mark.parametrize(
    ("query", "count", "expected"),
    [
        ("diff=1", 3, diff(2, cursor=2, more=False)),
        ("diff=2", 3, diff(2, 1, cursor=2, more=False)),
        ("diff=3", 3, diff(1, 0, cursor=1, more=True)),
        ("diff=0", 4, diff(1, 0, cursor=1, more=True)),
        ("diff=99", 6, diff(3, 2, cursor=3, more=True)),
        ("diff=1", 12, diff(11, cursor=1, more=False)),
        ("diff=0", 11, diff(8, 7, cursor=8, more=True)),
    ],
)
def test_a_diff_query_gets_the_eldest_batch_of_the_newest_changes(query, count, expected):
    assert told(query, count=count) == expected


@pytest.mark.spec("RFC 9770 9.2.3")
@pytest.mark.parametrize(
    ("cursor", "count", "expected"),
    [
        (0, 3, diff(2, 1, cursor=2, more=False)),
        (2, 3, diff(cursor=2, more=False)),
        (1, 6, diff(3, 2, cursor=3, more=True)),
        (0, 6, diff(cursor=None, more=True)),
        (8, 12, diff(10, 9, cursor=0, more=True)),
        (9, 12, diff(11, 10, cursor=1, more=False)),
        (1, 12, diff(cursor=1, more=False)),
        (5, 12, diff(cursor=None, more=True)),
        (2, 12, diff(cursor=None, more=True)),
    ],
)
def test_a_cursor_goes_on_where_it_was_or_says_what_is_lost(cursor, count, expected):
    assert told("diff=0", f"cursor={cursor}", count=count) == expected


@pytest.mark.spec("RFC 9770 9.2.3")
def test_following_the_cursor_brings_every_change_once():
    collection, seen, cursor = changed(9, Limits(max_n=9, max_diff_batch=2, max_index=9)), [], 2
    while True:
        changes, cursor, more = collection.after(cursor, 0)
        seen += [change.added[0][1] for change in reversed(changes)]
        if not more:
            break
    assert seen == [3, 4, 5, 6, 7, 8]


@pytest.mark.spec("RFC 9770 6.3")
@pytest.mark.parametrize(
    ("queries", "count", "error"),
    [
        (("diff=-1",), 1, {0: TrlError.INVALID_VALUE}),
        (("diff=",), 1, {0: TrlError.INVALID_VALUE}),
        (("diff",), 1, {0: TrlError.INVALID_VALUE}),
        (("diff=one", "cursor=0"), 1, {0: TrlError.INVALID_VALUE}),
        (("diff=1", "diff=2"), 1, {0: TrlError.INVALID_VALUE}),
        (("diff=" + "9" * 21,), 1, {0: TrlError.INVALID_VALUE}),
        (("diff=\N{ARABIC-INDIC DIGIT ONE}",), 1, {0: TrlError.INVALID_VALUE}),
        (("cursor=0",), 1, {0: TrlError.INVALID_SET}),
        (("cursor=x",), 1, {0: TrlError.INVALID_SET}),
        (("diff=1", "cursor=-53"), 3, {0: TrlError.INVALID_VALUE, 1: 2}),
        (("diff=1", "cursor=10"), 3, {0: TrlError.INVALID_VALUE, 1: 2}),
        (("diff=1", "cursor=10"), 0, {0: TrlError.INVALID_VALUE, 1: None}),
        (("diff=1", "cursor=3"), 3, {0: TrlError.OUT_OF_BOUND}),
    ],
)
def test_a_wrong_query_is_refused_with_its_number(queries, count, error):
    message = revocation.answer(queries, (), changed(count), LIMITS)
    assert message.code == Code.BAD_REQUEST
    assert decode_problem(message.payload).custom == {revocation.PROBLEM_KEY: error}


@pytest.mark.spec("RFC 9770 6.2.1")
@pytest.mark.parametrize("count", [0, 1, 4, 5, 10, 11])
def test_a_collection_comes_back_from_disk_as_it_was(count):
    before = changed(count)
    after = UpdateCollection.decode(before.encode(), LIMITS)
    assert after.encode() == before.encode()
    assert after.after(0, 0) == before.after(0, 0)
    assert after.is_beyond(9) == before.is_beyond(9)


@pytest.mark.parametrize(
    "document",
    [b"", b"\x80", codec.encode([0, False, [[[b"short"], []]]]), codec.encode([0, False, [[[], [], []]]])],
)
def test_what_is_no_collection_is_refused(document):
    with pytest.raises(DecodeError):
        UpdateCollection.decode(document, LIMITS)


@pytest.mark.spec("RFC 9770 7")
def test_a_full_set_is_read_whatever_else_is_said():
    data = codec.encode({0: [a_hash(1)], 2: 4, 77: "more"})
    assert revocation.decode_full_set(data) == {a_hash(1)}


@pytest.mark.parametrize(
    "value",
    [[], {}, {0: None}, {0: {}}, {1: []}, {0: ["text"]}, {0: [bytes(33)]}, {0: [b"\x01" + bytes(31)]}, {0: [b""]}],
)
def test_what_is_no_full_set_revokes_nothing(value):
    with pytest.raises(DecodeError):
        revocation.decode_full_set(codec.encode(value))


@pytest.mark.parametrize("bounds", [(0, 1, 9), (4, 5, 9), (4, 0, 9), (11, 1, 9)])
def test_bounds_that_do_not_fit_are_refused(bounds):
    with pytest.raises(ValueError, match="max_diff_batch"):
        Limits(*bounds)
