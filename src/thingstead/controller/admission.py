"""Admission: whether a proven newcomer may join; what it gets is committed before it is told.

Who it is and whether it may are two questions, asked of two parts and recorded as two entries: the registrar
verified the identity, the join policy decides (RFC 8576 §5.2; R-59).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from weakref import WeakValueDictionary

from thingstead.clock import Clock
from thingstead.controller.conductor import Conductor
from thingstead.controller.identity_engine import RemoteAuthority
from thingstead.controller.join_judge import JoinJudge, Name
from thingstead.controller.remote_access import RemoteAccess
from thingstead.controller.standing import is_member, key_rows, objection, require_welcome
from thingstead.controller.vouching import VouchFor, next_step, require_voucher, vouched
from thingstead.controller.waiting_room import APPROVAL_LIFETIME, Approval, Waiting, WaitingRoom
from thingstead.domain.attestation_policy import AttestationPolicy
from thingstead.domain.crypto_policy import CryptoPolicy
from thingstead.domain.ledger.entry import Detail
from thingstead.domain.lifecycle import Cause, LifecycleState, Restriction
from thingstead.domain.policy import (
    Decision,
    Explanation,
    IdentityFacts,
    JoinPolicy,
    OwnerPolicy,
    Verdict,
    record,
)
from thingstead.domain.ports import Committer
from thingstead.domain.register import Register
from thingstead.domain.role import OWNER
from thingstead.domain.thing import KeyRow, Thing, released_under
from thingstead.domain.unit import Unit
from thingstead.endpoint.counter import RateLimits
from thingstead.errors import ForbiddenError, PolicyError, StateError
from thingstead.identifier import ThingId, thing_id_from_random
from thingstead.phases.bootstrap import Newcomer
from thingstead.planes.access.authorization_server import AuthorizationServer
from thingstead.planes.access.join_tokens import Proposal
from thingstead.planes.identity.certificate_authority import CertificateAuthority
from thingstead.planes.identity.ownership import IN_HAND, Ownership
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.profile.delegation import VerifiedDelegation
from thingstead.protocols.profile.grant import Grant

__all__ = ["Admission"]

_ACTOR = "registrar"
_SETTLED = frozenset({LifecycleState.OPERATIONAL, LifecycleState.MAINTENANCE})
_SECONDS_PER_ATTEMPT = 10.0
_ATTEMPTS_AT_ONCE = 10
_MAX_NAMES = 4096
_IN = _SETTLED | {LifecycleState.RE_BOOTSTRAPPING, LifecycleState.END_OF_LIFE}


class Admission:
    """Takes newcomers in, or says why not; to be given to `Bootstrap` as its `Admission`.

    Args:
        policy: what the owner wrote.
        waiting: whom it holds.
        vouch: asks a maker's server.
        issuer_credential: CCS of the key that tokens are signed with.
        note_place: keeps the address that a verified handshake came from.
        attest: appraises what a newcomer says that it runs; raises where it is to get nothing.

    Attributes:
        on_url: told where the credential of whoever joined says that its MUD file is.
    """

    def __init__(
        self,
        conductor: Conductor,
        register: Register,
        *,
        store: Committer,
        identity: CertificateAuthority | RemoteAuthority,
        access: AuthorizationServer | RemoteAccess,
        ownership: Ownership,
        policy: OwnerPolicy,
        waiting: WaitingRoom,
        vouch: VouchFor,
        issuer_credential: bytes,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        note_place: Callable[[ThingId, str], Awaitable[None]],
        attest: Callable[[Thing, Newcomer], Awaitable[None]],
    ) -> None:
        self._conductor = conductor
        self._register = register
        self._store = store
        self._identity = identity
        self._access = access
        self._ownership = ownership
        self._policy = policy
        self._judge = JoinJudge(register, waiting, policy=lambda: self._policy.join, clock=clock)
        self._waiting = waiting
        self._vouch = vouch
        self._issuer_credential = issuer_credential
        self._clock = clock
        self._random_bytes = random_bytes
        self._note_place = note_place
        self._attest = attest
        self.on_url: Callable[[ThingId, str], None] = lambda _thing, _url: None
        self._joining: WeakValueDictionary[Name, asyncio.Lock] = WeakValueDictionary()
        self._attempts = RateLimits(1 / _SECONDS_PER_ATTEMPT, burst=_ATTEMPTS_AT_ONCE, max_names=_MAX_NAMES)

    @property
    def policy(self) -> JoinPolicy:
        """What is decided by now."""
        return self._policy.join

    @property
    def crypto(self) -> CryptoPolicy:
        """Which algorithms are taken now."""
        return self._policy.crypto

    @property
    def attestation(self) -> AttestationPolicy:
        """What waits for evidence by now."""
        return self._policy.attestation

    def apply(self, policy: OwnerPolicy) -> None:
        """Decide by `policy` from the next join on."""
        self._policy = policy

    def waiting(self) -> tuple[tuple[Thing, Waiting], ...]:
        """Who waits for a person, in the order they came."""
        things = [(self._register.thing(one.thing), one) for one in self._waiting]
        return tuple([(thing, one) for thing, one in things if objection(thing) is None])

    def waits(self, thing: ThingId) -> str:
        """What a thing waits for, in a word; empty for one that does not wait."""
        known, found = self._register.thing(thing), self._waiting.seated(thing)
        if found is None or objection(known) is not None:
            return ""
        return "a person" if found.approval is None else "to knock"

    async def approve(
        self,
        thing: ThingId,
        scope: str,
        *,
        key: str = "",
        by: str,
        delegation: VerifiedDelegation | None = None,
        proof: bytes = b"",
    ) -> Waiting:
        """Let the next attempt of a thing that waits for a person pass, if it comes within a day and with that key.

        Args:
            thing: who waits.
            scope: name of the scope it gets; empty for the one of the rule that holds it.
            key: the first digits of the key's thumbprint as they stand on the thing; empty if nobody compared.
            by: who says so, for the ledger.
            delegation: by which right, where it is not the owner.
            proof: what they signed, for the ledger.

        Raises:
            PolicyError: the thing does not wait, or for its maker's word; or the policy has no such scope, or gives it
                none by itself.
            UntrustedError: the thing was retired or handed over, is restricted, or proved another key.
            ForbiddenError: it is not the installer's to approve.
        """
        known = self._register.thing(thing)
        require_welcome(known)
        waiting, now = self._waiting.find(thing), self._clock.utc()
        require_voucher(waiting)
        until = now + APPROVAL_LIFETIME
        details: dict[str, Detail] = {"compared": bool(key)}
        if delegation is not None:
            delegation.require(zone=waiting.zone, device_class=known.device_class, at=now)
            _require_installers_way(scope, key)
            until = min(until, delegation.expires)
            details |= {"delegation": delegation.cti, "signed": proof}
        if key:
            waiting.compare(key)
        elif IN_HAND in waiting.rule:
            raise PolicyError(f"{IN_HAND}: thingstead thing admit {thing} --key DIGITS", reason="in-hand")
        self._judge.require_scope(known, scope)
        name, most = (b"", None) if delegation is None else (delegation.cti, delegation.most)
        return await self._waiting.approve(waiting, Approval(scope, until, by, name), details=details, most=most)

    @property
    def room(self) -> WaitingRoom:
        """Where approvals wait to be used."""
        return self._waiting

    async def undo(self, thing: ThingId, *, by: str) -> Waiting:
        """Take an approval back that was not used yet; the owner anybody's, an installer their own.

        Raises:
            PolicyError: the thing does not wait, or nobody has approved it.
            ForbiddenError: another person's approval.
        """
        said = self._waiting.find(thing).approval
        if said is not None and by not in (OWNER.actor, said.by):
            raise ForbiddenError(f"{said.by} approved {thing}; they or the owner may undo that", reason="delegation")
        return await self._waiting.undo(thing, by=by)

    def explain(self, facts: IdentityFacts, *, at: datetime) -> Explanation:
        """What would be decided about a thing with these facts that came at `at`.

        Raises:
            UntrustedError: as for `JoinJudge.explain`.
        """
        return self._judge.explain(facts, at=at)

    def grant_of(self, thing: ThingId) -> Grant:
        """What a thing holds since it joined.

        Raises:
            StateError: it holds nothing.
            StorageError: that cannot be read.
        """
        access_token, granted_token = self._access.tokens_of(thing)
        return Grant(access_token, granted_token, self._identity.credential_of(thing), self._issuer_credential)

    async def __call__(self, newcomer: Newcomer) -> Grant:
        """Decide, commit on every plane, and only then hand out; one join of a thing at a time.

        Raises:
            UntrustedError: the thing was retired or handed over, or is restricted.
            PolicyError: the policy refuses it, or holds it until a person approves; or it comes too often.
            ForbiddenError: what it runs is not what was published, or it does not say what it runs.
            TransitionError: it was retired or restricted while it joined.
        """
        # Two handshakes of one newcomer at once would make it two things, of which one outlives the other's end.
        name = (newcomer.identity.maker, newcomer.identity.serial)
        async with self._joining.setdefault(name, asyncio.Lock()):
            try:
                return await self._admit(newcomer)
            finally:
                self._judge.leave(name)

    async def _admit(self, newcomer: Newcomer) -> Grant:
        known = self._find(newcomer)
        if known is not None:
            require_welcome(known)
        facts = _facts(newcomer)
        # Before anything is written: each attempt is on the ledger, and nobody but the thing itself can use this up.
        if not self._attempts.allow((facts.maker, facts.serial), self._clock.now()):
            raise PolicyError(f"{facts.serial} comes too often", reason="often")
        ownerless = self._ownerless(known, newcomer)
        decision, voucher = self._judge.explain(facts, at=self._clock.utc(), ownerless=ownerless).decision, b""
        if decision.verdict is Verdict.ADMIT:
            # In the same step of the event loop: of two that come together, the second counts the first.
            self._judge.enter(facts)
            decision, voucher = await vouched(newcomer, decision, self._vouch)
        thing = known
        if thing is None and decision.verdict is not Verdict.REFUSE:
            thing = await self._make_known(newcomer, decision)
        entries = record(facts, decision, thing=None if thing is None else thing.id, actor=_ACTOR, at=self._clock.utc())
        if thing is not None and decision.verdict is Verdict.HOLD:
            await self._waiting.tell(
                thing.id, facts.thumbprint, rule=decision.rule, zone=decision.zone, entries=entries
            )
            raise PolicyError(f"{thing.id} waits: {next_step(self._waiting.find(thing.id))}", reason="held")
        await self._store.commit(Unit(entries=entries))
        if decision.verdict is Verdict.REFUSE or thing is None or decision.scope is None:
            raise PolicyError(f"the join policy refuses {facts.serial}: {decision.rule}", reason="refused")
        await self._attest(thing, newcomer)
        return replace(await self._take_in(thing, newcomer, decision, decision.scope), voucher=voucher)

    async def _take_in(self, thing: Thing, newcomer: Newcomer, decision: Decision, scope: Scope) -> Grant:
        is_in = thing.state in _IN
        was_member = is_member(thing, cose_key.thumbprint(newcomer.identity.public))
        thing = await self._to_bootstrapping(thing)
        await self._note_place(thing.id, newcomer.source)
        self._identity.prove(thing.id, newcomer.identity.public)
        proposal = Proposal(newcomer.identity.public, newcomer.oscore, scope, self._policy.granted)
        self._access.propose(thing.id, proposal)
        try:
            report = await self._conductor.transition(
                thing.id,
                Cause.JOINED,
                actor=_ACTOR,
                evidence={"rule": decision.rule},
                changes={
                    "model": newcomer.identity.model,
                    "zone": decision.zone,
                    "joined_at": self._clock.utc(),
                    "verifies": newcomer.identity.verifies,
                    "keys": self._keys(thing, newcomer, is_in=is_in),
                },
            )
        finally:
            # What was not granted now is granted by no later decision, such as the end of a quarantine.
            self._identity.disprove(thing.id)
            self._access.retract(thing.id)
        await self._waiting.leave(thing.id, is_member=was_member)
        self.on_url(thing.id, newcomer.identity.mud_url)
        for plane in (self._identity.name, self._access.name):
            if plane in report.failures:
                raise StateError(f"the {plane} plane could not admit {thing.id}: {report.failures[plane]}")
        return self.grant_of(thing.id)

    async def _to_bootstrapping(self, thing: Thing) -> Thing:
        """Bring a known thing to where a join may end: a lost or repeated join begins anew (R-04)."""
        if thing.state in _SETTLED:
            cause = Cause.RE_BOOTSTRAP_REQUIRED
        elif thing.state is LifecycleState.INSTALLED:
            cause = Cause.JOIN_STARTED
        else:
            return thing
        return (await self._conductor.transition(thing.id, cause, actor=_ACTOR)).thing

    async def _make_known(self, newcomer: Newcomer, decision: Decision) -> Thing:
        identity = newcomer.identity
        thing = Thing(
            id=thing_id_from_random(self._random_bytes(10)),
            version=1,
            state=LifecycleState.INSTALLED,
            restriction=Restriction.NONE,
            maker=identity.maker,
            model=identity.model,
            serial=identity.serial,
            device_class=identity.constrained_class,
            mud_url=identity.mud_url,
            zone=decision.zone,
            support_end=identity.supported_until,
            verifies=identity.verifies,
        )
        return await self._conductor.register(thing, actor=_ACTOR, evidence={"serial": identity.serial})

    def _keys(self, thing: Thing, newcomer: Newcomer, *, is_in: bool) -> tuple[KeyRow, ...]:
        """Its own key, and of a newcomer those that sign its releases by its papers; who is in may be adopted since."""
        at = self._clock.utc()
        rows = key_rows(thing, newcomer.identity.public, at)
        return rows if is_in else released_under(rows, self._ownership.release_keys(newcomer.identity), at=at)

    def _find(self, newcomer: Newcomer) -> Thing | None:
        maker, serial = newcomer.identity.maker, newcomer.identity.serial
        return self._register.find(maker, serial)

    def _ownerless(self, known: Thing | None, newcomer: Newcomer) -> str:
        """Why nobody knows that it is ours; whoever is in was asked when it came."""
        if known is not None and known.state in _IN:
            return ""
        return self._ownership.objection(newcomer.identity, newcomer.custody)


def _require_installers_way(scope: str, key: str) -> None:
    """An installer says yes to a key that they compared; which rights come with it, the owner wrote down."""
    if scope:
        raise ForbiddenError("the scope is the owner's to choose; an installer gives that of the rule", reason="scope")
    if not key:
        raise ForbiddenError("an installer compares the key on the thing: give its digits (--key)", reason="key")


def _facts(newcomer: Newcomer) -> IdentityFacts:
    identity = newcomer.identity
    return IdentityFacts(
        maker=identity.maker,
        model=identity.model,
        serial=identity.serial,
        thumbprint=cose_key.thumbprint(identity.public),
        method="edhoc-3",
        support_end=identity.supported_until,
    )
