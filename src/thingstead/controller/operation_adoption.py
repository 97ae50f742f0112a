"""Operations on devices that speak none of our protocols: take one in, learn what it does, give it another file."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from thingstead.analysis.traffic.story import sentence
from thingstead.controller.brownfield import Brownfield, Find
from thingstead.controller.learning import Learning
from thingstead.controller.operation import Acting, Operation
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.errors import ConfigError
from thingstead.identifier import thing_id

__all__ = ["Adopt", "Propose", "rows"]

_LARGEST_FILE = 1 << 18


@dataclass(frozen=True, slots=True)
class Adopt(Acting):
    """Take in a device that proves nothing, or say another thing of one that is in: what is empty stays.

    Attributes:
        mac: its link-layer address.
        ip: its addresses, divided by commas.
        model: what you call its type.
        file: a MUD file in JSON, of the URL that `thingstead watch` gives it.
        zone: where it is.
    """

    mac: str
    ip: str
    model: str = ""
    file: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Propose(Acting):
    """Make a MUD file of what a thing did; nothing changes by that.

    Attributes:
        thing: its id.
        days: how far back, today included.
    """

    thing: str
    days: int = 1


def rows(brownfield: Brownfield, learning: Learning, register: Register, *, days: int) -> tuple[Operation[Any], ...]:
    """The table; `days` are kept of conversations."""

    async def adopt(request: Adopt) -> dict[str, Any]:
        document = request.file.encode()
        if len(document) > _LARGEST_FILE:
            raise ConfigError(f"expected a MUD file of at most {_LARGEST_FILE} bytes")
        try:
            mac = bytes.fromhex(request.mac.replace(":", ""))
            ips = tuple(dict.fromkeys([ip_address(one.strip()) for one in request.ip.split(",")]))
        except ValueError as error:
            raise ConfigError(f"expected a MAC and an IP address: {error}") from None
        thing = await brownfield.adopt(Find(mac, ips, request.model, request.zone, document), by=request.by)
        return {"thing": thing.id, "state": thing.state.value, "mud_url": thing.mud_url}

    async def propose(request: Propose) -> dict[str, Any]:
        if not 1 <= request.days <= days:
            raise ConfigError(f"expected 1 to {days} days, as [watch] flow_days says; got {request.days}")
        thing = register.thing(thing_id(request.thing))
        proposal = await learning.propose(thing, days=request.days)
        return {
            "thing": thing.id,
            "services": proposal.services,
            "not_proposed": [{"what": sentence(one.contact), "why": one.reason} for one in proposal.left_out],
            "doubts": list(proposal.doubts),
            "file": proposal.document.decode(),
        }

    return (
        Operation("device.adopt", Adopt, Right.OWN, "take in a device that speaks nothing of ours", adopt),
        Operation("network.propose", Propose, Right.AUDIT, "a MUD file of what a thing did", propose),
    )
