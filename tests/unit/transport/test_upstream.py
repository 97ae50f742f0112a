"""Asking resolvers out there: one after the other, over TCP where it is long, deaf to who guesses."""

import asyncio

import pytest

from tests.port import free_port
from tests.unit.transport.name_world import NAME, QUERY, Zone, answered, serving
from thingstead.errors import TransportError
from thingstead.transport.upstream import Upstream

ROW = (NAME, 60, "A", "198.51.100.7")


def run(story):
    return asyncio.run(story())


def test_the_answer_comes_as_it_is():
    async def story():
        async with serving(Zone(ROW)) as port:
            return await Upstream([("127.0.0.1", port)]).ask(QUERY)

    assert run(story) == answered(QUERY, ROW)


@pytest.mark.spec("RFC 5452 9.2")
def test_answers_with_another_id_are_passed_over():
    async def story():
        async with serving(Zone(ROW), lies=3) as port:
            return await Upstream([("127.0.0.1", port)]).ask(QUERY)

    assert run(story) == answered(QUERY, ROW)


@pytest.mark.spec("RFC 7766 5")
def test_a_cut_answer_is_fetched_over_tcp():
    zone = Zone(*[(NAME, 60, "A", f"198.51.100.{number}") for number in range(99)])

    async def story():
        async with serving(zone, cuts=True) as port:
            return await Upstream([("127.0.0.1", port)]).ask(QUERY)

    assert run(story) == answered(QUERY, *zone.rows)


def test_the_next_is_asked_where_one_is_gone():
    async def story():
        async with serving(Zone(ROW)) as port:
            return await Upstream([("127.0.0.1", free_port()), ("127.0.0.1", port)]).ask(QUERY)

    assert run(story) == answered(QUERY, ROW)


def test_nobody_who_answers_is_said():
    async def story():
        with pytest.raises(TransportError, match="no resolver answers"):
            await Upstream([("127.0.0.1", free_port()), ("::1", free_port())], seconds=0.05).ask(QUERY)

    run(story)


def test_nobody_who_could_be_asked_is_said():
    async def story():
        with pytest.raises(TransportError, match="no resolver is named"):
            await Upstream([]).ask(QUERY)

    run(story)


def test_a_server_that_hangs_up_over_tcp_is_no_answer():
    class HangsUp(Zone):
        async def ask(self, query):
            raise ConnectionAbortedError

    async def story():
        async with serving(HangsUp(ROW), cuts=True) as port:
            with pytest.raises(TransportError, match="no resolver answers"):
                await Upstream([("127.0.0.1", port)], seconds=1).ask(QUERY)

    run(story)
