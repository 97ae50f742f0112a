"""A plane whose engine is a process of its own: the same promise, kept elsewhere (ADR 0027).

Where the process does not answer, the plane owes what it is asked: nothing is admitted on it, and what is to be taken
away stays owed until it is. A process that was started again is told first how things stand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from thingstead.controller.outbox import Outbox
from thingstead.domain.crypto_asset import CryptoAsset
from thingstead.domain.plane import Expiry, Finding, PlaneName, Probe, Receipt
from thingstead.domain.ports import Store
from thingstead.domain.thing import Thing
from thingstead.errors import ForbiddenError, TransportError
from thingstead.identifier import TransitionId
from thingstead.transport.engine_socket import Answer, Ask, EngineSocket, Outcome, plain, typed

__all__ = ["RemotePlane"]

_BEGIN = "begin"
_Said = TypeVar("_Said", Probe, Expiry, Finding)


class RemotePlane:
    """What every plane is asked.

    Args:
        name: which.
        engine: where it is.
        store: with the ledger.
        standing: how things stand: what its `begin` takes.

    Attributes:
        trouble: why it did not answer last; empty while it does.
    """

    def __init__(
        self, name: PlaneName, engine: EngineSocket, *, store: Store, standing: Callable[[], Sequence[Any]]
    ) -> None:
        self._name = name
        self._engine = engine
        self._standing = standing
        self._outbox = Outbox(name, store, fetch=self._entries)
        self._beginning = asyncio.Lock()
        self.trouble = ""

    @property
    def name(self) -> PlaneName:
        """Which plane this is."""
        return self._name

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """As the engine says."""
        return await self._demand("admit", thing, cause, transition_id)

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """As the engine says."""
        return await self._demand("restrict", thing, cause, transition_id)

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """As the engine says."""
        return await self._demand("withdraw", thing, cause, transition_id)

    async def probe(self, thing: Thing) -> Probe:
        """As the engine says."""
        probe: Probe = await self.ask(Probe, "probe", thing, urgent=True)
        return self._own(probe)

    def expiries(self) -> Sequence[Expiry]:
        """As the engine says."""
        return [self._own(one) for one in self.ask_now(tuple[Expiry, ...], "expiries")]

    def assets(self) -> Sequence[CryptoAsset]:
        """As the engine says."""
        told: tuple[CryptoAsset, ...] = self.ask_now(tuple[CryptoAsset, ...], "assets")
        return told

    def findings(self, question: str) -> Sequence[Finding]:
        """As the engine says."""
        return [self._own(one) for one in self.ask_now(tuple[Finding, ...], "findings", question)]

    def snapshot(self) -> Mapping[str, bytes]:
        """As the engine says."""
        return dict(self.ask_now(dict[str, bytes], "snapshot"))

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """As the engine says."""
        await self.ask(None, "restore", dict(documents))

    async def begin(self) -> None:
        """Tell the engine how things stand, and take up what it says."""
        async with self._beginning:
            await self._take_up(await self._exchange([int(Ask.CALL), _BEGIN, plain(list(self._standing()))]))

    async def ask(self, kind: Any, name: str, *values: Any, urgent: bool = False) -> Any:
        """Ask the engine; whatever it has for the ledger is there when this returns.

        Raises:
            TransportError: it does not answer, or not as it should.
            ThingsteadError: it refuses.
        """
        message = [int(Ask.CALL), name, plain(list(values))]
        answer = await self._exchange(message, urgent=urgent)
        if answer.outcome is Outcome.NOT_BEGUN:
            await self.begin()
            answer = await self._exchange(message, urgent=urgent)
        return typed(await self._take_up(answer), kind)

    def ask_now(self, kind: Any, name: str, *values: Any) -> Any:
        """Ask what is only read, and let everybody wait; errors as for `ask`."""
        message = [int(Ask.CALL), name, plain(list(values))]
        answer = self._exchange_now(message)
        if answer.outcome is Outcome.NOT_BEGUN:
            self.begin_now()
            answer = self._exchange_now(message)
        self._apply(answer)
        return typed(self._result(answer), kind)

    def begin_now(self) -> None:
        """Begin, and let everybody wait; what it has for the ledger comes with the next answer that is waited for."""
        answer = self._exchange_now([int(Ask.CALL), _BEGIN, plain(list(self._standing()))])
        self._apply(answer)
        self._result(answer)

    def told(self, name: str, values: Sequence[Any]) -> None:
        """Take up what the engine does to its relying party here; most have none."""
        raise ForbiddenError(f"the {self._name} plane says {name[:40]}, which is not its to say: {len(values)} values")

    async def _demand(self, name: str, thing: Thing, cause: str, transition_id: TransitionId) -> Receipt:
        receipt: Receipt = await self.ask(Receipt, name, thing, cause, transition_id, urgent=name != "admit")
        return receipt

    async def _exchange(self, message: Sequence[Any], *, urgent: bool = False) -> Answer:
        try:
            answer = await self._engine.ask(message, urgent=urgent)
        except TransportError as error:
            self.trouble = str(error)
            raise
        self.trouble = ""
        return answer

    def _exchange_now(self, message: Sequence[Any]) -> Answer:
        try:
            answer = self._engine.ask_now(message)
        except TransportError as error:
            self.trouble = str(error)
            raise
        self.trouble = ""
        return answer

    async def _take_up(self, answer: Answer) -> Any:
        self._apply(answer)
        await self._outbox.take(answer.entries)
        return self._result(answer)

    def _apply(self, answer: Answer) -> None:
        for name, values in answer.told:
            self.told(name, values)

    def _result(self, answer: Answer) -> Any:
        if answer.error is not None:
            raise answer.error
        if answer.outcome is Outcome.NOT_BEGUN:
            raise TransportError(f"the {self._name} plane does not begin", reason="engine")
        return answer.result

    async def _entries(self, start: int) -> Sequence[bytes]:
        answer = await self._exchange([int(Ask.ENTRIES), start])
        leaves: list[bytes] = typed(self._result(answer), list[bytes])
        return leaves

    def _own(self, said: _Said) -> _Said:
        """No plane speaks for another."""
        if said.plane is not self._name:
            raise ForbiddenError(f"the {self._name} plane speaks for {said.plane}", reason="engine")
        return said
