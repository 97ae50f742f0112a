"""Retired: a thing that was retired comes back with everything it ever had (RFC 8576 §2, §3 threat 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thingstead.agent.association import DomainAssociation
from thingstead.agent.outbox import DOMAIN
from thingstead.domain.plane import PlaneName, Standing
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import path
from thingstead.simulator.attack.member import Member, joined, joining, take_up, telemetry
from thingstead.simulator.attack.station import Answer, Station
from thingstead.simulator.attack.target import Target
from thingstead.simulator.attack.verdict import Traffic, Verdict, names, progress

__all__ = ["retired"]

_NAME = "retired"
_KERNEL = "kernel"
_UNUSED = 1000
_GROUP = f"{path.ACE_GROUP}/lamps"


async def retired(target: Target) -> list[Verdict]:
    """Join, work, be retired by the owner, and try everything again: from its own place, and from another."""
    async with joined(target, retire=False) as member:
        worked = await member.station.ask(telemetry(target, 1.0), association=DOMAIN)
        await target.ask("thing.retire", {"thing": member.thing, "cause": "attack"})
        probes = await _probes(target, member)
        network = await _from_its_place(member, probes)
        elsewhere = Station(target)
        try:
            moved = take_up(elsewhere, member.birth, member.key, member.association, sequence=_UNUSED)
            before = await Traffic.of(target)
            verdicts = [
                await _under_old_keys(moved, "data", "a reading", telemetry(target, 2.0)),
                await _under_old_keys(moved, "software", "a poll for releases", request(Code.GET, path.UPDATE)),
                await _under_old_keys(moved, "groups", "a request for group keys", request(Code.POST, _GROUP)),
                await _join_again(target, moved),
            ]
            risen = (await Traffic.of(target)).since(before)
        finally:
            elsewhere.close()
        return [_access(worked, risen), *verdicts, network, *[_relying_party(probe) for probe in probes]]


async def _from_its_place(member: Member, probes: list[Mapping[str, Any]]) -> Verdict:
    """Whether the network still carries anything of it to the domain, where the network is there to decide that."""
    answered = await member.station.is_answered()
    (party,) = [probe["relying_party"] for probe in probes if probe["plane"] == PlaneName.NETWORK]
    enforced = _KERNEL in party
    return Verdict(
        attack=_NAME,
        plane="network",
        what="a ping from its own place",
        expected="dropped by the kernel" if enforced else "no rule is enforced here, so it arrives",
        observed="answered" if answered else "silence",
        held=answered is not enforced,
        evidence=party,
    )


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
        observed="it is in" if is_in else progress(codes),
        held=not is_in and len(codes) == 2 and "retired" in risen,
        evidence=f"counted: {names(risen)}",
    )


async def _probes(target: Target, member: Member) -> list[Mapping[str, Any]]:
    shown: list[Mapping[str, Any]] = (await target.ask("thing.show", {"thing": member.thing}))["planes"]
    return shown


def _relying_party(probe: Mapping[str, Any]) -> Verdict:
    """What who relies on a plane would do with it now, network and credentials among them."""
    return Verdict(
        attack=_NAME,
        plane=probe["plane"],
        what=f"asked about it: {probe['relying_party']}",
        expected="refused",
        observed=probe["standing"],
        held=probe["standing"] in {Standing.REFUSED.value, Standing.ABSENT.value},
        evidence=probe["detail"],
    )
