"""A thing as client of others: tokens are fetched ahead, so that it can act while the domain is out of reach."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from thingstead.agent.handshake import edhoc_answer, edhoc_request, telling
from thingstead.agent.ports import Home
from thingstead.agent.story import Place, Request, Story, Wait
from thingstead.crypto.key import PrivateKey, PublicKey, generate
from thingstead.endpoint.association import Association
from thingstead.endpoint.derivation import context_of
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import Address, AssociationId
from thingstead.errors import (
    DecodeError,
    ForbiddenError,
    SecurityError,
    StateError,
    ThingsteadError,
    TransportError,
    UnreachableError,
)
from thingstead.protocols.ace import token
from thingstead.protocols.ace.token_endpoint import TokenRequest, TokenResponse, decode_refusal
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.initiator import Initiator, Message2Received
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.registration import address_of
from thingstead.protocols.profile import join, path, peer

__all__ = ["HeldToken", "PeerClient"]

_LOGGER = logging.getLogger(__name__)

_TOKEN, _ASSOCIATION = "token-", "to-"
_STORY = "tokens"
_ID_SIZE = 2
_MAX_TOKENS = 32
_RENEWAL_SHARE = 4
_IDLE = 3600.0
_PATIENCE = 5.0
"""Seconds for the domain to answer: somebody may stand at the switch."""


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token for another thing.

    Attributes:
        server: the other thing's name.
        access_token: as the authorization server sent it.
        rs_public: the other thing's key.
        issued_at: when it came.
        expires: when it ends.
        address: where the other thing was when the directory was asked; None before.
    """

    server: str
    access_token: bytes
    rs_public: PublicKey
    issued_at: datetime
    expires: datetime
    address: Address | None = None

    @property
    def renewal(self) -> datetime:
        """From when on another is fetched: in the last quarter of its life, so that the domain may be away for that."""
        return self.expires - (self.expires - self.issued_at) / _RENEWAL_SHARE

    def encode(self) -> bytes:
        """Encode for the home."""
        times = [int(self.issued_at.timestamp()), int(self.expires.timestamp())]
        place = None if self.address is None else list(self.address)
        return codec.encode([self.access_token, cose_key.public_map(self.rs_public), *times, place])

    @classmethod
    def decode(cls, server: str, data: bytes) -> HeldToken:
        """Read back what `encode` wrote.

        Raises:
            DecodeError: damaged.
        """
        match codec.decode(data):
            case [bytes(access_token), dict(key), int(issued_at), int(expires), None | [str(), int()] as place]:
                public = cose_key.from_map(key).require_public()
                begin = datetime.fromtimestamp(0, UTC)
                times = begin + timedelta(seconds=issued_at), begin + timedelta(seconds=expires)
                return cls(
                    server, access_token, public, *times, address=None if place is None else (place[0], place[1])
                )
            case _:
                raise DecodeError("expected a token for another thing")


class PeerClient:
    """What one thing may do at others.

    Args:
        home: where tokens are kept.
        endpoint: where associations become live.
        utc: the thing's clock.
        random_bytes: for connection identifiers.
        retry: seconds until a token that could not be renewed is asked for again.
    """

    def __init__(
        self,
        home: Home,
        endpoint: Endpoint,
        *,
        utc: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        retry: float,
    ) -> None:
        self._home = home
        self._endpoint = endpoint
        self._utc = utc
        self._random_bytes = random_bytes
        self._retry = retry
        self._own: tuple[Credential, PrivateKey] | None = None
        self._held: dict[str, HeldToken] = {}
        self._met: dict[str, bytes] = {}
        self._doubted: set[str] = set()
        for name in home.names():
            if name.startswith(_TOKEN):
                self._take_up(name)

    def entitle(self, name: str, key: PrivateKey) -> None:
        """Be this one towards others."""
        self._own = peer.credential(key.public, name), key

    def leave(self) -> None:
        """Be nobody's client any more; what is kept goes with the rest of the home."""
        self._own = None
        for server in list(self._met):
            self._part(server)
        self._held.clear()

    def forget(self, hashes: Collection[bytes]) -> None:
        """Expunge revoked tokens, and end what goes on under them (RFC 9770 §11.1)."""
        for server, held in list(self._held.items()):
            if token.token_hash(held.access_token) in hashes:
                self._drop(server)

    def tokens(self) -> dict[str, datetime]:
        """Whom it may ask, and until when."""
        return {server: held.expires for server, held in sorted(self._held.items())}

    def fetch(self, server: str) -> Story:
        """Have a token for another thing; it is on disk when this returns.

        Raises:
            ForbiddenError: the authorization server gives none, and says why.
            TransportError: it was not reached.
            StorageError: the token could not be kept.
        """
        asked = TokenRequest(server).encode()
        message = request(Code.POST, path.TOKEN, payload=asked, content_format=ContentFormat.ACE_CBOR)
        at = self._utc()
        answer: Message = yield Request(message, timeout=_PATIENCE)
        if answer.code != Code.CREATED:
            why = decode_refusal(answer.payload) if answer.payload else None
            said = "" if why is None else why.name.lower()
            raise ForbiddenError(f"no token for {server}: {said}", spec="RFC 9200 §5.8.3", reason=said)
        response = TokenResponse.decode(answer.payload)
        expires = at + timedelta(seconds=response.expires_in)
        before = self._held.get(server)
        place = None if before is None else before.address
        held = HeldToken(server, response.access_token, response.rs_public, at, expires, place)
        if server not in self._held and len(self._held) >= _MAX_TOKENS:
            self._drop(min(self._held, key=lambda name: self._held[name].expires))
        self._home.save(_TOKEN + server, held.encode())
        self._held[server] = held
        return held

    def ask(self, server: str, address: Address | None, message: Message) -> Story:
        """Send a request to another thing and return its response; the domain is needed only where no token is held.

        Args:
            server: the other thing's name.
            address: where it is; None for where the domain's directory said that it is.
            message: the request.

        Raises:
            ForbiddenError: no token, and the authorization server gives none.
            SecurityError, ProtocolError: the other thing is not who it should be, or takes neither token nor session.
            TransportError: no answer.
        """
        held = self._held.get(server)
        if held is None or held.expires <= self._utc():
            held = yield from self.fetch(server)
        if address is None:
            address = yield from self._place_of(held)
        try:
            return (yield from self._converse(held, address, message))
        except TransportError:
            self._doubted.add(server)
            raise

    def _converse(self, held: HeldToken, address: Address, message: Message) -> Story:
        is_met = self._is_met(held)
        if not is_met:
            yield from self._meet(held, address)
        place = Place(address, AssociationId(_ASSOCIATION + held.server))
        try:
            return (yield Request(message, to=place))
        except SecurityError:
            # In clear it says that it does not know us: it restarted, or somebody says so in its name. A request that
            # no session took was not acted on; so it is sent again, once, under a new one.
            if not is_met:
                raise
        yield from self._meet(held, address)
        return (yield Request(message, to=place))

    def story(self) -> Story:
        """Renew each token in the last quarter of its life, for as long as it is not refused."""
        while True:
            failed = False
            for held in list(self._held.values()):
                if held.renewal > self._utc():
                    continue
                try:
                    yield from self.fetch(held.server)
                except ForbiddenError as error:
                    _LOGGER.info("%s", error)
                    self._drop(held.server)
                except ThingsteadError as error:
                    failed = True
                    _LOGGER.debug("the token for %s was not renewed: %s", held.server, error)
            due = [(held.renewal - self._utc()).total_seconds() for held in self._held.values()]
            yield Wait(max(min([*due, _IDLE]), self._retry) if not failed else self._retry, _STORY)

    def _place_of(self, held: HeldToken) -> Story:
        """Where a thing is; one that did not answer there is asked for anew, if the domain can be reached."""
        if held.address is None:
            return (yield from self._locate(held))
        if held.server in self._doubted:
            self._doubted.discard(held.server)
            with suppress(ThingsteadError):
                return (yield from self._locate(held))
        return held.address

    def _locate(self, held: HeldToken) -> Story:
        """Ask the domain's directory where a thing is, and keep that with its token (RFC 9176 §6.3)."""
        asked = request(Code.GET, path.RD_LOOKUP_EP, query=(f"ep={held.server}",))
        answer: Message = yield Request(asked, timeout=_PATIENCE)
        found = link.parse(answer.payload) if answer.code == Code.CONTENT else []
        address = address_of(found[0].attribute("base") or "") if found else None
        if address is None:
            raise UnreachableError(f"the directory does not know where {held.server} is: name its address")
        located = replace(held, address=address)
        self._home.save(_TOKEN + held.server, located.encode())
        self._held[held.server] = located
        return address

    def _is_met(self, held: HeldToken) -> bool:
        is_live = self._endpoint.association(AssociationId(_ASSOCIATION + held.server)) is not None
        return is_live and self._met.get(held.server) == held.access_token

    def _meet(self, held: HeldToken, address: Address) -> Story:
        """EDHOC with the other thing, which must prove the key that the authorization server named."""
        if self._own is None:
            raise StateError("this thing is in no domain")
        credential, key = self._own
        place = Place(address)
        initiator = Initiator(
            method=join.METHOD,
            suites=join.SUITES,
            credential=credential,
            key=key,
            connection_id=self._random_bytes(_ID_SIZE),
            ephemeral=generate,
        )
        message_1, waiting = initiator.message_1()
        answer: Message = yield edhoc_request(coap_carriage.frame_message_1(message_1), place)
        offered = waiting.receive(edhoc_answer(answer))
        oscore: OscoreParameters = yield from telling(offered.c_r, self._conclude(held, offered, place), place)
        name = AssociationId(_ASSOCIATION + held.server)
        self._endpoint.install(Association(name, context_of(oscore), peer=held.server, address=address))
        self._met[held.server] = held.access_token

    def _conclude(self, held: HeldToken, offered: Message2Received, place: Place) -> Story:
        """From message_2 on; the keys that both ends have then."""
        authenticated = offered.authenticate(peer.credential(held.rs_public, held.server))
        message_3, last = authenticated.message_3(peer.token_item(held.access_token))
        answer: Message = yield edhoc_request(coap_carriage.frame_message_3(offered.c_r, message_3), place)
        return last.receive(edhoc_answer(answer)).oscore()

    def _drop(self, server: str) -> None:
        self._part(server)
        self._held.pop(server, None)
        self._home.delete(_TOKEN + server)

    def _part(self, server: str) -> None:
        self._met.pop(server, None)
        self._endpoint.end(AssociationId(_ASSOCIATION + server))

    def _take_up(self, name: str) -> None:
        try:
            data = self._home.load(name)
            if data is not None:
                held = HeldToken.decode(name.removeprefix(_TOKEN), data)
                self._held[held.server] = held
        except DecodeError as error:
            _LOGGER.warning("a token that was kept is given up: %s", error)
            self._home.delete(name)
