"""A maintainer's device as a core without I/O: it shows things a permit, and gives orders that its holder signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from thingstead.agent.held_token import HeldToken
from thingstead.agent.peer_client import PeerClient
from thingstead.agent.story import Request, Stories, Story
from thingstead.clock import Clock
from thingstead.crypto.key import PrivateKey
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import Address, ExchangeFailed, ExchangeId, ResponseReceived
from thingstead.errors import ConfigError, DecodeError, ExpiredError, RequestRefusedError, StateError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.profile import maintenance, path, signed_request
from thingstead.protocols.profile.maintenance import MAINTAINER, Offer, Task
from thingstead.protocols.profile.permit import Carried, PermitFile

__all__ = ["Caller"]

_LIMITS = codec.Limits(max_bytes=1 << 16, max_depth=6)


class Caller:
    """Drive it like any core; what it asks are stories.

    Args:
        permits: what its holder was given.
        key: its holder's.
        clock: for UTC.
        random_bytes: a source of randomness.
    """

    def __init__(
        self, permits: PermitFile, key: PrivateKey, *, clock: Clock, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._permits = permits
        self._key = key
        self._clock = clock
        self.endpoint = Endpoint(EndpointConfig(), random_bytes=random_bytes)
        self.stories = Stories(self._send, self.endpoint.cancel)
        held = {one.thing: _held(one).encode() for one in permits.permits}
        home = _Carried({f"token-{thing}": value for thing, value in held.items()})
        self._client = PeerClient(home, self.endpoint, utc=clock.utc, random_bytes=random_bytes, retry=1.0)
        self._client.entitle(MAINTAINER + permits.holder, key)

    def order(self, task: Task, thing: str, address: Address, arguments: Mapping[str, Any]) -> Story:
        """Give an order to a thing; returns the number that it got, and what came of it.

        Raises:
            ConfigError: no permit for this thing.
            ExpiredError: it has ended.
            RequestRefusedError: the thing refuses.
            SecurityError, ProtocolError: it is not the thing that it should be, or does not take the permit.
            TransportError: no answer.
        """
        until = self._client.tokens().get(thing)
        if until is None:
            raise ConfigError(f"no permit for {thing[:40]}; there are some for {', '.join(self._client.tokens())}")
        if until <= self._clock.utc():
            raise ExpiredError(f"the permit for {thing} ended at {until.isoformat()}")
        offered: Message = yield from self._client.ask(thing, address, request(Code.GET, path.MAINTENANCE))
        challenge = codec.decode(_require(offered, Code.CONTENT, task), limits=_LIMITS)
        if not isinstance(challenge, bytes):
            raise DecodeError("expected what to sign the order for")
        Offer.decode(challenge)
        told = {"thing": thing, **arguments}
        signed = signed_request.sign(task.operation, told, self._key, domain=self._permits.domain, challenge=challenge)
        message = request(Code.POST, maintenance.place(task), payload=signed, content_format=ContentFormat.COSE_SIGN1)
        answer: Message = yield from self._client.ask(thing, address, message)
        match codec.decode(_require(answer, Code.CHANGED, task), limits=_LIMITS):
            case [int(number), dict(result)]:
                return number, result
            case _:
                raise DecodeError("expected the number of the order, and what came of it")

    # --- the core that a pump drives

    def receive_datagram(self, data: bytes, source: Address, now: float, *, multicast: bool = False) -> None:
        """Take one datagram."""
        self.endpoint.receive_datagram(data, source, now, multicast=multicast)

    def run(self, now: float) -> None:
        """Act on what came and on what is due; nobody is answered."""
        self.stories.run(now)
        while (event := self.endpoint.next_event()) is not None:
            match event:
                case ResponseReceived():
                    self.stories.on_response(event.exchange, event.message, now)
                case ExchangeFailed():
                    self.stories.on_failure(event.exchange, event.error, now)

    def datagrams_to_send(self, now: float) -> list[tuple[bytes, Address]]:
        """What may leave now."""
        return self.endpoint.datagrams_to_send(now)

    def next_deadline(self) -> float | None:
        """When `run` is wanted again."""
        deadlines = [one for one in (self.endpoint.next_deadline(), self.stories.next_deadline()) if one is not None]
        return min(deadlines, default=None)

    def _send(self, wanted: Request, now: float) -> ExchangeId:
        if wanted.to is None:
            raise StateError("a maintainer's device knows no domain")
        to = wanted.to
        return self.endpoint.send_request(wanted.message, to.address, now, association=to.association)


class _Carried:
    """A home that is in memory alone."""

    def __init__(self, values: dict[str, bytes]) -> None:
        self._values = values

    def load(self, name: str) -> bytes | None:
        return self._values.get(name)

    def save(self, name: str, value: bytes) -> None:
        self._values[name] = value

    def delete(self, name: str) -> None:
        self._values.pop(name, None)

    def names(self) -> list[str]:
        return list(self._values)


def _held(one: Carried) -> HeldToken:
    """What the client needs to know of a token; nothing here is verified, the thing does that."""
    claims = cwt.decode(one.access_token).claims
    issued, expires = claims.required_date(Claim.IAT), claims.required_date(Claim.EXP)
    return HeldToken(one.thing, one.access_token, one.public, issued, min(expires, _LAST))


_LAST = datetime(9999, 1, 1, tzinfo=UTC)


def _require(answer: Message, code: Code, task: Task) -> bytes:
    if answer.code != code:
        raise RequestRefusedError(
            f"the thing refuses to {task} with {code_name(answer.code)}", reason=code_name(answer.code)
        )
    return answer.payload
