"""A thing as client of others: tokens are fetched ahead, so that it can act while the domain is out of reach."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from thingstead.agent.held_token import HeldToken
from thingstead.agent.meeting import REFUSED, by_edhoc, by_upload, update
from thingstead.agent.ports import Home
from thingstead.agent.story import Place, Request, Story, Wait
from thingstead.crypto.key import PrivateKey
from thingstead.endpoint.association import Association
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import Address, AssociationId
from thingstead.errors import (
    DecodeError,
    ForbiddenError,
    ProtocolError,
    SecurityError,
    StateError,
    ThingsteadError,
    TransportError,
    UnreachableError,
)
from thingstead.protocols.ace import edhoc_profile, token, token_upload
from thingstead.protocols.ace.creation_hints import CreationHints
from thingstead.protocols.ace.token_endpoint import TokenRequest, TokenResponse, decode_refusal
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.cwt import ccs
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.link_format import link
from thingstead.protocols.link_format.registration import address_of
from thingstead.protocols.profile import path, peer

__all__ = ["PeerClient"]

_LOGGER = logging.getLogger(__name__)

_TOKEN, _ASSOCIATION = "token-", "to-"
_STORY = "tokens"
_MAX_TOKENS = 32
_IDLE = 3600.0
_NO_SERIES = "invalid_request"
_PATIENCE = 5.0
"""Seconds for the domain to answer: somebody may stand at the switch."""


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

    def fetch(self, server: str, *, cnonce: bytes = b"") -> Story:
        """Have a token for another thing; it is on disk when this returns.

        While a session lives, it is one that takes the place of the session's under the same keys.

        Args:
            server: the other thing's name.
            cnonce: what that thing wants to see in it, so that it is fresh (RFC 9200 §5.3.1).

        Raises:
            ForbiddenError: the authorization server gives none, and says why.
            DecodeError: what it gives cannot be used.
            TransportError: it was not reached.
            StorageError: the token could not be kept.
        """
        before = self._held.get(server)
        renewed = before if before is not None and before.series and self._is_met(before) else None
        try:
            held = yield from self._fetch(server, cnonce or None, before, renewed)
        except ForbiddenError as error:
            if renewed is None or error.reason != _NO_SERIES:
                raise
            renewed = None
            held = yield from self._fetch(server, cnonce or None, before, None)
        session = self._endpoint.association(AssociationId(_ASSOCIATION + server))
        if renewed is not None and session is not None and session.address is not None:
            with suppress(ThingsteadError):
                yield from update(held, self._association_at(held, session.address))
                self._met[server] = held.access_token
        return held

    def _fetch(self, server: str, cnonce: bytes | None, before: HeldToken | None, renewed: HeldToken | None) -> Story:
        """Ask the authorization server, for another token of a series where `renewed` is of one."""
        is_shared = renewed is not None and renewed.material is not None
        series = b"" if renewed is None else renewed.series
        asked = TokenRequest(
            server, cnonce=cnonce, series=b"" if is_shared else series, kid=series if is_shared else b""
        )
        message = request(Code.POST, path.TOKEN, payload=asked.encode(), content_format=ContentFormat.ACE_CBOR)
        at = self._utc()
        answer: Message = yield Request(message, timeout=_PATIENCE)
        if answer.code != Code.CREATED:
            why = decode_refusal(answer.payload) if answer.payload else None
            said = "" if why is None else why.name.lower()
            raise ForbiddenError(f"no token for {server}: {said}", spec="RFC 9200 §5.8.3", reason=said)
        held = _held(server, TokenResponse.decode(answer.payload), at, before, renewed)
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
            StateError: it is in no domain.
            ForbiddenError: no token, and the authorization server gives none.
            SecurityError, ProtocolError: the other thing is not who it should be, or takes neither token nor session.
            TransportError: no answer.
        """
        if self._own is None:
            raise StateError(
                "this thing is in no domain; `thingstead thing waiting` there says whether a person is asked"
            )
        held = self._held.get(server)
        if held is None or held.expires <= self._utc() or not (held.is_first or self._is_met(held)):
            held = yield from self.fetch(server)
        if address is None:
            address = yield from self._place_of(held)
        try:
            try:
                return (yield from self._converse(held, address, message))
            except (SecurityError, ProtocolError) as error:
                if error.reason != REFUSED:
                    raise
                # It may want a fresher token than this one, and then says so to who asks without any.
                hints = yield from self._hints(address, message)
                if not hints.cnonce:
                    raise
            self._part(server)
            held = yield from self.fetch(server, cnonce=hints.cnonce)
            return (yield from self._converse(held, address, message))
        except TransportError:
            self._doubted.add(server)
            raise

    def _hints(self, address: Address, message: Message) -> Story:
        """What a thing tells a stranger; nobody vouches for it, and only what the token is to hold is used."""
        answer: Message = yield Request(request(Code.GET, message.path), protected=False, to=Place(address))
        if answer.code != Code.UNAUTHORIZED or not answer.payload:
            return CreationHints()
        return CreationHints.decode(answer.payload)

    def _converse(self, held: HeldToken, address: Address, message: Message) -> Story:
        is_met = self._is_met(held)
        if not is_met:
            yield from self._meet(held, address)
        place = self._association_at(held, address)
        try:
            return (yield Request(message, to=place))
        except SecurityError:
            # In clear it says that it does not know us: it restarted, or somebody says so in its name. A request that
            # no session took was not acted on; so it is sent again, once, under a new one.
            if not is_met:
                raise
        if not held.is_first:
            self._part(held.server)
            held = yield from self.fetch(held.server)
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

    def end_worn(self, association: AssociationId) -> None:
        """End what comes near the limits of its keys; the next request meets anew (RFC 9203 §6)."""
        if association.startswith(_ASSOCIATION):
            self._part(association.removeprefix(_ASSOCIATION))

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
        """Come to keys with the other thing, by the way that the authorization server said."""
        if self._own is None:
            raise StateError("this thing is in no domain")
        place = Place(address)
        if held.material is not None:
            context = yield from by_upload(held, held.material, place, self._is_taken, self._random_bytes)
        elif held.rs_public is not None:
            context = yield from by_edhoc(held, held.rs_public, place, self._own, self._random_bytes)
        name = AssociationId(_ASSOCIATION + held.server)
        is_told = context.id_context is not None
        self._endpoint.install(Association(name, context, peer=held.server, address=address, with_kid_context=is_told))
        self._met[held.server] = held.access_token

    def _is_taken(self, recipient_id: bytes) -> bool:
        live = (self._endpoint.association(AssociationId(_ASSOCIATION + server)) for server in self._met)
        return any(one is not None and one.context.recipient.id == recipient_id for one in live)

    def _association_at(self, held: HeldToken, address: Address) -> Place:
        return Place(address, AssociationId(_ASSOCIATION + held.server))

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
        except ProtocolError as error:
            _LOGGER.warning("a token that was kept is given up: %s", error)
            self._home.delete(name)


def _held(
    server: str, response: TokenResponse, at: datetime, before: HeldToken | None, renewed: HeldToken | None
) -> HeldToken:
    """A token as it is kept; keys that the response leaves out are those of the token that it takes the place of.

    Raises:
        DecodeError: keys are told neither by it nor by one before.
    """
    expires = at + timedelta(seconds=response.expires_in)
    place = None if before is None else before.address
    if renewed is not None:
        is_first = renewed.material is None
        return replace(renewed, access_token=response.access_token, issued_at=at, expires=expires, is_first=is_first)
    if response.material is not None and response.profile == token_upload.PROFILE:
        material = response.material
        return HeldToken(server, response.access_token, None, at, expires, place, material=material, series=material.id)
    if not response.rs_credential or response.profile != edhoc_profile.PROFILE:
        raise DecodeError("expected the resource server's key, or a secret", spec="RFC 9201 §3.2")
    public = ccs.decode(response.rs_credential).public
    return HeldToken(server, response.access_token, public, at, expires, place, series=response.series)
