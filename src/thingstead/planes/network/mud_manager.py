"""The MUD manager (RFC 8520 §1.6): each admitted thing may do on the network what its maker's file says, no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from weakref import WeakValueDictionary

from thingstead.clock import Clock
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.name import NameAnswer, NameStanding
from thingstead.domain.network import AppliedChange, FlowRule, NetworkChange, ThingAddress
from thingstead.domain.plane import OBLIGATIONS, Demand, Expiry, Finding, PlaneName, Probe, Receipt, Standing
from thingstead.domain.ports import Enforcement
from thingstead.domain.thing import Thing
from thingstead.errors import PolicyError, TransportError, UntrustedError
from thingstead.identifier import ThingId, TransitionId
from thingstead.planes.network.alarm import Alarm, AlarmKind
from thingstead.planes.network.findings import CONTROLS
from thingstead.planes.network.mud_library import MudLibrary
from thingstead.planes.network.name_table import NameTable
from thingstead.planes.network.residents import Resident, Residents
from thingstead.protocols.mud.file import Direction, Prefix, RemoteKind
from thingstead.protocols.mud.rule import Rule, RuleSet, Surroundings, compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit

__all__ = ["MudManager", "SiteMap"]

_PEERS = (RemoteKind.SAME_MANUFACTURER, RemoteKind.MANUFACTURER, RemoteKind.MODEL)

_STATED = AdmissionPolicy("a release's statement", insecure_unsigned=True)
"""The software plane has proved whose word the file is: who signed the release stated its digest."""


@dataclass(frozen=True, slots=True)
class SiteMap:
    """The owner's answers to what MUD files leave open.

    Attributes:
        local_networks: prefixes of the site.
        controller: this domain's controller: what ``my-controller`` means.
        controllers: other classes, e.g. the local DNS and NTP servers, by URI.
        baseline: rules that every admitted thing has beside its file: its way to the controller.
    """

    local_networks: tuple[Prefix, ...]
    controller: tuple[Prefix, ...]
    controllers: Mapping[str, tuple[Prefix, ...]]
    baseline: tuple[Rule, ...] = ()


class MudManager:
    """The network plane.

    Args:
        library: MUD files.
        names: DNS.
        enforcement: keeps the rules.
        site: local meanings.
        locate: a thing's addresses; called at each admission.
        clock: for UTC.
        alarm: told at once of deviations and changes.
        deviation_packets: refused packets between two looks that are worth an alarm.
    """

    name = PlaneName.NETWORK

    def __init__(
        self,
        library: MudLibrary,
        names: NameTable,
        *,
        enforcement: Enforcement,
        site: SiteMap,
        locate: Callable[[ThingId], tuple[ThingAddress, ...]],
        clock: Clock,
        alarm: Callable[[Alarm], None],
        deviation_packets: int = 1,
    ) -> None:
        self._library = library
        self._names = names
        self._enforcement = enforcement
        self._site = site
        self._locate = locate
        self._clock = clock
        self._alarm = alarm
        self._deviation_packets = deviation_packets
        self._residents = Residents()
        self._rules: WeakValueDictionary[int, frozenset[FlowRule]] = WeakValueDictionary()
        self._renewed: set[str] = set()
        self._refused: dict[ThingId, int] = {}
        self._released: dict[ThingId, RuleSet] = {}
        self._mode = "nobody yet"

    @property
    def mode(self) -> str:
        """Who keeps the rules: ``nftables``, ``dry_run``, or nobody before the first change."""
        return self._mode

    async def resume(self, things: Iterable[Thing]) -> None:
        """Put in force what the state of each thing asks for, after a restart: the kernel starts from nothing.

        Whose address is another thing's gets nothing, which is told. Whose address is not known yet is owed its rules
        until it is heard.

        Raises:
            TransportError: the enforcer refused.
        """
        acts = {Demand.ADMIT: self._admit, Demand.RESTRICT: self._restrict, Demand.WITHDRAW: self._bar}
        for thing in things:
            demand = OBLIGATIONS[thing.state, thing.restriction][self.name]
            if demand is None or (demand is Demand.ADMIT and not self._locate(thing.id)):
                continue
            try:
                await acts[demand](thing, demand)
            except PolicyError as error:
                # Two things that claim one address cost one of them its way, never the domain its start.
                self._alarm(Alarm(AlarmKind.ADDRESS_TAKEN, thing.id, self._clock.utc(), str(error)))

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Fetch, verify, compile and apply the thing's MUD file; without one it keeps its way to the controller.

        Raises:
            TransportError: its address is not known, or the enforcer refused.
            PolicyError: its address is another thing's.
        """
        applied = await self._admit(thing, Demand.ADMIT)
        rules = self.rules_of(thing)
        source = "no MUD file: baseline only" if rules is None else f"{rules.url} by {rules.signer or 'nobody'}"
        if thing.verifies_nothing:
            source = f"{_CONFINED} ({source})"
        return self._receipt(thing, Demand.ADMIT, transition_id, f"{source}; {_described(applied)}")

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Drop every packet of the thing, established flows included; nobody mends one at its end of life, so that it
        keeps its way to the controller and no other (RFC 8576 §5.5).
        """
        applied = await self._restrict(thing, Demand.RESTRICT)
        kept = "only the way to the controller left" if _is_unmended(thing) else "all packets dropped"
        return self._receipt(thing, Demand.RESTRICT, transition_id, f"{kept}; {_described(applied)}")

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Take its rules away, and drop every packet of its interface."""
        applied = await self._bar(thing, Demand.WITHDRAW)
        await self._reapply_peers(thing)
        return self._receipt(thing, Demand.WITHDRAW, transition_id, f"rules gone, barred; {_described(applied)}")

    async def probe(self, thing: Thing) -> Probe:
        """Ask the enforcer."""
        answer = await self._enforcement.standing(thing.id)
        standing = Standing.ABSENT
        if answer.admitted:
            standing = Standing.ACCEPTED
        elif answer.barred:
            standing = Standing.REFUSED
        party = "kernel (nftables)" if answer.mode == "nftables" else f"nobody ({answer.mode}: NOT enforced)"
        detail, enforced = f"barred: {answer.barred}", answer.mode != "dry_run"
        return Probe(self.name, thing.id, standing, party, self._clock.utc(), detail, enforced=enforced)

    async def refresh(self) -> float | None:
        """Renew files and names that are due, and apply what came of it.

        Returns:
            Monotonic time of the next look-up, None where none is due; files are asked for at any call.
        """
        urls = {one.thing.mud_url for one in self._residents.admitted() if one.thing.mud_url}
        changed = {url for url in urls if await self._library.refresh(url)}
        names = frozenset[str]().union(*[self._dns_names(one.thing) for one in self._residents.admitted()])
        self._names.forget_all_but(names)
        renewed = await self._names.refresh(names) | self._renewed
        self._renewed.clear()
        # Asked anew: whoever was barred while servers answered must not come back.
        for one in self._residents.admitted():
            if one.thing.mud_url in changed or self._dns_names(one.thing) & renewed:
                await self._apply(one)
        return self._names.next_due()

    async def learn(self, answer: NameAnswer) -> None:
        """A thing is about to be told what a name stands for: the way there is open before it knows (RFC 9726 §3).

        Only names that the file of who asks has open anything, and only for it; where a resolver between us asks for
        all, it opens it for all that have it, within a second.

        Raises:
            TransportError: the enforcer refused.
        """
        asker = self._residents.at(ip_address(answer.asker))
        askers = self._residents.admitted() if asker is None else [asker]
        if not any(answer.name in self._dns_names(one.thing) for one in askers) or not self._names.learn(answer):
            return
        if asker is None:
            self._renewed.add(answer.name)
        elif asker.demand is Demand.ADMIT:
            await self._apply(asker)

    def names(self) -> tuple[NameStanding, ...]:
        """The names of all files in force, as they stand."""
        return self._names.standings()

    async def watch(self) -> tuple[Alarm, ...]:
        """Look at the counters: packets that no rule allows are a deviation, told to `alarm` and returned (R-80)."""
        alarms: list[Alarm] = []
        for row in await self._enforcement.counters():
            before = self._refused.get(row.thing, 0)
            self._refused[row.thing] = row.refused
            if row.refused - before >= self._deviation_packets:
                detail = f"{row.refused - before} packets that no rule allows, {row.refused} in all"
                alarms.append(
                    Alarm(AlarmKind.DEVIATION, row.thing, self._clock.utc(), detail, packets=row.refused - before)
                )
        for alarm in alarms:
            self._alarm(alarm)
        return tuple(alarms)

    def rules_of(self, thing: Thing) -> RuleSet | None:
        """What its maker's word says, as compiled: that of the release which it runs, or else its file."""
        return self._released.get(thing.id) or self._library.rules(thing.mud_url)

    def file(self, url: str) -> bytes | None:
        """A MUD file as last admitted; None where there never was one."""
        return self._library.file(url)

    async def expect(self, document: bytes) -> None:
        """A release is offered whose things will go by this file: its names are looked up before one runs it.

        Raises:
            ProtocolError: not a MUD file.
        """
        await self._names.refresh(frozenset(self._stated(document).dns_names))

    async def release(self, thing: ThingId, document: bytes) -> bool:
        """Have a thing go by the MUD file of the release that it runs, or again by its own where that is empty.

        Returns:
            Whether it is here; who is not is asked for again.

        Raises:
            ProtocolError: not a MUD file.
            UntrustedError: a file of another maker's than the thing's own.
            TransportError: the enforcer refused.
        """
        resident = self._residents.of(thing)
        if resident is None:
            return False
        rules = self._stated(document) if document else None
        filed = self._library.rules(resident.thing.mud_url)
        if rules is not None and filed is not None and rules.authority != filed.authority:
            raise UntrustedError(
                f"the release's MUD file is of {rules.authority}, the thing's of {filed.authority}",
                spec="RFC 8520 §3.2",
            )
        if rules == self._released.get(thing):
            return True
        self._released.pop(thing, None)
        if rules is not None:
            self._released[thing] = rules
            await self._names.refresh(frozenset(rules.dns_names))
        if resident.demand is Demand.ADMIT:
            await self._apply(resident)
        return True

    def _stated(self, document: bytes) -> RuleSet:
        return compile_rules(admit(document, None, policy=_STATED, at=self._clock.utc()))

    def expiries(self) -> Sequence[Expiry]:
        """Files that must be asked for again, and signers that run out."""
        expiries = []
        for url, shelved in self._library.shelved().items():
            things = self._residents.with_url(url)
            expiries.append(Expiry(f"MUD file {url}", shelved.stale_at, things, self.name, shelved.stale_at))
            if shelved.rules.signer_expires is not None:
                what = f"signer of MUD file {url}: {shelved.rules.signer}"
                expiries.append(Expiry(what, shelved.rules.signer_expires, things, self.name))
        return tuple(expiries)

    def assets(self) -> Sequence[CryptoAsset]:
        """The certificates of who signs the MUD files that are in force."""
        return [
            CryptoAsset(
                AssetKind.CERTIFICATE,
                f"signer of MUD file {url}",
                (rules.signer_algorithm,),
                self._residents.with_url(url),
                None,
                rules.signer_expires,
            )
            for url, rules in ((url, shelved.rules) for url, shelved in self._library.shelved().items())
            if rules.signer_algorithm
        ]

    def findings(self, question: str) -> Sequence[Finding]:
        """What the rules in force show for `question`."""
        row = CONTROLS.get(question)
        if row is None:
            return ()
        control, risk = row
        ruled = self._residents.admitted()
        filed = sum(self._library.rules(one.thing.mud_url) is not None for one in ruled)
        evidence = (
            f"{len(ruled)} things under rules, {filed} by a MUD file of their maker, kept by {self._mode}; "
            f"{sum(self._refused.values())} packets refused"
        )
        return (Finding(question, self.name, control, evidence, risk, holds=bool(ruled) and self._mode == "nftables"),)

    def snapshot(self) -> Mapping[str, bytes]:
        """The MUD files as they came; rules are made again, and who is barred is the lifecycle's to say."""
        return self._library.documents()

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up MUD files where none is here; nobody is admitted by that."""
        await self._library.restore(documents)

    async def _admit(self, thing: Thing, demand: Demand) -> AppliedChange:
        known = self._residents.of(thing.id)
        if known is not None and known.thing.mud_url != thing.mud_url:
            detail = f"{known.thing.mud_url} became {thing.mud_url}"
            self._alarm(Alarm(AlarmKind.MUD_URL_CHANGED, thing.id, self._clock.utc(), detail))
        addresses = self._locate(thing.id)
        if not addresses:
            raise TransportError(f"the network address of {thing.id} is not known")
        if thing.mud_url:
            await self._library.refresh(thing.mud_url)
        # Others have the same names, and their lifetimes in the kernel run on: the next refresh renews them too.
        self._renewed |= await self._names.refresh(self._dns_names(thing))
        resident = Resident(thing, addresses, demand)
        applied = await self._apply(resident)
        self._residents.put(resident)
        await self._reapply_peers(thing)
        return applied

    async def _restrict(self, thing: Thing, demand: Demand) -> AppliedChange:
        if not _is_unmended(thing):
            return await self._bar(thing, demand)
        resident = Resident(thing, self._addresses(thing), demand)
        applied = await self._apply(resident)
        self._residents.put(resident)
        return applied

    async def _bar(self, thing: Thing, demand: Demand) -> AppliedChange:
        resident = Resident(thing, self._addresses(thing), demand)
        applied = await self._enforcement.apply(NetworkChange(thing.id, resident.addresses, None, barred=True))
        self._mode = applied.mode
        self._residents.put(resident)
        return applied

    def _addresses(self, thing: Thing) -> tuple[ThingAddress, ...]:
        """Where it was acted on last, too: a thing that says it moved must not keep what it had there."""
        known = self._residents.of(thing.id)
        return tuple(dict.fromkeys((*self._locate(thing.id), *(() if known is None else known.addresses))))

    async def _apply(self, resident: Resident) -> AppliedChange:
        rules = self._flow_rules(resident.thing)
        applied = await self._enforcement.apply(NetworkChange(resident.thing.id, resident.addresses, rules))
        self._mode = applied.mode
        return applied

    async def _reapply_peers(self, thing: Thing) -> None:
        """Whoever may talk to things of a maker or model may now talk to one more, or one less."""
        concerned = {url for url, shelved in self._library.shelved().items() if _names_peers(shelved.rules.rules)}
        for one in self._residents.admitted() if concerned else ():
            if one.thing.id != thing.id and one.thing.mud_url in concerned:
                await self._apply(one)

    def _dns_names(self, thing: Thing) -> frozenset[str]:
        rules = self.rules_of(thing)
        return frozenset() if rules is None else frozenset(rules.dns_names)

    def _flow_rules(self, thing: Thing) -> frozenset[FlowRule]:
        rules = None if _is_unmended(thing) else self.rules_of(thing)
        named = () if rules is None else rules.rules
        if thing.verifies_nothing:
            named = tuple([rule for rule in named if _stays_inside(rule)])
        wanted = (*named, *self._site.baseline)
        surroundings = self._surroundings(thing, wanted)
        authority = "" if rules is None else rules.authority
        made = frozenset(
            self._flow_rule(rule, prefix)
            for rule in wanted
            for prefix in surroundings.resolve(rule, authority=authority)
        )
        # Things of one model have the same rules most of the time; they are kept once.
        known = self._rules.get(hash(made))
        if known != made:
            known = self._rules[hash(made)] = made
        return known

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
        for one in self._residents.admitted() if _names_peers(wanted) else ():
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

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId, detail: str) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), detail)


def _is_unmended(thing: Thing) -> bool:
    return thing.state is LifecycleState.END_OF_LIFE and thing.restriction is Restriction.NONE


def _stays_inside(rule: Rule) -> bool:
    """Whether a rule leads to the domain's controller or to other things, and nowhere from which one gets further.

    Names, addresses and the whole site are places where somebody may forward; so are servers for names.
    """
    return rule.remote.kind is RemoteKind.MY_CONTROLLER or rule.remote.kind in _PEERS


def _names_peers(rules: Iterable[Rule]) -> bool:
    """Whether what these rules allow depends on which other things are there."""
    return any(rule.remote.kind in _PEERS for rule in rules)


def _host(address: ThingAddress) -> Prefix:
    return ip_network(address.ip)


def _described(applied: AppliedChange) -> str:
    if applied.seconds is None:
        return f"DRY RUN: {applied.added} rules added and {applied.removed} removed on paper, nothing is enforced"
    took = f"{applied.seconds * 1000:.2f} ms"
    return f"{applied.added} rules added, {applied.removed} removed, in force in {took} ({applied.mode})"


_CONFINED = "kept from the Internet: it verifies no release by itself"
