"""Has things attest: when they join where the policy asks for it, after each installation, and when somebody asks.

What waits for evidence asks `require` or `objection`; both answer from memory.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from thingstead.clock import Clock
from thingstead.controller.standing import GONE
from thingstead.crypto.key import PublicKey
from thingstead.domain.attestation_policy import AttestationPolicy, Waits
from thingstead.domain.register import Register
from thingstead.domain.thing import Thing
from thingstead.errors import ForbiddenError, RequestRefusedError, ThingsteadError
from thingstead.identifier import ThingId
from thingstead.planes.software.attestation import Appraisal, Standing
from thingstead.planes.software.verifier import Verifier
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import attestation as profile
from thingstead.protocols.profile import path

__all__ = ["Ask", "Attesting"]

_LOGGER = logging.getLogger(__name__)
_PATIENCE = 10.0
_AT_ONCE = 8

Ask = Callable[[ThingId, Message, float], Awaitable[Message]]
"""Asks a thing under its association; the last is how many seconds its answer may take."""


class Attesting:
    """The controller's side of every attestation.

    Args:
        verifier: asks, appraises and remembers.
        register: the things.
        policy: the one in force.
        ask: the way to things.
        holder: the key that a thing proved when it joined.
        accepts: whether it may update, and so is in.
        installed_at: when it said last that it runs another release; None where it never did.
        leave_behind: has groups go on without what it knows of them.
        clock: for UTC.
    """

    def __init__(
        self,
        verifier: Verifier,
        register: Register,
        *,
        policy: Callable[[], AttestationPolicy],
        ask: Ask,
        holder: Callable[[ThingId], PublicKey],
        accepts: Callable[[ThingId], bool],
        installed_at: Callable[[ThingId], datetime | None],
        leave_behind: Callable[[ThingId], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self.verifier = verifier
        self._register = register
        self._policy = policy
        self._ask = ask
        self._holder = holder
        self._accepts = accepts
        self._installed_at = installed_at
        self._leave_behind = leave_behind
        self._is_offer_new = True
        self._clock = clock
        self._due: dict[ThingId, None] = {}

    def nonce(self) -> bytes:
        """What a thing that joins is asked with; empty where nothing waits for evidence."""
        return self.verifier.nonce() if self._policy().require else b""

    async def join(self, thing: Thing, public: PublicKey, *, nonce: bytes, evidence: bytes) -> None:
        """Appraise what a thing that joins says of itself, before it gets anything (R-22).

        Raises:
            ForbiddenError: its tokens wait for evidence, and it gave none that passes.
            StorageError: the appraisal could not be kept.
        """
        policy = self._policy()
        if not policy.require or not policy.covers(thing.model):
            return
        await self.verifier.appraise(thing.id, evidence if nonce else b"", public, nonce=nonce)
        self.require(thing.id, Waits.TOKENS)

    async def attest(self, thing: ThingId) -> Appraisal:
        """Ask a thing for evidence now, and appraise it.

        Raises:
            StateError: it is not in.
            TransportError: it did not answer.
            RequestRefusedError: it does not attest, or the policy does not let us ask.
            StorageError: the appraisal could not be kept, or a group not go on without the thing.
        """
        public, nonce = self._holder(thing), self.verifier.challenge(thing)
        asked = request(
            Code.POST, path.ATTESTATION, payload=profile.encode_request(nonce), content_format=ContentFormat.CBOR
        )
        answer = await self._ask(thing, asked, _PATIENCE)
        if answer.code != Code.CHANGED:
            raise RequestRefusedError(
                f"{thing} does not attest ({code_name(answer.code)}): see that [granted] of the policy has "
                f'"{path.ATTESTATION}" = ["POST"]',
                reason=code_name(answer.code),
            )
        found = await self.verifier.answer(thing, answer.payload, public)
        if found.standing is Standing.BAD and self.objection(thing, Waits.GROUPS):
            # The keys that it has are those of the others.
            await self._leave_behind(thing)
        return found

    def objection(self, thing: ThingId, waits: Waits) -> str:
        """Why something is not given to a thing yet, in a few words; empty where it is."""
        policy = self._policy()
        if waits not in policy.require or not policy.covers(self._register.thing(thing).model):
            return ""
        known = self.verifier.of(thing)
        if known is None:
            return "it has not attested"
        if not known.is_fresh(self._clock.utc(), policy.max_age):
            return "it has not attested for too long"
        return "" if known.passes else f"its evidence: {known.findings[0].name}"

    def require(self, thing: ThingId, waits: Waits) -> None:
        """Pass where nothing is against it.

        Raises:
            ForbiddenError: it waits for evidence.
        """
        objection = self.objection(thing, waits)
        if objection:
            raise ForbiddenError(f"{thing} gets no {waits} yet: {objection}", spec="RFC 9334 §3", reason="attestation")

    def note(self, thing: ThingId) -> None:
        """A thing says that it runs another release: what is known of it is out of date."""
        self._due[thing] = None

    def published(self) -> None:
        """Other releases are on offer: what ran and was unknown may be known now."""
        self._is_offer_new = True

    async def look(self) -> None:
        """Ask whoever installed something, and whose evidence is half as old as it may be; forget who left."""
        policy = self._policy()
        for gone in [thing.id for thing in self._register.things() if thing.state in GONE]:
            await self.verifier.forget(gone)
        if not policy.require:
            self._due.clear()
            return
        is_offer_new, self._is_offer_new = self._is_offer_new, False
        for thing in self._register.things():
            if policy.covers(thing.model) and self._accepts(thing.id):
                known = self.verifier.of(thing.id)
                is_open = is_offer_new and known is not None and known.standing is Standing.UNKNOWN
                if is_open or not self._is_recent(thing.id, policy):
                    self._due.setdefault(thing.id)
        for thing_id in tuple(self._due)[:_AT_ONCE]:
            del self._due[thing_id]
            if not self._accepts(thing_id):
                continue
            try:
                await self.attest(thing_id)
            except ThingsteadError as error:
                if policy.covers(self._register.thing(thing_id).model):
                    # Behind all others: the evidence of before says nothing of what it installed since.
                    self._due[thing_id] = None
                _LOGGER.info("%s did not attest: %s", thing_id, error)

    def _is_recent(self, thing: ThingId, policy: AttestationPolicy) -> bool:
        """It was asked a short while ago, and has installed nothing since; a restart forgets neither."""
        known, installed = self.verifier.of(thing), self._installed_at(thing)
        if known is None or not known.is_fresh(self._clock.utc(), policy.max_age / 2):
            return False
        return installed is None or installed <= known.at
