"""Operations on tests of types of things: what each came to, with the ledger's signature, and another one (R-84)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.controller.notary import Notary
from thingstead.controller.operation import Acting, Operation
from thingstead.controller.operation_result import ShownResult, proved
from thingstead.controller.operation_thing import NoArguments
from thingstead.controller.type_watch import TypeWatch
from thingstead.domain.check import Check
from thingstead.domain.ports import Store
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.identifier import thing_id

__all__ = ["OfThingToTest", "OfType", "rows", "told"]


@dataclass(frozen=True, slots=True)
class OfType:
    """Name a type.

    Attributes:
        type: how its name begins, as `type.list` shows it.
    """

    type: str


@dataclass(frozen=True, slots=True)
class OfThingToTest(Acting):
    """Name a thing whose type is tested with it.

    Attributes:
        thing: its id.
    """

    thing: str


def rows(types: TypeWatch, register: Register, store: Store, notary: Notary) -> tuple[Operation[Any], ...]:
    """The table."""

    async def show_all(_request: NoArguments) -> list[dict[str, Any]]:
        tested = [
            {
                "type": one.type.name,
                "maker": one.type.maker,
                "model": one.type.model,
                "version": one.version,
                "verdict": one.verdict.value,
                "thing": one.thing,
                "at": one.at,
                "checks": told(one.checks),
            }
            for one in types.results()
        ]
        waiting = [
            {"type": kind.name, "maker": kind.maker, "model": kind.model, "verdict": "under way", "thing": thing}
            for kind, thing in types.under_way()
        ]
        return [*tested, *waiting]

    async def test(request: OfThingToTest) -> dict[str, Any]:
        thing = register.thing(thing_id(request.thing))
        checks = await types.test(thing.id)
        return {"thing": thing.id, "checks": told(checks), "goes_on": "at the next polls of the thing for releases"}

    async def show(request: OfType) -> ShownResult:
        return await proved(types.document(request.type), store, notary)

    return (
        Operation("type.list", NoArguments, Right.AUDIT, "types of things that were tested, and the results", show_all),
        Operation("type.test", OfThingToTest, Right.MAINTAIN, "test the type of a thing with it, now", test),
        Operation("type.result", OfType, Right.AUDIT, "what the test of a type came to, signed", show),
    )


def told(checks: tuple[Check, ...]) -> dict[str, str]:
    """Each check with what it came to."""
    return {one.name: "; ".join([one.outcome.value, *one.said]) for one in checks}
