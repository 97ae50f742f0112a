"""Operations on releases before they are offered: what waits for a second person, their yes, and taking it back."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from thingstead.controller.operation import Acting, Operation
from thingstead.controller.operation_thing import NoArguments
from thingstead.controller.release_network import ReleaseNetwork
from thingstead.controller.software_engine import RemoteTracker
from thingstead.domain.policy import OwnerPolicy
from thingstead.domain.role import Right
from thingstead.planes.software.campaign import Campaign
from thingstead.planes.software.campaigns import Campaigns
from thingstead.planes.software.carried import Held, Terms
from thingstead.planes.software.status_tracker import StatusTracker

__all__ = ["ApproveRelease", "DecideRelease", "OfManifest", "rows", "terms"]


@dataclass(frozen=True, slots=True)
class DecideRelease(Acting):
    """A release that waits.

    Attributes:
        manifest: how the hexadecimal digest of its manifest begins, as `publication.list` shows it.
    """

    manifest: str


@dataclass(frozen=True, slots=True)
class ApproveRelease(Acting):
    """A release that waits, and what it is approved in spite of.

    Attributes:
        manifest: how the hexadecimal digest of its manifest begins, as `publication.list` shows it.
        reasons: names what speaks against it, as `publication.list` shows that.
    """

    manifest: str
    reasons: str


@dataclass(frozen=True, slots=True)
class OfManifest:
    """A release that was published.

    Attributes:
        manifest: how the hexadecimal digest of its manifest begins.
    """

    manifest: str


def terms(asked: Acting, policy: OwnerPolicy, network: ReleaseNetwork) -> Terms:
    """What counts for a release: the owner's policy as it is now, what things may do now, and who asks."""
    return Terms(asked.by, policy.release, policy.crypto, network.allowed(), proof=asked.proof)


def rows(
    tracker: StatusTracker | RemoteTracker,
    campaigns: Campaigns,
    *,
    policy: Callable[[], OwnerPolicy],
    network: ReleaseNetwork,
) -> tuple[Operation[Any], ...]:
    """The table."""

    async def listing(_request: NoArguments) -> list[dict[str, Any]]:
        return [_told(one) for one in tracker.held()]

    async def approve(request: ApproveRelease) -> Campaign:
        said = replace(terms(request, policy(), network), reasons=request.reasons)
        published = await tracker.approve(request.manifest, terms=said)
        await campaigns.keep()
        await network.offered(request.manifest)
        return published

    async def withdraw(request: DecideRelease) -> dict[str, Any]:
        held = await tracker.discard(request.manifest, actor=request.by)
        await campaigns.withdraw(held.envelope)
        return _told(held)

    async def carried(request: OfManifest) -> dict[str, Any] | None:
        found = tracker.carried(request.manifest)
        if found is None:
            return None
        files = {name: base64.b64encode(data).decode("ascii") for name, data in found.files.items()}
        return {
            "version": found.version,
            "sequence_number": found.sequence_number,
            "image": found.image,
            "envelope": found.envelope,
            "algorithms": list(found.algorithms),
            "files": files,
        }

    return (
        Operation("release.carried", OfManifest, Right.AUDIT, "what a published release brought with it", carried),
        Operation("publication.list", NoArguments, Right.AUDIT, "releases that wait for a second person", listing),
        Operation(
            "publication.approve", ApproveRelease, Right.MAINTAIN, "offer what somebody else brought and waits", approve
        ),
        Operation("publication.withdraw", DecideRelease, Right.MAINTAIN, "take back a release that waits", withdraw),
    )


def _told(held: Held) -> dict[str, Any]:
    return {
        "manifest": held.manifest[:16],
        "model": held.model,
        "version": held.version,
        "by": held.by,
        "since": held.since,
        "because": list(held.because),
        "reasons": held.reasons,
    }
