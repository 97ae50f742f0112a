"""Decommission: the thing is asked to forget the domain while it still can be, then every plane lets go of it.

::

    domain                                    thing
      | POST /wipe {nonce} ------------------> |  erases association, groups, tokens, telemetry
      | <---- {thing, domain, erased, nonce} signed by its identity key
      |  receipt verified, kept, its hash on the ledger
      |  transition: all planes withdraw, whether the thing answered or not

A thing that does not answer may be broken, asleep or an enemy's: it is let go of all the same, and the
record says that there is no receipt (RFC 8576 §2).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from thingstead.crypto.digest import digest
from thingstead.crypto.key import PublicKey
from thingstead.domain.ledger.entry import Detail
from thingstead.domain.ports import Records
from thingstead.errors import DecodeError, ThingsteadError
from thingstead.identifier import ThingId
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import path, wipe

__all__ = ["Decommission", "Farewell"]

_LOGGER = logging.getLogger(__name__)
_NONCE_SIZE = 16


@dataclass(frozen=True, slots=True)
class Farewell:
    """What the thing left us with.

    Attributes:
        receipt: its signed word that it forgot us, as received; empty if it gave none.
        erased: what it says that it erased.
        failure: why there is no receipt; empty with one.
    """

    receipt: bytes
    erased: tuple[str, ...] = ()
    failure: str = ""

    def evidence(self) -> dict[str, Detail]:
        """For the ledger: the receipt's SHA-256, or that there is none and why."""
        if self.receipt:
            return {"wipe_receipt": digest(self.receipt)}
        return {"wipe_receipt": None, "no_receipt": self.failure}


class Decommission:
    """The domain's side of every parting.

    Args:
        records: receipts, by thing.
        ask: sends a request under the association with a thing, and waits for the response so many seconds.
        holder: the key that a thing proved when it joined; raises `StateError` when it holds no token.
        domain: our name.
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
        random_bytes: Callable[[int], bytes],
        within: float = 15.0,
    ) -> None:
        self._records = records
        self._ask = ask
        self._holder = holder
        self._domain = domain
        self._random_bytes = random_bytes
        self._within = within
        self._receipts = dict(records.load())

    def receipt_of(self, thing: ThingId) -> bytes:
        """The newest receipt of a thing; empty if it never gave one."""
        return self._receipts.get(thing, b"")

    async def part(self, thing: ThingId) -> Farewell:
        """Have a thing wipe itself; never raises for what a thing does or does not do."""
        try:
            receipt = await self._wipe(thing)
        except ThingsteadError as error:
            _LOGGER.warning("%s gave no wipe receipt: %s", thing, error)
            return Farewell(b"", failure=error.reason)
        await self._records.write({thing: receipt.encoded})
        self._receipts[thing] = receipt.encoded
        return Farewell(receipt.encoded, receipt.erased)

    async def _wipe(self, thing: ThingId) -> wipe.WipeReceipt:
        nonce = self._random_bytes(_NONCE_SIZE)
        public = self._holder(thing)
        asked = request(Code.POST, path.WIPE, payload=wipe.encode_request(nonce), content_format=ContentFormat.CBOR)
        answer = await self._ask(thing, asked, self._within)
        if answer.code != Code.CHANGED:
            raise DecodeError(f"expected a wipe receipt, got code {answer.code:#04x}", reason="not-wiped")
        return wipe.authenticate(answer.payload, public, thing=thing, domain=self._domain, nonce=nonce)
