"""Render a MUD file from the services that a thing uses (RFC 8520 §9): what a maker publishes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from thingstead.protocols.mud.file import Direction, Remote, RemoteKind

__all__ = ["Description", "Service", "render"]

_NAMES = {6: "tcp", 17: "udp"}
_EMPTY = (RemoteKind.LOCAL_NETWORKS, RemoteKind.MY_CONTROLLER, RemoteKind.SAME_MANUFACTURER)
_NAMED = (RemoteKind.CONTROLLER, RemoteKind.MANUFACTURER, RemoteKind.MODEL)


@dataclass(frozen=True, slots=True)
class Service:
    """One conversation of the thing, both ways.

    Attributes:
        remote: with whom.
        protocol: 6 or 17.
        remote_port: port on the other side, None for any.
        device_port: port on the thing, None for any.
        opened_by: who connects; TCP only, UDP entries cannot say (RFC 8520 §4.8).
    """

    remote: Remote
    protocol: int
    remote_port: int | None = None
    device_port: int | None = None
    opened_by: Direction = Direction.FROM_DEVICE


@dataclass(frozen=True, slots=True)
class Description:
    """What the file says beside its rules.

    Attributes:
        url: its own URL, of scheme https.
        last_update: aware.
        system_info: at most 60 characters.
        manufacturer: ``mfg-name``.
        model: ``model-name``.
        services: in order.
        cache_validity: hours, 1 to 168.
    """

    url: str
    last_update: datetime
    system_info: str
    manufacturer: str
    model: str
    services: tuple[Service, ...]
    cache_validity: int = 48


def render(description: Description) -> bytes:
    """The file as JSON; `parser.parse` reads it without a finding.

    Raises:
        ValueError: a service that is neither TCP nor UDP.
    """
    names = {
        (direction, family): f"{'from' if direction is Direction.FROM_DEVICE else 'to'}-ipv{family}"
        for direction in Direction
        for family in (4, 6)
    }
    document = {
        "ietf-mud:mud": {
            "mud-version": 1,
            "mud-url": description.url,
            "last-update": description.last_update.astimezone(UTC).isoformat(timespec="seconds"),
            "mud-signature": description.url + ".p7s",
            "cache-validity": description.cache_validity,
            "is-supported": True,
            "systeminfo": description.system_info,
            "mfg-name": description.manufacturer,
            "model-name": description.model,
            "from-device-policy": _policy([names[Direction.FROM_DEVICE, 4], names[Direction.FROM_DEVICE, 6]]),
            "to-device-policy": _policy([names[Direction.TO_DEVICE, 4], names[Direction.TO_DEVICE, 6]]),
        },
        "ietf-access-control-list:acls": {
            "acl": [
                {"name": name, "type": f"ipv{family}-acl-type", "aces": {"ace": _aces(description, direction, family)}}
                for (direction, family), name in names.items()
            ]
        },
    }
    return json.dumps(document, indent=2).encode()


def _policy(names: list[str]) -> dict[str, Any]:
    return {"access-lists": {"access-list": [{"name": name} for name in names]}}


def _aces(description: Description, direction: Direction, family: int) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{'from' if direction is Direction.FROM_DEVICE else 'to'}-{family}-{index}",
            "matches": _matches(service, direction, family),
            "actions": {"forwarding": "accept"},
        }
        for index, service in enumerate(description.services)
        if service.remote.prefix is None or service.remote.prefix.version == family
    ]


def _matches(service: Service, direction: Direction, family: int) -> dict[str, Any]:
    if service.protocol not in _NAMES:
        raise ValueError("a service is TCP (6) or UDP (17)")
    outbound = direction is Direction.FROM_DEVICE
    remote = service.remote
    ip: dict[str, Any] = {"protocol": service.protocol}
    matches: dict[str, Any] = {f"ipv{family}": ip}
    if remote.prefix is not None:
        ip[f"{'destination' if outbound else 'source'}-ipv{family}-network"] = str(remote.prefix)
    if remote.kind is RemoteKind.DNS_NAME:
        ip[f"ietf-acldns:{'dst' if outbound else 'src'}-dnsname"] = remote.name
    elif remote.kind in _EMPTY:
        matches["ietf-mud:mud"] = {remote.kind.value: [None]}
    elif remote.kind in _NAMED:
        matches["ietf-mud:mud"] = {remote.kind.value: remote.name}
    ports = {"destination-port": service.remote_port, "source-port": service.device_port}
    if not outbound:
        ports = {"destination-port": service.device_port, "source-port": service.remote_port}
    transport: dict[str, Any] = {
        name: {"operator": "eq", "port": port} for name, port in ports.items() if port is not None
    }
    if service.protocol == 6:
        transport["ietf-mud:direction-initiated"] = service.opened_by.value
    if transport:
        matches[_NAMES[service.protocol]] = transport
    return matches
