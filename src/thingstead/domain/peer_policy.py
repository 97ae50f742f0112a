"""Which thing may do what at which other thing: decided when it asks for a token, by default not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from thingstead.domain.thing import Thing
from thingstead.errors import PolicyError
from thingstead.protocols.ace.aif import Scope

__all__ = ["PeerDecision", "PeerProfile", "PeerRule", "decide"]


class PeerProfile(StrEnum):
    """How a client meets a server: both end in OSCORE.

    By `EDHOC` nobody else ever has their keys. By `OSCORE` (RFC 9203) neither needs to make one, and the domain, which
    makes them, could read what they say.
    """

    EDHOC = "edhoc"
    OSCORE = "oscore"


@dataclass(frozen=True, slots=True)
class PeerRule:
    """One line of the policy, about two things.

    Attributes:
        name: for the ledger.
        clients: patterns for the model of who asks; ``*`` stands for any text and ``?`` for one character.
        servers: patterns likewise for the model of who is asked.
        scope: what the one may do at the other.
        lifetime: how long a token holds; the time that a revocation may take where nobody is reached.
        same_zone: both must be in one zone, which is not the empty one.
        profile: how they meet.
        has_clock: the servers know what time it is; without, a token also says how long it counts from when it comes.
    """

    name: str
    clients: tuple[str, ...]
    servers: tuple[str, ...]
    scope: Scope
    lifetime: timedelta
    same_zone: bool = True
    profile: PeerProfile = PeerProfile.EDHOC
    has_clock: bool = True

    def names(self, client: Thing, server: Thing) -> bool:
        """Whether the rule is about these two."""
        return (
            any(fnmatchcase(client.model, pattern) for pattern in self.clients)
            and any(fnmatchcase(server.model, pattern) for pattern in self.servers)
            and (not self.same_zone or (client.zone == server.zone != ""))
        )


@dataclass(frozen=True, slots=True)
class PeerDecision:
    """What a client gets.

    Attributes:
        rule: by which rule.
        scope: never more than it asked for.
        lifetime: of the token.
        profile: how it meets the server.
        has_clock: the server knows what time it is.
    """

    rule: str
    scope: Scope
    lifetime: timedelta
    profile: PeerProfile = PeerProfile.EDHOC
    has_clock: bool = True


def decide(client: Thing, server: Thing, wanted: Scope | None, rules: Iterable[PeerRule]) -> PeerDecision:
    """What `client` may do at `server`: the first rule that names both decides; without one, nothing.

    Raises:
        PolicyError: no rule names them (`reason` ``unauthorized_client``), or none of what is wanted is in the
            rule's scope (``invalid_scope``).
    """
    rule = next((rule for rule in rules if rule.names(client, server)), None)
    if rule is None or client.id == server.id:
        raise PolicyError(f"no rule lets {client.id} ask {server.id}", reason="unauthorized_client")
    scope = rule.scope if wanted is None else rule.scope.narrow(wanted)
    if not scope.grants:
        raise PolicyError(f"{rule.name!r} gives nothing of what is wanted", reason="invalid_scope")
    return PeerDecision(rule.name, scope, rule.lifetime, rule.profile, rule.has_clock)
