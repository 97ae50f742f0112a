"""Token: a member asks for more than its scope holds, and shows tokens that say more (RFC 9200 §5.10; RFC 9237)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from thingstead.agent.outbox import DOMAIN
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.phases.knocking import PATHS
from thingstead.protocols.ace import aif
from thingstead.protocols.ace import token as access_token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.message import request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.simulator.attack.member import Member, joined
from thingstead.simulator.attack.scan import METHODS, PUBLIC
from thingstead.simulator.attack.target import Target
from thingstead.simulator.attack.verdict import Traffic, Verdict, names

__all__ = ["token"]

_NAME = "token"
_REFUSALS = frozenset({Code.FORBIDDEN, Code.METHOD_NOT_ALLOWED})
_PLACES = ("/authz-info", "/token")
_ALL = (1 << 7) - 1


async def token(target: Target) -> list[Verdict]:
    """Ask for every method of every path beyond the scope, before and after showing other tokens."""
    async with joined(target) as member:
        scope = _scope(member)
        matrix = [await _row(member, scope, place) for place in PATHS]
        shown = [await _show(target, member, name, forged) for name, forged in _tokens(target, member, scope)]
        return [*matrix, *shown, await _still(member, scope)]


async def _row(member: Member, scope: Scope, place: str) -> Verdict:
    cells: list[str] = []
    codes: list[int] = []
    for method in METHODS:
        if _is_granted(scope, place, method) or (place, method) in PUBLIC:
            cells.append(f"{method.name} {'public' if (place, method) in PUBLIC else 'granted'}")
            continue
        answer = await member.station.ask(request(method, place), association=DOMAIN)
        codes.append(answer.code)
        cells.append(f"{method.name} {answer}")
    return Verdict(
        attack=_NAME,
        plane="access",
        what=f"{place}, what a member's scope does not hold",
        expected="4.03 or 4.05",
        observed=names(Counter(codes)),
        held=all(code in _REFUSALS for code in codes),
        evidence=", ".join(cells),
    )


def _tokens(target: Target, member: Member, scope: Scope) -> Iterator[tuple[str, bytes]]:
    """What a holder of one token can make of it, and of a key of its own."""
    genuine = member.association.access_token
    yield "its own token, one bit of the scope changed", _with_scope_bit(genuine, scope)
    yield "the domain's token, meant for the thing", member.association.granted_token
    at = target.clock.utc()
    issued = {"self-issued": at, "self-issued, and expired": at - timedelta(days=400)}
    claims = cwt.decode(genuine).claims
    for name, since in issued.items():
        yield (
            f"a token of all rights, {name}",
            access_token.issue(
                member.key.public,
                generate(KeyType.P256),
                issuer=claims.text(Claim.ISS),
                subject=claims.text(Claim.SUB),
                audience=claims.text(Claim.AUD),
                scope=Scope(dict.fromkeys(PATHS, _ALL)),
                at=since,
                expires=since + timedelta(days=365),
                cti=target.random_bytes(8),
                signature_id=AlgorithmId.ESP256,
            ),
        )


async def _show(target: Target, member: Member, name: str, forged: bytes) -> Verdict:
    before = await Traffic.of(target)
    codes: list[int] = []
    for place in _PLACES:
        for association in (None, DOMAIN):
            message = request(Code.POST, place, payload=forged, content_format=ContentFormat.CWT)
            codes.append((await member.station.ask(message, association=association)).code)
    return Verdict(
        attack=_NAME,
        plane="access",
        what=f"{name}, shown at {' and '.join(_PLACES)}, in clear and protected",
        expected="nobody takes it: the scope stands with the association",
        observed=names(Counter(codes)),
        held=not any(code >> 5 == 2 for code in codes),
        evidence=f"counted: {names((await Traffic.of(target)).since(before))}",
    )


async def _still(member: Member, scope: Scope) -> Verdict:
    place, method = next(
        (place, method)
        for place in PATHS
        for method in METHODS
        if not _is_granted(scope, place, method) and (place, method) not in PUBLIC
    )
    answer = await member.station.ask(request(method, place), association=DOMAIN)
    return Verdict(
        attack=_NAME,
        plane="access",
        what=f"{method.name} {place} once more, after all those tokens",
        expected="4.03 or 4.05",
        observed=str(answer),
        held=answer.code in _REFUSALS,
    )


def _scope(member: Member) -> Scope:
    return aif.decode(cwt.decode(member.association.access_token).claims.required(Claim.SCOPE))


def _is_granted(scope: Scope, place: str, method: Code) -> bool:
    return bool(scope.grants.get(place, 0) << 1 >> method & 1)


def _with_scope_bit(genuine: bytes, scope: Scope) -> bytes:
    """The token with another right in its scope, under the signature that it had."""
    held = aif.encode(scope)
    place = genuine.index(held) + len(held) - 1
    return genuine[:place] + bytes((genuine[place] ^ 0x10,)) + genuine[place + 1 :]
