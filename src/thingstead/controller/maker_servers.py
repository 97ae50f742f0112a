"""The makers' servers, as a domain asks them: one session with each, one question at a time, no more of either.

Where a server is, the owner says with its maker's anchor; what a thing says of that is not gone by.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Protocol

from thingstead.clock import Clock
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.ports import Resolver
from thingstead.endpoint.association import Association
from thingstead.endpoint.counter import RateLimit
from thingstead.endpoint.derivation import context_of
from thingstead.endpoint.event import Address, AssociationId
from thingstead.errors import ForbiddenError, ThingsteadError, TransportError, UntrustedError
from thingstead.phases import vouching
from thingstead.protocols.coap.message import Message
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.lake_authz.message import VoucherRequest
from thingstead.protocols.profile.maker_server import MakerServer

__all__ = ["Line", "MakerServers", "is_maker"]

_PREFIX = "maker "
_MAX_WAITING = 64
_PER_SECOND = 50.0
_PATIENCE = 12.0
"""Seconds for one question, queue and handshake included; a thing waits 30 for message_4."""
_REST = 10.0
"""Seconds for which a server that could not be asked is left alone."""
_SESSION = 3600.0


def is_maker(association: AssociationId) -> bool:
    """Whether an association is with a maker's server: it may ask nothing of us."""
    return association.startswith(_PREFIX)


class Line(Protocol):
    """The domain's endpoint."""

    async def ask(
        self, address: Address, message: Message, *, association: AssociationId | None = None, within: float = 30.0
    ) -> Message:
        """Send a request, in clear or under an association; raises `TransportError` or `SecurityError`."""
        ...

    def meet(self, association: Association) -> None:
        """Make an association live."""
        ...


@dataclass(slots=True, eq=False)
class _Talk:
    """What is going on with one server."""

    server: MakerServer
    name: AssociationId
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    address: Address = ("", 0)
    until: float = 0.0
    rests: float = 0.0
    because: str = ""


class MakerServers:
    """Asks for vouchers, and counts what came of it.

    Args:
        line: the domain's endpoint.
        credential: CRED_V.
        key: the private half of it.
        anchors: the makers trusted now, with their servers.
        connection_id: a fresh C_I that no live association uses.
        resolve: names to addresses.
        own: our own IP address, whose family we speak.
        clock: monotonic time.
    """

    def __init__(
        self,
        line: Line,
        *,
        credential: Credential,
        key: PrivateKey,
        anchors: Callable[[], Sequence[TrustAnchor]],
        connection_id: Callable[[], bytes],
        resolve: Resolver,
        own: str,
        clock: Clock,
    ) -> None:
        self._line = line
        self._credential = credential
        self._key = key
        self._anchors = anchors
        self._connection_id = connection_id
        self._resolve = resolve
        self._family = ip_address(own).version
        self._clock = clock
        self._talks: dict[str, _Talk] = {}
        self._counts: dict[str, Counter[str]] = {}
        self._rate = RateLimit(_PER_SECOND)
        self._waiting = 0

    def counted(self) -> Mapping[str, Mapping[str, int]]:
        """What came of questions since start: by maker, then by reason, of which one is ``vouched``."""
        return {maker: dict(sorted(counted.items())) for maker, counted in sorted(self._counts.items())}

    def voucher_key(self, maker: str) -> PublicKey | None:
        """By which the server of a maker names first owners; None where the owner has named no server."""
        server = self._server(maker)
        return None if server is None else server.voucher_key

    async def voucher(self, maker: str, wanted: VoucherRequest) -> bytes:
        """Ask the server of a maker about one of its things.

        Args:
            maker: whose anchor the thing's identity stands under.
            wanted: the question.

        Raises:
            ForbiddenError: the server's own word that it does not vouch for us.
            TransportError: it was not asked, or did not answer; with reason ``busy``, it is not to be asked now.
            SecurityError, ProtocolError: it is not who the owner named, or does not keep to the draft.
        """
        counted = self._counts.setdefault(maker, Counter())
        try:
            got = await self._within_bounds(maker, wanted)
        except ThingsteadError as error:
            counted[error.reason] += 1
            raise
        counted["vouched"] += 1
        return got

    async def _within_bounds(self, maker: str, wanted: VoucherRequest) -> bytes:
        talk = self._talk(maker)
        if self._waiting >= _MAX_WAITING or not self._rate.allow(self._clock.now()):
            raise TransportError("too many things ask their makers' servers at once", reason="busy")
        self._waiting += 1
        try:
            async with asyncio.timeout(_PATIENCE), talk.lock:
                return await self._try(talk, wanted)
        except TimeoutError:
            raise TransportError(f"the server of {maker} did not answer in time", reason="timeout") from None
        finally:
            self._waiting -= 1

    def _server(self, maker: str) -> MakerServer | None:
        return next((one.server for one in self._anchors() if one.maker == maker), None)

    def _talk(self, maker: str) -> _Talk:
        server = self._server(maker)
        if server is None:
            raise TransportError(f"the owner has named no server of {maker}", reason="no server")
        talk = self._talks.get(maker)
        if talk is None or talk.server != server:
            talk = self._talks[maker] = _Talk(server, AssociationId(_PREFIX + maker))
        return talk

    async def _try(self, talk: _Talk, wanted: VoucherRequest) -> bytes:
        """Ask; a server that cannot be asked is left alone for a while, for all things of its maker alike."""
        if self._clock.now() < talk.rests:
            raise TransportError(f"{talk.server.location} could not be asked a moment ago", reason=talk.because)
        try:
            return await self._ask(talk, wanted)
        except ForbiddenError:
            raise
        except (ThingsteadError, asyncio.CancelledError) as error:
            talk.rests, talk.until = self._clock.now() + _REST, 0.0
            talk.because = error.reason if isinstance(error, ThingsteadError) else "timeout"
            raise

    async def _ask(self, talk: _Talk, wanted: VoucherRequest) -> bytes:
        is_new = self._clock.now() >= talk.until
        if is_new:
            await self._meet(talk)

        async def protected(message: Message) -> Message:
            return await self._line.ask(talk.address, message, association=talk.name, within=_PATIENCE)

        try:
            return await vouching.request_voucher(wanted, protected)
        except UntrustedError:
            # It has forgotten us, as after a restart; what it did not know the key of, it did not read.
            if is_new:
                raise
            await self._meet(talk)
            return await vouching.request_voucher(wanted, protected)

    async def _meet(self, talk: _Talk) -> None:
        talk.address = await self._address(talk.server)

        async def in_clear(message: Message) -> Message:
            return await self._line.ask(talk.address, message, within=_PATIENCE)

        oscore = await vouching.meet(
            talk.server, in_clear, credential=self._credential, key=self._key, connection_id=self._connection_id()
        )
        # Lives in memory alone: its numbers end with it.
        context = context_of(oscore)
        self._line.meet(Association(talk.name, context, peer=talk.name, address=talk.address))
        talk.until = self._clock.now() + _SESSION

    async def _address(self, server: MakerServer) -> Address:
        place = server.place
        try:
            found = [ip_address(place.host)]
        except ValueError:
            found = [ip_address(one) for one in (await self._resolve.resolve(place.host)).addresses]
        fitting = [one for one in found if one.version == self._family and not (one.is_multicast or one.is_unspecified)]
        if not fitting:
            raise TransportError(
                f"{server.location} has no address of IPv{self._family}, which this domain speaks", reason="no address"
            )
        return str(fitting[0]), place.port
