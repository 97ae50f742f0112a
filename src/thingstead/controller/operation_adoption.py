"""Operations on devices that speak none of our protocols: take one in, or give it another file."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from thingstead.controller.brownfield import Brownfield, Find
from thingstead.controller.operation import Acting, Operation
from thingstead.domain.role import Right
from thingstead.errors import ConfigError

__all__ = ["Adopt", "rows"]

_LARGEST_FILE = 1 << 18


@dataclass(frozen=True, slots=True)
class Adopt(Acting):
    """Take in a device that proves nothing, or give one that is in another file.

    Attributes:
        mac: its link-layer address.
        ip: its address.
        model: what you call its type.
        file: a MUD file in JSON, of the URL that `thingstead watch` gives it.
        zone: where it is.
    """

    mac: str
    ip: str
    model: str
    file: str
    zone: str = ""


def rows(brownfield: Brownfield) -> tuple[Operation[Any], ...]:
    """The table."""

    async def adopt(request: Adopt) -> dict[str, Any]:
        document = request.file.encode()
        if len(document) > _LARGEST_FILE:
            raise ConfigError(f"expected a MUD file of at most {_LARGEST_FILE} bytes")
        try:
            mac, ip = bytes.fromhex(request.mac.replace(":", "")), ip_address(request.ip)
        except ValueError as error:
            raise ConfigError(f"expected a MAC and an IP address: {error}") from None
        thing = await brownfield.adopt(Find(mac, ip, request.model, request.zone, document), by=request.by)
        return {"thing": thing.id, "state": thing.state.value, "mud_url": thing.mud_url}

    return (Operation("device.adopt", Adopt, Right.OWN, "take in a device that speaks nothing of ours", adopt),)
