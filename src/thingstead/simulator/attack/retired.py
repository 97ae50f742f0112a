"""Retired: a thing that was retired comes back with everything it ever had (RFC 8576 §2, §3 threat 1)."""

from __future__ import annotations

from thingstead.agent.association import DomainAssociation
from thingstead.agent.core import DOMAIN
from thingstead.domain.plane import Standing
from thingstead.protocols.coap.code import Code, code_name
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.profile import path
from thingstead.simulator.attack.member import Member, joined, joining, telemetry
from thingstead.simulator.attack.station import Answer
from thingstead.simulator.attack.target import Target
from thingstead.simulator.attack.verdict import Traffic, Verdict, names

__all__ = ["retired"]

_NAME = "retired"
_GROUP = f"{path.ACE_GROUP}/lamps"


async def retired(target: Target) -> list[Verdict]:
    """Join, work, be retired by the owner, and try everything again."""
    async with joined(target, retire=False) as member:
        worked = await member.station.ask(telemetry(target, 1.0), association=DOMAIN)
        await target.ask("thing.retire", {"thing": member.thing, "cause": "attack"})
        before = await Traffic.of(target)
        verdicts = [
            await _under_old_keys(member, "data", "a reading", telemetry(target, 2.0)),
            await _under_old_keys(member, "software", "a poll for releases", request(Code.GET, path.UPDATE)),
            await _under_old_keys(member, "groups", "a request for group keys", request(Code.POST, _GROUP)),
            await _join_again(target, member),
            *await _probes(target, member),
        ]
        risen = (await Traffic.of(target)).since(before)
        return [_access(worked, risen), *verdicts]


def _access(worked: Answer, risen: dict[str, int]) -> Verdict:
    refused = risen.get("context", 0) + risen.get("unauthenticated", 0)
    return Verdict(
        attack=_NAME,
        plane="access",
        what="three requests under the association it had",
        expected="taken before, refused after: no context has their kid",
        observed=f"before: {worked}; after: {refused} refused",
        held=worked.is_success and refused >= 3,
        evidence=f"counted: {names(risen)}",
    )


async def _under_old_keys(member: Member, plane: str, what: str, message: Message) -> Verdict:
    answer = await member.station.ask(message, association=DOMAIN)
    return Verdict(
        attack=_NAME,
        plane=plane,
        what=f"{what}, under the association it had",
        expected="refused in clear (RFC 8613 §8.2)",
        observed=str(answer),
        held=answer.code == 0,
    )


async def _join_again(target: Target, member: Member) -> Verdict:
    before = await Traffic.of(target)
    result, codes = await member.station.play(joining(target, member.birth, member.key))
    risen = (await Traffic.of(target)).since(before)
    is_in = isinstance(result, DomainAssociation)
    return Verdict(
        attack=_NAME,
        plane="identity",
        what="EDHOC with its genuine identity, key and voucher",
        expected="proven, and refused at message_3 (retired)",
        observed="it is in" if is_in else f"refused at message_{1 + 2 * (len(codes) - 1)} with {code_name(codes[-1])}",
        held=not is_in and len(codes) == 2 and "retired" in risen,
        evidence=f"counted: {names(risen)}",
    )


async def _probes(target: Target, member: Member) -> list[Verdict]:
    """What those who rely on each plane would do with it now, network and credentials among them."""
    shown = await target.ask("thing.show", {"thing": member.thing})
    return [
        Verdict(
            attack=_NAME,
            plane=probe["plane"],
            what=f"asked about it: {probe['relying_party']}",
            expected="refused",
            observed=probe["standing"],
            held=probe["standing"] in {Standing.REFUSED.value, Standing.ABSENT.value},
            evidence=probe["detail"],
        )
        for probe in shown["planes"]
    ]
