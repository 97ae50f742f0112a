"""The one way in: whatever is asked, the answer is a result or an error with advice."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from thingstead.controller.operation import Acting, Operation, Operations
from thingstead.domain.role import OWNER, RIGHTS, Operator, Right, Role
from thingstead.errors import ForbiddenError, StorageError, consequence


@dataclass(frozen=True, slots=True)
class Asked:
    thing: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Bare:
    """A request that says all by its name."""


async def _echo(request):
    return {"thing": request.thing, "times": request.times, "at": datetime(2026, 11, 23, tzinfo=UTC)}


async def _refuse(_request):
    raise ForbiddenError("not you", reason="role")


async def _fault(_request):
    raise RuntimeError("a bug")


def row(name, handler):
    return Operation(name, Asked, Right.SEE, "for tests", handler)


BARE = Operation("d.bare", Bare, Right.SEE, "for tests", _fault)
TABLE = Operations(row("b.refuse", _refuse), row("a.echo", _echo), row("c.fault", _fault), BARE)


def answer(asked):
    return asyncio.run(TABLE.answer(asked))


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "no operation 'None'; there are a.echo, b.refuse, c.fault, d.bare"),
        ({"operation": "x" * 99}, f"no operation '{'x' * 40}'; "),
        ({"operation": ["a.echo"]}, "no operation"),
        ({"operation": "a.echo"}, "a.echo: Object missing required field `thing`"),
        ({"operation": "a.echo", "arguments": []}, "a.echo: Expected `object`"),
        ({"operation": "a.echo", "arguments": None}, "a.echo: Expected `object`"),
        ({"operation": "a.echo", "arguments": {"thing": 1}}, "a.echo: Expected `str`"),
        ({"operation": "a.echo", "arguments": {"thing": "x", "times": "2"}}, "a.echo: Expected `int`"),
        ({"operation": "a.echo", "arguments": {"thing": "x", "time": 2}}, "a.echo takes thing, times; not 'time'"),
        ({"operation": "a.echo", "arguments": {"thing": "x", "y" * 99: 2}}, f"thing, times; not '{'y' * 40}'"),
        ({"operation": "d.bare", "arguments": {"all": True}}, "d.bare takes no arguments; not 'all'"),
        ({"operation": "a.echo", "arguments": {"thing": "x"}, "role": "owner"}, "operation, arguments; not 'role'"),
    ],
)
def test_what_is_not_in_the_table_or_of_the_wrong_shape_is_refused_in_a_sentence(asked, says):
    error = answer(asked)["error"]
    assert error["kind"] == "ConfigError"
    assert says in error["message"]


def test_a_refusal_comes_back_with_reason_exit_code_and_advice():
    row = consequence(ForbiddenError("not you"))
    assert answer({"operation": "b.refuse", "arguments": {"thing": "x"}})["error"] == {
        "kind": "ForbiddenError",
        "reason": "role",
        "message": "not you",
        "exit_code": row.exit_code,
        "advice": row.advice,
    }


@pytest.mark.requirement("R-06")
@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("role", Role)
def test_an_operation_is_for_the_roles_that_have_its_right_and_whoever_else_asks_is_told_of(role, right):
    refused: list[Operator] = []
    table = Operations(Operation("e.row", Asked, right, "for tests", _echo), on_refusal=refused.append)
    asked = {"operation": "e.row", "arguments": {"thing": "x"}}
    answer = asyncio.run(table.answer(asked, operator=Operator(role, "anna")))
    if right in RIGHTS[role]:
        assert (answer["result"]["thing"], refused) == ("x", [])
    else:
        assert answer["error"]["exit_code"] == 26
        assert f"takes the right to {right}; you ask as {role}:anna" in answer["error"]["message"]
        assert refused == [Operator(role, "anna")]


@pytest.mark.requirement("R-06")
@pytest.mark.parametrize("role", [role for role in Role if Right.SEE in RIGHTS[role] and role is not Role.OWNER])
def test_an_argument_that_names_a_file_is_the_owner_s(role):
    refused: list[Operator] = []
    row = Operation("e.row", Asked, Right.SEE, "for tests", _echo, frozenset({"thing"}))
    asked = {"operation": "e.row", "arguments": {"thing": "/etc/shadow"}}
    table = Operations(row, on_refusal=refused.append)
    answer = asyncio.run(table.answer(asked, operator=Operator(role)))
    assert "takes thing from the owner" in answer["error"]["message"]
    assert refused == [Operator(role)]
    assert "result" in asyncio.run(table.answer(asked))


@dataclass(frozen=True, slots=True)
class Deed(Acting):
    thing: str


async def _by(request):
    return request.by


@pytest.mark.requirement("R-06")
def test_who_asked_is_written_in_and_nobody_says_it_of_themselves():
    table = Operations(Operation("f.do", Deed, Right.MAINTAIN, "for tests", _by))
    asked = {"operation": "f.do", "arguments": {"thing": "x"}}
    assert asyncio.run(table.answer(asked)) == {"result": OWNER.actor}
    ben = Operator(Role.MAINTAINER, "ben")
    assert asyncio.run(table.answer(asked, operator=ben)) == {"result": "maintainer:ben"}
    forged = {"operation": "f.do", "arguments": {"thing": "x", "by": "owner"}}
    assert "f.do takes thing; not 'by'" in asyncio.run(table.answer(forged, operator=ben))["error"]["message"]


def test_a_fault_of_ours_is_not_passed_off_as_a_refusal():
    with pytest.raises(RuntimeError, match="a bug"):
        answer({"operation": "c.fault", "arguments": {"thing": "x"}})


def test_two_operations_of_one_name_are_a_fault_of_ours():
    with pytest.raises(ValueError, match="two operations of one name"):
        Operations(row("a.echo", _echo), row("a.echo", _refuse))


def test_a_result_comes_as_plain_values_and_the_table_in_order():
    assert answer({"operation": "a.echo", "arguments": {"thing": "lamp"}}) == {
        "result": {"thing": "lamp", "times": 1, "at": "2026-11-23T00:00:00Z"}
    }
    assert [one.name for one in TABLE.rows()] == ["a.echo", "b.refuse", "c.fault", "d.bare"]


@pytest.mark.requirement("R-06")
@pytest.mark.parametrize("right", Right)
def test_what_others_change_is_told_of_before_it_is_done_and_nothing_is_done_untold(right):
    told: list[tuple[Operator, str, dict[str, str]]] = []

    async def note(*deed):
        if deed[2]["thing"] == "full":
            raise StorageError("no space left")
        told.append(deed)

    table = Operations(Operation("e.row", Asked, right, "for tests", _echo), on_deed=note)
    max_ = Operator(Role.MAINTAINER, "max")

    def ask(thing, operator):
        asked = {"operation": "e.row", "arguments": {"thing": thing}}
        return asyncio.run(table.answer(asked, operator=operator))

    ask("x", OWNER)
    assert told == ([(OWNER, "e.row", {"thing": "x"})] if right is Right.USE else [])
    told.clear()
    is_told = right in {Right.USE, Right.MAINTAIN}
    ask("x", max_)
    assert told == ([(max_, "e.row", {"thing": "x"})] if is_told else [])
    if is_told:
        assert ask("full", max_)["error"]["kind"] == "StorageError"
