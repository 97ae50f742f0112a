"""Operations on things that wait for a person: who they are, and the yes that lets one in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from thingstead.controller.admission import Admission
from thingstead.controller.installers import Installers
from thingstead.controller.offline_approval import OfflineApprovals
from thingstead.controller.operation import Acting, Operation
from thingstead.controller.operation_thing import NoArguments
from thingstead.controller.vouching import next_step
from thingstead.controller.waiting_room import Waiting, shown
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.domain.thing import Thing
from thingstead.errors import ConfigError, ForbiddenError, SecurityError
from thingstead.identifier import ThingId, thing_id

__all__ = ["AdmitThing", "PresentApproval", "rows"]


@dataclass(frozen=True, slots=True)
class AdmitThing(Acting):
    """Approve a thing that waits, or take that back.

    Attributes:
        thing: its id.
        scope: name of the scope it gets; empty for the one of the rule that holds it.
        key: at least 16 hexadecimal digits of its key as they stand on the thing; another key is refused.
        undo: take back what was approved and not used yet.
    """

    thing: str
    scope: str = ""
    key: str = ""
    undo: bool = False


@dataclass(frozen=True, slots=True)
class PresentApproval(Acting):
    """Bring what an installer approved where no domain could be asked.

    Attributes:
        statement: as they signed it, in base64url.
    """

    statement: str


def rows(
    register: Register,
    admission: Admission,
    *,
    installers: Installers,
    statements: OfflineApprovals,
    on_refusal: Callable[[str, ThingId, str], None],
) -> tuple[Operation[Any], ...]:
    """The table; `on_refusal` is told who was refused, about which thing, and why."""

    async def waiting(_request: NoArguments) -> list[dict[str, Any]]:
        return [_told(thing, one) for thing, one in admission.waiting()]

    async def admit(request: AdmitThing) -> dict[str, Any]:
        thing = register.thing(thing_id(request.thing))
        try:
            delegation = installers.delegation(request.by)
            if request.undo:
                return _told(thing, await admission.undo(thing.id, by=request.by))
            said = await admission.approve(
                thing.id, request.scope, key=request.key, by=request.by, delegation=delegation, proof=request.proof
            )
        except ForbiddenError as error:
            on_refusal(request.by, thing.id, error.reason)
            raise
        return _told(thing, said)

    async def present(request: PresentApproval) -> dict[str, Any]:
        try:
            encoded = base64.b64decode(request.statement, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise ConfigError(f"expected a statement in base64url: {error}") from error
        try:
            said = await statements.present(encoded)
        except SecurityError as error:
            on_refusal(request.by, _STATEMENT, error.reason)
            raise
        return _told(register.thing(said.thing), said)

    return (
        Operation("thing.present", PresentApproval, Right.SEE, "bring what an installer approved elsewhere", present),
        Operation("thing.waiting", NoArguments, Right.SEE, "who waits for a person, and with which key", waiting),
        Operation("thing.admit", AdmitThing, Right.ADMIT, "approve a thing that waits, or undo that", admit),
    )


_STATEMENT = ThingId("a statement")


def _told(thing: Thing, waiting: Waiting) -> dict[str, Any]:
    approval = waiting.approval
    return {
        "thing": thing.id,
        "maker": thing.maker,
        "model": thing.model,
        "serial": thing.serial,
        "key": shown(waiting.thumbprint),
        "rule": waiting.rule,
        "zone": waiting.zone,
        "since": waiting.since,
        "knocked_at": waiting.knocked_at,
        "approved_by": "" if approval is None else approval.by,
        "approved_until": None if approval is None else approval.until,
        "next": next_step(waiting),
    }
