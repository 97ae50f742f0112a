"""The process that may change the kernel's rules, and nothing else: it takes changes of things in its own table."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from thingstead.domain.network import AppliedChange
from thingstead.domain.ports import Enforcement
from thingstead.errors import ForbiddenError, PolicyError, ThingsteadError
from thingstead.identifier import thing_id
from thingstead.transport import frame
from thingstead.transport.enforcement_socket import Ask, decode_change, encode_rule

__all__ = ["Enforcer"]

_LOGGER = logging.getLogger(__name__)


class Enforcer:
    """An `Enforcement` behind a socket."""

    def __init__(self, rules: Enforcement) -> None:
        self._rules = rules
        self._loop = asyncio.new_event_loop()

    def answer(self, message: list[Any]) -> list[Any]:
        """Answer one message; ``[why]`` where the address is another thing's."""
        try:
            return [frame.DONE, self._loop.run_until_complete(self._answer(message))]
        except PolicyError as error:
            return [frame.DONE, [str(error)]]
        except ThingsteadError as error:
            _LOGGER.warning("enforcer: refused: %s", error)
            return [frame.REFUSED, str(error)[:200]]

    def close(self) -> None:
        """Answer nothing more."""
        self._loop.close()

    async def _answer(self, message: list[Any]) -> Any:
        match message:
            case [Ask.APPLY, list(change)]:
                return _encode_applied(await self._rules.apply(decode_change(change)))
            case [Ask.APPLY_ALL, list(changes)]:
                return list(map(_encode_applied, await self._rules.apply_all(list(map(decode_change, changes)))))
            case [Ask.SETTLE]:
                return await self._rules.settle()
            case [Ask.UPHOLD]:
                return await self._rules.uphold()
            case [Ask.STANDING, str(thing)]:
                found = await self._rules.standing(thing_id(thing))
                return [found.mode, found.admitted, found.barred]
            case [Ask.COUNTERS]:
                return [[one.thing, one.seen, one.refused] for one in await self._rules.counters()]
            case [Ask.RULE_COUNTERS, str(thing)]:
                rows = await self._rules.rule_counters(thing_id(thing))
                return [[encode_rule(row.rule), row.is_refusal, row.packets] for row in rows]
            case [Ask.DROPS]:
                return [[one.at, one.reason, one.packet_head] for one in await self._rules.drops()]
        raise ForbiddenError("expected something that is asked of the enforcer", reason="enforcer")


def _encode_applied(done: AppliedChange) -> list[Any]:
    return [done.mode, done.added, done.removed, done.seconds]
