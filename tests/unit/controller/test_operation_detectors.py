"""Whoever audits sees whether detectors look at all, and what they told; others do not."""

import asyncio

import pytest

from tests.unit.controller.test_traffic_watch import Stand, syn
from tests.unit.planes.network.fakes import Shelf
from thingstead.controller import operation_detectors
from thingstead.controller.detector_memory import DetectorMemory
from thingstead.controller.operation import Operations
from thingstead.domain.role import OWNER, Operator, Role


def ask(watch, operator=OWNER):
    memory = None if watch is None else DetectorMemory(watch, Shelf())
    table = Operations(*operation_detectors.rows(watch, memory))
    return asyncio.run(table.answer({"operation": "network.detectors", "arguments": {}}, operator=operator))


def test_what_was_seen_and_told_is_counted():
    stand = Stand()
    stand.passing(b"no frame", *[syn(number) for number in range(1, 21)])
    told = ask(stand.watch)["result"]
    assert (told["packets_seen"], told["frames_lost"], told["frames_refused"]) == (20, 7, 1)
    assert told["told"]["horizontal_scan"] == 1
    assert sum(told["told"].values()) == 1
    assert told["memory"] == "nothing was remembered: detectors begin anew"


def test_where_nobody_looks_it_says_so():
    assert ask(None)["result"] == {"watching": False, "why": "[watch] interfaces names none"}


@pytest.mark.parametrize("role", [Role.USER, Role.INSTALLER, Role.MANUFACTURER])
def test_who_does_not_audit_is_refused(role):
    assert ask(None, Operator(role))["error"]["kind"] == "RoleError"
