"""Operations on the network: who talked to whom and why, what was dropped, and the owner's own rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from ipaddress import ip_address
from typing import Any, Protocol

from thingstead.analysis.talk import gathered, in_words, is_met, undo
from thingstead.clock import Clock
from thingstead.controller.brownfield import is_adopted
from thingstead.controller.flow_history import FlowHistory
from thingstead.controller.operation import Acting, Operation
from thingstead.controller.virtual_patch import VirtualPatches
from thingstead.crypto.digest import digest
from thingstead.domain.contact import Contact
from thingstead.domain.owner_rule import OwnerRule, Way, parse_remote
from thingstead.domain.register import Register
from thingstead.domain.role import Right
from thingstead.domain.thing import Thing
from thingstead.errors import ConfigError
from thingstead.identifier import ThingId, thing_id
from thingstead.protocols.cbor import codec
from thingstead.protocols.mud.file import Prefix

__all__ = ["AllowFlow", "BlockFlow", "ListRules", "NetworkAnswers", "RevokeRule", "TalkOf", "rows"]

_PROTOCOLS = {"any": None, "icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58}
_ALL_PORTS = (0, 65_535)
_LONGEST = 8760.0
_SHOWN = 50
_ENFORCED = "nftables"


class RuleKeeper(Protocol):
    """The network plane, in this process or another."""

    @property
    def mode(self) -> str:
        """Who keeps the rules."""
        ...

    async def owner_rules(self) -> tuple[OwnerRule, ...]:
        """All that are kept."""
        ...

    async def put_rule(self, rule: OwnerRule, by: str) -> tuple[ThingId, ...]:
        """Keep one, and put it in force."""
        ...

    async def remove_rule(self, identifier: str, by: str) -> OwnerRule:
        """Forget one."""
        ...


@dataclass(frozen=True, slots=True)
class TalkOf:
    """Conversations of a thing.

    Attributes:
        thing: its id.
        days: how far back, today included.
        each: every attempt by itself, where somebody tried many ports.
    """

    thing: str
    days: int = 1
    each: bool = False


@dataclass(frozen=True, slots=True)
class ListRules:
    """A request that says all by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowFlow(Acting):
    """Let things do more than their makers' files say; of `thing`, `zone` and `model` at least one is given.

    Attributes:
        to: the other side: a name, an address, a prefix, ``local``, ``internet`` or ``any``.
        thing: its id.
        zone: all things in it.
        model: pattern of models.
        protocol: tcp, udp, icmp, icmpv6, any, or a number.
        port: that is contacted, such as 443 or 8000-8010; empty for all.
        way: out where the thing begins, in where it is contacted, or both.
        hours: after which it ends by itself; 0 for never.
        cause: why.
    """

    to: str
    thing: str = ""
    zone: str = ""
    model: str = ""
    protocol: str = "tcp"
    port: str = ""
    way: Way = Way.OUT
    hours: float = 0.0
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFlow(Acting):
    """Refuse things what is otherwise allowed; without a word of whom, all of them.

    Attributes:
        cve: a known vulnerability: whoever runs it is meant, as long as that is so.
        thing: its id.
        zone: all things in it.
        model: pattern of models.
        to: the other side: a name, an address, a prefix, ``local``, ``internet`` or ``any``.
        protocol: tcp, udp, icmp, icmpv6, any, or a number.
        port: that is contacted, such as 80 or 8000-8010; empty for all.
        way: out where the thing begins, in where it is contacted, or both.
        hours: after which it ends by itself; 0 for never.
        cause: why.
        preview: change nothing, and say what would break.
    """

    cve: str = ""
    thing: str = ""
    zone: str = ""
    model: str = ""
    to: str = "any"
    protocol: str = "any"
    port: str = ""
    way: Way = Way.IN
    hours: float = 0.0
    cause: str = ""
    preview: bool = False


@dataclass(frozen=True, slots=True)
class RevokeRule(Acting):
    """Forget one of the owner's rules.

    Attributes:
        rule: what `network.rules` calls it.
    """

    rule: str


class NetworkAnswers:
    """Answers them.

    Args:
        keeper: of the owner's rules.
        history: of conversations.
        patches: who has which vulnerability.
        register: the things.
        addresses: of a thing, of the link layer and of IP.
        local: prefixes of the site.
        days: how long conversations are kept.
        clock: for UTC.
    """

    def __init__(
        self,
        keeper: RuleKeeper,
        history: FlowHistory,
        patches: VirtualPatches,
        register: Register,
        *,
        addresses: Callable[[ThingId], Sequence[bytes]],
        local: Sequence[Prefix],
        days: int,
        clock: Clock,
    ) -> None:
        self._keeper = keeper
        self._addresses = addresses
        self._history = history
        self._patches = patches
        self._register = register
        self._local = tuple(local)
        self._days = days
        self._clock = clock

    async def talk(self, request: TalkOf) -> list[dict[str, Any]]:
        """Every conversation, allowed or not."""
        return [_told(one) for one in await self._contacts(request)]

    async def drops(self, request: TalkOf) -> list[dict[str, Any]]:
        """What was refused, and the command that would let it through."""
        thing = self._register.thing(thing_id(request.thing))
        refused = [one for one in await self._contacts(request) if not one.allowed]
        return [{**_told(one), "undo": self._undo(thing, one)} for one in refused]

    async def rules(self, _request: ListRules) -> list[dict[str, Any]]:
        """The owner's rules."""
        return [_rule(one) for one in await self._keeper.owner_rules()]

    async def allow(self, request: AllowFlow) -> dict[str, Any]:
        """Keep an allowance."""
        if not (request.thing or request.zone or request.model):
            raise ConfigError("expected who may do more: --thing, --zone or --model")
        rule = self._made(request, refuses=False, things=self._named(request.thing))
        told = await self._told(rule)
        return {**told, **self._in_force(await self._keeper.put_rule(rule, request.by))}

    async def block(self, request: BlockFlow) -> dict[str, Any]:
        """Say what would break, and keep a refusal unless only that was asked."""
        if not (request.cve or request.port or request.thing or request.to != "any"):
            raise ConfigError("expected what to block: --cve, --port, --to or --thing")
        things = self._named(request.thing)
        if request.cve:
            if request.thing:
                raise ConfigError("expected --cve or --thing: a vulnerability says itself whose it is")
            things = await self._patches.things(request.cve)
            if not things:
                raise ConfigError(f"no thing runs software that {request.cve[:60]} is known of: `thingstead osv list`")
        rule = self._made(request, refuses=True, things=things)
        told, breaks = await self._told(rule), await self._breaks(rule)
        kept = () if request.preview else await self._keeper.put_rule(rule, request.by)
        broken = {"breaks_in_all": len(breaks), "breaks": breaks[:_SHOWN]}
        return {**told, "preview": request.preview, **self._in_force(kept), **broken}

    async def revoke(self, request: RevokeRule) -> dict[str, Any]:
        """Forget a rule."""
        return _rule(await self._keeper.remove_rule(request.rule, request.by))

    async def _contacts(self, request: TalkOf) -> tuple[Contact, ...]:
        if not 1 <= request.days <= self._days:
            raise ConfigError(f"expected 1 to {self._days} days, as [watch] flow_days says; got {request.days}")
        found = await self._history.of(self._register.thing(thing_id(request.thing)).id, days=request.days)
        return found if request.each else tuple(gathered(found))

    async def _breaks(self, rule: OwnerRule) -> list[dict[str, Any]]:
        """From conversations that were allowed in the days that are kept; what was never seen cannot be foretold.

        What each thing of the domain needs, no refusal reaches.
        """
        met = partial(is_met, rule, local=self._local)
        breaks = []
        for thing in self._meant(rule):
            breaks += [
                {
                    "thing": thing.id,
                    "model": thing.model,
                    "who": contact.who,
                    "last": contact.last,
                    "said": in_words(contact),
                }
                for contact in await self._history.of(thing.id, days=self._days, where=met)
                if contact.allowed and contact.is_answered and contact.by != "domain"
            ]
            # A fleet's days are a second or more of reading.
            await asyncio.sleep(0)
        return breaks

    def _meant(self, rule: OwnerRule) -> list[Thing]:
        return [one for one in self._register.things() if rule.is_about(one)]

    async def _told(self, rule: OwnerRule) -> dict[str, Any]:
        """Said once more, it is the same rule: the later word on its reason and its end counts."""
        is_new = rule.id not in {one.id for one in await self._keeper.owner_rules()}
        meant = len(self._meant(rule))
        nobody = {} if meant else {"note": "no thing that is known here is meant by it now: look at zone and model"}
        return {**_rule(rule), "new": is_new, "things": meant, **nobody}

    def _in_force(self, things: Sequence[ThingId]) -> dict[str, Any]:
        """A rule that nobody enforces is in force for nobody, however many it is about."""
        is_kept = self._keeper.mode == _ENFORCED
        return {
            "in_force_for": len(things) if is_kept else 0,
            "enforced_by": self._keeper.mode if is_kept else f"NOBODY: {self._keeper.mode}",
        }

    def _undo(self, thing: Thing, contact: Contact) -> str:
        """Where an adopted device is, its owner says; the others say it by joining."""
        word, _, address = contact.by.partition(" ")
        if word != "unbound" or not is_adopted(thing) or ip_address(address).is_link_local:
            return undo(thing.id, contact)
        packed = [one for one in self._addresses(thing.id) if len(one) in {4, 16}]
        together = ",".join([*[str(ip_address(one)) for one in packed], address])
        return f"thingstead adopt {thing.serial} --ip {together}"

    def _named(self, thing: str) -> tuple[ThingId, ...]:
        return (self._register.thing(thing_id(thing)).id,) if thing else ()

    def _made(self, request: AllowFlow | BlockFlow, *, refuses: bool, things: tuple[ThingId, ...]) -> OwnerRule:
        at = self._clock.utc()
        if not 0 <= request.hours <= _LONGEST:
            raise ConfigError(f"expected 0 to {_LONGEST:.0f} hours, got {request.hours}")
        protocol, ports = _protocol(request.protocol), _ports(request.port)
        if ports != _ALL_PORTS and protocol is None:
            protocol = _PROTOCOLS["tcp"]
        if ports != _ALL_PORTS and protocol in {_PROTOCOLS["icmp"], _PROTOCOLS["icmpv6"]}:
            raise ConfigError(f"expected a protocol that has ports, got {request.protocol} with {request.port}")
        vulnerability = request.cve if isinstance(request, BlockFlow) else ""
        remote = parse_remote(request.to)
        # Whose a vulnerability is changes; the rule is the same.
        whom = [[] if vulnerability else list(things), request.zone, request.model, vulnerability.upper()]
        what = [refuses, request.way.value, remote, protocol, list(ports)]
        return OwnerRule(
            id=digest(codec.encode([whom, what])).hex()[:8],
            refuses=refuses,
            things=things,
            zone=request.zone,
            model=request.model,
            way=request.way,
            remote=remote,
            protocol=protocol,
            ports=ports,
            cause=request.cause or (f"it has {vulnerability}" if vulnerability else ""),
            vulnerability=vulnerability,
            by=request.by,
            at=at,
            until=at + timedelta(hours=request.hours) if request.hours else None,
        )


def rows(answers: NetworkAnswers) -> tuple[Operation[Any], ...]:
    """The table."""
    talk, drops, listing = answers.talk, answers.drops, answers.rules
    return (
        Operation(
            "network.talk", TalkOf, Right.AUDIT, "whom a thing talked to, how much, and why that was allowed", talk
        ),
        Operation("network.drops", TalkOf, Right.AUDIT, "what of a thing was refused, why, and how to allow it", drops),
        Operation("network.rules", ListRules, Right.AUDIT, "the owner's own rules for the network", listing),
        Operation(
            "network.allow", AllowFlow, Right.OWN, "let things do more than their makers' files say", answers.allow
        ),
        Operation("network.block", BlockFlow, Right.OWN, "refuse things something, and say what breaks", answers.block),
        Operation("network.revoke", RevokeRule, Right.OWN, "forget one of the owner's rules", answers.revoke),
    )


def _told(one: Contact) -> dict[str, Any]:
    return {
        "said": in_words(one),
        "who": one.who,
        "address": one.address,
        "way": "out" if one.outbound else "in",
        "protocol": one.protocol,
        "port": one.port,
        "allowed": one.allowed,
        "by": one.by,
        "rule": one.rule,
        "why": one.why,
        "first": one.first,
        "last": one.last,
        "flows": one.flows,
        "octets_out": one.octets_out,
        "octets_in": one.octets_in,
        "dropped": one.dropped,
    }


def _rule(one: OwnerRule) -> dict[str, Any]:
    return {
        "rule": one.id,
        "verdict": "refuse" if one.refuses else "allow",
        "about": _about(one),
        "zone": one.zone,
        "model": one.model,
        "way": one.way.value,
        "to": one.remote,
        "protocol": next((name for name, number in _PROTOCOLS.items() if number == one.protocol), str(one.protocol)),
        "port": "" if one.ports == _ALL_PORTS else "-".join(map(str, sorted({*one.ports}))),
        "vulnerability": one.vulnerability,
        "cause": one.cause,
        "by": one.by,
        "at": one.at,
        "until": one.until,
    }


def _about(one: OwnerRule) -> str:
    whom = ", ".join(one.things) or "all things"
    if one.vulnerability:
        whom = f"who has {one.vulnerability}, {len(one.things)} now"
    zone = f" in {one.zone}" if one.zone else ""
    return whom + (f" of model {one.model}" if one.model else "") + zone


def _protocol(text: str) -> int | None:
    lower = text.strip().lower()
    if lower in _PROTOCOLS:
        return _PROTOCOLS[lower]
    if lower.isdecimal() and 0 <= int(lower) <= 255:
        return int(lower)
    raise ConfigError(f"expected a protocol of {', '.join(_PROTOCOLS)}, or a number up to 255; got {text[:20]!r}")


def _ports(text: str) -> tuple[int, int]:
    if not text:
        return _ALL_PORTS
    first, _, last = text.strip().partition("-")
    last = last or first
    if not (first.isdecimal() and last.isdecimal() and len(first) <= 5 and len(last) <= 5):
        raise ConfigError(f"expected a port such as 443 or 8000-8010, got {text[:20]!r}")
    if not 1 <= int(first) <= int(last) <= 65_535:
        raise ConfigError(f"expected ports between 1 and 65535, the lower one first; got {text[:20]!r}")
    return int(first), int(last)
