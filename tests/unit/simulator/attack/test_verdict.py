import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from thingstead.protocols.coap.registry import Code
from thingstead.simulator.attack.verdict import Traffic, names, progress


def traffic(messages=(), requests=(), half_open=0):
    async def ask(operation, _arguments):
        assert operation == "traffic.show"
        return {"half_open": half_open, "messages": dict(messages), "requests": dict(requests)}

    target: Any = SimpleNamespace(ask=ask)
    return asyncio.run(Traffic.of(target))


def test_refusals_of_messages_and_of_requests_are_one_count_by_reason():
    told = traffic({"replay": 2, "malformed": 1}, {"replay": 3, "scope": 1}, half_open=4)
    assert (told.half_open, dict(told.refused)) == (4, {"replay": 5, "malformed": 1, "scope": 1})


@pytest.mark.parametrize(
    ("before", "after", "risen"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 3, "b": 1}, {"a": 2, "b": 1}),
        ({}, {"b": 1, "a": 1}, {"a": 1, "b": 1}),
    ],
)
def test_only_what_rose_is_told(before, after, risen):
    assert traffic(after).since(traffic(before)) == risen


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ([], "not even message_1 was answered"),
        ([Code.UNAUTHORIZED], "refused at message_1 with 4.01"),
        ([Code.CHANGED, Code.FORBIDDEN], "refused at message_3 with 4.03"),
    ],
)
def test_a_join_is_told_by_the_message_that_ended_it(codes, told):
    assert progress(codes) == told


@pytest.mark.parametrize(
    ("counted", "told"),
    [({}, "nothing"), ({Code.FORBIDDEN: 3, Code.NOT_FOUND: 1}, "3 x 4.03, 1 x 4.04"), ({"replay": 2}, "2 x replay")],
)
def test_codes_are_told_as_codes_and_reasons_as_reasons(counted, told):
    assert names(counted) == told
