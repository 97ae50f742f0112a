"""A join beside the Group Manager: what is asked of whom, and when; its rights are answered by the test."""

import asyncio

import pytest

from tests.unit.controller.planes import JumpingClock
from tests.unit.domain.things import a_thing
from tests.unit.planes.groups.parties import KEY, LIGHT, Disk, LiveGroups, joining
from tests.unit.planes.groups.test_keeper import VALIDITY
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, ForbiddenError, StateError
from thingstead.planes.groups.enrolment import Enrolment
from thingstead.planes.groups.keeper import DOMAIN_ROLES, Keeper
from thingstead.planes.groups.roster import Rosters
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm import Peer
from thingstead.protocols.ace.groupcomm_join import decode_challenge
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.cwt import ccs

ONE, TWO = a_thing(1).id, a_thing(2).id
BOTH = Role.REQUESTER | Role.RESPONDER
NOTHING = Scope({})


class Door:
    """Two groups and what decides over them; `rights` are given one after the other, the last one for good."""

    def __init__(self, *rights):
        self.rights = list(rights or [NOTHING])
        self.disk = Disk()
        self.clock = JumpingClock()
        numbers = iter(range(1, 10_000))
        self.keeper = Keeper(
            self.disk,
            Rosters(LiveGroups()),
            domain=Peer(b"", ccs.encode(KEY.public), DOMAIN_ROLES, LIGHT),
            gm_credential=b"gm",
            validity=VALIDITY,
            clock=self.clock,
            random_bytes=lambda size: next(numbers).to_bytes(size, "big"),
        )
        self.enrolment = Enrolment(
            self.keeper, KEY, clock=self.clock, random_bytes=lambda size: next(numbers).to_bytes(size, "big")
        )
        for name in ("lamps", "doors"):
            asyncio.run(self.keeper.create(name))

    def right(self):
        answer = self.rights.pop(0) if len(self.rights) > 1 else self.rights[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def challenge(self, thing=ONE, name="lamps"):
        return decode_challenge(self.enrolment.challenge(thing, name))

    def join(self, request, thing=ONE, name="lamps"):
        return asyncio.run(self.enrolment.join(thing, name, request.encode(), right=self.right))

    def refuses(self, error, request, thing=ONE, name="lamps"):
        with pytest.raises(error) as refused:
            self.join(request, thing, name)
        assert [record.members for record in self.keeper.groups()] == [(), ()]
        assert [record.num for record in self.keeper.groups()] == [1, 1]
        return refused.value


def test_every_challenge_is_new_and_only_the_last_one_counts():
    door = Door()
    first, second = door.challenge(), door.challenge()
    assert first != second
    door.refuses(AuthenticationError, joining(first))


def test_a_challenge_is_of_one_thing_and_one_group():
    door = Door()
    challenge = door.challenge()
    door.refuses(StateError, joining(challenge), thing=TWO)
    door.refuses(StateError, joining(challenge, name="doors"), name="doors")
    assert door.join(joining(challenge)).keys.own().sender_id == b"\1"


def test_a_request_that_names_another_group_than_its_path_is_refused():
    door = Door()
    error = door.refuses(ForbiddenError, joining(door.challenge(), name="doors"))
    assert error.spec == "RFC 9594 §4.3.1"


@pytest.mark.spec("RFC 9594 4.3.1")
def test_a_failed_proof_spends_the_challenge():
    door = Door()
    challenge = door.challenge()
    door.refuses(AuthenticationError, joining(challenge, proof=bytes(64)))
    door.refuses(StateError, joining(challenge))


@pytest.mark.parametrize("roles", [Role.REQUESTER, BOTH])
def test_who_may_ask_for_nothing_is_no_requester(roles):
    door = Door(NOTHING)
    door.refuses(ForbiddenError, joining(door.challenge(), roles=roles))


def test_who_only_answers_gets_no_right_to_ask_even_if_it_had_one():
    door = Door(LIGHT)
    assert door.join(joining(door.challenge())).keys.own().scope == NOTHING
    door = Door(LIGHT)
    assert door.join(joining(door.challenge(), roles=BOTH)).keys.own().scope == LIGHT


@pytest.mark.requirement("R-09")
def test_a_right_that_ends_while_the_thing_waits_for_its_turn_is_no_right():
    door = Door(LIGHT, ForbiddenError("its token was taken"))
    door.refuses(ForbiddenError, joining(door.challenge(), roles=BOTH))
    door = Door(LIGHT, NOTHING)
    door.refuses(ForbiddenError, joining(door.challenge(), roles=BOTH))


@pytest.mark.requirement("R-65")
@pytest.mark.spec("RFC 10021 2.4")
def test_the_key_of_the_domain_or_of_another_member_is_nobody_else_s_whatever_is_beside_it():
    door = Door()
    door.refuses(ForbiddenError, joining(door.challenge(), key=KEY))
    key = generate(KeyType.P256)
    door.join(joining(door.challenge(), key=key))
    request = joining(door.challenge(TWO), key=key, credential=ccs.encode(key.public, kid=b"another kid"))
    with pytest.raises(ForbiddenError) as refused:
        door.join(request, TWO)
    assert refused.value.reason == "key"


def test_a_member_may_join_anew_with_its_own_key_and_gets_another_place():
    door = Door()
    key = generate(KeyType.P256)
    first, second = (door.join(joining(door.challenge(), key=key)).keys for _ in range(2))
    assert (first.own().sender_id, second.own().sender_id) == (b"\1", b"\2")
    assert len(door.keeper.group("lamps").members) == 1
    assert first.master_secret != second.master_secret


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x80", b"\xa0"])
def test_what_is_no_join_request_is_refused_and_spends_no_challenge(payload):
    door = Door()
    challenge = door.challenge()
    with pytest.raises(DecodeError):
        asyncio.run(door.enrolment.join(ONE, "lamps", payload, right=door.right))
    assert door.join(joining(challenge))


def test_who_is_put_out_right_after_its_join_has_the_keys_of_an_epoch_that_is_over():
    door = Door()
    request = joining(door.challenge())

    async def both():
        door.disk.is_slow = True
        join = door.enrolment.join(ONE, "lamps", request.encode(), right=door.right)
        joined = asyncio.get_running_loop().create_task(join)
        await asyncio.sleep(0)
        await door.keeper.change("lamps", door.keeper.without(ONE))
        return await joined

    response = asyncio.run(both())
    assert response.keys.num < door.keeper.group("lamps").num
    assert door.keeper.group("lamps").members == ()
