"""The people that a domain knows beside its owner: installers, and whoever signs what they ask."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.controller.admission import Admission
from thingstead.controller.foundation import Foundation
from thingstead.controller.gate import Challenges
from thingstead.controller.installers import Installers
from thingstead.controller.offline_approval import OfflineApprovals
from thingstead.domain.plane import PlaneName
from thingstead.domain.register import Register
from thingstead.storage.records import PlaneRecords

__all__ = ["People", "compose_people"]


@dataclass(frozen=True, slots=True)
class People:
    """Who may ask.

    Attributes:
        installers: to whom approvals are delegated.
        challenges: what requests are signed for.
        statements: approvals that installers signed elsewhere.
    """

    installers: Installers
    challenges: Challenges
    statements: OfflineApprovals


def compose_people(foundation: Foundation, admission: Admission, register: Register) -> People:
    """Put them together.

    Raises:
        StorageError: the key that delegations are signed with cannot be read.
    """
    clock, domain = foundation.clock, foundation.config.domain.name
    installers = Installers(
        PlaneRecords(PlaneName.IDENTITY, foundation.store, prefix="installer/"),
        foundation.keys,
        approvals=admission.room,
        domain=domain,
        clock=clock,
        random_bytes=foundation.random_bytes,
    )
    statements = OfflineApprovals(
        installers,
        admission,
        register,
        records=PlaneRecords(PlaneName.IDENTITY, foundation.store, prefix="statement/"),
        domain=domain,
        clock=clock,
    )
    return People(installers, Challenges(domain, clock=clock, random_bytes=foundation.random_bytes), statements)
