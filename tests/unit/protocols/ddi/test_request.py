import json

import pytest

from thingstead.errors import DecodeError
from thingstead.protocols.ddi.request import (
    ConfigData,
    Execution,
    Feedback,
    Finished,
    Limits,
    decode_config_data,
    decode_feedback,
)


def feedback(execution="closed", finished="success", **status):
    result = {"finished": finished, "progress": {"cnt": 1, "of": 2}}
    return {"id": 7, "time": "20261123T182204", "status": {"result": result, "execution": execution, **status}}


def encoded(value):
    return json.dumps(value).encode()


@pytest.mark.parametrize("execution", list(Execution))
@pytest.mark.parametrize("finished", list(Finished))
def test_every_word_of_a_feedback_is_understood(execution, finished):
    read = decode_feedback(encoded(feedback(execution.value, finished.value, details=["begun", "done"])))
    assert read == Feedback(execution, finished, ("begun", "done"), 7)


@pytest.mark.parametrize("given", ["7", 7])
def test_the_action_is_a_number_or_its_text(given):
    assert decode_feedback(encoded({**feedback(), "id": given})).action == 7


@pytest.mark.parametrize("given", [None, ""])
def test_the_action_need_not_be_named(given):
    assert decode_feedback(encoded({**feedback(), "id": given})).action is None


def test_a_line_is_cut_and_what_is_no_text_becomes_a_question_mark():
    read = decode_feedback(encoded(feedback(details=["\x1b[31mred\n" + "x" * 1000])))
    assert read.details == (("?[31mred?" + "x" * 1000)[:256],)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"7",
        b"\xff",
        b"{",
        b'{"status": NaN}',
        b'{"status": {}, "status": {}}',
        encoded({}),
        encoded({"status": "closed"}),
        encoded({"status": {"execution": "closed"}}),
        encoded({"status": {"result": {}, "execution": "closed"}}),
        encoded(feedback(execution="done")),
        encoded(feedback(execution=7)),
        encoded(feedback(execution=["closed"])),
        encoded(feedback(finished="yes")),
        encoded(feedback(finished=None)),
        encoded(feedback(details="one")),
        encoded(feedback(details=[7])),
        encoded(feedback(details={"a": "b"})),
        encoded({**feedback(), "id": -1}),
        encoded({**feedback(), "id": True}),
        encoded({**feedback(), "id": 1 << 63}),
        encoded({**feedback(), "id": "1e3"}),
        encoded({**feedback(), "id": "٣"}),
        encoded({**feedback(), "id": [7]}),
    ],
)
def test_what_is_no_feedback_is_refused(body):
    with pytest.raises(DecodeError):
        decode_feedback(body)


@pytest.mark.spec("RFC 8259 9")
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 65_000,
        b'{"status":' * 6_000,
        encoded({"status": {"result": {"finished": "none"}, "execution": "closed", "deep": [[[[[[[[[]]]]]]]]]}}),
        encoded(feedback(details=["x"] * 257)),
        encoded(feedback(details=["x" * 70_000])),
        b'{"id":' + b"9" * 60_000 + b"}",
        b" " * 70_000,
    ],
)
def test_a_bomb_is_refused(body):
    with pytest.raises(DecodeError):
        decode_feedback(body)


def test_what_a_device_says_of_itself_is_read():
    body = encoded({"mode": "merge", "data": {"serial": "G-1", "hw": "2"}, "status": {"execution": "closed"}})
    assert decode_config_data(body) == ConfigData("merge", {"serial": "G-1", "hw": "2"})


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        encoded({"data": []}),
        encoded({"data": {"a": 1}}),
        encoded({"data": {"a": None}}),
        encoded({"data": {"\x07": "bell"}}),
        encoded({"data": {"x" * 300: "long"}}),
        encoded({"data": {}, "mode": "drop"}),
        encoded({"data": {}, "mode": ["merge"]}),
        encoded({"data": {str(number): "x" for number in range(65)}}),
    ],
)
def test_what_no_device_says_of_itself_is_refused(body):
    with pytest.raises(DecodeError):
        decode_config_data(body)


def test_a_limit_is_the_callers():
    body = encoded(feedback(details=["one", "two"]))
    with pytest.raises(DecodeError):
        decode_feedback(body, limits=Limits(max_details=1))
