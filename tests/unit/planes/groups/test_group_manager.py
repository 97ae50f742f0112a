"""The Group Manager: durable first, nobody in without a right and a proof, nobody left on old keys."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.groups.parties import (
    KEY,
    LIGHT,
    MAY_COMMAND,
    MAY_JOIN,
    RENEWAL,
    Domain,
    joining,
    takes_keys,
)
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate, verify
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.plane import Standing
from thingstead.errors import (
    AuthenticationError,
    ConfigError,
    DecodeError,
    ForbiddenError,
    StateError,
    StorageError,
    UnsupportedError,
)
from thingstead.identifier import ThingId
from thingstead.planes.groups import record as group_record
from thingstead.protocols.ace import groupcomm_rekey
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm import GroupKeys
from thingstead.protocols.ace.groupcomm_join import decode_challenge, kdc_proof_input
from thingstead.protocols.ace.groupcomm_registry import Role
from thingstead.protocols.ace.groupcomm_rekey import Rekeying
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import ccs
from thingstead.protocols.profile.standing import MemberStanding

LAMP = a_thing()
OTHER = replace(LAMP, id=ThingId("thing-bbbbbbbbbbbbbbbb"), serial="2")


def run(story, **domain):
    async def whole():
        made = Domain(**domain)
        await made.manager.create("lamps")
        return await story(made)

    return asyncio.run(whole())


def refused(error, story):
    """The story is refused with `error`, and nobody is in the group."""

    async def whole(domain):
        before = dict(domain.disk.documents)
        with pytest.raises(error):
            await story(domain)
        record = domain.manager.group("lamps")
        assert (record.num, record.members) == (1, ())
        assert domain.disk.documents["group/lamps"] == before["group/lamps"]

    run(whole)


async def asked(domain, thing=LAMP, scope=MAY_JOIN, **request):
    await domain.admitted(thing, scope)
    return await domain.asks(thing, **request)


@pytest.mark.spec("RFC 9594 4.3.1")
def test_a_join_gives_keys_that_are_on_disk_and_a_proof_of_who_gives_them():
    async def story(domain):
        response = await domain.joined(LAMP)
        kept = group_record.decode(domain.disk.documents["group/lamps"])
        assert response.keys.master_secret == kept.master_secret
        assert (response.keys.num, response.keys.gid) == (2, kept.gid)
        assert [peer.scope for peer in response.keys.members] == [LIGHT, Scope({})]
        proof_input = kdc_proof_input(cnonce=b"01234567", kdc_nonce=response.kdc_nonce)
        verify(KEY.public, signature=response.proof, data=proof_input, signature_id=AlgorithmId.ESP256)
        assert domain.live.keys["lamps"].gid == kept.gid

    run(story)


def test_the_right_to_command_is_what_the_scope_says_beneath_the_group():
    async def story(domain):
        response = await domain.joined(LAMP, MAY_COMMAND, roles=Role.REQUESTER | Role.RESPONDER)
        assert response.keys.own().scope == Scope({"/light": 4})

    run(story)


@pytest.mark.requirement("R-65")
def test_a_thing_that_may_not_command_cannot_join_as_a_requester():
    refused(ForbiddenError, lambda domain: asked(domain, roles=Role.REQUESTER | Role.RESPONDER))


@pytest.mark.requirement("R-65")
@pytest.mark.spec("RFC 9594 4.3.1")
def test_a_credential_without_its_key_is_refused():
    stolen = ccs.encode(generate(KeyType.P256).public, kid=b"kid")
    refused(AuthenticationError, lambda domain: asked(domain, credential=stolen))


@pytest.mark.requirement("R-65")
@pytest.mark.spec("RFC 10021 2.4")
def test_the_domain_s_own_key_is_nobody_else_s():
    refused(ForbiddenError, lambda domain: asked(domain, key=KEY))


@pytest.mark.requirement("R-65")
@pytest.mark.spec("RFC 10021 2.4")
def test_no_two_members_have_one_key():
    async def story(domain):
        key = generate(KeyType.P256)
        await domain.joined(LAMP, key=key)
        with pytest.raises(ForbiddenError):
            await domain.joined(OTHER, key=key)
        assert [member.thing for member in domain.manager.group("lamps").members] == [LAMP.id]

    run(story)


@pytest.mark.parametrize(
    "credential",
    [
        ccs.encode(generate(KeyType.ED25519).public),
        ccs.encode(generate(KeyType.P384).public),
        b"\xa0",
        b"not cbor",
    ],
)
def test_a_credential_outside_the_profile_is_refused(credential):
    refused((DecodeError, UnsupportedError), lambda domain: asked(domain, credential=credential))


def test_a_join_request_without_a_challenge_is_refused():
    async def story(domain):
        await domain.admitted(LAMP)
        await domain.manager.join(LAMP.id, "lamps", joining(bytes(8)).encode())

    refused(StateError, story)


@pytest.mark.requirement("R-15")
def test_a_challenge_is_good_once():
    async def story(domain):
        await domain.admitted(LAMP)
        challenge = decode_challenge(await domain.manager.challenge(LAMP.id, "lamps"))
        request = joining(challenge).encode()
        await domain.manager.join(LAMP.id, "lamps", request)
        with pytest.raises(StateError):
            await domain.manager.join(LAMP.id, "lamps", request)
        assert domain.manager.group("lamps").num == 2

    run(story)


def test_a_proof_for_another_challenge_is_refused():
    async def story(domain):
        await domain.admitted(LAMP)
        old = decode_challenge(await domain.manager.challenge(LAMP.id, "lamps"))
        await domain.manager.challenge(LAMP.id, "lamps")
        await domain.manager.join(LAMP.id, "lamps", joining(old).encode())

    refused(AuthenticationError, story)


def test_a_proof_for_another_group_is_refused():
    refused(ForbiddenError, lambda domain: asked(domain, name="doors"))


@pytest.mark.parametrize("scope", [None, Scope({}), Scope({"/ace-group/doors": 2}), Scope({"/ace-group/lamps": 1})])
def test_a_thing_whose_token_does_not_say_so_is_not_even_challenged(scope):
    async def story(domain):
        await domain.admitted(LAMP, scope)
        await domain.manager.challenge(LAMP.id, "lamps")

    refused(ForbiddenError, story)


def test_a_thing_that_was_not_admitted_is_not_even_challenged():
    async def story(domain):
        domain.scopes[LAMP.id] = MAY_JOIN
        await domain.manager.challenge(LAMP.id, "lamps")

    refused(ForbiddenError, story)


def test_a_group_that_is_not_there_is_refused_like_one_that_is_forbidden():
    async def story(domain):
        await domain.admitted(LAMP, Scope({"/ace-group/doors": 2}))
        await domain.manager.challenge(LAMP.id, "doors")

    refused(ForbiddenError, story)


def test_who_is_no_member_gets_no_keys():
    async def story(domain):
        await domain.admitted(LAMP)
        await domain.manager.keys(LAMP.id, "lamps")

    refused(ForbiddenError, story)


@pytest.mark.requirement("R-63")
def test_nothing_is_live_and_nobody_is_in_when_the_disk_does_not_take_it():
    async def story(domain):
        installed = list(domain.live.installed)
        await domain.admitted(LAMP)
        challenge = decode_challenge(await domain.manager.challenge(LAMP.id, "lamps"))
        domain.disk.is_full = True
        try:
            await domain.manager.join(LAMP.id, "lamps", joining(challenge).encode())
        finally:
            assert domain.live.installed == installed

    refused(StorageError, story)


@pytest.mark.requirement("R-63")
def test_each_join_and_each_departure_begins_an_epoch_whose_secret_was_never_seen():
    async def story(domain):
        seen = [domain.live.keys["lamps"].master_secret.reveal()]
        for step in (
            domain.joined(LAMP),
            domain.joined(OTHER),
            domain.manager.rekey("lamps"),
            domain.manager.evict("lamps", LAMP.id),
            domain.manager.withdraw(OTHER, cause="retired", transition_id=OTHER.transition_id),
        ):
            await step
            seen.append(domain.live.keys["lamps"].master_secret.reveal())
        assert len(set(seen)) == len(seen) == domain.manager.group("lamps").num
        assert [entry.kind for entry in domain.disk.entries] == [Kind.GROUP] * 6

    run(story)


@pytest.mark.spec("RFC 10021 2.2")
def test_a_sender_id_is_given_once():
    async def story(domain):
        seen = [domain.record().domain_sender]
        for thing in (LAMP, OTHER, LAMP, OTHER, LAMP):
            response = await domain.joined(thing)
            seen.append(response.keys.sender_id)
        assert len(set(seen)) == len(seen)
        assert [member.thing for member in domain.manager.group("lamps").members] == [OTHER.id, LAMP.id]

    run(story)


@pytest.mark.requirement("R-09")
@pytest.mark.parametrize("demand", ["restrict", "withdraw"])
def test_a_demand_that_comes_again_puts_nobody_out_twice(demand):
    async def story(domain):
        domain.members = {LAMP.id: takes_keys, OTHER.id: takes_keys}
        await domain.joined(LAMP)
        await domain.joined(OTHER)
        ask = getattr(domain.manager, demand)
        first = await ask(LAMP, cause="a test", transition_id=LAMP.transition_id)
        num = domain.manager.group("lamps").num
        assert first.detail == "lamps: 1 of 1 have the new keys"
        again = await ask(LAMP, cause="a test", transition_id=LAMP.transition_id)
        assert (again.detail, domain.manager.group("lamps").num) == ("in no group", num)
        with pytest.raises(ForbiddenError):
            await domain.manager.challenge(LAMP.id, "lamps")

    run(story)


@pytest.mark.requirement("R-63")
def test_keys_never_go_to_who_was_put_out():
    async def story(domain):
        domain.members = {LAMP.id: takes_keys, OTHER.id: takes_keys}
        await domain.joined(LAMP)
        await domain.joined(OTHER)
        domain.asked.clear()
        await domain.manager.restrict(LAMP, cause="quarantined", transition_id=LAMP.transition_id)
        await domain.manager.tidy()
        assert [thing for thing, _ in domain.asked] == [OTHER.id]

    run(story)


def test_who_is_silent_is_tried_again_ever_more_slowly():
    async def story(domain):
        await domain.joined(LAMP)
        tries = []
        for second in range(40):
            domain.asked.clear()
            await domain.manager.tidy()
            tries += [second] * bool(domain.asked)
            domain.clock.seconds += 1
        assert tries == [0, 2, 6, 14, 30]
        domain.members[LAMP.id] = takes_keys
        domain.clock.seconds += 60
        await domain.manager.tidy()
        assert domain.manager.group("lamps").behind() == ()

    run(story)


@pytest.mark.requirement("R-63")
def test_a_member_whose_right_has_ended_is_put_out():
    async def story(domain):
        await domain.joined(LAMP)
        domain.scopes[LAMP.id] = Scope({})
        await domain.manager.tidy()
        assert domain.manager.group("lamps").members == ()

    run(story)


def test_old_keys_are_renewed_and_young_ones_are_not():
    async def story(domain):
        domain.clock.seconds += (RENEWAL - timedelta(seconds=1)).total_seconds()
        await domain.manager.tidy()
        assert domain.manager.group("lamps").num == 1
        domain.clock.seconds += 1
        await domain.manager.tidy()
        assert domain.manager.group("lamps").num == 2
        (expiry,) = domain.manager.expiries()
        assert expiry.at == domain.clock.utc() + 2 * RENEWAL

    run(story)


@pytest.mark.spec("RFC 8613 B.1.1")
def test_numbers_are_on_disk_before_they_may_be_used_and_end_with_their_epoch():
    async def story(domain):
        await domain.manager.reserve("lamps", 256)
        await domain.manager.reserve("lamps", 128)
        assert group_record.decode(domain.disk.documents["group/lamps"]).reserved == 256
        await domain.manager.rekey("lamps")
        assert (domain.record().reserved, domain.live.reserved["lamps"]) == (0, 0)
        domain.disk.is_full = True
        with pytest.raises(StorageError):
            await domain.manager.reserve("lamps", 256)
        assert domain.live.reserved["lamps"] == 0

    run(story)


@pytest.mark.spec("RFC 8613 B.1.1")
def test_after_a_restart_numbers_go_on_and_nothing_counts_as_fresh():
    async def story(domain):
        await domain.joined(LAMP)
        await domain.manager.reserve("lamps", 256)
        return domain.disk.documents, domain.manager.group("lamps").gid

    documents, gid = run(story)

    async def after(domain):
        domain.scopes[LAMP.id] = MAY_JOIN
        await domain.manager.resume()
        assert domain.live.installed == [(gid, False)]
        assert domain.live.reserved == {"lamps": 256}
        assert (await domain.keys(LAMP.id)).gid == gid

    run(after, documents=documents, seed=2)


def test_a_restored_group_has_an_identifier_that_never_was_and_no_members():
    async def story(domain):
        await domain.joined(LAMP)
        await domain.manager.evict("lamps", LAMP.id)
        return domain.manager.snapshot(), domain.manager.group("lamps").prefix

    snapshot, prefix = run(story)
    assert snapshot == {"lamps": LAMP.id.encode()}

    async def after():
        domain = Domain(seed=2)
        await domain.manager.restore(snapshot)
        record = domain.manager.group("lamps")
        assert (record.members, record.barred) == ((), frozenset({LAMP.id}))
        assert record.prefix != prefix

    asyncio.run(after())


@pytest.mark.requirement("R-09")
def test_a_probe_is_the_members_word_and_silence_is_told():
    silent = replace(LAMP, id=ThingId("thing-cccccccccccccccc"), serial="3")

    async def story(domain):
        at = domain.clock.utc()
        domain.members = {LAMP.id: takes_keys, OTHER.id: takes_keys}
        for thing in (LAMP, OTHER, silent):
            await domain.joined(thing)
        assert (await domain.manager.probe(LAMP)).standing is Standing.ACCEPTED
        await domain.manager.withdraw(LAMP, cause="retired", transition_id=LAMP.transition_id)

        def says(accepts):
            return lambda _message: Message(Code.CONTENT, payload=MemberStanding(accepts, 5, at).encode())

        domain.members[OTHER.id] = says(True)
        probe = await domain.manager.probe(LAMP)
        assert (probe.standing, probe.last_acceptance) == (Standing.ACCEPTED, at)
        assert probe.detail == f"lamps: 1 refuse, {OTHER.id} accept, {silent.id} silent"
        domain.members[OTHER.id] = says(False)
        probe = await domain.manager.probe(LAMP)
        assert (probe.standing, probe.relying_party) == (Standing.REFUSED, "1 members and the domain")
        assert probe.detail == f"lamps: 2 refuse, {silent.id} silent"
        domain.members[OTHER.id] = lambda _message: Message(Code.CONTENT, payload=b"\xff")
        assert (await domain.manager.probe(LAMP)).detail.endswith(f"{OTHER.id}, {silent.id} silent")

    run(story)


def test_nobody_knows_a_thing_that_was_in_no_group():
    async def story(domain):
        assert (await domain.manager.probe(LAMP)).standing is Standing.ABSENT

    run(story)


@pytest.mark.parametrize(
    ("question", "holds"),
    [("T8", True), ("C5.3.1", True), ("R-09", True), ("R-63", False), ("R-65", False), ("R-66", False)],
)
def test_findings_show_the_live_figures_and_hold_only_by_what_was_seen(question, holds):
    async def story(domain):
        domain.members[LAMP.id] = takes_keys
        await domain.joined(LAMP)
        await domain.manager.distribute("lamps")
        (finding,) = domain.manager.findings(question)
        assert finding.holds is holds
        assert "epoch 2" in finding.evidence
        assert "1 of 1 members confirmed" in finding.evidence
        assert domain.manager.findings("T1") == ()

    run(story)


@pytest.mark.parametrize("is_silent", [False, True])
def test_a_departure_is_shown_once_every_other_member_has_the_newest_keys(is_silent):
    async def story(domain):
        domain.members[LAMP.id] = domain.members[OTHER.id] = takes_keys
        await domain.joined(LAMP)
        await domain.joined(OTHER)
        if is_silent:
            del domain.members[LAMP.id]
        await domain.manager.evict("lamps", OTHER.id, cause="tested")
        (finding,) = domain.manager.findings("R-63")
        assert finding.holds is not is_silent

    run(story)


def test_a_domain_without_groups_says_so():
    (finding,) = Domain().manager.findings("R-63")
    assert not finding.holds


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "x" * 33, "ä"])
def test_a_name_that_would_leave_its_path_is_refused(name):
    with pytest.raises(DecodeError):
        asyncio.run(Domain().manager.create(name))


def test_an_unknown_group_is_said_to_be_unknown():
    with pytest.raises(ConfigError, match="group create"):
        asyncio.run(Domain().manager.rekey("doors"))


def test_a_group_that_is_there_is_not_made_anew():
    async def story(domain):
        assert await domain.manager.create("lamps") is domain.manager.group("lamps")
        assert domain.manager.group("lamps").num == 1

    run(story)


@pytest.mark.requirement("R-09")
def test_who_is_put_out_while_it_waits_to_join_does_not_get_in():
    async def story(domain):
        await domain.admitted(LAMP)
        challenge = decode_challenge(await domain.manager.challenge(LAMP.id, "lamps"))
        domain.disk.is_slow = True
        join = domain.manager.join(LAMP.id, "lamps", joining(challenge).encode())
        answers = await asyncio.gather(domain.manager.evict("lamps", LAMP.id), join, return_exceptions=True)
        assert isinstance(answers[1], ForbiddenError)
        assert domain.manager.group("lamps").member(LAMP.id) is None

    run(story)


@pytest.mark.requirement("R-09")
def test_who_was_put_out_while_the_disk_was_full_is_out_after_the_next_attempt_and_a_restart():
    async def story(domain):
        await domain.admitted(LAMP)
        domain.disk.is_full = True
        with pytest.raises(StorageError):
            await domain.manager.withdraw(LAMP, cause="retired", transition_id=LAMP.transition_id)
        domain.disk.is_full = False
        await domain.manager.withdraw(LAMP, cause="retired", transition_id=LAMP.transition_id)
        assert not [name for name in domain.disk.documents if LAMP.id in name]

    run(story)


# --- what members are told of a rekey


def _pushed(domain):
    """What each thing was given last."""
    return {
        thing: groupcomm_rekey.decode(message.payload) for thing, message in domain.asked if message.code == Code.PUT
    }


@pytest.mark.requirement("R-63")
def test_members_that_have_the_epoch_before_are_told_what_changed_and_others_all_of_it():
    third = replace(LAMP, id=ThingId("thing-cccccccccccccccc"), serial="3")

    async def story(domain):
        for thing in (LAMP, OTHER, third):
            await domain.joined(thing)
        domain.members = {LAMP.id: takes_keys, OTHER.id: takes_keys}
        await domain.manager.distribute("lamps")
        first = {thing: keys.num for thing, keys in _pushed(domain).items()}
        leaver = domain.manager.group("lamps").member(OTHER.id).sender_id
        await domain.manager.evict("lamps", OTHER.id)
        told = _pushed(domain)
        assert isinstance(told[LAMP.id], Rekeying)
        assert (told[LAMP.id].base, told[LAMP.id].stale, told[LAMP.id].keys.members) == (first[LAMP.id], (leaver,), ())
        # It never said that it has anything.
        assert isinstance(told[third.id], GroupKeys)
        # What changed is in memory alone: after a restart all are told everything.
        domain.members = {}
        await domain.manager.rekey("lamps")
        again = Domain(domain.disk.documents)
        again.scopes, again.members = domain.scopes, {LAMP.id: takes_keys}
        await again.manager.distribute("lamps")
        assert isinstance(_pushed(again)[LAMP.id], GroupKeys)

    run(story)


def test_who_cannot_follow_is_given_all_of_it_at_once():
    def follows_nothing(message):
        told = groupcomm_rekey.decode(message.payload)
        return Message(Code.CONFLICT if isinstance(told, Rekeying) else Code.CHANGED)

    async def story(domain):
        await domain.joined(LAMP)
        domain.members = {LAMP.id: follows_nothing}
        await domain.manager.distribute("lamps")
        record = await domain.manager.rekey("lamps")
        assert record.behind() == ()
        assert isinstance(_pushed(domain)[LAMP.id], GroupKeys)

    run(story)


def test_changes_over_several_epochs_are_told_as_one():
    third = replace(LAMP, id=ThingId("thing-cccccccccccccccc"), serial="3")

    async def story(domain):
        await domain.joined(LAMP)
        await domain.joined(OTHER)
        domain.members = {LAMP.id: takes_keys}
        await domain.manager.distribute("lamps")
        domain.members = {}
        before = domain.manager.group("lamps")
        await domain.manager.evict("lamps", OTHER.id)
        await domain.joined(third)
        domain.members = {LAMP.id: takes_keys}
        await domain.manager.distribute("lamps")
        told, now = _pushed(domain)[LAMP.id], domain.manager.group("lamps")
        assert (told.base, told.keys.num) == (before.num, now.num)
        assert told.stale == (before.member(OTHER.id).sender_id,)
        assert [peer.sender_id for peer in told.keys.members] == [now.member(third.id).sender_id]

    run(story)


def test_who_is_heard_again_after_a_while_is_told_at_once_what_it_missed():
    async def story(domain):
        await domain.joined(LAMP)
        await domain.manager.rekey("lamps")
        for _ in range(6):
            await domain.manager.tidy()
        tries = len(domain.asked)
        heard: list[str] = []
        await domain.manager.tidy()
        assert len(domain.asked) == tries
        domain.manager.on_join = heard.append
        domain.members = {LAMP.id: takes_keys}
        domain.manager.heard(OTHER.id)
        assert heard == []
        domain.manager.heard(LAMP.id)
        assert heard == ["lamps"]
        await domain.manager.tidy()
        assert domain.manager.group("lamps").behind() == ()
        domain.manager.heard(LAMP.id)
        assert heard == ["lamps"]

    run(story)


@pytest.mark.requirement("R-09")
def test_a_putting_out_that_ended_before_the_others_were_told_is_told_by_the_next_attempt():
    async def story(domain):
        await domain.joined(LAMP)
        await domain.joined(OTHER)
        await domain.manager.restrict(OTHER, cause="doubt", transition_id=OTHER.transition_id)
        assert [member.thing for member in domain.manager.group("lamps").behind()] == [LAMP.id]
        domain.members = {LAMP.id: takes_keys}
        told = await domain.manager.restrict(OTHER, cause="doubt", transition_id=OTHER.transition_id)
        assert told.detail == "lamps: 1 of 1 have the new keys"

    run(story)
