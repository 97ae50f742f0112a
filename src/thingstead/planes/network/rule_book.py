"""What a thing may do now, from all whose word counts: its maker's file, the owner's own rules, the domain's needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_network
from weakref import WeakValueDictionary

from thingstead.analysis.plain_words import in_words
from thingstead.analysis.reach import Neighbourhood, Opening, Station
from thingstead.analysis.traffic.flow import Flow
from thingstead.analysis.traffic.verdict import Allowed, Denied, Judge
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.network import FlowRule, RateLimit, ThingAddress
from thingstead.domain.owner_rule import OwnerRule
from thingstead.domain.thing import Thing
from thingstead.errors import UntrustedError
from thingstead.identifier import ThingId
from thingstead.planes.network.mud_library import MudLibrary, is_owners
from thingstead.planes.network.name_table import NameTable
from thingstead.planes.network.overlay import Overlay
from thingstead.planes.network.residents import Residents
from thingstead.protocols.mud.file import Direction, Prefix, RemoteKind
from thingstead.protocols.mud.rule import DNS_CLASS, NTP_CLASS, Rule, RuleSet, Surroundings

__all__ = ["NOBODY", "Reason", "RuleBook", "SiteMap", "is_unmended", "names_peers"]

_PEERS = (RemoteKind.SAME_MANUFACTURER, RemoteKind.MANUFACTURER, RemoteKind.MODEL)
_NO_FILE = RuleSet("", (), (), None, "", 0, None)


@dataclass(frozen=True, slots=True)
class SiteMap:
    """The owner's answers to what MUD files leave open.

    Attributes:
        local_networks: prefixes of the site.
        controller: this domain's controller: what ``my-controller`` means.
        controllers: other classes, e.g. the local DNS and NTP servers, by URI.
        baseline: rules that every admitted thing has beside its file: its way to the controller.
        rate: how much each thing may send.
        learn: for how long after it was first known a thing whose maker says nothing is passed, counted and logged.
    """

    local_networks: tuple[Prefix, ...]
    controller: tuple[Prefix, ...]
    controllers: Mapping[str, tuple[Prefix, ...]]
    baseline: tuple[Rule, ...] = ()
    rate: RateLimit | None = None
    learn: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a conversation is allowed, or is not.

    Attributes:
        allowed: whether it may begin.
        by: whose word decided: maker, owner, domain; nobody where no rule speaks of it.
        rule: name of the owner's rule, where it was one.
        words: a sentence.
    """

    allowed: bool
    by: str
    rule: str
    words: str


NOBODY = Reason(allowed=False, by="nobody", rule="", words="the thing is under no rules")


class RuleBook:
    """Puts the rules of one thing together, and says which of them decides.

    Args:
        library: MUD files.
        names: DNS.
        residents: who else is here.
        site: local meanings.
        overlay: the owner's own rules.
    """

    def __init__(
        self, library: MudLibrary, names: NameTable, residents: Residents, *, site: SiteMap, overlay: Overlay
    ) -> None:
        self._library = library
        self._names = names
        self._residents = residents
        self._site = site
        self._overlay = overlay
        self._kept: WeakValueDictionary[int, frozenset[FlowRule]] = WeakValueDictionary()
        self._released: dict[ThingId, RuleSet] = {}
        self._named: dict[str, tuple[RuleSet, frozenset[str]]] = {}
        here = Surroundings(my_controller=site.controller)
        self._repair = frozenset(
            [self._flow_rule(rule, prefix) for rule in site.baseline for prefix in here.resolve(rule, authority="")]
        )
        self._refusals: dict[str, tuple[tuple[Rule, ...], frozenset[FlowRule]]] = {}

    def rules_of(self, thing: Thing) -> RuleSet | None:
        """What its maker's word says, as compiled: that of the release which it runs, or else its file."""
        return self._released.get(thing.id) or self._library.rules(thing.mud_url)

    def source(self, thing: Thing) -> str:
        """By whose file it goes, and what of that means nobody here, in a line."""
        rules = self.rules_of(thing)
        told = "no MUD file: baseline only" if rules is None else f"{rules.url} by {rules.signer or 'nobody'}"
        for one in () if rules is None else self._unanswered(rules):
            told += f", nobody here is {one[:80]}"
        return f"{_CONFINED} ({told})" if thing.verifies_nothing else told

    def _unanswered(self, rules: RuleSet) -> tuple[str, ...]:
        """Controller classes that a file names and the owner has no answer to; rules about them let nothing through."""
        named = {rule.remote.name for rule in rules.rules if rule.remote.kind is RemoteKind.CONTROLLER}
        # Every file has these two, by RFC 8520 §5, whatever it says itself.
        return tuple(sorted(named - self._site.controllers.keys() - {DNS_CLASS, NTP_CLASS}))

    def release(self, thing: Thing, rules: RuleSet | None) -> bool:
        """Have a thing go by what the release that it runs says, or by its own file; whether that is new.

        Raises:
            UntrustedError: a file of another maker's than the thing's own.
        """
        filed = self._library.rules(thing.mud_url)
        if rules is not None and filed is not None and rules.authority != filed.authority:
            raise UntrustedError(
                f"the release's MUD file is of {rules.authority}, the thing's of {filed.authority}",
                spec="RFC 8520 §3.2",
            )
        if rules == self._released.get(thing.id):
            return False
        self._released.pop(thing.id, None)
        if rules is not None:
            self._released[thing.id] = rules
        return True

    def dns_names(self, thing: Thing) -> frozenset[str]:
        """Names that the rules of a thing speak of, refusals too."""
        rules, own = self.rules_of(thing), self._overlay.names(thing)
        if rules is None:
            return own
        known = self._named.get(rules.url)
        if known is None or known[0] is not rules:
            known = self._named[rules.url] = (rules, frozenset(rules.dns_names))
        return known[1] | own if own else known[1]

    def allowed(self, thing: Thing) -> frozenset[FlowRule]:
        """Flows that may be opened, in addresses."""
        parts = self._parts(thing)
        wanted = [rule for part in parts for rule in part.rules]
        surroundings = self._surroundings(thing, wanted)
        made = frozenset(
            self._flow_rule(rule, prefix)
            for part in parts
            for rule in part.rules
            for prefix in surroundings.resolve(rule, authority=part.authority)
        )
        # Things of one model have the same rules most of the time; they are kept once.
        known = self._kept.get(hash(made))
        if known != made:
            known = self._kept[hash(made)] = made
        return known

    def named(self, thing: Thing) -> frozenset[str]:
        """What it may open to names, whatever they stand for just now, and whoever says so."""
        rules = [rule for part in self._parts(thing) for rule in part.rules]
        return frozenset([_way(rule) for rule in rules if rule.remote.kind is RemoteKind.DNS_NAME])

    def learns(self, thing: Thing, at: datetime) -> bool:
        """Whether a thing is still let do what nobody allows, so that it can be seen what it does.

        From the day on which it was first known: who joins again is no newcomer.
        """
        if self.rules_of(thing) is not None or thing.mud_url or thing.verifies_nothing or is_unmended(thing):
            return False
        return bool(thing.keys) and at < min(key.since for key in thing.keys) + self._site.learn

    def repair(self) -> frozenset[FlowRule]:
        """What is left to a thing in quarantine: its way to the controller, who mends it or lets it go.

        No refusal of ranges reaches it either.
        """
        return self._repair

    def refused(self, thing: Thing) -> frozenset[FlowRule]:
        """Flows that the owner refuses it, whatever allows them; for good, as long as the names stand for it."""
        made = [self._refusal(one, compiled) for one, compiled in self._overlay.about(thing, refuses=True)]
        return made[0] if len(made) == 1 else frozenset[FlowRule]().union(*made)

    def explain(self, thing: Thing, flows: Iterable[Flow]) -> tuple[Reason, ...]:
        """By whose word each conversation is allowed, or why it is not; a refusal of the owner's comes first."""
        refusals, allowances = (self._overlay.of(thing, refuses=refuses) for refuses in (True, False))
        owners = {rule: one for one, rule in (*allowances, *refusals)}
        parts = self._parts(thing)
        surroundings = self._surroundings(thing, [rule for part in parts for rule in part.rules])
        judges = [Judge(part, surroundings) for part in parts]
        against = Judge(replace(_NO_FILE, rules=tuple([rule for _, rule in refusals])), surroundings)
        everything = tuple([rule for part in parts for rule in part.rules])
        whole = Judge(replace(parts[0], rules=everything), surroundings)
        says = dict(_SAYS)
        if is_owners(parts[0].url):
            says["maker"] = "your file says"
        reasons = []
        for flow in flows:
            verdict = against.judge(flow)
            if isinstance(verdict, Allowed) and not isinstance(judges[-1].judge(flow), Allowed):
                one = owners[verdict.rule]
                reasons.append(
                    Reason(False, "owner", one.id, f"you refuse it: {one.cause or f'your rule {one.id} says so'}")
                )
                continue
            said = [(by, judge.judge(flow)) for by, judge in zip(_BY, judges, strict=True)]
            by, rule = next(((by, one.rule) for by, one in said if isinstance(one, Allowed)), ("nobody", None))
            if rule is None:
                verdict = whole.judge(flow)
                words = verdict.reason if isinstance(verdict, Denied) else ""
                reasons.append(Reason(False, "nobody", "", words))
            else:
                name = owners[rule].id if by == "owner" else ""
                reasons.append(Reason(True, by, name, f"{says[by]}: {in_words([rule])[0]}"))
        return tuple(reasons)

    def neighbourhood(self) -> Neighbourhood:
        """Who is under rules, and what these open, with the words of each."""
        local = [(prefix.network_address.packed, prefix.prefixlen) for prefix in self._site.local_networks]
        stations = [self._station(one.thing, one.addresses) for one in self._residents.admitted()]
        return Neighbourhood(tuple(local), tuple(stations))

    def _station(self, thing: Thing, addresses: Iterable[ThingAddress]) -> Station:
        parts = self._parts(thing)
        refusals = replace(_NO_FILE, rules=tuple([rule for _, rule in self._overlay.of(thing, refuses=True)]))
        surroundings = self._surroundings(thing, [rule for part in (*parts, refusals) for rule in part.rules])
        openings, refused = (
            tuple(
                [
                    _opening(rule, prefix)
                    for part in some
                    for rule in part.rules
                    for prefix in surroundings.resolve(rule, authority=part.authority)
                ]
            )
            for some in (parts, (refusals,))
        )
        return Station(thing.id, tuple([one.ip.packed for one in addresses]), openings, refused)

    def _refusal(self, one: OwnerRule, compiled: tuple[Rule, ...]) -> frozenset[FlowRule]:
        """What a rule refuses, whoever the thing is; kept, unless it speaks of a name that stands for others by now."""
        known = self._refusals.get(one.id)
        if known is not None and known[0] is compiled:
            return known[1]
        names = Surroundings(names=self._names.addresses())
        made = frozenset(
            replace(self._flow_rule(rule, prefix), lifetime=None)
            for rule in compiled
            for prefix in names.resolve(rule, authority="")
        )
        if all(rule.remote.kind is RemoteKind.PREFIX for rule in compiled):
            here = {rule.id for rule in self._overlay.rules()}
            self._refusals = {key: kept for key, kept in self._refusals.items() if key in here}
            self._refusals[one.id] = (compiled, made)
        return made

    def _parts(self, thing: Thing) -> tuple[RuleSet, RuleSet, RuleSet]:
        """By whom: the maker, the owner, the domain."""
        mended = not is_unmended(thing)
        filed = (self.rules_of(thing) if mended else None) or _NO_FILE
        own = replace(_NO_FILE, rules=tuple([rule for _, rule in self._overlay.of(thing, refuses=False) if mended]))
        if thing.verifies_nothing:
            filed, own = (replace(part, rules=tuple(filter(_stays_inside, part.rules))) for part in (filed, own))
        return filed, own, replace(_NO_FILE, rules=self._site.baseline)

    def _flow_rule(self, rule: Rule, prefix: Prefix) -> FlowRule:
        named = rule.remote.kind is RemoteKind.DNS_NAME
        return FlowRule(
            outbound=rule.opened_by is Direction.FROM_DEVICE,
            remote=prefix,
            protocol=rule.protocol,
            remote_ports=(rule.remote_ports.first, rule.remote_ports.last),
            thing_ports=(rule.device_ports.first, rule.device_ports.last),
            icmp=None if rule.icmp is None else (rule.icmp.type, rule.icmp.code),
            lifetime=self._names.lifetime(rule.remote.name, prefix) if named else None,
        )

    def _surroundings(self, thing: Thing, wanted: Sequence[Rule]) -> Surroundings:
        manufacturers: dict[str, tuple[Prefix, ...]] = {}
        models: dict[str, tuple[Prefix, ...]] = {}
        # Few rules ask who else is there; to look through a large domain for each of its things takes it minutes.
        for one in self._residents.admitted() if names_peers(wanted) else ():
            rules = self._library.rules(one.thing.mud_url)
            # Who is kept from the Internet reaches nobody who is not, for nobody is to reach it on its behalf.
            is_kept_apart = thing.verifies_nothing and not one.thing.verifies_nothing
            if one.thing.id != thing.id and rules is not None and not is_kept_apart:
                hosts = tuple(_host(address) for address in one.addresses)
                manufacturers[rules.authority] = manufacturers.get(rules.authority, ()) + hosts
                models[rules.url] = models.get(rules.url, ()) + hosts
        return Surroundings(
            local_networks=self._site.local_networks,
            my_controller=self._site.controller,
            controllers=self._site.controllers,
            manufacturers=manufacturers,
            models=models,
            names=self._names.addresses(),
        )


def is_unmended(thing: Thing) -> bool:
    """Whether nobody mends a thing any more, so that it keeps its way to the controller and no other."""
    return thing.state is LifecycleState.END_OF_LIFE and thing.restriction is Restriction.NONE


@lru_cache(maxsize=4096)
def _way(rule: Rule) -> str:
    return str(replace(rule, expectations=()))


def names_peers(rules: Iterable[Rule]) -> bool:
    """Whether what these rules allow depends on which other things are there."""
    return any(rule.remote.kind in _PEERS for rule in rules)


def _stays_inside(rule: Rule) -> bool:
    """Whether a rule leads to the domain's controller or to other things, and nowhere from which one gets further.

    Names, addresses and the whole site are places where somebody may forward; so are servers for names.
    """
    return rule.remote.kind is RemoteKind.MY_CONTROLLER or rule.remote.kind in _PEERS


def _opening(rule: Rule, prefix: Prefix) -> Opening:
    return Opening(
        rule.opened_by is Direction.FROM_DEVICE,
        prefix.network_address.packed,
        prefix.prefixlen,
        rule.protocol,
        (rule.remote_ports.first, rule.remote_ports.last),
        (rule.device_ports.first, rule.device_ports.last),
        in_words([rule])[0],
    )


def _host(address: ThingAddress) -> Prefix:
    return ip_network(address.ip)


_CONFINED = "kept from the Internet: it verifies no release by itself"
_BY = ("maker", "owner", "domain")
_SAYS = {"maker": "its maker says", "owner": "you said", "domain": "each thing of the domain needs it"}
