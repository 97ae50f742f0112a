"""Operations on releases: publish one, see how far each has come, and who runs what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thingstead.controller.operation import Acting, Operation
from thingstead.controller.operation_publication import terms
from thingstead.controller.release_network import ReleaseNetwork
from thingstead.controller.software_engine import RemoteTracker
from thingstead.domain.policy import OwnerPolicy
from thingstead.domain.role import Right
from thingstead.errors import ConfigError, HeldError, ThingsteadError
from thingstead.identifier import ThingId
from thingstead.planes.software.campaign import Campaign
from thingstead.planes.software.campaigns import Campaigns
from thingstead.planes.software.carried import NOTHING, Bundle
from thingstead.planes.software.status_tracker import StatusTracker
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import envelope
from thingstead.storage.plan_file import parse_plan

__all__ = ["ListReleases", "OfModel", "PublishRelease", "rows"]

_APART = frozenset({"release.suit", "statement.cose"})
_MAX_FILES = 32


@dataclass(frozen=True, slots=True)
class ListReleases:
    """A request that says all by its name."""


@dataclass(frozen=True, slots=True)
class PublishRelease(Acting):
    """Files on the controller's machine.

    Attributes:
        envelope: path of the SUIT envelope.
        image: path of the image that it is about.
        plan: how it is to be brought, as TOML; as the policy says, or as is usual, where it is empty.
        folder: of the release, with what goes with it; empty for an envelope and an image alone.
    """

    envelope: str
    image: str
    plan: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class OfModel:
    """The things of a model.

    Attributes:
        model: the maker's word for the type.
    """

    model: str


def rows(
    tracker: StatusTracker | RemoteTracker,
    campaigns: Campaigns,
    *,
    policy: Callable[[], OwnerPolicy],
    network: ReleaseNetwork,
) -> tuple[Operation[Any], ...]:
    """The table."""

    async def publish(request: PublishRelease) -> Campaign:
        plan = parse_plan(request.plan) if request.plan else None
        encoded = _read(request.envelope, envelope.DEFAULT_LIMITS.max_bytes)
        image = _read(request.image, profile.MAX_IMAGE_SIZE)
        bundle = _bundle(Path(request.folder)) if request.folder else NOTHING
        said = terms(request, policy(), network)
        await campaigns.intend(encoded, plan)
        try:
            published = await tracker.publish(encoded, image, terms=said, bundle=bundle)
        except HeldError:
            # The plan waits with the release.
            raise
        except ThingsteadError:
            await campaigns.give_up(encoded)
            raise
        await campaigns.keep()
        await network.offered(envelope.decode(encoded).digest.value.hex())
        return published

    async def listing(_request: ListReleases) -> tuple[Campaign, ...]:
        return tracker.campaigns()

    async def show(request: OfModel) -> dict[str, Any]:
        campaigns = [one for one in tracker.campaigns() if one.model == request.model]
        return {"releases": campaigns, "things": [_thing(tracker, thing) for thing in tracker.targets(request.model)]}

    return (
        Operation("release.publish", PublishRelease, Right.OWN, "offer a release to all things of its class", publish),
        Operation("release.list", ListReleases, Right.AUDIT, "every release and how far it has come", listing),
        Operation("release.show", OfModel, Right.AUDIT, "releases for a model, and what each thing runs", show),
    )


def _read(path: str, max_bytes: int) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > max_bytes:
        raise ConfigError(f"expected {path} to have at most {max_bytes} bytes")
    return data


def _bundle(folder: Path) -> Bundle:
    """Every file of a release's folder, each as large as an image at most."""
    try:
        names = sorted(one.name for one in folder.iterdir())
    except OSError as error:
        raise ConfigError(f"cannot read {folder}: {error.strerror}") from error
    if len(names) > _MAX_FILES:
        raise ConfigError(f"expected at most {_MAX_FILES} files in {folder}, got {len(names)}")
    files = {name: _read(str(folder / name), profile.MAX_IMAGE_SIZE) for name in names if name not in _APART}
    statement = folder / "statement.cose"
    return Bundle(files, _read(str(statement), 1 << 17) if statement.name in names else b"")


def _thing(tracker: StatusTracker | RemoteTracker, thing: ThingId) -> dict[str, Any]:
    record = tracker.runs(thing)
    reported = record.sequence_number >= 0
    return {
        "thing": thing,
        "version": record.version,
        "sequence_number": record.sequence_number if reported else None,
        "installed_at": record.installed_at,
        "refused": [reason.name.lower().replace("_", "-") for _, reason in record.refusals],
    }
