"""What relying parties are told of credentials: asked per message where messages come in, whoever issues them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from thingstead.clock import Clock
from thingstead.domain.plane import PlaneName, Probe, Standing
from thingstead.identifier import ThingId

__all__ = ["CredentialStanding", "CredentialStatus", "StatusList"]


class CredentialStatus(IntEnum):
    """What a relying party is told of a credential."""

    UNKNOWN = 0
    VALID = 1
    SUSPENDED = 2
    REVOKED = 3


@dataclass(frozen=True, slots=True)
class CredentialStanding:
    """What decides of a credential that was verified; of a revoked one there is no end to wait for."""

    cti: bytes
    status: CredentialStatus
    expires: datetime | None


class StatusList:
    """The standing of each thing's credential, and what of it is told.

    Args:
        clock: for UTC.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._standings: dict[ThingId, CredentialStanding] = {}
        self._by_cti: dict[bytes, ThingId] = {}
        self._last_acceptance: dict[ThingId, datetime] = {}

    @property
    def standings(self) -> Mapping[ThingId, CredentialStanding]:
        """All of them."""
        return self._standings

    def keep(self, thing: ThingId, standing: CredentialStanding) -> None:
        """Go by this from now on."""
        before = self._standings.get(thing)
        if before is not None:
            # One credential counts per thing: an older one must not live on under the name of its successor.
            self._by_cti.pop(before.cti, None)
        self._standings[thing] = standing
        self._by_cti[standing.cti] = thing

    def suspend(self, thing: ThingId) -> None:
        """Tell of no valid one until its issuer says more."""
        standing = self._standings.get(thing)
        if standing is not None and standing.status is CredentialStatus.VALID:
            self._standings[thing] = replace(standing, status=CredentialStatus.SUSPENDED)

    def status(self, cti: bytes) -> CredentialStatus:
        """What a relying party may rely on for the credential named `cti`, now."""
        thing = self._by_cti.get(cti)
        if thing is None:
            return CredentialStatus.UNKNOWN
        at, standing = self._clock.utc(), self._standings[thing]
        if standing.status is not CredentialStatus.VALID:
            return standing.status
        if standing.expires is None or standing.expires <= at:
            return CredentialStatus.REVOKED
        self._last_acceptance[thing] = at
        return CredentialStatus.VALID

    def probe(self, thing: ThingId) -> Probe:
        """What it would tell a peer that was shown the thing's credential."""
        standing = self._standings.get(thing)
        before = self._last_acceptance.get(thing)
        status = CredentialStatus.UNKNOWN if standing is None else self.status(standing.cti)
        # The probe's own question must not count as a peer that relied on the answer.
        if before is None:
            self._last_acceptance.pop(thing, None)
        else:
            self._last_acceptance[thing] = before
        party, at = "credential status service", self._clock.utc()
        return Probe(PlaneName.IDENTITY, thing, _STANDINGS[status], party, at, status.name, before)


_STANDINGS = {
    CredentialStatus.UNKNOWN: Standing.ABSENT,
    CredentialStatus.VALID: Standing.ACCEPTED,
    CredentialStatus.SUSPENDED: Standing.REFUSED,
    CredentialStatus.REVOKED: Standing.REFUSED,
}
