"""Operations on evidence: have a thing attest, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.controller.attesting import Attesting
from thingstead.controller.operation import Acting, Operation
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.identifier import thing_id
from thingstead.planes.software.attestation import Appraisal

__all__ = ["AttestThing", "rows", "told_of"]


@dataclass(frozen=True, slots=True)
class AttestThing(Acting):
    """Name a thing.

    Attributes:
        thing: its id.
    """

    thing: str


def rows(attesting: Attesting, register: Register) -> tuple[Operation[Any], ...]:
    """The table."""

    async def attest(request: AttestThing) -> dict[str, Any]:
        thing = register.thing(thing_id(request.thing))
        return {"thing": thing.id, **told_of(await attesting.attest(thing.id))}

    return (Operation("thing.attest", AttestThing, Right.MAINTAIN, "ask a thing for evidence of what it runs", attest),)


def told_of(appraisal: Appraisal | None) -> dict[str, Any]:
    """What is shown of an appraisal: its standing, and every finding with its tier."""
    if appraisal is None:
        return {"attestation": "never"}
    return {
        "attestation": appraisal.standing.value,
        "attested_at": appraisal.at,
        "attested_version": appraisal.version,
        "findings": [f"{one.tier.name.lower()}: {one.name}, {one.detail}" for one in appraisal.findings],
    }
