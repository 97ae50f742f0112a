"""The groups plane's probe: what the members themselves say of a thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from thingstead.domain.plane import PlaneName, Probe, Standing
from thingstead.domain.ports import GroupAssociations
from thingstead.identifier import ThingId
from thingstead.planes.groups.relying_party import RelyingParties
from thingstead.planes.groups.roster import Roster
from thingstead.protocols.profile.standing import MemberStanding, StandingQuestion, thumbprint

__all__ = ["probe_of"]

_DOMAIN = "the domain"


@dataclass(frozen=True, slots=True)
class _Answers:
    group: str
    told: dict[ThingId, MemberStanding]
    silent: tuple[ThingId, ...]
    domain_accepts: bool

    @property
    def accepting(self) -> list[str]:
        things = [str(thing) for thing, standing in self.told.items() if standing.accepts]
        return things + [_DOMAIN] * self.domain_accepts

    def describe(self) -> str:
        """One line: who accepts, how many refuse, who was silent."""
        refusing = len(self.told) + 1 - len(self.accepting)
        words = [f"{self.group}: {refusing} refuse"]
        if self.accepting:
            words.append(f"{', '.join(self.accepting)} accept")
        if self.silent:
            words.append(f"{', '.join(self.silent)} silent")
        return ", ".join(words)


async def probe_of(
    thing: ThingId,
    groups: Sequence[Roster],
    parties: RelyingParties,
    *,
    live: GroupAssociations,
    utc: Callable[[], datetime],
    last_response: Callable[[], datetime | None],
) -> Probe:
    """Ask every other member of each group that the thing is or was in, and the domain's own endpoint.

    A member that is silent is named, and counts as no acceptance: nobody can ask a thing that is off, and its keys
    end by themselves (`exi`). The domain as a member always answers.

    Args:
        thing: who is asked about.
        groups: all groups.
        parties: the way to the members.
        live: the domain's own membership.
        utc: the time, read once all have answered: what a member accepted while it was asked was accepted.
        last_response: when the domain last accepted a response of the thing; read then, too.
    """
    answers = [
        await _ask(thing, record, credential, parties, live)
        for record in groups
        if (credential := record.credential_of(thing)) is not None
    ]
    at, own = utc(), last_response()
    if not answers:
        return Probe(PlaneName.GROUPS, thing, Standing.ABSENT, "group manager", at, "never in a group", None)
    accepted = [standing.last_acceptance for one in answers for standing in one.told.values()]
    last = max([moment for moment in (*accepted, own) if moment is not None], default=None)
    is_accepted = any(one.accepting for one in answers)
    asked = sum(len(one.told) for one in answers)
    return Probe(
        PlaneName.GROUPS,
        thing,
        Standing.ACCEPTED if is_accepted else Standing.REFUSED,
        f"{asked} members and {_DOMAIN}",
        at,
        "; ".join([one.describe() for one in answers]),
        last,
    )


async def _ask(
    thing: ThingId, record: Roster, credential: bytes, parties: RelyingParties, live: GroupAssociations
) -> _Answers:
    others = [member.thing for member in record.members if member.thing != thing]
    told = await parties.standings(others, StandingQuestion(record.name, thumbprint(credential)))
    silent = tuple([other for other in others if other not in told])
    return _Answers(record.name, told, silent, live.accepts_member(record.name, credential))
