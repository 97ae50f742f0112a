"""A world as the target of attacks: the same attacks that are run against a demo, without a socket or a wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.scenarios.world import World, play
from thingstead.phases.manufacture import Model
from thingstead.protocols.profile import birth as birth_record
from thingstead.simulator.attack.target import Target
from thingstead.simulator.attack.verdict import Attack, Verdict
from thingstead.simulator.virtual.network import Host


def target_of(world: World, *, genuine: str) -> Target:
    """Aim at a world's domain; `genuine` is the serial of a thing whose identity was copied."""
    thing, record = world.things[genuine], world.domain.record(genuine)
    assert record.support_end is not None
    addresses = iter(range(1, 255))

    def attach(core: Any) -> _Carrier:
        return _Carrier(core, (f"203.0.113.{next(addresses)}", 40000), world.network)

    async def ask(operation: str, arguments: Any) -> Any:
        return await world.domain.ask(operation, **arguments)

    return Target(
        address=world.domain.address,
        attach=attach,
        ask=ask,
        clock=world.clock,
        random_bytes=world.random.randbytes,
        maker=thing.maker,
        model=Model(record.model, 2, record.mud_url, record.support_end.date()),
        domain_key=world.domain.public,
        copied_identity=birth_record.decode(thing.disk["birth"]).maker_identity,
        series="readings",
    )


def attacked(attack: Attack, *, then: Callable[[World], Awaitable[None]] | None = None, seed: int = 1) -> list[Verdict]:
    """Run an attack against a domain with two things in it, which go on living."""

    async def story(world: World) -> list[Verdict]:
        await world.joined("A0001", "A0002")
        verdicts = await attack(target_of(world, genuine="A0001"))
        if then is not None:
            await then(world)
        return verdicts

    return play(story, seed=seed)


class _Carrier(Host):
    def close(self) -> None:
        self.stop()
