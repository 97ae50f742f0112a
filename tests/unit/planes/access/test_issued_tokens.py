"""A revoked token is on disk before anybody is told, on the list until it expires, and shown to nobody else."""

import asyncio
from datetime import timedelta

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.planes.access.test_authorization_server import SlowRecords
from thingstead.errors import DecodeError, StateError, StorageError
from thingstead.planes.access.issued_tokens import IssuedToken, IssuedTokens
from thingstead.protocols.cbor import codec

SWITCH, LIGHT, OTHER = (f"thing-{letter * 16}" for letter in "abc")
HOUR = timedelta(hours=1)


def a_hash(number=1):
    return b"\x01" + bytes([number]) * 32


class Desk:
    def __init__(self, documents=None):
        self.clock = JumpingClock()
        self.records = SlowRecords(documents)
        self.told: list[str] = []
        self.tokens = IssuedTokens(self.records, clock=self.clock)
        self.tokens.on_change = self.told.append

    def issued(self, *, subject=SWITCH, audience=LIGHT, hours=1):
        return IssuedToken(subject, audience, self.clock.utc() + hours * HOUR)

    async def note(self, number=1, **changes):
        await self.tokens.note(a_hash(number), self.issued(**changes))

    def listed(self, requester):
        return codec.decode(self.tokens.answer(requester, ()).payload)[0]


def run(story):
    desk = Desk()
    asyncio.run(story(desk))
    return desk


async def _revoked(desk):
    await desk.note()
    await desk.tokens.revoke_all_of(SWITCH)


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 9770 7")
@pytest.mark.parametrize("requester", [SWITCH, LIGHT, ""])
def test_whom_a_revoked_token_concerns_sees_it(requester):
    desk = run(_revoked)
    assert desk.listed(requester) == [a_hash()]
    assert requester in desk.told


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 9770 7")
@pytest.mark.parametrize("requester", [OTHER, "home", "thing-"])
def test_whom_a_revoked_token_does_not_concern_sees_nothing_of_it(requester):
    desk = run(_revoked)
    assert desk.listed(requester) == []
    assert requester not in desk.told
    assert codec.decode(desk.tokens.answer(requester, ("diff=0",)).payload)[1] == []


def test_a_token_that_counts_is_not_on_the_list():
    assert run(lambda desk: desk.note()).listed(LIGHT) == []


@pytest.mark.spec("RFC 9770 5.1")
def test_an_expired_token_leaves_the_list_and_the_disk_and_that_is_a_change_too():
    async def story(desk):
        await _revoked(desk)
        desk.clock.seconds += 3601
        await desk.tokens.tidy()

    desk = run(story)
    assert desk.listed(LIGHT) == []
    assert not [name for name in desk.records.documents if name.startswith("token/")]
    assert codec.decode(desk.tokens.answer(LIGHT, ("diff=1",)).payload)[1] == [[[a_hash()], []]]
    assert desk.told.count(LIGHT) == 2


def test_before_anything_expires_tidying_writes_nothing():
    async def story(desk):
        await _revoked(desk)
        before = dict(desk.records.documents)
        await desk.tokens.tidy()
        assert desk.records.documents == before

    run(story)


def test_an_expired_token_cannot_be_revoked_any_more():
    async def story(desk):
        await desk.note()
        desk.clock.seconds += 3601
        assert await desk.tokens.revoke({a_hash(): desk.issued(hours=0)}) == 0

    assert run(story).told == []


def test_what_is_revoked_twice_changes_once():
    async def story(desk):
        await _revoked(desk)
        assert await desk.tokens.revoke_all_of(LIGHT) == 0

    assert run(story).told.count(LIGHT) == 1


def test_tokens_that_were_never_written_down_can_be_revoked():
    async def story(desk):
        assert await desk.tokens.revoke({a_hash(9): desk.issued()}) == 1

    assert run(story).listed(LIGHT) == [a_hash(9)]


@pytest.mark.requirement("R-09")
def test_the_list_and_its_history_survive_a_restart():
    desk = run(_revoked)
    again = Desk(desk.records.documents)
    assert again.listed(LIGHT) == [a_hash()]
    queries = ("diff=0", "cursor=0")
    assert again.tokens.answer(LIGHT, queries).payload == desk.tokens.answer(LIGHT, queries).payload


@pytest.mark.requirement("R-09")
def test_nobody_is_told_what_is_not_on_disk():
    async def story(desk):
        await desk.note()

        async def refuse(_changes, *, entries=()):
            raise StorageError("full")

        desk.records.write = refuse
        with pytest.raises(StorageError):
            await desk.tokens.revoke_all_of(SWITCH)

    desk = run(story)
    assert desk.told == []
    assert not desk.tokens.find(a_hash()).is_revoked


def test_two_revocations_at_once_are_two_changes():
    async def story(desk):
        await desk.note(1, subject=SWITCH)
        await desk.note(2, subject=OTHER)
        await asyncio.gather(desk.tokens.revoke_all_of(SWITCH), desk.tokens.revoke_all_of(OTHER))

    desk = run(story)
    assert codec.decode(desk.tokens.answer(LIGHT, ("diff=0",)).payload)[1] == [[[], [a_hash(2)]], [[], [a_hash(1)]]]


def test_a_device_that_has_left_has_no_history():
    async def story(desk):
        await _revoked(desk)
        await desk.tokens.forget_requester(SWITCH)
        await desk.tokens.forget_requester(SWITCH)

    desk = run(story)
    assert f"changes/{SWITCH}" not in desk.records.documents
    assert codec.decode(desk.tokens.answer(SWITCH, ("diff=0",)).payload)[1] == []


def test_one_holder_cannot_fill_the_table():
    async def story(desk):
        for number in range(64):
            await desk.note(number)
        with pytest.raises(StateError):
            await desk.note(64)
        desk.clock.seconds += 3601
        await desk.note(65)

    run(story)


def test_one_holder_cannot_fill_the_table_by_asking_all_at_once():
    async def story(desk):
        wanted = [desk.note(number) for number in range(80)]
        return [type(one) for one in await asyncio.gather(*wanted, return_exceptions=True)]

    desk = Desk()
    assert asyncio.run(story(desk)).count(StateError) == 80 - 64
    assert len(desk.records.documents) == 64


@pytest.mark.requirement("R-35")
def test_a_token_on_its_way_to_the_disk_is_revoked_with_the_others():
    desk = Desk()

    async def story():
        await asyncio.gather(desk.note(), desk.tokens.revoke_all_of(SWITCH))

    asyncio.run(story())
    assert desk.listed(LIGHT) == [a_hash()]


def test_what_is_found_has_not_expired():
    async def story(desk):
        await desk.note()
        assert desk.tokens.find(a_hash()) is not None
        assert desk.tokens.find(a_hash(2)) is None
        desk.clock.seconds += 3600
        assert desk.tokens.find(a_hash()) is None

    run(story)


def test_a_damaged_record_is_noticed():
    with pytest.raises(DecodeError):
        Desk({"token/" + a_hash().hex(): b"\x80"})
