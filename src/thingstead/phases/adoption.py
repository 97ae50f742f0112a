"""Adoption: who owns a thing that its maker mends no more takes over its updates (RFC 8576 §5.5; R-78).

::

    domain                                    thing
      | GET /custody ------------------------> |
      | <------------- {identity, voucher, chain}
      | PUT /custody {link to itself,          |  its maker's own date is over, and the link is by its owner?
      |               release keys} ---------> |  from now on releases are under these keys
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from thingstead.clock import Clock
from thingstead.crypto.key import PrivateKey
from thingstead.errors import ForbiddenError
from thingstead.identifier import ThingId
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import custody, papers, path
from thingstead.protocols.profile.custody import Owner
from thingstead.protocols.profile.succession import UpdateKeys

__all__ = ["Adoption"]


class Adoption:
    """The domain's side of every adoption.

    Args:
        ask: sends a request under the association with a thing, and waits for the response so many seconds.
        domain: our name.
        owner: the key that makers and owners before name as ours.
        clock: for UTC.
        within: seconds that a thing has to answer.
    """

    def __init__(
        self,
        ask: Callable[[ThingId, Message, float], Awaitable[Message]],
        *,
        domain: str,
        owner: PrivateKey,
        clock: Clock,
        within: float = 15.0,
    ) -> None:
        self._ask = ask
        self._domain = domain
        self._owner = owner
        self._clock = clock
        self._within = within

    async def adopt(self, thing: ThingId, serial: str, keys: UpdateKeys) -> None:
        """Have a thing take releases under these keys, and under no others but those that come to follow them.

        Raises:
            ForbiddenError: the thing does not take it: its maker still mends it, or it is not ours.
            DecodeError: what it shows are no papers.
            TransportError: it does not answer.
        """
        shown = papers.decode((await self._sent(thing, request(Code.GET, path.CUSTODY), Code.CONTENT)).payload)
        link = custody.extend(
            shown.head,
            serial=serial,
            owner=Owner(self._domain, self._owner.public),
            to=Owner(
                self._domain,
                self._owner.public,
                release_keys=keys.current.keys,
                signing=keys.current.signing,
                release_step=keys.number,
            ),
            at=self._clock.utc(),
            key=self._owner,
        )
        await self._sent(thing, request(Code.PUT, path.CUSTODY, payload=link), Code.CHANGED)

    async def _sent(self, thing: ThingId, message: Message, wanted: Code) -> Message:
        answer = await self._ask(thing, message, self._within)
        if answer.code != wanted:
            raise ForbiddenError(f"{thing} refused with code {code_name(answer.code)}: its maker may still mend it")
        return answer
