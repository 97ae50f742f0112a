"""What the domain does by itself, every second, and what becomes of it when that fails once."""

from tests.scenarios.world import play
from thingstead.errors import TransportError


def test_a_look_at_the_network_that_fails_is_tried_again_told_once_and_takes_nothing_with_it(caplog):
    async def story(world):
        asked: list[float] = []

        async def failing():
            asked.append(world.clock.now())
            raise TransportError("the kernel did not answer")

        world.domain.enforcement.counters = failing
        await world.sleep(5)
        assert len(asked) > 2
        await world.joined("A0001")

    play(story)
    told = [record for record in caplog.records if "housekeeping failed" in record.getMessage()]
    assert len(told) == 1
    assert told[0].exc_info is None
