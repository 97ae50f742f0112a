"""Work that comes round: a failure of ours is told once, another ends it, and it goes on until it is cut short."""

import asyncio

import pytest

from thingstead.controller.housekeeping import every
from thingstead.errors import StorageError


def rounds(*outcomes):
    """Let `every` run through these outcomes of its work, then cut it short; returns how often it was called."""
    calls: list[int] = []

    async def work():
        calls.append(len(calls))
        if len(calls) > len(outcomes):
            raise asyncio.CancelledError
        if outcomes[len(calls) - 1] is not None:
            raise outcomes[len(calls) - 1]

    async def whole():
        await every(0, work)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(whole())
    return len(calls)


def warnings(caplog):
    return [record.getMessage() for record in caplog.records]


def test_work_that_succeeds_comes_round_in_silence(caplog):
    assert rounds(None, None, None) == 4
    assert warnings(caplog) == []


def test_a_failure_that_lasts_is_tried_again_and_told_once(caplog):
    assert rounds(*[StorageError("the disk is full")] * 5) == 6
    assert warnings(caplog) == ["housekeeping failed, and is tried again: the disk is full"]


def test_another_failure_and_one_that_comes_back_are_told_too(caplog):
    full, gone = StorageError("the disk is full"), StorageError("the disk is gone")
    rounds(full, gone, None, gone)
    assert [line.rsplit(" ", 1)[1] for line in warnings(caplog)] == ["full", "gone", "gone"]


def test_a_fault_of_the_program_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        rounds(ZeroDivisionError())
