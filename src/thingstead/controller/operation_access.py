"""Operations on the tokens that things have for each other: all of them seen, and one taken back (RFC 9770 §7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from thingstead.clock import Clock
from thingstead.controller.operation import Acting, Operation
from thingstead.controller.operation_thing import NoArguments
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.role import Right
from thingstead.errors import ConfigError
from thingstead.identifier import ThingId
from thingstead.planes.access.issued_tokens import IssuedToken, IssuedTokens
from thingstead.protocols.profile.maintenance import MAINTAINER

__all__ = ["RevokeToken", "TokenSummary", "rows"]

_SHORTEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeToken(Acting):
    """Which token.

    Attributes:
        token: its hash as `token list` shows it, or how that begins: eight characters and more.
        cause: why, for the ledger.
    """

    token: str
    cause: str = "operator"


@dataclass(frozen=True, slots=True)
class TokenSummary:
    """One token that has not expired.

    Attributes:
        token: its hash (RFC 9770 §4), in hexadecimal.
        holder: who has it.
        audience: where it counts.
        expires: until when, if it is not revoked.
        revoked: whether it counts no more.
    """

    token: str
    holder: str
    audience: str
    expires: datetime
    revoked: bool


def rows(tokens: IssuedTokens, *, clock: Clock) -> tuple[Operation[Any], ...]:
    """The table."""

    async def show(_request: NoArguments) -> list[TokenSummary]:
        return sorted((_summary(*one) for one in tokens.of("")), key=lambda one: (one.expires, one.token))

    async def revoke(request: RevokeToken) -> TokenSummary:
        token_hash, issued = _find(tokens, request.token)
        details: dict[str, Detail] = {"audience": issued.audience, "hash": token_hash}
        is_persons = issued.subject.startswith(MAINTAINER)
        whose = ThingId(issued.audience if is_persons else issued.subject)
        draft = Draft(clock.utc(), Kind.REVOCATION, request.by, whose, request.cause, details)
        await tokens.revoke({token_hash: issued}, entries=[draft])
        return _summary(token_hash, tokens.find(token_hash) or issued)

    return (
        Operation("token.list", NoArguments, Right.AUDIT, "what things may do at each other, until when", show),
        Operation("token.revoke", RevokeToken, Right.MAINTAIN, "take back what a thing may do at another", revoke),
    )


def _find(tokens: IssuedTokens, begins: str) -> tuple[bytes, IssuedToken]:
    found = [one for one in tokens.of("") if one[0].hex().startswith(begins.lower())]
    if len(begins) < _SHORTEST or len(found) != 1:
        raise ConfigError(
            f"expected the hash of one token, or its first {_SHORTEST} characters and more, as `thingstead token list` "
            f"shows it; {begins[:66]!r} fits {len(found)}"
        )
    return found[0]


def _summary(token_hash: bytes, issued: IssuedToken) -> TokenSummary:
    return TokenSummary(token_hash.hex(), issued.subject, issued.audience, issued.expires, issued.is_revoked)
