"""One session a client, within bounds; keys that nobody has shown to know open nothing and end nothing."""

from datetime import timedelta

import pytest

from tests.unit.agent.peers import LIGHT, MATERIAL, SWITCH, SWITCH_AT, Light
from thingstead.agent.session_table import PEER_PREFIX, SessionTable
from thingstead.endpoint.event import AssociationId
from thingstead.protocols.ace.aif import Bounds, Scope

pytestmark = [pytest.mark.requirement("R-35"), pytest.mark.requirement("R-57")]


class Desk:
    def __init__(self):
        self.light = Light()
        self.woken = 0
        self.table = SessionTable(
            self.light.endpoint, utc=self.light.clock.utc, now=lambda: self.light.clock.seconds, wake=self._wake
        )
        self.count = 0

    def _wake(self):
        self.woken += 1

    def judged(self, encoded):
        return self.light.judge.judge(encoded, self.light.clock.seconds)

    def context(self, own_id=None):
        self.count += 1
        own_id = self.count.to_bytes(3, "big") if own_id is None else own_id
        return MATERIAL.context(nonce_1=b"1", nonce_2=b"2", sender_id=b"c", recipient_id=own_id)

    def show(self, source=SWITCH_AT, **changes):
        """A token in clear; returns the association that waits for its proof."""
        before = set(self.table._waiting)
        judged = self.judged(self.light.issue_sealed(**changes))
        self.table.await_proof(judged, self.context(), source, series=MATERIAL.id)
        (name,) = set(self.table._waiting) - before
        return name

    def is_live(self, name):
        return self.light.endpoint.association(name) is not None


@pytest.fixture
def desk():
    return Desk()


def _name(number):
    return f"thing-{'abcdefghijklmnop'[number % 16] * 15}{'abcdefgh'[number // 16]}"


@pytest.mark.spec("RFC 9203 4.3")
def test_the_first_request_under_new_keys_is_their_proof(desk):
    name = desk.show()
    assert desk.table.ends() == {}
    assert desk.table.find(name).client == SWITCH
    assert list(desk.table.ends()) == [SWITCH]
    assert desk.woken == 1


@pytest.mark.spec("RFC 9203 6")
def test_the_session_of_before_lives_until_then_and_no_longer(desk):
    before = desk.show()
    desk.table.find(before)
    after = desk.show()
    assert desk.table.find(before) is not None
    assert desk.table.find(after) is not None
    assert desk.table.find(before) is None
    assert not desk.is_live(before)


def test_a_session_of_the_other_profile_is_replaced_likewise(desk):
    desk.table.begin(desk.judged(desk.light.issue()), desk.context(), SWITCH_AT)
    met = AssociationId(PEER_PREFIX + SWITCH)
    after = desk.show()
    assert desk.table.find(met) is not None
    desk.table.find(after)
    assert (desk.is_live(met), desk.is_live(after)) == (False, True)
    desk.table.begin(desk.judged(desk.light.issue()), desk.context(), SWITCH_AT)
    assert (desk.is_live(met), desk.is_live(after)) == (True, False)


def test_what_is_not_proven_is_forgotten_in_time(desk):
    name = desk.show()
    desk.light.clock.seconds += 31
    assert desk.table.find(name) is None
    assert not desk.is_live(name)


@pytest.mark.requirement("R-36")
def test_what_is_not_proven_is_bounded_and_a_flood_from_one_host_pushes_out_itself(desk):
    theirs = desk.show()
    flood = [desk.show(source=("192.0.2.99", port)) for port in range(100)]
    assert len(desk.table._waiting) <= 16
    assert sum(desk.is_live(name) for name in flood) == 8
    assert desk.table.find(theirs) is not None
    assert desk.table.is_crowded()


def test_many_hosts_fill_no_more_than_there_is(desk):
    names = [desk.show(source=(f"192.0.2.{host}", 5683)) for host in range(100)]
    assert sum(desk.is_live(name) for name in names) == 16


def test_sessions_are_bounded_and_the_first_to_end_makes_room(desk):
    for number in range(33):
        expires = desk.light.clock.utc() + timedelta(hours=1, seconds=-number)
        desk.table.find(desk.show(subject=_name(number), expires=expires))
    assert len(desk.table.ends()) == 32
    assert _name(31) not in desk.table.ends()


@pytest.mark.parametrize("name", [None, "", "domain", "peer-", "shown-1", f"peer-{SWITCH}"])
def test_nobody_else_has_a_session(desk, name):
    assert desk.table.find(name) is None


def test_a_session_that_has_ended_is_none_even_before_the_story_wakes(desk):
    name = desk.show()
    desk.table.find(name)
    desk.light.clock.seconds += 3600
    assert desk.table.find(name) is None


@pytest.mark.spec("RFC 9770 11.1")
@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("is_proven", [True, False])
def test_a_revoked_token_ends_what_it_opened_or_would_have(desk, is_proven):
    shown = desk.light.issue_sealed()
    judged = desk.judged(shown)
    desk.table.await_proof(judged, desk.context(), SWITCH_AT, series=MATERIAL.id)
    (name,) = desk.table._waiting
    if is_proven:
        desk.table.find(name)
    desk.table.end({judged.token_hash})
    assert desk.table.find(name) is None
    assert not desk.is_live(name)


def test_another_token_that_is_revoked_ends_nothing(desk):
    name = desk.show()
    desk.table.end({b"\x01" + bytes(32)})
    assert desk.table.find(name) is not None


def test_the_session_is_of_what_others_may_reach(desk):
    scope = Scope({"/light": 5, "/wipe": 2, "/light/level": 4}, {"/light/level": Bounds(10, 60)})
    session = desk.table.find(desk.show(scope=scope))
    assert session.scope == Scope({"/light": 5, "/light/level": 4}, {"/light/level": Bounds(10, 60)})


def test_another_token_changes_rights_and_end_and_keeps_the_keys(desk):
    name = desk.show()
    session = desk.table.find(name)
    later = desk.light.clock.utc() + timedelta(hours=2)
    desk.table.update(session, desk.judged(desk.light.issue_sealed(material=MATERIAL.id, expires=later)))
    assert desk.table.find(name).ends == later
    assert desk.table.find(name).series == MATERIAL.id


def test_worn_keys_end(desk):
    name = desk.show()
    desk.table.find(name)
    desk.table.end_worn(AssociationId("domain"))
    assert desk.is_live(name)
    desk.table.end_worn(name)
    assert not desk.is_live(name)
    assert desk.table.ends() == {}


def test_who_leaves_a_domain_keeps_nothing(desk):
    proven, shown = desk.show(), desk.show(subject=_name(1))
    desk.table.find(proven)
    desk.table.clear()
    assert not desk.is_live(proven)
    assert not desk.is_live(shown)
    assert desk.table.find(shown) is None


def test_an_identifier_in_use_is_taken(desk):
    desk.table.await_proof(desk.judged(desk.light.issue_sealed()), desk.context(b"own"), SWITCH_AT, series=b"\x01")
    assert desk.table.is_taken(b"own")
    assert not desk.table.is_taken(b"owm")
    (name,) = desk.table._waiting
    desk.table.find(name)
    assert desk.table.is_taken(b"own")


def test_who_was_accepted_last_is_remembered(desk):
    session = desk.table.find(desk.show())
    assert desk.table.last_acceptance([session.token_hash]) is None
    desk.table.note_acceptance(session)
    assert desk.table.last_acceptance([session.token_hash]) == desk.light.clock.utc()
    assert desk.table.last_acceptance([LIGHT.encode()]) is None
