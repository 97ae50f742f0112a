"""Operations on devices that speak hawkBit's API: make one known, and give it another token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thingstead.controller.ddi import DdiRegistry, Registered
from thingstead.controller.operation import Acting, Operation
from thingstead.domain.role import Right
from thingstead.identifier import thing_id

__all__ = ["AddDevice", "RenewToken", "rows"]


@dataclass(frozen=True, slots=True)
class AddDevice(Acting):
    """Take in a device that speaks hawkBit's API and none of ours.

    Attributes:
        maker: name of its maker's trust anchor, whose releases it gets.
        model: the maker's word for the type.
        serial: the maker's number of this one.
        zone: where it is.
        mud_url: of its MUD file; empty for none.
        device_class: RFC 7228 class; above 2 for what is not constrained.
        verifies_images: its updater installs only what its maker signed; else it is kept off the Internet.
        request: certification request in PEM, for a certificate instead of a token.
    """

    maker: str
    model: str
    serial: str
    zone: str = ""
    mud_url: str = ""
    device_class: int = 3
    verifies_images: bool = False
    request: str = ""


@dataclass(frozen=True, slots=True)
class RenewToken(Acting):
    """Give a device another token.

    Attributes:
        thing: its id.
        request: certification request in PEM, for a certificate instead.
    """

    thing: str
    request: str = ""


def rows(registry: DdiRegistry, *, url: str) -> tuple[Operation[Any], ...]:
    """The table; `url` is where devices ask, empty where they cannot."""

    async def add(request: AddDevice) -> dict[str, Any]:
        added = await registry.add(
            request.maker,
            request.model,
            request.serial,
            zone=request.zone,
            mud_url=request.mud_url,
            device_class=request.device_class,
            verifies_images=request.verifies_images,
            request=request.request.encode(),
            by=request.by,
        )
        return _shown(added, url)

    async def renew(request: RenewToken) -> dict[str, Any]:
        return _shown(
            await registry.renew(thing_id(request.thing), request=request.request.encode(), by=request.by), url
        )

    return (
        Operation("thing.add", AddDevice, Right.OWN, "take in a device that speaks hawkBit's API", add),
        Operation("thing.token", RenewToken, Right.OWN, "give such a device another token", renew),
    )


def _shown(registered: Registered, url: str) -> dict[str, Any]:
    """The token is here, and nowhere else any more."""
    shown = {"token": registered.token}
    if registered.certificate is not None:
        shown = {"certificate": registered.certificate.pem.decode("ascii")}
    return {
        "thing": registered.thing.id,
        **shown,
        "tenant": "default",
        "url": url or "not served: [ddi] enabled",
    }
