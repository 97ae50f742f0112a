"""One thing as a core without I/O: an endpoint, the stories it lives by, and the resources it serves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Hashable, Mapping
from datetime import datetime
from typing import Any

from thingstead.agent import directory, parts, standing, wiping
from thingstead.agent.association import DomainAssociation
from thingstead.agent.config import AgentConfig
from thingstead.agent.directory import DIRECTORY_STORY, may_register
from thingstead.agent.doubt import Doubt
from thingstead.agent.envelope import GuardedActuator
from thingstead.agent.group_membership import GROUP_PREFIX, GROUP_STORY, REACHABLE
from thingstead.agent.hint import hinted
from thingstead.agent.joining import back_off
from thingstead.agent.kept_time import KeptTime
from thingstead.agent.light import Light
from thingstead.agent.maintenance import MAINTENANCE_STORY, Maintenance, Works
from thingstead.agent.membership import Member, Membership
from thingstead.agent.outbox import DOMAIN, Outbox
from thingstead.agent.ownership import Ownership
from thingstead.agent.parts import Hardware
from thingstead.agent.peer_client import PeerClient
from thingstead.agent.peer_server import PeerServer
from thingstead.agent.revocation import REVOCATION_STORY, Revocations
from thingstead.agent.session_table import PEER_STORY
from thingstead.agent.story import Stories, Story, Wait
from thingstead.agent.telemetry import tell
from thingstead.agent.update_anchor import UpdateAnchor
from thingstead.agent.updating import TRIAL_STORY, UPDATE_STORY, Life
from thingstead.clock import Clock
from thingstead.crypto.key import PublicKey
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.discovery import discovery
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import (
    Address,
    AssociationId,
    ExchangeFailed,
    ExchangeId,
    RenewalNeeded,
    RequestReceived,
    ResponseReceived,
    SequenceNeeded,
)
from thingstead.endpoint.resource import Call, Resources
from thingstead.errors import ProtocolError, SecurityError, StateError, StorageError, ThingsteadError
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.coap.code import is_error
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import path, wipe
from thingstead.protocols.profile.standing import MemberStanding

__all__ = ["Agent"]

_LOGGER = logging.getLogger(__name__)
_SIGNED = [(int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.COSE_SIGN1))]
_FOREVER = 86400.0
_LINGER = 60.0
_AFTER_THE_ANSWER = 1.0


class Agent:
    """A thing from its first boot on. Drive it like any core: datagrams and `now` in, datagrams out.

    Args:
        hardware: memory, slots, keys, sensor and actuator.
        config: settings.
        clock: for UTC only; monotonic time comes in as `now`.
        random_bytes: a source of randomness.
    """

    def __init__(
        self,
        hardware: Hardware,
        config: AgentConfig,
        *,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        wiping.resume(hardware.home, hardware.keys)
        self.hardware = hardware
        self.config = config
        self.birth = parts.born(hardware.home)
        self.resources = Resources(self._grant)
        self.endpoint = Endpoint(
            EndpointConfig(leisure=config.leisure), random_bytes=random_bytes, permits=self.resources.permits
        )
        self._now = 0.0
        self._time = KeptTime(lambda: self._now, clock.utc if config.has_clock else None)
        self._time.witness(cwt.decode(self.birth.maker_identity).claims.required_date(Claim.IAT))
        self._controller: Address = (config.controller_host, config.controller_port)
        self._outbox = Outbox(self.endpoint, self._controller)
        self.stories = Stories(self._outbox.send, self._outbox.cancel)
        self.resources.register(path.WIPE, Code.POST, self.on_wipe)
        self.attester = parts.attester(hardware, self.birth, self.resources)
        Light(GuardedActuator(hardware.actuator, config.envelope), self._notify).serve(self.resources)
        self.ownership = Ownership(hardware.home, self.birth, utc=self.utc)
        self.ownership.serve(self.resources, self._domain_key)
        self._membership = Membership(hardware.home, utc=self.utc, witness=self._time.witness, agree=self._time.agree)
        self._knocks = parts.attempts(
            hardware,
            self.birth,
            self.ownership,
            hybrid=config.hybrid_keys,
            former=self.former_domain,
            utc=self.utc,
            random_bytes=random_bytes,
            attest=self.attester.evidence,
        )
        self.groups = parts.groups(hardware, config, self.endpoint, utc=self.utc, random_bytes=random_bytes)
        self.groups.serve(self.resources)
        self.resources.register(path.WELL_KNOWN_CORE, Code.GET, discovery(self.resources, {}), public=True)
        self.revocations = Revocations(hardware.home, stays=not config.has_clock)
        self._judge = parts.token_judge(
            hardware, config, self.revocations, time=self._time, now=lambda: self._now, random_bytes=random_bytes
        )
        self.resources.on_stranger = self._hint
        self.revocations.on_revoked = self._on_revoked
        self.peer_server = PeerServer(
            self.endpoint,
            self._judge,
            self.revocations,
            utc=self.utc,
            now=lambda: self._now,
            random_bytes=random_bytes,
            wake=lambda: self.stories.wake(PEER_STORY, self._now),
        )
        self.peer_server.serve(self.resources)
        standing.serve(self.resources, member=self.groups.standing, holder=self._standing_of_holder)
        self.peer_client = PeerClient(
            hardware.home, self.endpoint, utc=self.utc, random_bytes=random_bytes, retry=config.retry_interval
        )
        self.maintenance = self._maintenance(clock, random_bytes)
        self.maintenance.serve(self.resources)
        self.on_restart: Callable[[], None] = lambda: None
        self.update_anchor = UpdateAnchor(hardware.home, self.ownership.born)
        life = Life(lambda: self._now, self._check, self._begin_anew, config.trial_deadline)
        self.updating = parts.updating(hardware, self.update_anchor, life, utc=self.utc)
        self.member: Member | None = None
        self.thing_id = ""
        self._joins = 0
        self._doubt = Doubt()
        self._accepted = 0
        self._is_living = False
        self._last_error = ""
        self._random_bytes = random_bytes

    def _maintenance(self, clock: Clock, random_bytes: Callable[[int], bytes]) -> Maintenance:
        return Maintenance(
            self.hardware.home,
            member=lambda: self.member,
            signer=lambda peer: None if peer == DOMAIN else self.peer_server.holder(peer),
            works=Works(self._diagnosis, self._begin_anew, self._ask_for_release, self._retime),
            clock=clock,
            random_bytes=random_bytes,
            wake=lambda: self.stories.wake(MAINTENANCE_STORY, self._now),
        )

    @property
    def association(self) -> DomainAssociation | None:
        """What it has of its domain; None while it is in none."""
        return None if self.member is None else self.member.association

    def start(self, now: float) -> None:
        """Take up the saved association, or join; then live."""
        self._now = now
        self._time.begin()
        self._resume()
        self._go_on_trial()
        self.stories.start("life", self._life(), now)
        self.run(now)

    def close(self) -> None:
        """Let go of what the next life of the thing takes up; a life that a power cut ends gets no such call."""
        self.stories.stop_all(self._now)

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        """Take one datagram."""
        self.endpoint.receive_datagram(data, source, now, multicast=multicast)

    def run(self, now: float) -> None:
        """Act on what came and on what is due."""
        self._now = now
        self.stories.run(now)
        while (event := self.endpoint.next_event()) is not None:
            match event:
                case RequestReceived():
                    answer = self.resources.answer(event, now)
                    if answer is not None:
                        self.endpoint.send_response(event.exchange, answer, now)
                case ResponseReceived():
                    self._on_response(event, now)
                case ExchangeFailed():
                    self._on_failure(event, now)
                case SequenceNeeded():
                    self.stories.start("reserve", self._reserve(event), now)
                case RenewalNeeded(association) if association == DOMAIN:
                    self._doubt.wear()
                    self.stories.wake("doubt", now)
                case RenewalNeeded(association):
                    self.peer_server.end_worn(AssociationId(association))
                    self.peer_client.end_worn(AssociationId(association))

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """What may leave now."""
        return self.endpoint.datagrams_to_send(now)

    def next_deadline(self) -> float | None:
        """When `run` is wanted again."""
        deadlines = [one for one in (self.endpoint.next_deadline(), self.stories.next_deadline()) if one is not None]
        return min(deadlines, default=None)

    def utc(self) -> datetime:
        """The thing's idea of UTC: its clock's, and no earlier than what it was shown."""
        return self._time.utc()

    def former_domain(self) -> PublicKey | None:
        """Key of the domain that it was in last, which it joins again without its maker's word."""
        return self._membership.former_domain()

    @property
    def now(self) -> float:
        """The last moment the agent was told of."""
        return self._now

    def answer(self, asked: Mapping[str, Any]) -> dict[str, object]:  # noqa: ARG002  for what other things understand
        """What a thing says on its local socket: how it stands, whatever it is asked."""
        return self.status()

    def status(self) -> dict[str, object]:
        """How the thing stands, for whoever may read its directory; no secrets."""
        return {
            "serial": self.birth.serial,
            "thing": self.thing_id,
            "joined": self.association is not None,
            "joins": self._joins,
            "accepted": self._accepted,
            "last_error": self._last_error,
            "light": self.hardware.actuator.is_on(),
            "groups": self.groups.epochs(),
            "refused": dict(self.resources.refused),
            "counters": dict(self.endpoint.counters),
            **self.updating.status(),
            **self.maintenance.status(),
        }

    def _life(self) -> Story:
        attempt = 0
        while True:
            content = self._seconds_of_content()
            if content > 0:
                yield Wait(min(content, _FOREVER), "doubt")
                continue
            try:
                joined: DomainAssociation = yield from self._knocks.story(attempt, self.member)
                self._commit(joined)
            except ThingsteadError as error:
                self._last_error = str(error)
                _LOGGER.warning("%s could not join: %s", self.birth.serial, error)
                yield Wait(back_off(attempt, self.config.retry_interval, self._random_bytes))
                attempt += 1
            else:
                attempt = 0
                self._live()

    def _seconds_of_content(self) -> float:
        """How long it need not join: its keys are neither doubted nor worn, and its rights do not end soon (R-25)."""
        if self.member is None or self._doubt.is_enough:
            return 0.0
        return (self.member.renewal - self.utc()).total_seconds()

    def on_wipe(self, call: Call) -> Message:
        """Forget the domain, and say so under the keys that are forgotten.

        Everything is gone from disk before the answer leaves. The association stays in memory for a while, for
        nothing but to repeat that answer if it is lost.
        """
        asked = wipe.decode_request(call.request.payload)
        member = self.member
        if member is None:
            raise StateError("this thing is in no domain")
        if asked.link:
            # First: from here on it is the next owner's, and a wipe that a power cut stopped can be asked for again.
            self.ownership.follow(asked.link, member.domain_key)
        home, keys = self.hardware.home, self.hardware.keys
        key, erased = keys.handle(birth_record.IDENTITY_KEY), wiping.inventory(home, keys)
        receipt = wipe.sign(member.thing_id, member.domain, erased, at=self.utc(), nonce=asked.nonce, key=key)
        wiping.erase(home, keys)
        self.groups.leave()
        self.peer_server.leave()
        self.peer_client.leave()
        self.maintenance.leave()
        self._let_go(call.now)
        return Message(Code.CHANGED, options=_SIGNED, payload=receipt)

    def _standing_of_holder(self, hashes: Collection[bytes]) -> MemberStanding:
        """What the domain asks of tokens it may know more of than we: of one that we would take we ask the list."""
        told = self.peer_server.standing(hashes)
        if told.accepts:
            self.stories.wake(REVOCATION_STORY, self._now)
        return told

    def _domain_key(self) -> PublicKey | None:
        return None if self.member is None else self.member.domain_key

    def _let_go(self, now: float) -> None:
        self.member = None
        self._is_living = False
        self.stories.stop_all(now)
        self.stories.start("after wipe", self._linger(), now)
        self._go_on_trial()

    def _linger(self) -> Story:
        yield Wait(_LINGER)
        self.endpoint.end(DOMAIN)
        yield from self._life()

    def _live(self) -> None:
        """Begin what a member of the domain does; once, for it all goes on under whatever association there is."""
        if self._is_living:
            self.stories.wake(GROUP_STORY, self._now)
            self.stories.wake(DIRECTORY_STORY, self._now)
            return
        self._is_living = True
        telemetry = tell(self.hardware.sensor, interval=self._telemetry_interval, utc=self.utc)
        self.stories.start("telemetry", telemetry, self._now)
        self.stories.start("groups", self.groups.story(), self._now)
        revoked = self.revocations.story(interval=self.config.revocation_interval, retry=self.config.retry_interval)
        self.stories.start("revocations", revoked, self._now)
        self.stories.start("directory", self._directory(), self._now)
        self.stories.start("peers", self.peer_server.story(), self._now)
        self.stories.start("tokens", self.peer_client.story(), self._now)
        maintained = self.maintenance.story(retry=self.config.retry_interval)
        self.stories.start(MAINTENANCE_STORY, maintained, self._now)
        self.stories.start(UPDATE_STORY, self.updating.story(interval=self.config.update_interval), self._now)

    def _on_revoked(self, hashes: frozenset[bytes]) -> None:
        self.peer_server.end(hashes)
        self.peer_client.forget(hashes)

    def _notify(self, exchange: ExchangeId, message: Message) -> None:
        self.endpoint.send_response(exchange, message, self._now)

    def _hint(self, refusal: Message, now: float) -> Message:
        if self.member is None:
            return refusal
        return hinted(refusal, self._controller, cnonce=self._judge.cnonce(now))

    def _directory(self) -> Story:
        return directory.tell(
            lambda: self.thing_id,
            lambda: [place for place in self.resources.paths(public=False) if place in REACHABLE.grants],
            lifetime=self.config.registration_lifetime,
            retry=self.config.retry_interval,
            is_wanted=lambda: self.member is not None and may_register(self.member.association.access_token),
        )

    def _telemetry_interval(self) -> float:
        """What a maintainer set comes first, then what the firmware says, then the program's settings."""
        set_by_hand = self.maintenance.settings.get("telemetry_interval")
        interval = self.updating.firmware.telemetry_interval if set_by_hand is None else set_by_hand
        return self.config.telemetry_interval if interval is None else interval

    def _go_on_trial(self) -> None:
        """In a domain or not: a release that keeps the thing from joining is one that does not prove itself."""
        self.stories.start(TRIAL_STORY, self._trial(), self._now)

    def _trial(self) -> Story:
        yield from self.updating.trial(interval=self.config.retry_interval)
        self.stories.wake(UPDATE_STORY, self._now)

    def _check(self) -> None:
        """The thing's own check of a release on trial: it measures."""
        self.hardware.sensor.read(self.utc())

    def _ask_for_release(self) -> None:
        """By order: also for one that did not prove itself here before."""
        self.updating.forgive()
        self.stories.wake(UPDATE_STORY, self._now)

    def _retime(self) -> None:
        self.stories.wake("telemetry", self._now)

    def _diagnosis(self) -> dict[str, object]:
        return {"at": int(self.utc().timestamp()), **self.status()}

    def _begin_anew(self) -> None:
        self.stories.start("restart", self._restart(), self._now)

    def _restart(self) -> Story:
        yield Wait(_AFTER_THE_ANSWER)
        self.on_restart()

    def _on_response(self, event: ResponseReceived, now: float) -> None:
        self._outbox.ended(event.exchange)
        if event.association == DOMAIN:
            self._accepted += not is_error(event.message.code)
            if self._doubt.hear(event.message):
                self.stories.wake("doubt", now)
        self.stories.on_response(event.exchange, event.message, now)

    def _on_failure(self, event: ExchangeFailed, now: float) -> None:
        """Hand a failure to its story, and note when the domain seems not to know us any more."""
        if self._outbox.ended(event.exchange) and self.member is not None and self._doubt.suspect(event.error):
            self.stories.wake("doubt", now)
        self.stories.on_failure(event.exchange, event.error, now)

    def _commit(self, joined: DomainAssociation) -> None:
        self._install(self._membership.keep(joined, spent=self._outbox.begun()))
        self.updating.announce()
        self.maintenance.joined()
        self._joins += 1
        self._doubt.settle()

    def _resume(self) -> None:
        """Go on under the saved membership; one that cannot be used is a reason to join again, not to stop."""
        try:
            member = self._membership.load()
            if member is None:
                return
            self._install(member)
        except (ProtocolError, SecurityError) as error:
            self._last_error = f"the saved association cannot be used: {error}"
            _LOGGER.warning("%s has to join again; %s", self.birth.serial, self._last_error)
        else:
            self.groups.resume()
            self._live()

    def _install(self, member: Member) -> None:
        # First: it is the last thing that can be wrong with a membership.
        self.groups.entitle(member.association.access_token)
        self._outbox.install(member.context)
        key = self.hardware.keys.handle(birth_record.IDENTITY_KEY)
        self.peer_server.entitle(member, key)
        self.peer_client.entitle(member.thing_id, key)
        self.member = member
        self.thing_id = member.thing_id

    def _reserve(self, needed: SequenceNeeded) -> Story:
        """While the disk takes none the thing is silent, which is what must happen: no number twice."""
        while True:
            try:
                if needed.association.startswith(GROUP_PREFIX):
                    self.groups.reserve(needed.association, needed.upto)
                else:
                    self._membership.reserve(needed.upto)
            except StorageError as error:
                self._last_error = str(error)
                _LOGGER.warning("%s cannot reserve sequence numbers: %s", self.birth.serial, error)
                yield Wait(self.config.retry_interval)
            else:
                self.endpoint.sequence_reserved(needed.association, needed.upto)
                return

    def _grant(self, event: RequestReceived) -> tuple[Hashable, Scope] | None:
        member = self.member
        if event.association == DOMAIN and member is not None:
            return None if member.expires <= self.utc() else (DOMAIN, member.scope)
        return self.peer_server.grant(event) if event.group is None else self.groups.grant(event)
