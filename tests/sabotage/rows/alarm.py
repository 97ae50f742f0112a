"""What stands between a thing that turns on others and everybody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sabotage.replacement import Sabotage, returns

__all__ = ["ROWS"]


def _unjudged(original: Callable[..., Any]) -> Callable[..., Any]:
    async def judged(*args: Any, **kwargs: Any) -> Any:
        found = await original(*args, **kwargs)
        return type(found)(found.thing, found.address, found.protocol, found.port, found.since, (), True, found.why)

    return judged


ROWS = (
    Sabotage(
        "R-38",
        "thingstead.domain.response_policy:ResponsePolicy.objection",
        returns("never"),
        "what a detector saw cuts its thing off",
    ),
    Sabotage(
        "R-38",
        "thingstead.domain.response_policy:ResponsePolicy.bound",
        returns(""),
        "alarms never switch a site off",
    ),
    Sabotage(
        "R-89",
        "thingstead.planes.network.rule_book:RuleBook.refused",
        returns(frozenset()),
        "what the owner refuses goes to the enforcer",
    ),
    Sabotage(
        "R-89",
        "thingstead.controller.virtual_patch:_having",
        returns(()),
        "a rule against a vulnerability is about who has it",
    ),
    Sabotage(
        "R-89",
        "thingstead.planes.network.rule_book:RuleBook.repair",
        returns(frozenset()),
        "no refusal cuts a thing off from who mends it",
    ),
    Sabotage(
        "R-89",
        "thingstead.controller.exposure_scan:ExposureScan._judged",
        _unjudged,
        "a service that nobody named is told",
    ),
)
