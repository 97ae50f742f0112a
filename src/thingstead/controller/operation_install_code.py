"""Operations on install codes: what a person reads off a label, and lets one thing in by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from thingstead.controller.operation import Acting, Operation
from thingstead.controller.operation_thing import NoArguments
from thingstead.domain.role import Right
from thingstead.planes.identity.install_codes import InstallCodes, Standing
from thingstead.protocols.profile.install_code import parse_code

__all__ = ["AddInstallCode", "RemoveInstallCode", "rows"]


@dataclass(frozen=True, slots=True)
class AddInstallCode(Acting):
    """Let one thing come in by the code on its label.

    Attributes:
        serial: its serial number, which stands beside the code.
        code: 30 letters and digits; hyphens, spaces and case do not count.
        days: for how long it may be used.
    """

    serial: str
    code: str = field(repr=False)
    days: int = 7


@dataclass(frozen=True, slots=True)
class RemoveInstallCode(Acting):
    """Let nobody come in by a code any more.

    Attributes:
        serial: of the thing whose label bears it.
    """

    serial: str


def rows(codes: InstallCodes) -> tuple[Operation[Any], ...]:
    """The table."""

    async def add(request: AddInstallCode) -> Standing:
        validity = timedelta(days=request.days)
        return await codes.add(parse_code(request.code), request.serial, validity=validity, by=request.by)

    async def listing(_request: NoArguments) -> list[Standing]:
        return codes.standings()

    async def remove(request: RemoveInstallCode) -> Standing:
        return await codes.remove(request.serial, by=request.by)

    return (
        Operation("install-code.add", AddInstallCode, Right.OWN, "let a thing in by the code on its label", add),
        Operation(
            "install-code.list", NoArguments, Right.SEE, "install codes, by serial number; never the codes", listing
        ),
        Operation("install-code.remove", RemoveInstallCode, Right.OWN, "let nobody in by a code any more", remove),
    )
