"""A switch and a light of one domain, and its authorization server; what one asks the other answers by `meet`."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.endpoint import ladder
from thingstead.agent.exi_book import ExiBook
from thingstead.agent.kept_time import KeptTime
from thingstead.agent.membership import Member
from thingstead.agent.peer_client import PeerClient
from thingstead.agent.peer_server import PeerServer
from thingstead.agent.revocation import Revocations
from thingstead.agent.story import Request, Wait
from thingstead.agent.token_judge import TokenJudge
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.endpoint.event import Address, ExchangeId, RequestReceived
from thingstead.endpoint.resource import Resources
from thingstead.errors import ThingsteadError
from thingstead.protocols.ace import sealed_token, token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.input_material import InputMaterial
from thingstead.protocols.ace.revocation import encode_full_set
from thingstead.protocols.ace.token_endpoint import TokenResponse
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile import peer
from thingstead.secret import Secret
from thingstead.simulator.virtual.memory import Fate, HomeLife

__all__ = ["LIGHT", "LIGHT_AT", "MATERIAL", "MEMBER", "SWITCH", "TOKEN_KEY", "Light", "Party", "Switch"]

SWITCH, LIGHT = a_thing(1).id, a_thing(2).id
LIGHT_AT: Address = ("192.0.2.2", 5683)
SWITCH_AT: Address = ("192.0.2.1", 5683)
ISSUER, SWITCH_KEY, LIGHT_KEY = (generate(KeyType.P256) for _ in range(3))


TOKEN_KEY = sealed_token.token_key(Secret(bytes(range(16))), master_salt=bytes(8), digest_id=int(AlgorithmId.SHA_256))
MATERIAL = InputMaterial(b"\x01\x02", Secret(bytes(range(16, 32))), b"salt")


class _Association:
    issuer_credential = ccs.encode(ISSUER.public, subject="access")
    master_secret = Secret(bytes(range(16)))
    master_salt = bytes(8)
    digest_id = int(AlgorithmId.SHA_256)


class _Member:
    """As much of a `Member` as matters here."""

    def __init__(self, thing_id: str, domain: str = "home") -> None:
        self.thing_id = thing_id
        self.domain = domain
        self.association = _Association()


MEMBER = _Member(LIGHT)


class Party:
    """What both have."""

    def __init__(self, seed: int, disk: dict[str, bytes] | None = None, clock: JumpingClock | None = None) -> None:
        self.disk = {} if disk is None else disk
        self.clock = clock or JumpingClock()
        self.endpoint = ladder.endpoint(seed)
        self.random_bytes = random.Random(seed).randbytes
        self.home = HomeLife(self.disk, Fate())

    def issue(self, **changes: Any) -> bytes:
        """A token of the domain for the switch at the light, but for what is changed."""
        at = self.clock.utc()
        values: dict[str, Any] = {
            "issuer": "home",
            "subject": SWITCH,
            "audience": LIGHT,
            "scope": Scope({"/light": 4, "/wipe": 2}),
            "at": at,
            "expires": at + timedelta(hours=1),
            "cti": self.random_bytes(8),
            "signature_id": AlgorithmId.ESP256,
        }
        holder, signer = changes.pop("holder", SWITCH_KEY.public), changes.pop("signer", ISSUER)
        return token.issue(holder, signer, **(values | changes))

    def issue_sealed(self, *, token_key: Secret = TOKEN_KEY, material: Any = MATERIAL, **changes: Any) -> bytes:
        """The same with a secret instead of a key (RFC 9203); `material` may be the name of one."""
        encoded = self.issue(holder=material, **changes)
        return sealed_token.seal(encoded, token_key, nonce=self.random_bytes(13))


class Light(Party):
    """The resource server."""

    def __init__(
        self, disk: dict[str, bytes] | None = None, *, has_clock: bool = True, wants_fresh: bool = False
    ) -> None:
        super().__init__(2, disk)
        self.woken = 0
        self.revocations = Revocations(self.home)
        self.time = KeptTime(lambda: self.clock.seconds)
        self.judge = TokenJudge(
            self.revocations,
            None if has_clock else ExiBook(self.home, now=lambda: self.clock.seconds),
            utc=self.clock.utc if has_clock else self.time.utc,
            wants_fresh=wants_fresh,
            random_bytes=self.random_bytes,
            witness=self.time.witness,
        )
        self.server = PeerServer(
            self.endpoint,
            self.judge,
            self.revocations,
            utc=self.clock.utc if has_clock else self.time.utc,
            now=lambda: self.clock.seconds,
            random_bytes=self.random_bytes,
            wake=self._wake,
        )
        self.resources = Resources(self.server.grant)
        self.server.serve(self.resources)
        self.exchanges = itertools.count(1)
        self.entitle()

    def entitle(self, domain: str = "home") -> None:
        """Be a member."""
        self.server.entitle(cast("Member", _Member(LIGHT, domain)), LIGHT_KEY)

    def revoke(self, encoded: bytes) -> None:
        """Hear of a revoked token."""
        asked = self.revocations.story(interval=60.0, retry=1.0)
        next(asked)
        hashes = encode_full_set([token.token_hash(encoded)], None)
        asked.send(Message(Code.CONTENT, payload=hashes))

    def event(self, message: Message, source: Address = SWITCH_AT, **changes: Any) -> RequestReceived:
        """A request as the endpoint tells of it."""
        event = RequestReceived(ExchangeId(next(self.exchanges)), message, source, None, None, None, None, False, False)
        return replace(event, **changes)

    def answer(self, message: Message, source: Address = SWITCH_AT, **changes: Any) -> Message | None:
        """What it says to a request in clear."""
        return self.resources.answer(self.event(message, source, **changes), self.clock.seconds)

    def _wake(self) -> None:
        self.woken += 1


class Switch(Party):
    """The client, which plays its stories against whom `meet` names."""

    def __init__(self, light: Light, disk: dict[str, bytes] | None = None) -> None:
        super().__init__(1, disk, light.clock)
        self.light = light
        self.client = PeerClient(
            self.home, self.endpoint, utc=self.clock.utc, random_bytes=self.random_bytes, retry=2.0
        )
        self.client.entitle(SWITCH, SWITCH_KEY)
        self.access_token = self.issue()
        self.lives = 3600
        self.asked: list[Request] = []
        self.domain: Message | ThingsteadError | None = None
        self.directory: Message | None = None
        self.protected: list[Message | ThingsteadError] = []

    def response(self) -> Message:
        """What the authorization server says."""
        said = TokenResponse(
            self.access_token, self.lives, Scope({"/light": 4}), peer.credential(LIGHT_KEY.public, LIGHT).cred
        )
        return Message(Code.CREATED, payload=said.encode())

    def play(self, story: Any) -> Any:
        """Run a story to its end, or to where it waits; returns what it returns."""
        sent: Any = None
        error: ThingsteadError | None = None
        while True:
            try:
                wanted = story.throw(error) if error is not None else story.send(sent)
            except StopIteration as end:
                return end.value
            if isinstance(wanted, Wait):
                return wanted
            self.asked.append(wanted)
            found = self._found(wanted)
            sent, error = (None, found) if isinstance(found, ThingsteadError) else (found, None)

    def _found(self, wanted: Request) -> Message | ThingsteadError | None:
        if wanted.to is None:
            if wanted.message.path == "/rd-lookup/ep" and self.directory is not None:
                return self.directory
            return self.domain or self.response()
        if wanted.to.association is None:
            return self.light.answer(wanted.message)
        return self.protected.pop(0) if self.protected else Message(Code.CHANGED)
