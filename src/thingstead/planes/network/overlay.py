"""The owner's rules over those of the makers' files: kept, and put into the same words (RFC 8520 §1.6: it decides).

A refusal is stronger than every allowance, and leaves the way between a thing and the domain's controller: what cannot
be reached any more cannot be mended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ledger.entry import Detail, Draft, Kind
from thingstead.domain.owner_rule import ANYBODY, INTERNET, LOCAL, OwnerRule, Way, as_prefix
from thingstead.domain.ports import Records
from thingstead.domain.thing import Thing
from thingstead.errors import ConfigError, DecodeError, PolicyError
from thingstead.identifier import thing_id
from thingstead.protocols.cbor import codec
from thingstead.protocols.mud.file import ANY_PORT, Direction, PortRange, Prefix, Remote, RemoteKind
from thingstead.protocols.mud.rule import Rule

__all__ = ["OWN", "Overlay"]

OWN = "own-"
"""What the keys of these rules begin with in a backup, among the plane's other documents."""

_MOST = 256
_ICMP, _ICMPV6 = 1, 58
_EVERYBODY = (ip_network("0.0.0.0/0"), ip_network("::/0"))
_INTERNET = (ip_network("0.0.0.0/0"), ip_network("2000::/3"))
"""Global unicast of IPv6 is 2000::/3 as yet (RFC 4291 §2.4, IANA)."""


class Overlay:
    """The owner's rules, in the order of their time.

    Args:
        records: keeps them.
        local: prefixes of the site.
        controller: prefixes of the domain's controller.
        baseline: the ways between it and each thing, which no refusal reaches.
    """

    def __init__(
        self, records: Records, *, local: Sequence[Prefix], controller: Sequence[Prefix], baseline: Sequence[Rule]
    ) -> None:
        self._records = records
        self._local = tuple(local)
        self._controller = tuple(controller)
        self._baseline = tuple(baseline)
        self._rules: dict[str, OwnerRule] = {}
        self._ordered: tuple[tuple[OwnerRule, tuple[Rule, ...]], ...] = ()
        self._take({key: _decode(document) for key, document in records.load().items()})

    def rules(self) -> tuple[OwnerRule, ...]:
        """All that are kept, the oldest first."""
        return tuple([one for one, _ in self._ordered])

    def of(self, thing: Thing, *, refuses: bool) -> tuple[tuple[OwnerRule, Rule], ...]:
        """What allows a thing more, or refuses it something, as rules of a MUD file; each with whose word it is."""
        return tuple([(one, rule) for one, compiled in self.about(thing, refuses=refuses) for rule in compiled])

    def about(self, thing: Thing, *, refuses: bool) -> tuple[tuple[OwnerRule, tuple[Rule, ...]], ...]:
        """The same by rules of the owner's: for a thing of many, what one of them comes to is the same each time."""
        return tuple([row for row in self._ordered if row[0].refuses is refuses and row[0].is_about(thing)])

    def names(self, thing: Thing) -> frozenset[str]:
        """DNS names that rules about a thing speak of."""
        return frozenset([one.remote for one, _ in self._ordered if _is_name(one.remote) and one.is_about(thing)])

    def require(self, rule: OwnerRule) -> None:
        """See whether a rule can be kept.

        Raises:
            PolicyError: it says nothing here, would cut things off from their controller, or is one too many.
        """
        if rule.id not in self._rules and len(self._rules) >= _MOST:
            raise PolicyError(f"expected at most {_MOST} rules of the owner's: `thingstead network revoke`")
        if not self._compile(rule):
            raise PolicyError(f"{rule.remote} is nobody here, or the domain's controller, which no rule cuts off")

    async def put(self, rule: OwnerRule, *, by: str, at: datetime) -> None:
        """Keep a rule, in the place of one of its name; on disk and on the ledger when this returns.

        Raises:
            PolicyError: as for `require`.
            StorageError: it is not kept.
        """
        self.require(rule)
        await self._records.write({rule.id: _encode(rule)}, entries=[_draft(rule, at, by, _verb(rule))])
        self._take({rule.id: rule})

    async def remove(self, identifier: str, *, by: str, at: datetime) -> OwnerRule:
        """Forget a rule; returns what it was.

        Raises:
            ConfigError: there is none of that name.
            StorageError: it is still kept.
        """
        rule = self._rules.get(identifier)
        if rule is None:
            raise ConfigError(f"no rule {identifier[:40]!r} of the owner's is here: `thingstead network rules`")
        await self._records.write({identifier: None}, entries=[_draft(rule, at, by, "owner-rule-revoked")])
        del self._rules[identifier]
        self._take({})
        return rule

    def documents(self) -> dict[str, bytes]:
        """The rules, for a backup."""
        return {OWN + key: _encode(rule) for key, rule in self._rules.items()}

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up rules of a backup where none of their name is here.

        Raises:
            DecodeError: not documents of an overlay.
        """
        read = {key.removeprefix(OWN): _decode(document) for key, document in documents.items()}
        fresh = {key: rule for key, rule in read.items() if key not in self._rules}
        await self._records.write({key: _encode(rule) for key, rule in fresh.items()})
        self._take(fresh)

    def ended(self, at: datetime) -> tuple[OwnerRule, ...]:
        """Rules whose time is over, and that are still here."""
        return tuple([one for one in self.rules() if one.has_ended(at)])

    def _take(self, rules: Mapping[str, OwnerRule]) -> None:
        """Rules and what they come to, once for all things: a refresh asks for each of them every second."""
        self._rules |= rules
        before = {one.id: compiled for one, compiled in self._ordered if one.id not in rules}
        ordered = sorted(self._rules.values(), key=lambda one: (one.at, one.id))
        self._ordered = tuple([(one, before.get(one.id) or self._compile(one)) for one in ordered])

    def _compile(self, rule: OwnerRule) -> tuple[Rule, ...]:
        return tuple(
            [
                made
                for direction in _DIRECTIONS[rule.way]
                for family, remote in self._remotes(rule)
                for made in _directed(rule, direction, family, remote)
            ]
        )

    def _remotes(self, rule: OwnerRule) -> Iterable[tuple[int, Remote]]:
        prefix = as_prefix(rule.remote)
        if _is_name(rule.remote):
            return [(family, Remote(RemoteKind.DNS_NAME, rule.remote)) for family in (4, 6)]
        if not rule.refuses and rule.remote == ANYBODY:
            return [(family, Remote(RemoteKind.ANY)) for family in (4, 6)]
        if not rule.refuses and rule.remote == LOCAL:
            return [(family, Remote(RemoteKind.LOCAL_NETWORKS)) for family in (4, 6)]
        meant = {ANYBODY: _EVERYBODY, LOCAL: self._local, INTERNET: _without(_INTERNET, self._local)}
        found = meant[rule.remote] if prefix is None else (prefix,)
        # What speaks of nobody but the controller says nothing; where it is one of many, the kernel spares it.
        left = [one for one in found if not (rule.refuses and self._is_controller(one) and self._is_in_the_way(rule))]
        return [(one.version, Remote(RemoteKind.PREFIX, prefix=one)) for one in left]

    def _is_controller(self, prefix: Prefix) -> bool:
        return not _without([prefix], self._controller)

    def _is_in_the_way(self, rule: OwnerRule) -> bool:
        """Whether a rule speaks of what goes between a thing and the controller."""
        return any(
            need.opened_by in _DIRECTIONS[rule.way]
            and rule.protocol in {None, need.protocol}
            and _contacted(need).first <= rule.ports[1]
            and rule.ports[0] <= _contacted(need).last
            for need in self._baseline
        )


def _contacted(rule: Rule) -> PortRange:
    return rule.remote_ports if rule.opened_by is Direction.FROM_DEVICE else rule.device_ports


def _is_name(remote: str) -> bool:
    return remote not in {ANYBODY, LOCAL, INTERNET} and as_prefix(remote) is None


def _without(prefixes: Iterable[Prefix], holes: Iterable[Prefix]) -> tuple[Prefix, ...]:
    left = list(prefixes)
    for hole in holes:
        rest: list[Prefix] = []
        for one in left:
            rest += _less(one, hole)
        left = rest
    return (
        *collapse_addresses([one for one in left if isinstance(one, IPv4Network)]),
        *collapse_addresses([one for one in left if isinstance(one, IPv6Network)]),
    )


def _less(prefix: Prefix, hole: Prefix) -> list[Prefix]:
    if isinstance(prefix, IPv4Network) and isinstance(hole, IPv4Network):
        inside = hole.subnet_of(prefix)
        return [] if prefix.subnet_of(hole) else list(prefix.address_exclude(hole)) if inside else [prefix]
    if isinstance(prefix, IPv6Network) and isinstance(hole, IPv6Network):
        inside = hole.subnet_of(prefix)
        return [] if prefix.subnet_of(hole) else list(prefix.address_exclude(hole)) if inside else [prefix]
    return [prefix]


def _directed(rule: OwnerRule, direction: Direction, family: int, remote: Remote) -> Iterable[Rule]:
    """The port that is contacted is the other side's where the thing opens the flow, and else its own."""
    if rule.protocol in {_ICMP, _ICMPV6} and family != {_ICMP: 4, _ICMPV6: 6}[rule.protocol]:
        return
    ports = PortRange(*rule.ports)
    if direction is Direction.FROM_DEVICE:
        yield Rule(direction, family, rule.protocol, remote, ports, ANY_PORT)
    else:
        yield Rule(direction, family, rule.protocol, remote, ANY_PORT, ports)


def _verb(rule: OwnerRule) -> str:
    return "owner-refusal" if rule.refuses else "owner-allowance"


def _draft(rule: OwnerRule, at: datetime, by: str, cause: str) -> Draft:
    details: dict[str, Detail] = {
        "rule": rule.id,
        "zone": rule.zone,
        "model": rule.model,
        "way": rule.way.value,
        "remote": rule.remote,
        "protocol": rule.protocol,
        "ports": f"{rule.ports[0]}-{rule.ports[1]}",
        "things": len(rule.things),
        "vulnerability": rule.vulnerability,
        "why": rule.cause[:120],
        "until": None if rule.until is None else rule.until.isoformat(),
    }
    thing = rule.things[0] if len(rule.things) == 1 and not rule.vulnerability else None
    return Draft(at, Kind.NETWORK_POLICY, by, thing, cause, details)


def _encode(rule: OwnerRule) -> bytes:
    times = [microseconds(rule.at), None if rule.until is None else microseconds(rule.until)]
    whom = [list(rule.things), rule.zone, rule.model, rule.vulnerability]
    what = [rule.way.value, rule.remote, rule.protocol, list(rule.ports)]
    return codec.encode([rule.id, rule.refuses, whom, what, rule.cause, rule.by, times])


def _decode(document: bytes) -> OwnerRule:
    match codec.decode(document):
        case [
            str(identifier),
            bool(refuses),
            [list(things), str(zone), str(model), str(vulnerability)],
            [str(way), str(remote), int() | None as protocol, [int(first), int(last)]],
            str(cause),
            str(by),
            [int(at), int() | None as until],
        ] if all(isinstance(one, str) for one in things):
            try:
                return OwnerRule(
                    id=identifier,
                    refuses=refuses,
                    things=tuple([thing_id(one) for one in things]),
                    zone=zone,
                    model=model,
                    way=Way(way),
                    remote=remote,
                    protocol=protocol,
                    ports=(first, last),
                    cause=cause,
                    vulnerability=vulnerability,
                    by=by,
                    at=instant(at),
                    until=None if until is None else instant(until),
                )
            except ValueError as error:
                raise DecodeError(f"expected a rule of the owner's: {error}") from None
        case _:
            raise DecodeError("expected a rule of the owner's: name, verdict, whom, what, why, who and when")


_DIRECTIONS: dict[Way, tuple[Direction, ...]] = {
    Way.OUT: (Direction.FROM_DEVICE,),
    Way.IN: (Direction.TO_DEVICE,),
    Way.BOTH: (Direction.FROM_DEVICE, Direction.TO_DEVICE),
}
