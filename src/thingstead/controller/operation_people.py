"""Operations on people: to whom the owner delegates approvals, and what to sign a request for."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import msgspec

from thingstead.clock import Clock
from thingstead.controller.gate import Challenges
from thingstead.controller.installers import Installers
from thingstead.controller.operation import Acting, Operation
from thingstead.controller.operation_thing import NoArguments
from thingstead.domain.role import Right
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.delegation import DEFAULT_MOST, VerifiedDelegation
from thingstead.storage.operator_file import read_key_word

__all__ = ["AddInstaller", "Challenge", "RevokeInstaller", "rows"]

_MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class AddInstaller(Acting):
    """Delegate approvals to an installer's key.

    Attributes:
        name: what the ledger calls them.
        key: their public key, as `thingstead operator key` prints it.
        zones: where they may approve things.
        classes: of which device classes (RFC 7228 §3).
        days: after which the delegation ends, up to 366.
        count: how many things they may let in, in all.
    """

    name: str
    key: str
    zones: list[str]
    classes: list[int]
    days: Annotated[float, msgspec.Meta(gt=0, le=_MOST_DAYS)] = 1.0
    count: int = DEFAULT_MOST


@dataclass(frozen=True, slots=True)
class RevokeInstaller(Acting):
    """End a delegation.

    Attributes:
        name: whose.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """What to sign one request for.

    Attributes:
        domain: the domain's name.
        challenge: in hexadecimal digits.
    """

    domain: str
    challenge: str


def rows(installers: Installers, challenges: Challenges, *, clock: Clock) -> tuple[Operation[Any], ...]:
    """The table."""

    async def challenge(_request: NoArguments) -> Challenge:
        return Challenge(challenges.domain, challenges.open().hex())

    async def add(request: AddInstaller) -> dict[str, Any]:
        added = await installers.add(
            request.name,
            read_key_word(request.key),
            zones=request.zones,
            classes=request.classes,
            most=request.count,
            expires=clock.utc() + timedelta(days=request.days),
            by=request.by,
        )
        return {**_told(added, installers), "delegation": base64.urlsafe_b64encode(added.encoded).decode("ascii")}

    async def listing(_request: NoArguments) -> list[dict[str, Any]]:
        return [_told(one, installers) for one in installers]

    async def revoke(request: RevokeInstaller) -> dict[str, Any]:
        return _told(await installers.revoke(request.name, by=request.by), installers)

    return (
        Operation("challenge", NoArguments, Right.SEE, "what to sign one request for", challenge),
        Operation("installer.add", AddInstaller, Right.OWN, "delegate approvals to an installer", add),
        Operation("installer.list", NoArguments, Right.AUDIT, "who may approve things, where and until when", listing),
        Operation("installer.revoke", RevokeInstaller, Right.OWN, "end what was delegated to an installer", revoke),
    )


def _told(one: VerifiedDelegation, installers: Installers) -> dict[str, Any]:
    return {
        "installer": one.installer,
        "key": cose_key.thumbprint(one.public).hex()[:16],
        "zones": sorted(one.zones),
        "classes": sorted(one.classes),
        "count": one.most,
        "let_in": installers.let_in(one),
        "expires": one.expires,
        "delegation_id": one.cti.hex(),
    }
