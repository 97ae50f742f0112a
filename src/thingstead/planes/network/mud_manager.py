"""The MUD manager (RFC 8520 §1.6): each admitted thing may do on the network what its maker's file says, no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import ip_address

from thingstead.analysis.reach import Neighbourhood
from thingstead.analysis.traffic.flow import Flow
from thingstead.clock import Clock
from thingstead.domain.crypto_asset import CryptoAsset
from thingstead.domain.name import NameAnswer, NameStanding
from thingstead.domain.network import AppliedChange, Drop, ThingAddress
from thingstead.domain.owner_rule import ANYBODY, INTERNET, LOCAL, OwnerRule, as_prefix
from thingstead.domain.plane import OBLIGATIONS, Demand, Expiry, Finding, PlaneName, Probe, Receipt, Standing
from thingstead.domain.ports import Enforcement
from thingstead.domain.thing import Thing
from thingstead.errors import PolicyError, ThingsteadError, TransportError
from thingstead.identifier import ThingId, TransitionId
from thingstead.planes.network.alarm import Alarm, AlarmKind
from thingstead.planes.network.deviation import Deviations
from thingstead.planes.network.evidence import assets, expiries, findings
from thingstead.planes.network.mud_library import MudLibrary
from thingstead.planes.network.name_table import NameTable
from thingstead.planes.network.overlay import OWN, Overlay
from thingstead.planes.network.residents import Resident, Residents
from thingstead.planes.network.rule_book import NOBODY, Reason, RuleBook, SiteMap, is_unmended, names_peers
from thingstead.planes.network.rule_keeper import RuleKeeper, described
from thingstead.protocols.mud.rule import RuleSet, compile_rules
from thingstead.protocols.mud.signature import AdmissionPolicy, admit

__all__ = ["MudManager"]

_STATED = AdmissionPolicy("a release's statement", insecure_unsigned=True)
"""The software plane has proved whose word the file is: who signed the release stated its digest."""


class MudManager:
    """The network plane.

    Args:
        library: MUD files.
        names: DNS.
        enforcement: keeps the rules.
        site: local meanings.
        overlay: the owner's own rules.
        locate: a thing's addresses; called at each admission.
        clock: for UTC.
        alarm: told at once of deviations and changes.
        at_once: things whose rules change in one step, a tenth of a second; then others have their turn.
    """

    name = PlaneName.NETWORK

    def __init__(
        self,
        library: MudLibrary,
        names: NameTable,
        *,
        enforcement: Enforcement,
        site: SiteMap,
        overlay: Overlay,
        locate: Callable[[ThingId], tuple[ThingAddress, ...]],
        clock: Clock,
        alarm: Callable[[Alarm], None],
        at_once: int = 250,
    ) -> None:
        self._library = library
        self._names = names
        self._enforcement = enforcement
        self._overlay = overlay
        self._locate = locate
        self._clock = clock
        self._alarm = alarm
        self._deviations = Deviations()
        self._residents = Residents()
        self._book = RuleBook(library, names, self._residents, site=site, overlay=overlay)
        self._keeper = RuleKeeper(
            enforcement, self._book, self._residents, rate=site.rate, clock=clock, at_once=at_once
        )
        self._renewed: set[str] = set()

    @property
    def mode(self) -> str:
        """Who keeps the rules: ``nftables``, ``dry_run``, or nobody before `resume`."""
        return self._keeper.mode

    async def resume(self, things: Iterable[Thing]) -> None:
        """Put in force what the state of each thing asks for, after a restart, in place of what stood until then.

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
        await self._keeper.settle()

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Fetch, verify, compile and apply the thing's MUD file; without one it keeps its way to the controller.

        Raises:
            TransportError: its address is not known, or the enforcer refused.
            PolicyError: its address is another thing's.
        """
        applied = await self._admit(thing, Demand.ADMIT)
        source = self._book.source(thing)
        return self._receipt(thing, Demand.ADMIT, transition_id, f"{source}; {described(applied)}")

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Drop every packet of the thing, established flows included, but those by which the controller mends it.

        What it says to the controller opens nothing there while it is restricted. One at its end of life, whom nobody
        mends, keeps the same way (RFC 8576 §5.5), and flows there that are open.
        """
        applied = await self._restrict(thing, Demand.RESTRICT)
        detail = f"only the way to the controller left; {described(applied)}"
        return self._receipt(thing, Demand.RESTRICT, transition_id, detail)

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Take its rules away, and drop every packet of its interface."""
        applied = await self._bar(thing, Demand.WITHDRAW)
        await self._reapply_peers(thing)
        return self._receipt(thing, Demand.WITHDRAW, transition_id, f"rules gone, barred; {described(applied)}")

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
        """See that rules stand as they were applied, renew files and names that are due, and apply what came of it.

        Returns:
            Monotonic time of the next look-up, None where none is due; files are asked for at any call.
        """
        program = await self._enforcement.uphold()
        if program:
            detail = f"{program} changed the kernel's rules for things; they are in force again"
            self._alarm(Alarm(AlarmKind.RULES_ALTERED, None, self._clock.utc(), detail))
        urls = {one.thing.mud_url for one in self._residents.admitted() if one.thing.mud_url}
        changed = await self._library.renew(urls)
        names = frozenset[str]().union(*[self._book.dns_names(one.thing) for one in self._residents.admitted()])
        self._names.forget_all_but(names)
        renewed = await self._names.refresh(names) | self._renewed
        self._renewed.clear()
        admitted = [one.thing for one in self._residents.admitted()]
        concerned = {one.id for one in admitted if one.mud_url in changed or self._book.dns_names(one) & renewed}
        await self._names.keep()
        await self._keeper.reapply(await self._end_rules() | self._keeper.who_learned_enough() | concerned)
        return self._names.next_due()

    async def learn(self, answer: NameAnswer) -> None:
        """A thing is about to be told what a name stands for: the way there is open before it knows (RFC 9726 §3).

        Only names that the file of who asks has open anything, and only for it; where a resolver between us asks for
        nobody in particular, it opens it for all that have it, within a second. Strangers open nothing.

        Raises:
            TransportError: the enforcer refused.
        """
        asker = self._residents.at(ip_address(answer.asker)) if answer.asker else None
        if answer.asker and asker is None:
            return
        askers = self._residents.admitted() if asker is None else [asker]
        if not any(answer.name in self._book.dns_names(one.thing) for one in askers) or not self._names.learn(answer):
            return
        if asker is None:
            self._renewed.add(answer.name)
        elif asker.demand is Demand.ADMIT:
            await self._keeper.apply(asker)

    def names(self) -> tuple[NameStanding, ...]:
        """The names of all files in force, as they stand."""
        return self._names.standings()

    async def watch(self) -> tuple[Alarm, ...]:
        """Look at the counters: packets that no rule allows are a deviation, told to `alarm` and returned (R-80)."""
        alarms = self._deviations.since(await self._enforcement.counters(), self._clock.utc())
        for alarm in alarms:
            self._alarm(alarm)
        return alarms

    def rules_of(self, thing: Thing) -> RuleSet | None:
        """What its maker's word says, as compiled."""
        return self._book.rules_of(thing)

    async def owner_rules(self) -> tuple[OwnerRule, ...]:
        """The owner's own rules, the oldest first."""
        return self._overlay.rules()

    async def put_rule(self, rule: OwnerRule, by: str) -> tuple[ThingId, ...]:
        """Keep a rule of the owner's, as `by` says now, and put it in force for all that it is about.

        Returns:
            For whom it is in force. Where they are thousands, the rest follows from refresh to refresh.

        Raises:
            PolicyError: it says nothing here, or would cut things off from their controller.
            StorageError: it is not kept; nothing changed.
            TransportError: it is kept, and not in force for everybody yet; that is tried again.
        """
        before = [one for one in self._overlay.rules() if one.id == rule.id]
        await self._overlay.put(rule, by=by, at=self._clock.utc())
        if rule.remote not in {ANYBODY, LOCAL, INTERNET} and as_prefix(rule.remote) is None:
            await self._names.refresh(frozenset({rule.remote}))
        await self._keeper.reapply(self._concerned(*before, rule))
        return tuple(sorted(self._concerned(rule).difference(self._keeper.owed())))

    async def remove_rule(self, identifier: str, by: str) -> OwnerRule:
        """Forget a rule of the owner's; returns what it was.

        Raises:
            ConfigError: there is none of that name.
            StorageError: it is still kept.
            TransportError: as for `put_rule`.
        """
        rule = await self._overlay.remove(identifier, by=by, at=self._clock.utc())
        await self._keeper.reapply(self._concerned(rule))
        return rule

    async def explain(self, thing: ThingId, flows: tuple[Flow, ...]) -> tuple[Reason, ...]:
        """By whose word each of these conversations of a thing is allowed now, or why it is not."""
        resident = self._residents.of(thing)
        if resident is None:
            return tuple([NOBODY for _ in flows])
        return self._book.explain(resident.thing, flows)

    async def reach(self) -> Neighbourhood:
        """What the rules in force open, for whoever looks for paths through things (R-85)."""
        return self._book.neighbourhood()

    async def drops(self) -> tuple[Drop, ...]:
        """What was dropped since this was last asked."""
        return await self._enforcement.drops()

    def file(self, url: str) -> bytes | None:
        """A MUD file as last admitted; None where there never was one."""
        return self._library.file(url)

    async def vouch(self, document: bytes) -> None:
        """Take a file that the owner vouches for, and have whoever goes by it go by it from now on.

        Raises:
            ProtocolError: not a MUD file.
            PolicyError: of a URL that is somebody's.
            TransportError: the enforcer refused.
        """
        url = await self._library.vouch(document)
        for one in self._residents.admitted():
            if one.thing.mud_url == url:
                self._renewed |= await self._names.refresh(self._book.dns_names(one.thing))
                await self._keeper.apply_again(one.thing.id)

    async def obtain(self, url: str) -> bytes:
        """Have a file here that no thing goes by yet; what is in force stays as it is.

        Raises:
            TransportError: it cannot be had, or its maker's signature is not there.
        """
        return await self._library.obtain(url)

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
        if not self._book.release(resident.thing, rules):
            return True
        if rules is not None:
            await self._names.refresh(frozenset(rules.dns_names))
        await self._keeper.apply_again(thing)
        return True

    def _stated(self, document: bytes) -> RuleSet:
        return compile_rules(admit(document, None, policy=_STATED, at=self._clock.utc()))

    def expiries(self) -> Sequence[Expiry]:
        """Files that must be asked for again, and signers that run out."""
        return expiries(self._library, self._residents)

    def assets(self) -> Sequence[CryptoAsset]:
        """The certificates of who signs the MUD files that are in force."""
        return assets(self._library, self._residents)

    def findings(self, question: str) -> Sequence[Finding]:
        """What the rules in force show for `question`."""
        return findings(
            question, self._library, self._residents, mode=self.mode, packets_refused=self._deviations.packets_refused
        )

    def snapshot(self) -> Mapping[str, bytes]:
        """The MUD files as they came and the owner's own rules; who is barred is the lifecycle's to say."""
        return {**self._library.documents(), **self._overlay.documents()}

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up MUD files and the owner's own rules where none is here; nobody is admitted by that."""
        own = {key: document for key, document in documents.items() if key.startswith(OWN)}
        await self._overlay.restore(own)
        await self._library.restore({key: one for key, one in documents.items() if key not in own})

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
        self._renewed |= await self._names.refresh(self._book.dns_names(thing))
        now = self._residents.of(thing.id)
        if now is not known and now is not None and now.demand is not Demand.ADMIT:
            raise TransportError(f"{thing.id} was cut off while servers answered")
        resident = Resident(thing, addresses, demand)
        # First, as below: an answer of the DNS that comes meanwhile must not bring back where it was.
        self._residents.put(resident)
        try:
            applied = await self._keeper.apply(resident)
        except ThingsteadError:
            self._residents.take_back(resident, now)
            raise
        await self._reapply_peers(thing)
        return applied

    async def _restrict(self, thing: Thing, demand: Demand) -> AppliedChange:
        if not is_unmended(thing):
            return await self._bar(thing, demand)
        resident = Resident(thing, self._addresses(thing), demand)
        # First, as below: an answer of the DNS that comes meanwhile must not bring back what it had.
        self._residents.put(resident)
        return await self._keeper.apply(resident)

    async def _bar(self, thing: Thing, demand: Demand) -> AppliedChange:
        resident = Resident(thing, self._addresses(thing), demand)
        # First: whoever puts rules in force meanwhile must not take it for one who is in.
        self._residents.put(resident)
        return await self._keeper.bar(resident)

    def _addresses(self, thing: Thing) -> tuple[ThingAddress, ...]:
        """Where it was acted on last, too: a thing that says it moved must not keep what it had there.

        Who is nowhere by its owner's word has let go of all of it.
        """
        here, known = self._locate(thing.id), self._residents.of(thing.id)
        return tuple(dict.fromkeys((*here, *(known.addresses if known and here else ()))))

    async def _end_rules(self) -> set[ThingId]:
        """Forget rules of the owner's whose time is over; whom they were about."""
        ended = self._overlay.ended(self._clock.utc())
        for rule in ended:
            await self._overlay.remove(rule.id, by="clock", at=self._clock.utc())
        return self._concerned(*ended)

    def _concerned(self, *rules: OwnerRule) -> set[ThingId]:
        things = [one.thing for one in self._residents.admitted()]
        return {one.id for one in things if any(rule.is_about(one) for rule in rules)}

    async def _reapply_peers(self, thing: Thing) -> None:
        """Whoever may talk to things of a maker or model may now talk to one more, or one less."""
        concerned = {url for url, shelved in self._library.shelved().items() if names_peers(shelved.rules.rules)}
        for one in self._residents.admitted() if concerned else ():
            if one.thing.id != thing.id and one.thing.mud_url in concerned:
                await self._keeper.apply_again(one.thing.id)

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId, detail: str) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), detail)
