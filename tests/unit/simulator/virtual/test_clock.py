import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from thingstead.simulator.virtual.clock import VirtualClock, VirtualLoop, run

AT = datetime(2026, 11, 23, tzinfo=UTC)


def test_a_day_passes_in_no_time_and_both_clocks_have_seen_it():
    loop = VirtualLoop()
    clock = VirtualClock(loop, AT)
    began = time.perf_counter()

    async def story():
        await asyncio.sleep(86_400)
        return clock.now(), clock.utc()

    assert run(loop, story()) == (86_400, AT + timedelta(days=1))
    assert time.perf_counter() - began < 1


def test_a_clock_that_is_wrong_counts_on_from_there():
    loop = VirtualLoop()
    clock = VirtualClock(loop, AT)
    clock.skew = timedelta(days=-3650)
    assert (clock.now(), clock.utc()) == (0, AT - timedelta(days=3650))
    loop.close()


def test_who_waits_for_what_will_never_happen_is_told():
    async def story():
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="never happen"):
        run(VirtualLoop(), story())


def test_what_goes_wrong_beside_the_story_fails_it():
    async def story():
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)

    with pytest.raises(RuntimeError, match="beside the story"):
        run(VirtualLoop(), story())
