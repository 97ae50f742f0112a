from typing import Any

import pytest

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.command import Budget, decode_sequence
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.envelope import Limits

LIMITS = Limits()


def decoded(items, limits=LIMITS):
    return decode_sequence(codec.encode(items), Budget(limits))


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.6")
def test_commands_come_out_typed_and_know_where_they_stood():
    inner = codec.encode([14, 15])
    first, second, third, fourth = decoded([12, [0, 1], 20, {21: "coap://a/b"}, 15, [inner, None], 3, 2])
    assert first.index == (0, 1)
    assert second.parameters == {21: "coap://a/b"}
    assert third.sequences[1] is None
    assert third.sequences[0][0].id == 14
    assert (fourth.id, fourth.policy) == (3, 2)
    data = codec.encode([12, [0, 1], 20, {21: "coap://a/b"}, 15, [inner, None], 3, 2])
    assert [data[command.offset] for command in (first, second, third, fourth)] == [12, 20, 15, 3]


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.8")
def test_a_digest_parameter_is_read_and_a_private_enterprise_number_is_a_vendor():
    (command,) = decoded([20, {1: codec.Tag(112, b"\x83\x42"), 3: digest_of(b"x").encode()}])
    assert command.parameters[3] == digest_of(b"x")
    assert command.parameters[1] == bytes.fromhex("d870428342")


def test_custom_commands_are_kept_for_whoever_looks():
    (custom,) = decoded([-300, "x"])
    assert (custom.id, custom.argument) == (-300, "x")


@pytest.mark.spec("draft-ietf-suit-update-management 5")
def test_parameters_of_many_components_are_read():
    multiple, copies = decoded([34, {0: {21: "coap://a/b"}, 3: {14: 7}}, 35, {0: [4, 26], 2: [27]}])
    assert multiple.multiple == {0: {21: "coap://a/b"}, 3: {14: 7}}
    assert copies.copies == {0: (4, 26), 2: (27,)}


@pytest.mark.parametrize(
    "items",
    [
        [],
        {},
        [1],
        [1, 15, 2],
        ["1", 15],
        [1.0, 15],
        [True, 15],
        [1, 16],
        [1, -1],
        [1, True],
        [34, {}],
        [34, []],
        [34, {0: {}}],
        [34, {-1: {14: 1}}],
        [34, {"0": {14: 1}}],
        [34, {0: {14: -1}}],
        [35, {}],
        [35, {0: []}],
        [35, {0: 4}],
        [35, {0: ["4"]}],
        [35, {-1: [4]}],
        [20, {28: b""}],
        [20, {28: 1}],
        [20, {29: b"\xa0"}],
        [12, False],
        [12, -1],
        [12, []],
        [12, [-1]],
        [12, [True]],
        [12, "0"],
        [20, {}],
        [20, [1]],
        [20, {"1": bytes(16)}],
        [20, {1: bytes(15)}],
        [20, {2: codec.Tag(112, b"")}],
        [20, {3: [-16, bytes(32)]}],
        [20, {3: b"\xff"}],
        [20, {4: -1}],
        [20, {13: 1}],
        [20, {14: True}],
        [20, {18: "text"}],
        [20, {21: b"bytes"}],
        [20, {27: "1"}],
        [32, [1, 15]],
        [32, b""],
        [15, [b"\x82\x01\x0f"]],
        [15, [None, b"\x82\x01\x0f"]],
        [15, b"\x82\x01\x0f"],
    ],
)
def test_what_is_not_a_command_sequence_is_refused(items):
    with pytest.raises(DecodeError):
        decoded(items)


@pytest.mark.parametrize(
    ("items", "reason"), [([99, 15], "command"), ([13, 0], "command"), ([20, {99: 1}], "parameter")]
)
def test_a_command_or_parameter_that_no_registry_has_is_refused(items, reason):
    with pytest.raises(UnsupportedError) as caught:
        decoded(items)
    assert caught.value.reason == reason


def test_commands_are_counted_over_all_nested_sequences():
    inner = codec.encode([1, 15] * 5)
    assert decoded([32, inner], Limits(max_commands=6))
    with pytest.raises(DecodeError, match="at most 5 commands"):
        decoded([32, inner], Limits(max_commands=5))


def test_sequences_in_one_another_end_at_the_limit():
    items: list[Any] = [14, 15]
    for _ in range(3):
        items = [32, codec.encode(items)]
    assert decoded(items)
    with pytest.raises(DecodeError, match="at most 4 sequences"):
        decoded([32, codec.encode(items)])
