"""People who maintain things: at the controller, with a key of their own, or before a thing that is left to itself."""

from __future__ import annotations

import base64
from typing import Any

from tests.scenarios.world import POLICY
from thingstead.agent.caller import Caller
from thingstead.agent.story import Story
from thingstead.controller.operation_table import gate
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import ThingsteadError
from thingstead.protocols.profile import signed_request
from thingstead.protocols.profile.maintenance import Task
from thingstead.protocols.profile.permit import PermitFile
from thingstead.simulator.virtual.network import Host
from thingstead.storage.operator_file import key_word

__all__ = ["MAINTAINED", "Person", "orders"]

_PLACES = "".join(f'"/maintenance/{task}" = ["POST"]\n' for task in Task)
MAINTAINED = POLICY.replace('"/senml" = ["POST"]\n', '"/senml" = ["POST"]\n"/maintenance" = ["POST"]\n').replace(
    "[granted]\n", f"[granted]\n{_PLACES}"
)


class Person:
    """Somebody with a key, whom the file of operators gives a role."""

    def __init__(self, world: Any, name: str = "ben", role: str = "maintainer") -> None:
        self.world, self.name, self.key = world, name, generate(KeyType.P256)
        world.domain.operators += f"{role} {key_word(self.key.public)} {name}\n"
        self.caller: Caller | None = None

    async def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Sign a request to the controller; result or error."""
        people = gate(self.world.domain.controller)
        opened = (await people.answer_owner({"operation": "challenge"}, 0))["result"]
        signed = signed_request.sign(
            operation, arguments, self.key, domain=opened["domain"], challenge=bytes.fromhex(opened["challenge"])
        )
        return await people.answer_owner({"signed": base64.urlsafe_b64encode(signed).decode()}, 0)

    async def permitted(self, *things: Any, **bounds: Any) -> PermitFile:
        """Have the owner write permits, and take them along."""
        named = [thing.id for thing in things]
        told = await self.world.domain.ask("maintenance.permit", name=self.name, things=named, **bounds)
        file = PermitFile.decode(base64.urlsafe_b64decode(told["permit"]))
        self.carry(file)
        return file

    def carry(self, file: PermitFile) -> None:
        """Go to things with these permits."""
        world = self.world
        self.caller = Caller(file, self.key, clock=world.clock, random_bytes=world.random.randbytes)
        self.host = Host(self.caller, (f"203.0.113.{len(world.domain.operators) % 250}", 5683), world.network)

    async def order(self, thing: Any, task: Task, **arguments: Any) -> Any:
        """Give an order before a thing: number and result, or the reason of the error."""
        caller, outcomes = self.caller, []
        assert caller is not None

        def story() -> Story:
            try:
                outcomes.append((yield from caller.order(task, thing.id, thing.address, arguments)))
            except ThingsteadError as error:
                outcomes.append(error.reason)

        caller.stories.start("test", story(), self.world.clock.now())
        self.host.flush()
        await self.world.until(lambda: outcomes, within=200)
        return outcomes[0]


def orders(world: Any) -> list[tuple[str, str, Any]]:
    """What the ledger has of maintenance: who, what, and what was objected to."""
    told = [one for one in world.domain.entries() if one.kind == "maintenance"]
    return [(one.actor, one.cause, one.details.get("objection")) for one in told]
