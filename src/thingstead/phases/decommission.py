"""Decommission: the thing is asked to forget the domain while it still can be, then every plane lets go of it.

::

    domain                                    thing
      | GET /custody ------------------------> |  only where it is handed over: whose it was up to now
      | <------------- {identity, voucher, chain}
      | POST /wipe {nonce, link} ------------> |  keeps whose it is next; erases association, groups, tokens, telemetry
      | <---- {thing, domain, erased, nonce} signed by its identity key
      |  receipt verified, kept, its hash on the ledger
      |  transition: all planes withdraw, whether the thing answered or not

A thing that does not answer may be broken, asleep or an enemy's: it is let go of all the same, and the
record says that there is no receipt (RFC 8576 §2). One that answered has forgotten us, and answers no more: what it
gave is kept before anything is decided on it, so that an end of ours in between costs nobody its papers.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from thingstead.clock import Clock
from thingstead.crypto.digest import digest
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.instant import instant, microseconds
from thingstead.domain.ledger.entry import Detail
from thingstead.domain.ports import Records
from thingstead.errors import DecodeError, ThingsteadError
from thingstead.identifier import ThingId
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import custody, papers, path, wipe
from thingstead.protocols.profile.custody import Owner
from thingstead.protocols.profile.papers import Papers

__all__ = ["Decommission", "Farewell"]

_LOGGER = logging.getLogger(__name__)
_NONCE_SIZE = 16
_FORMAT = 1
_LIMITS = codec.Limits(max_bytes=1 << 17)


@dataclass(frozen=True, slots=True)
class Farewell:
    """What the thing left us with.

    Attributes:
        receipt: its signed word that it forgot us, as received; empty if it gave none.
        erased: what it says that it erased.
        failure: why there is no receipt; empty with one.
        nonce: that the receipt holds.
        papers: what it showed of where it comes from, with the link to its next owner; None where it has none.
        at: when it came, by our clock; None where nothing came.
    """

    receipt: bytes
    erased: tuple[str, ...] = ()
    failure: str = ""
    nonce: bytes = b""
    papers: Papers | None = None
    at: datetime | None = None

    def evidence(self) -> dict[str, Detail]:
        """For the ledger: the receipt's SHA-256, or that there is none and why."""
        if self.receipt:
            return {"wipe_receipt": digest(self.receipt)}
        return {"wipe_receipt": None, "no_receipt": self.failure}


class Decommission:
    """The domain's side of every parting.

    Args:
        records: farewells, by thing.
        ask: sends a request under the association with a thing, and waits for the response so many seconds.
        holder: the key that a thing proved when it joined; raises `StateError` when it holds no token.
        domain: our name.
        owner: the key that makers and owners before name as ours.
        clock: for UTC.
        random_bytes: for nonces.
        within: seconds that a thing has to answer.
    """

    def __init__(
        self,
        records: Records,
        *,
        ask: Callable[[ThingId, Message, float], Awaitable[Message]],
        holder: Callable[[ThingId], PublicKey],
        domain: str,
        owner: PrivateKey,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        within: float = 15.0,
    ) -> None:
        self._records = records
        self._ask = ask
        self._holder = holder
        self._domain = domain
        self._owner = owner
        self._clock = clock
        self._random_bytes = random_bytes
        self._within = within
        self._kept = {name: _decode(document) for name, document in records.load().items()}

    def kept(self, thing: ThingId, to: Owner | None, *, since: datetime | None) -> Farewell | None:
        """What a thing gave when it was asked before: for this next owner, and since it joined; None otherwise."""
        known = self._kept.get(thing)
        if known is None or known.at is None or (since is not None and known.at <= since):
            return None
        if to is None:
            return replace(known, papers=None)
        return known if known.papers is not None and custody.names(known.papers.links, to.key) else None

    async def part(
        self, thing: ThingId, to: tuple[str, Owner] | None = None, *, since: datetime | None = None
    ) -> Farewell:
        """Have a thing wipe itself, if it has not yet; never raises for what a thing does or does not do.

        Args:
            thing: whom.
            to: its serial number, and whose it is from then on; None if nobody says.
            since: when it joined: what it gave before that is of another life.
        """
        known = self.kept(thing, None if to is None else to[1], since=since)
        if known is not None:
            return known
        nonce = self._random_bytes(_NONCE_SIZE)
        try:
            shown, link = (None, b"") if to is None else await self._hand_on(thing, *to)
            receipt = await self._wipe(thing, nonce, link)
        except ThingsteadError as error:
            _LOGGER.warning("%s gave no wipe receipt: %s", thing, error)
            return Farewell(b"", failure=error.reason)
        given = Farewell(receipt.encoded, receipt.erased, nonce=nonce, papers=shown, at=self._clock.utc())
        await self._records.write({thing: _encode(given)})
        self._kept[thing] = given
        return given

    async def _hand_on(self, thing: ThingId, serial: str, to: Owner) -> tuple[Papers, bytes]:
        """Its papers with the link to the next owner, and that link; empty if it has it from an attempt before."""
        answer = await self._ask(thing, request(Code.GET, path.CUSTODY), self._within)
        if answer.code != Code.CONTENT:
            raise DecodeError(f"expected the papers of {thing}, got code {answer.code:#04x}", reason="no-papers")
        shown = papers.decode(answer.payload)
        if custody.names(shown.links[-1:], to.key):
            return shown, b""
        own = Owner(self._domain, self._owner.public)
        at = self._clock.utc()
        link = custody.extend(shown.head, serial=serial, owner=own, to=to, at=at, key=self._owner)
        return replace(shown, links=(*shown.links, link)), link

    async def _wipe(self, thing: ThingId, nonce: bytes, link: bytes) -> wipe.WipeReceipt:
        public = self._holder(thing)
        payload = wipe.encode_request(nonce, link)
        asked = request(Code.POST, path.WIPE, payload=payload, content_format=ContentFormat.CBOR)
        answer = await self._ask(thing, asked, self._within)
        if answer.code != Code.CHANGED:
            raise DecodeError(f"expected a wipe receipt, got code {answer.code:#04x}", reason="not-wiped")
        return wipe.authenticate(answer.payload, public, thing=thing, domain=self._domain, nonce=nonce)


def _encode(given: Farewell) -> bytes:
    shown = b"" if given.papers is None else papers.encode(given.papers)
    at = 0 if given.at is None else microseconds(given.at)
    return codec.encode([_FORMAT, given.receipt, list(given.erased), given.nonce, shown, at])


def _decode(document: bytes) -> Farewell:
    """Read back what `_encode` wrote; a receipt alone, as it was kept before, is of no use to a hand-over."""
    match codec.decode(document, limits=_LIMITS):
        case [int(version), bytes(receipt), list(erased), bytes(nonce), bytes(shown), int(at)] if version == _FORMAT:
            known = papers.decode(shown) if shown else None
            return Farewell(receipt, tuple(erased), nonce=nonce, papers=known, at=instant(at))
        case _:
            return Farewell(document)
