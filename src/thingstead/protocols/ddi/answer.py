"""What a device is told, as hawkBit words it: links (HAL), a deployment with its artifact, a cancellation.

Every link is absolute and begins with the address that the owner gave the domain: a request's ``Host`` is its sender's
to choose, and would send the device elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

__all__ = ["Artifact", "Links", "artifact", "encode_artifacts", "encode_base", "encode_cancel", "encode_deployment"]

TENANT = "default"
"""A domain is one tenant; hawkBit's single tenant is called so, and devices are told so."""

_ENDINGS = ((b"0707", "swu"), (b"hsqs", "raucb"))


@dataclass(frozen=True, slots=True)
class Artifact:
    """A payload as a file.

    Attributes:
        name: its file name; clients go by the ending.
        size: bytes.
        sha256: what the domain knows it by.
        sha1: asked for by the API and its clients; nothing here relies on it.
        md5: likewise.
    """

    name: str
    size: int
    sha256: str
    sha1: str
    md5: str


def artifact(payload: bytes) -> Artifact:
    """Describe a payload: a cpio archive is an image of swupdate's, a squashfs file system a bundle of RAUC's."""
    ending = next((ending for magic, ending in _ENDINGS if payload.startswith(magic)), "bin")
    return Artifact(
        f"firmware.{ending}",
        len(payload),
        hashlib.sha256(payload).hexdigest(),
        hashlib.sha1(payload, usedforsecurity=False).hexdigest(),
        hashlib.md5(payload, usedforsecurity=False).hexdigest(),
    )


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of one device's resources.

    Attributes:
        origin: ``https://name:port`` of the domain.
        device: the device's id.
    """

    origin: str
    device: str

    def to(self, *steps: str | int) -> dict[str, str]:
        """A HAL link to a resource below the device's own."""
        return {"href": "/".join([self.origin, TENANT, "controller", "v1", self.device, *map(str, steps)])}


def encode_base(
    links: Links, *, poll_seconds: int, deployment: int | None, cancel: int | None, wants_config: bool
) -> bytes:
    """The device's own resource: when to come again, and what waits for it."""
    minutes, seconds = divmod(poll_seconds, 60)
    hours, minutes = divmod(minutes, 60)
    waiting: dict[str, Any] = {}
    if cancel is not None:
        waiting["cancelAction"] = links.to("cancelAction", cancel)
    elif deployment is not None:
        waiting["deploymentBase"] = links.to("deploymentBase", deployment)
    if wants_config:
        waiting["configData"] = links.to("configData")
    sleep = f"{hours:02d}:{minutes:02d}:{seconds:02d}"
    return _json({"config": {"polling": {"sleep": sleep}}, "_links": waiting})


def encode_deployment(links: Links, action: int, *, version: str, payload: Artifact) -> bytes:
    """One chunk with one artifact, to be fetched and installed now: stages and windows were the domain's to keep."""
    chunk = {
        "part": "os",
        "name": "firmware",
        "version": version,
        "artifacts": [_artifact(links, action, payload)],
    }
    deployment = {"download": "forced", "update": "forced", "maintenanceWindow": "available", "chunks": [chunk]}
    return _json({"id": str(action), "deployment": deployment})


def encode_artifacts(links: Links, action: int, payload: Artifact) -> bytes:
    """The artifacts of a deployment's one software module."""
    return _json([_artifact(links, action, payload)])


def encode_cancel(action: int) -> bytes:
    """The deployment that is to stop has the number of its cancellation."""
    return _json({"id": str(action), "cancelAction": {"stopId": str(action)}})


def _artifact(links: Links, action: int, payload: Artifact) -> dict[str, Any]:
    folder = ("softwaremodules", action, "artifacts")
    file = links.to(*folder, payload.name)
    checksum = links.to(*folder, f"{payload.name}.MD5SUM")
    return {
        "filename": payload.name,
        "hashes": {"sha1": payload.sha1, "md5": payload.md5, "sha256": payload.sha256},
        "size": payload.size,
        # Both names lead to HTTPS: old clients look for the second one alone, and nothing is served in clear.
        "_links": {"download": file, "md5sum": checksum, "download-http": file, "md5sum-http": checksum},
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
