"""Between a Group Manager that may be gone and members that may be silent: nothing goes back, and nothing is lost."""

import asyncio

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.groups.parties import MAY_JOIN, Domain, joining, takes_keys
from thingstead.errors import ForbiddenError, TransportError
from thingstead.planes.groups import group_manager
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm_join import decode_challenge

ONE, TWO, THREE = (a_thing(number) for number in (1, 2, 3))


class Losing:
    """A Group Manager that does what it is asked, and whose answer to `name` is lost, with what it told."""

    def __init__(self, domain, name):
        self._domain = domain
        self._name = name

    def __getattr__(self, name):
        asked = getattr(self._domain.engine, name)
        if name != self._name:
            return asked

        async def lost(*values, **named):
            rosters = self._domain.engine._keeper._rosters
            kept = dict(rosters._all), dict(rosters._seats), dict(self._domain.live.keys)
            await asked(*values, **named)
            rosters._all, rosters._seats, self._domain.live.keys = kept
            raise TransportError("the other end has closed the connection")

        return lost


def run(story):
    async def whole():
        domain = Domain()
        await domain.manager.create("lamps")
        domain.members = {thing.id: takes_keys for thing in (ONE, TWO, THREE)}
        for thing in (ONE, TWO):
            await domain.joined(thing)
        await domain.manager.distribute("lamps")
        return await story(domain)

    return asyncio.run(whole())


def demand(thing):
    return {"cause": "a test", "transition_id": thing.transition_id}


@pytest.mark.requirement("R-63")
@pytest.mark.parametrize("name", ["restrict", "withdraw"])
def test_an_epoch_whose_making_was_not_heard_of_is_handed_round_by_the_next_attempt(name):
    async def story(domain):
        domain.manager.epochs = Losing(domain, name)
        ask = getattr(domain.manager, name)
        with pytest.raises(TransportError):
            await ask(TWO, **demand(TWO))
        assert domain.live.keys["lamps"].num < domain.record().num
        domain.manager.epochs = domain.engine
        domain.engine.tell()
        receipt = await ask(TWO, **demand(TWO))
        assert receipt.detail == "lamps: 1 of 1 have the new keys"
        assert domain.live.keys["lamps"].gid == domain.record().gid

    run(story)


@pytest.mark.requirement("R-63")
@pytest.mark.spec("RFC 8613 B.1.2")
def test_a_seat_in_an_epoch_whose_making_was_not_heard_of_is_taken_as_one_that_it_may_have_had():
    async def story(domain):
        lost = Domain(domain.disk.documents)
        lost.members = domain.members
        lost.scopes.update(domain.scopes)
        await lost.manager.tidy()
        assert lost.live.installed == [(domain.record().gid, False)]
        await lost.manager.tidy()
        assert len(lost.live.installed) == 1

    run(story)


@pytest.mark.requirement("R-09")
def test_a_right_that_ends_while_the_thing_joins_gets_it_no_keys_and_puts_it_out():
    async def story(domain):
        await domain.admitted(THREE, MAY_JOIN)
        challenge = decode_challenge(await domain.manager.challenge(THREE.id, "lamps"))
        domain.disk.is_slow = True
        joining_now = asyncio.get_running_loop().create_task(
            domain.manager.join(THREE.id, "lamps", joining(challenge).encode())
        )
        await asyncio.sleep(0)
        domain.scopes[THREE.id] = None
        with pytest.raises(ForbiddenError, match="put out of lamps meanwhile"):
            await joining_now
        joined = domain.record().num
        await domain.manager.tidy()
        assert domain.record().num == joined + 1
        assert domain.record().member(THREE.id) is None

    run(story)


@pytest.mark.requirement("R-09")
def test_who_has_no_right_at_all_gets_no_challenge_whatever_was_before():
    async def story(domain):
        for scope in (None, Scope({})):
            domain.scopes[ONE.id] = scope
            with pytest.raises(ForbiddenError):
                await domain.manager.challenge(ONE.id, "lamps")
            with pytest.raises(ForbiddenError):
                await domain.manager.keys(ONE.id, "lamps")

    run(story)


@pytest.mark.spec("RFC 8613 B.1.1")
def test_numbers_that_were_kept_for_an_epoch_that_is_over_are_spent_in_none():
    async def story(domain):
        domain.disk.is_slow = True
        reserving = asyncio.get_running_loop().create_task(domain.manager.reserve("lamps", 256))
        rekeying = asyncio.get_running_loop().create_task(domain.manager.rekey("lamps"))
        await asyncio.gather(reserving, rekeying)
        assert domain.record().reserved == domain.live.reserved["lamps"] == 0

    run(story)


def test_keys_of_many_are_taken_page_by_page_before_anybody_is_waited_for(monkeypatch):
    async def story(domain):
        monkeypatch.setattr(group_manager, "_MAX_PAGE", 1)
        assert [len(await domain.engine.parcels("lamps", after)) for after in (b"", b"\xff")] == [0, 0]
        domain.members = {}
        await domain.manager.rekey("lamps")
        first = await domain.engine.parcels("lamps", b"")
        second = await domain.engine.parcels("lamps", first[-1].sender_id)
        assert [one.thing for one in (*first, *second)] == [ONE.id, TWO.id]
        assert await domain.engine.parcels("lamps", second[-1].sender_id) == ()
        domain.members = {thing.id: takes_keys for thing in (ONE, TWO)}
        assert (await domain.manager.distribute("lamps")).behind() == ()

    run(story)


def test_what_one_member_confirmed_in_another_epoch_counts_for_that_one():
    async def story(domain):
        num = domain.record().num
        await domain.engine.rekey("lamps", "a test")
        await domain.engine.confirm("lamps", num, tuple([one.sender_id for one in domain.record().members]))
        assert len(domain.record().behind()) == 2

    run(story)


@pytest.mark.requirement("R-22")
def test_a_member_that_has_to_wait_is_sent_no_newer_keys_until_it_need_not():
    async def story(domain):
        domain.manager.withholds = lambda thing: thing == TWO.id
        domain.asked.clear()
        roster = await domain.manager.rekey("lamps")
        assert [member.thing for member in roster.behind()] == [TWO.id]
        assert {thing for thing, _ in domain.asked} == {ONE.id}
        domain.manager.withholds = lambda _thing: False
        assert (await domain.manager.distribute("lamps")).behind() == ()

    run(story)
