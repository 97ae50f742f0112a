"""Operations on MUD URLs and the names in MUD files: who says so, what waits, and the owner's own word."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.brownfield import own_url
from thingstead.controller.mud_intake import MudIntake
from thingstead.controller.network_engine import RemoteNetwork
from thingstead.controller.operation import Acting, Operation
from thingstead.controller.operation_thing import NoArguments
from thingstead.crypto.certificate import load_certificate, verify_chain
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.mud_claim import ClaimSource
from thingstead.domain.network import NO_MAC
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.domain.thing import Thing
from thingstead.errors import ConfigError, PolicyError
from thingstead.identifier import ThingId, thing_id
from thingstead.planes.network.mud_manager import MudManager
from thingstead.protocols.mud.parser import parse
from thingstead.protocols.mud.url import decode_string, parse_qr_code, parse_url

__all__ = ["DecideUrl", "HearUrl", "NameThing", "SayUrl", "rows"]


@dataclass(frozen=True, slots=True)
class NameThing:
    """Name a thing.

    Attributes:
        thing: its id.
    """

    thing: str


@dataclass(frozen=True, slots=True)
class SayUrl(Acting):
    """Say where a thing's MUD file is, one way of four; none of them only asks.

    Attributes:
        thing: its id.
        url: by hand.
        code: text of the QR code on its label.
        certificate: its own, DER in base64url, signed by its maker's authority.
        file: a MUD file in JSON that you vouch for, of the URL that `network.propose` gives it.
    """

    thing: str
    url: str = ""
    code: str = ""
    certificate: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class DecideUrl(Acting):
    """Decide on what a thing says of itself.

    Attributes:
        thing: its id.
        url: that waits; so that nobody approves another than was seen.
    """

    thing: str
    url: str


@dataclass(frozen=True, slots=True)
class HearUrl:
    """What a DHCP server was told, by the hook of dnsmasq for example.

    Attributes:
        mac: of the device.
        url: as it said.
        carrier: dhcpv4 or dhcpv6.
    """

    mac: str
    url: str
    carrier: str = "dhcpv4"


def rows(
    intake: MudIntake,
    network: MudManager | RemoteNetwork,
    register: Register,
    *,
    anchors: Callable[[], tuple[TrustAnchor, ...]],
    devices: Callable[[ThingId], tuple[bytes, ...]],
    clock: Clock,
) -> tuple[Operation[Any], ...]:
    """The table; `devices` knows a thing's addresses, of the link layer and of IP."""

    async def urls(_request: NoArguments) -> list[dict[str, Any]]:
        told = [intake.told_of(thing.id) for thing in register.things()]
        return [*[_flat(one) for one in told], *[_flat({"waiting": [], **one}) for one in intake.strangers()]]

    async def review(request: NameThing) -> list[dict[str, Any]]:
        return await intake.review(thing_id(request.thing))

    async def approve(request: DecideUrl) -> dict[str, Any]:
        await intake.approve(thing_id(request.thing), request.url, by=request.by)
        return intake.told_of(thing_id(request.thing))

    async def refuse(request: DecideUrl) -> dict[str, Any]:
        await intake.refuse(thing_id(request.thing), request.url, by=request.by)
        return intake.told_of(thing_id(request.thing))

    async def say(request: SayUrl) -> dict[str, Any]:
        thing = thing_id(request.thing)
        said = _said(
            request, register.thing(thing), lambda: _authorities(thing, register, anchors()), devices(thing), clock
        )
        if request.file:
            await network.vouch(_own_file(request.file, register.thing(thing)))
        if said is not None:
            await intake.say(thing, *said, by=request.by)
        return intake.told_of(thing)

    async def hear(request: HearUrl) -> dict[str, Any]:
        if request.carrier not in _CARRIERS:
            raise ConfigError(f"expected a carrier of {', '.join(sorted(_CARRIERS))}, got {request.carrier[:20]!r}")
        waits = await intake.hear(_mac(request.mac), ClaimSource(request.carrier), parse_url(request.url))
        return {"mac": request.mac, "waits": waits}

    async def names(_request: NoArguments) -> list[dict[str, Any]]:
        return [
            {
                "name": one.name,
                "addresses": [f"{ip_address(packed)} for {seconds} s" for packed, seconds in one.hosts],
                "shared": one.shared,
            }
            for one in network.names()
        ]

    return (
        Operation("mud.urls", NoArguments, Right.AUDIT, "where each thing's MUD file is, says who", urls),
        Operation("mud.review", NameThing, Right.MAINTAIN, "what another MUD file would let a thing do", review),
        Operation("mud.approve", DecideUrl, Right.OWN, "have a thing go by the MUD file that it names", approve),
        Operation("mud.refuse", DecideUrl, Right.OWN, "take no notice of the MUD file that a thing names", refuse),
        Operation("mud.heard", HearUrl, Right.MAINTAIN, "take up what a DHCP server was told", hear),
        Operation("network.names", NoArguments, Right.AUDIT, "what names of MUD files stand for now", names),
        Operation("thing.mud", SayUrl, Right.OWN, "say where a thing's MUD file is", say),
    )


_LARGEST_FILE = 1 << 18
_CARRIERS = frozenset({ClaimSource.DHCPV4.value, ClaimSource.DHCPV6.value})


def _flat(told: dict[str, Any]) -> dict[str, Any]:
    """Every row with the same fields: a thing, or a device that is none."""
    waiting = [f"{one['url']} by {one['source']}" for one in told["waiting"]]
    return {"thing": told.get("thing"), "mac": told.get("mac"), **told, "waiting": waiting}


def _own_file(text: str, thing: Thing) -> bytes:
    document = text.encode()
    if len(document) > _LARGEST_FILE:
        raise ConfigError(f"expected a MUD file of at most {_LARGEST_FILE} bytes")
    url = parse(document).url
    if url != own_url(thing):
        raise ConfigError(f"expected a MUD file of {own_url(thing)}, which is this thing's alone; got {url[:200]}")
    return document


def _said(
    request: SayUrl,
    thing: Thing,
    authorities: Callable[[], tuple[bytes, ...]],
    devices: tuple[bytes, ...],
    clock: Clock,
) -> tuple[ClaimSource, str] | None:
    given = [name for name in ("url", "code", "certificate", "file") if getattr(request, name)]
    if len(given) > 1:
        raise ConfigError(f"expected one of {' and '.join(given)}: they may say different things")
    if request.url:
        return ClaimSource.OWNER, parse_url(request.url)
    if request.code:
        return ClaimSource.LABEL, _on_its_label(request.code, devices)
    if request.file:
        return ClaimSource.OWNER, own_url(thing)
    if not request.certificate:
        return None
    try:
        certificate = load_certificate(base64.urlsafe_b64decode(request.certificate))
    except (binascii.Error, ValueError) as error:
        raise ConfigError(f"certificate: {error}") from error
    said = certificate.mud_url
    if said is None:
        raise ConfigError("expected a certificate with a MUD URL (RFC 8520 §11), got one without")
    trusted = tuple([load_certificate(der) for der in authorities()])
    verify_chain(certificate, (), anchors=trusted, at=clock.utc())
    return ClaimSource.CERTIFICATE, decode_string(said)


def _on_its_label(code: str, devices: tuple[bytes, ...]) -> str:
    label = parse_qr_code(code)
    known = [one for one in devices if len(one) == len(label.mac) and one != NO_MAC]
    if known and label.mac not in known:
        raise PolicyError(
            f"the label is of {label.mac.hex(':')}, the thing is at {known[0].hex(':')}: another device's label? "
            "Where it has both interfaces, say its URL by `--url`",
            reason="label",
        )
    return label.url


def _authorities(thing: ThingId, register: Register, anchors: tuple[TrustAnchor, ...]) -> tuple[bytes, ...]:
    maker = register.thing(thing).maker
    return tuple([der for anchor in anchors if anchor.maker == maker for der in anchor.mud_authorities])


def _mac(text: str) -> bytes:
    try:
        mac = bytes.fromhex(text.replace(":", "").replace("-", ""))
    except ValueError as error:
        raise ConfigError(f"expected a MAC address, got {text[:40]!r}") from error
    if len(mac) != 6:
        raise ConfigError(f"expected a MAC address of six octets, got {text[:40]!r}")
    return mac
