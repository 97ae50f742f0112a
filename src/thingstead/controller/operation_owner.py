"""Operations that have a running domain read the owner's files again."""

from __future__ import annotations

from typing import Any

from thingstead.controller.operation import Operation
from thingstead.controller.operation_thing import NoArguments
from thingstead.controller.owner import Owner, PolicyReport, TrustReport
from thingstead.domain.role import Right

__all__ = ["rows"]


def rows(owner: Owner) -> tuple[Operation[Any], ...]:
    """The table."""

    async def trust(_request: NoArguments) -> TrustReport:
        return await owner.reload_trust()

    async def policy(_request: NoArguments) -> PolicyReport:
        return await owner.reload_policy()

    return (
        Operation("trust.reload", NoArguments, Right.OWN, "trust the makers whose anchors are there now", trust),
        Operation("policy.reload", NoArguments, Right.OWN, "decide joins by the policy as it is written now", policy),
    )
