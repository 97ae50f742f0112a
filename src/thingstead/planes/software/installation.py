"""What a thing's report makes of what is known of it: the last steps of an update (RFC 9019 §2.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.errors import ForbiddenError
from thingstead.identifier import ThingId
from thingstead.planes.software.catalogue import Published
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit.registry import Reason
from thingstead.protocols.suit.report import Report

__all__ = ["entry", "record_after"]


def record_after(
    before: SoftwareRecord, report: Report, published: Published | None, *, at: datetime
) -> SoftwareRecord:
    """The record of a thing with its report; the same where that says nothing new.

    Args:
        before: what is known of it.
        report: what it says.
        published: the release that the report is of, published for its class; None where that is none of ours.
        at: when the report came.

    Raises:
        ForbiddenError: of a release that was never offered, an image that it does not bring, or an older release than
            was reported before.
    """
    if published is None:
        return _brought_along(before, report, at)
    digest = report.manifest_digest.value
    if report.reason is not Reason.OK:
        # That the release did not prove itself is more than that something on the way to it failed.
        reason = Reason.CONDITION_FAILED if report.code == profile.REVERTED else report.reason
        return before if before.manifest_digest == digest else before.refuse(digest, reason)
    measured = report.images.get(profile.FIRMWARE)
    if measured is None or measured.value != published.image_digest:
        raise ForbiddenError("the report says installed, and measures another image", reason="measurement")
    if before.manifest_digest == digest:
        return before
    if published.sequence_number < before.sequence_number:
        raise ForbiddenError("the report is of an older release than one before it", reason="rollback")
    return replace(
        before,
        sequence_number=published.sequence_number,
        version=published.version,
        manifest_digest=digest,
        image_digest=measured.value,
        installed_at=at,
    )


def entry(thing: ThingId, report: Report, published: Published | None, *, at: datetime) -> Draft:
    """What the ledger keeps of a report."""
    details: dict[str, Detail] = {
        "version": "" if published is None else published.version,
        "sequence": None if published is None else published.sequence_number,
        "manifest": report.manifest_digest.value,
        "reason": report.reason.name.lower().replace("_", "-"),
    }
    cause = "refused" if report.reason is not Reason.OK else "installed" if published else "brought-along"
    return Draft(at, Kind.INSTALLATION, "thing", thing, cause, details)


def _brought_along(before: SoftwareRecord, report: Report, at: datetime) -> SoftwareRecord:
    """With a release of elsewhere as the first that a thing reports; any other time that is no release of ours."""
    digest = report.manifest_digest.value
    if report.reason is Reason.OK and before.manifest_digest == digest:
        return before
    if report.reason is not Reason.OK or before.manifest_digest:
        raise ForbiddenError("the report is of a release that was never offered", reason="unknown-manifest")
    measured = report.images.get(profile.FIRMWARE)
    image_digest = b"" if measured is None else measured.value
    return replace(before, manifest_digest=digest, image_digest=image_digest, installed_at=at)
