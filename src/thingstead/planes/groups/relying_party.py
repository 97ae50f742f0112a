"""What the Group Manager asks of members: take these keys; would you accept that one?"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from thingstead.errors import ThingsteadError
from thingstead.identifier import ThingId
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.profile import path
from thingstead.protocols.profile.standing import MemberStanding, StandingQuestion

__all__ = ["Ask", "RelyingParties"]

_LOGGER = logging.getLogger(__name__)

Ask = Callable[[ThingId, Message], Awaitable[Message]]
"""Sends a request to a thing under its own association, and waits for the response."""


class RelyingParties:
    """Asks many members at once; who does not answer in time holds up nobody.

    Args:
        ask: asks one.
        within: seconds that one has.
    """

    def __init__(self, ask: Ask, *, within: float) -> None:
        self._ask = ask
        self._within = within

    async def push(self, keys: Mapping[ThingId, bytes]) -> dict[ThingId, bool]:
        """Hand each thing its keys (DRAFT §11.1, point to point); of those that answered, whether they have them."""
        messages = {
            thing: request(Code.PUT, path.GROUP_KEYS, payload=own, content_format=ContentFormat.ACE_GROUPCOMM_CBOR)
            for thing, own in keys.items()
        }
        answers = await self._ask_all(messages)
        return {thing: answer.code == Code.CHANGED for thing, answer in answers.items()}

    async def standings(self, things: Iterable[ThingId], question: StandingQuestion) -> dict[ThingId, MemberStanding]:
        """What each of `things` says; who does not answer is left out."""
        message = request(Code.FETCH, path.STANDING, payload=question.encode(), content_format=ContentFormat.CBOR)
        answers = await self._ask_all(dict.fromkeys(things, message))
        standings: dict[ThingId, MemberStanding] = {}
        for thing, answer in answers.items():
            if answer.code != Code.CONTENT:
                continue
            try:
                standings[thing] = MemberStanding.decode(answer.payload)
            except ThingsteadError as error:
                _LOGGER.warning("%s does not tell a member's standing: %s", thing, error)
        return standings

    async def _ask_all(self, messages: Mapping[ThingId, Message]) -> dict[ThingId, Message]:
        answers = await asyncio.gather(*[self._one(thing, message) for thing, message in messages.items()])
        return {thing: answer for thing, answer in zip(messages, answers, strict=True) if answer is not None}

    async def _one(self, thing: ThingId, message: Message) -> Message | None:
        try:
            async with asyncio.timeout(self._within):
                return await self._ask(thing, message)
        except (TimeoutError, ThingsteadError) as error:
            _LOGGER.debug("%s did not answer: %s", thing, error)
            return None
