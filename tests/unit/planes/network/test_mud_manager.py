import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import timedelta
from ipaddress import ip_address

import pytest

from tests.unit.domain.things import a_thing
from tests.unit.planes.network.fakes import CLOUD, CONTROLLER, PEERS, URL, Kernel, World, described
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.name import NameAnswer
from thingstead.domain.network import Traffic
from thingstead.domain.plane import Standing
from thingstead.domain.thing import KeyRow
from thingstead.errors import PolicyError, TransportError
from thingstead.planes.network.alarm import AlarmKind
from thingstead.protocols.mud.builder import Service
from thingstead.protocols.mud.file import Remote, RemoteKind
from thingstead.protocols.mud.rule import DNS_CLASS

THING = a_thing()
BASELINE = {("10.77.0.1/32", 17, 5683)}
LOCAL_DNS = {("10.77.0.1/32", 17, 53), ("10.77.0.1/32", 6, 53)}


def run(story):
    return asyncio.run(story)


@pytest.mark.requirement("R-80")
def test_an_admitted_thing_may_do_what_its_file_names_and_reach_its_controller():
    world = World(CLOUD)

    async def story():
        receipt = await world.admit(THING)
        assert world.kernel.rules(THING.id) == BASELINE | LOCAL_DNS | {("198.51.100.7/32", 6, 443)} | {
            ("2001:db8::7/128", 6, 443)
        }
        assert receipt.detail.startswith(f"{URL} by nobody; DRY RUN")
        assert (await world.manager.probe(THING)).standing is Standing.ACCEPTED
        assert "NOT enforced" in (await world.manager.probe(THING)).relying_party

    run(story())


@pytest.mark.requirement("R-80")
def test_addresses_of_a_name_stand_for_its_lifetime_and_follow_it():
    world = World(CLOUD)

    async def story():
        await world.admit(THING)
        lifetimes = {str(rule.remote): rule.lifetime for rule in world.kernel.applied[-1].rules}
        assert lifetimes["198.51.100.7/32"] == 75
        assert lifetimes["10.77.0.1/32"] is None
        assert await world.manager.refresh() == 60.0
        assert world.dns.asked == ["cloud.acme.example"]
        world.dns.names["cloud.acme.example"] = (("198.51.100.8",), 60)
        await world.clock.wait(60)
        await world.manager.refresh()
        assert ("198.51.100.8/32", 6, 443) in world.kernel.rules(THING.id)
        assert ("198.51.100.7/32", 6, 443) not in world.kernel.rules(THING.id)

    run(story())


def test_whoever_altered_the_kernel_s_rules_is_told_of_once():
    by = ["nft", ""]

    class Altered(Kernel):
        async def uphold(self):
            return by.pop(0)

    world = World(CLOUD, kernel=Altered())

    async def story():
        await world.manager.refresh()
        await world.manager.refresh()
        (alarm,) = world.alarms
        assert (alarm.kind, alarm.thing) == (AlarmKind.RULES_ALTERED, None)
        assert alarm.detail.startswith("nft changed the kernel's rules")

    run(story())


@pytest.mark.requirement("R-80")
def test_refused_packets_are_a_deviation_told_once():
    world = World(CLOUD)

    async def story():
        await world.admit(THING)
        assert await world.manager.watch() == ()
        world.kernel.traffic = (Traffic(THING.id, 9, 3),)
        (alarm,) = await world.manager.watch()
        assert (alarm.kind, alarm.thing, alarm.packets) == (AlarmKind.DEVIATION, THING.id, 3)
        assert world.alarms == [alarm]
        assert await world.manager.watch() == ()
        (finding,) = world.manager.findings("R-80")
        assert "3 packets refused" in finding.evidence
        assert not finding.holds

    run(story())


def test_without_a_file_only_the_way_to_the_controller_is_open():
    world = World(pages={})

    async def story():
        receipt = await world.admit(THING)
        assert receipt.detail.startswith("no MUD file: baseline only")
        assert world.kernel.rules(THING.id) == BASELINE
        assert [alarm.kind for alarm in world.alarms] == [AlarmKind.MUD_UNAVAILABLE]
        bare = a_thing(1, mud_url="")
        await world.admit(bare)
        assert world.kernel.rules(bare.id) == BASELINE

    run(story())


def test_a_probe_in_a_dry_run_says_that_nobody_enforces():
    probe = run(World(CLOUD).manager.probe(THING))
    assert not probe.enforced
    assert "NOT enforced" in probe.relying_party


def test_a_thing_whose_maker_says_nothing_is_learned_from_the_day_it_was_first_known_and_no_longer():
    world = World(pages={}, learn=timedelta(hours=24))
    first = world.clock.utc()
    silent = a_thing(mud_url="", keys=(KeyRow(bytes(32), "maker", first),))

    async def story():
        await world.admit(silent)
        seen = [world.kernel.applied[-1].learning]
        await world.clock.wait(24 * 3600)
        await world.manager.refresh()
        seen.append(world.kernel.applied[-1].learning)
        told = len(world.kernel.applied)
        await world.manager.refresh()
        assert len(world.kernel.applied) == told
        await world.admit(dataclasses.replace(silent, joined_at=world.clock.utc()))
        assert [*seen, world.kernel.applied[-1].learning] == [True, False, False]

    run(story())


@pytest.mark.parametrize(
    "changes",
    [
        {"mud_url": URL},
        {"verifies": frozenset()},
        {"keys": ()},
        {"state": LifecycleState.END_OF_LIFE},
    ],
    ids=["has a file", "verifies nothing", "known by no key", "end of life"],
)
def test_who_has_a_word_of_its_maker_or_must_be_kept_apart_is_not_learned(changes):
    world = World(CLOUD, learn=timedelta(hours=24))
    since = (KeyRow(bytes(32), "maker", world.clock.utc()),)
    thing = a_thing(**({"mud_url": "", "keys": since} | changes))
    run(world.admit(thing))
    assert world.kernel.applied[-1].learning is False


def test_nobody_is_learned_unless_the_owner_says_for_how_long():
    world = World(pages={})
    run(world.admit(a_thing(mud_url="", keys=(KeyRow(bytes(32), "maker", world.clock.utc()),))))
    assert world.kernel.applied[-1].learning is False


def test_a_quarantined_thing_keeps_the_way_to_who_repairs_it_and_a_withdrawn_one_none():
    async def run():
        world = World(CLOUD)
        await world.admit(THING)
        receipt = await world.restrict(THING)
        assert receipt.detail.startswith("only the way to the controller left")
        change = world.kernel.applied[-1]
        assert (change.rules, change.barred) == (None, True)
        assert {rule.remote for rule in change.repair} == set(CONTROLLER)
        await world.withdraw(THING)
        assert (world.kernel.applied[-1].barred, world.kernel.applied[-1].repair) == (True, frozenset())

    asyncio.run(run())


def test_a_quarantined_thing_is_barred_and_comes_back_with_its_rules():
    world = World(CLOUD)

    async def story():
        await world.admit(THING)
        held = THING.evolve(restriction=Restriction.QUARANTINED)
        await world.restrict(held)
        assert world.kernel.applied[-1].barred
        assert (await world.manager.probe(held)).standing is Standing.REFUSED
        await world.admit(held.evolve(restriction=Restriction.NONE))
        assert (await world.manager.probe(THING)).standing is Standing.ACCEPTED

    run(story())


def test_things_of_one_maker_learn_of_each_other_and_of_a_withdrawal():
    world = World(PEERS)
    other = a_thing(1)

    async def story():
        await world.admit(THING)
        assert world.kernel.rules(THING.id) == BASELINE | LOCAL_DNS
        await world.admit(other)
        assert ("10.77.1.2/32", 17, 7777) in world.kernel.rules(THING.id)
        assert ("10.77.1.1/32", 17, 7777) in world.kernel.rules(other.id)
        await world.withdraw(other.evolve(state=LifecycleState.DECOMMISSIONED))
        assert world.kernel.rules(THING.id) == BASELINE | LOCAL_DNS

    run(story())


def test_a_thing_without_a_known_address_cannot_be_admitted():
    world = World(CLOUD)
    world.manager._locate = lambda thing: ()
    with pytest.raises(TransportError, match="network address of thing-"):
        run(world.admit(THING))
    assert world.kernel.applied == []


@pytest.mark.spec("RFC 8520 16")
def test_a_thing_that_comes_with_another_url_is_told():
    world = World(CLOUD)

    async def story():
        await world.admit(THING)
        await world.admit(dataclasses.replace(THING, mud_url="https://acme.example/other"))
        assert AlarmKind.MUD_URL_CHANGED in [alarm.kind for alarm in world.alarms]

    run(story())


def test_after_a_restart_each_state_is_put_in_force_again_without_the_web():
    world = World(CLOUD)
    retired = a_thing(1, state=LifecycleState.DECOMMISSIONED)
    fresh = a_thing(2, state=LifecycleState.SHELF)

    async def story():
        await world.admit(THING)
        again = World(pages={}, records=world.records, clock=world.clock)
        await again.manager.resume([THING, retired, fresh])
        assert again.kernel.rules(THING.id) >= BASELINE | LOCAL_DNS
        assert again.web.asked == []
        standings = [(await again.manager.probe(thing)).standing for thing in (THING, retired, fresh)]
        assert standings == [Standing.ACCEPTED, Standing.REFUSED, Standing.ABSENT]

    run(story())


def test_a_thing_that_was_never_heard_is_no_reason_not_to_start():
    world = World(CLOUD)

    async def story():
        again = World(pages={}, records=world.records, clock=world.clock)
        again.manager._locate = lambda thing: ()
        await again.manager.resume([THING])
        assert (await again.manager.probe(THING)).standing is Standing.ABSENT

    run(story())


def test_a_newer_file_is_applied_when_the_old_one_is_too_old():
    world = World(CLOUD)

    async def story():
        await world.admit(THING)
        world.web.pages[URL] = described()
        await world.manager.refresh()
        assert len(world.web.asked) == 1
        await world.clock.wait(48 * 3600)
        await world.manager.refresh()
        assert world.kernel.rules(THING.id) == BASELINE | LOCAL_DNS
        await world.clock.wait(48 * 3600)
        world.web.pages[URL] = described(CLOUD)
        await world.manager.refresh()
        (alarm,) = [alarm for alarm in world.alarms if alarm.kind is AlarmKind.MUD_CHANGED]
        assert "allows 2 more: thing -> dns-name cloud.acme.example" in alarm.detail

    run(story())


def test_what_will_expire_names_whom_it_strands():
    world = World(CLOUD)

    async def story():
        await world.admit(THING)
        (expiry,) = world.manager.expiries()
        assert (expiry.what, expiry.strands) == (f"MUD file {URL}", (THING.id,))
        assert world.manager.findings("no such question") == ()
        rules = world.manager.rules_of(THING)
        assert rules is not None
        assert rules.url == URL

    run(story())


def test_a_backup_holds_files_and_admits_nobody():
    world = World(CLOUD)

    async def story():
        await world.admit(THING)
        other = World(pages={})
        await other.manager.restore(world.manager.snapshot())
        assert other.manager.snapshot() == world.manager.snapshot()
        assert (await other.manager.probe(THING)).standing is Standing.ABSENT
        await other.admit(THING)
        assert other.kernel.rules(THING.id) >= LOCAL_DNS

    run(story())


@pytest.mark.requirement("R-80")
def test_a_name_that_another_thing_s_admission_looked_up_is_renewed_for_all_that_use_it():
    world = World(CLOUD)

    async def story():
        await world.admit(THING)
        await world.clock.wait(60)
        await world.admit(a_thing(1))
        world.kernel.applied.clear()
        await world.manager.refresh()
        renewed = {change.thing: change for change in world.kernel.applied}
        assert any(rule.lifetime == 75 for rule in renewed[THING.id].rules or ())

    run(story())


def test_a_thing_that_is_barred_while_servers_answer_does_not_come_back():
    world = World(CLOUD)
    resolve = world.dns.resolve

    async def story():
        await world.admit(THING)
        await world.clock.wait(60)

        async def resolve_after_a_quarantine(name):
            await world.restrict(THING)
            return await resolve(name)

        world.dns.resolve = resolve_after_a_quarantine  # type: ignore[method-assign]
        await world.manager.refresh()
        assert (await world.kernel.standing(THING.id)).barred

    run(story())


@pytest.mark.requirement("R-09")
def test_a_thing_that_says_it_moved_is_barred_where_it_was_too():
    world = World()

    async def story():
        await world.admit(THING)
        (before,) = world.locate(THING.id)
        world.placed[THING.id] = 9
        await world.restrict(THING)
        assert set(world.kernel.applied[-1].addresses) == {before, *world.locate(THING.id)}

    run(story())


def test_two_things_that_claim_one_address_do_not_keep_the_domain_from_its_start():
    class Strict(Kernel):
        async def apply(self, change):
            if change.thing == THING.id:
                raise PolicyError("expected addresses of its own")
            return await super().apply(change)

    other = a_thing(1)
    world = World(kernel=Strict())

    async def story():
        await world.manager.resume([THING, other])
        assert [alarm.thing for alarm in world.alarms if alarm.kind is AlarmKind.ADDRESS_TAKEN] == [THING.id]
        assert (await world.manager.probe(other)).standing is Standing.ACCEPTED

    run(story())


def test_who_keeps_the_rules_is_known_before_the_first_thing():
    world = World()
    assert world.manager.mode == "nobody yet"
    run(world.manager.resume([]))
    assert world.manager.mode == world.kernel.mode


def test_things_with_the_same_rules_share_them():
    world = World()

    async def story():
        await world.manager.resume([THING, a_thing(1)])
        one, other = (change.rules for change in world.kernel.applied)
        assert one
        assert one is other

    run(story())


@pytest.mark.requirement("R-77")
def test_a_thing_at_its_end_of_life_reaches_its_controller_and_nobody_else_after_a_restart_too():
    world = World(CLOUD)
    aged = dataclasses.replace(THING, state=LifecycleState.END_OF_LIFE)

    async def story():
        await world.admit(THING)
        receipt = await world.manager.restrict(aged, cause="support-ended", transition_id=aged.transition_id)
        assert world.kernel.rules(THING.id) == BASELINE
        assert receipt.detail.startswith("only the way to the controller left")
        await world.manager.resume([aged])
        assert world.kernel.rules(THING.id) == BASELINE
        cut_off = dataclasses.replace(aged, restriction=Restriction.QUARANTINED)
        await world.manager.restrict(cut_off, cause="odd", transition_id=cut_off.transition_id)
        assert world.kernel.applied[-1].barred

    run(story())


def test_a_name_that_is_answered_while_a_thing_is_restricted_brings_nothing_back():
    """Another process keeps the rules: until it has answered, others have their turn."""
    aged = dataclasses.replace(THING, state=LifecycleState.END_OF_LIFE)
    answer = NameAnswer("cloud.acme.example", ((ip_address("198.51.100.7").packed, 60),), (), b"\x0a\x4d\x01\x01")

    class Elsewhere(Kernel):
        async def apply(self, change):
            done = await super().apply(change)
            if change.rules == world.manager._book.repair():
                await world.manager.learn(answer)
            return done

    kernel = Elsewhere()
    world = World(CLOUD, learns=True, kernel=kernel)

    async def story():
        await world.admit(THING)
        await world.manager.restrict(aged, cause="support-ended", transition_id=aged.transition_id)
        assert kernel.rules(THING.id) == BASELINE

    run(story())


ANSWER = NameAnswer("cloud.acme.example", ((ip_address("198.51.100.7").packed, 60),), (), b"\x0a\x4d\x01\x01")


class Slow(Kernel):
    """Another process keeps the rules: until it has answered, others have their turn."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def apply(self, change):
        done = await super().apply(change)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return done

    def places(self):
        return {str(one.ip) for one in self._changes[THING.id].addresses}


def slow_world():
    kernel = Slow()
    world = World(CLOUD, learns=True, kernel=kernel)
    return kernel, world


def test_a_name_that_is_answered_while_a_thing_moves_brings_back_no_old_address():
    kernel, world = slow_world()

    async def story():
        await world.admit(THING)
        world.placed[THING.id] = 99
        kernel.meanwhile = lambda: world.manager.learn(ANSWER)
        await world.admit(THING)
        assert kernel.places() == {"10.77.1.99"}

    run(story())


def test_who_is_cut_off_while_its_rules_are_put_in_force_is_not_taken_for_one_who_is_in():
    kernel, world = slow_world()

    async def story():
        kernel.meanwhile = lambda: world.restrict(THING)
        await world.admit(THING)
        await world.manager.learn(ANSWER)
        assert (await kernel.standing(THING.id)).barred

    run(story())


def test_who_claims_the_address_of_another_takes_nothing_from_it():
    kernel, world = slow_world()
    other = a_thing(1)

    async def taken():
        raise PolicyError("it is another's")

    async def story():
        await world.admit(THING)
        world.placed[other.id] = world.placed[THING.id]
        kernel.meanwhile = taken
        with pytest.raises(PolicyError):
            await world.admit(other)
        await world.manager.learn(ANSWER)
        assert ("198.51.100.7/32", 6, 443) in kernel.rules(THING.id)

    run(story())


# --- who verifies no release itself

UNABLE = a_thing(verifies=frozenset())


@pytest.mark.requirement("R-70")
def test_a_thing_that_verifies_no_release_reaches_its_controller_alone_whatever_its_file_says():
    world = World(
        CLOUD,
        Service(Remote(RemoteKind.ANY), 6, remote_port=80),
        Service(Remote(RemoteKind.LOCAL_NETWORKS), 6, remote_port=8080),
        Service(Remote(RemoteKind.MY_CONTROLLER), 6, remote_port=8443),
    )

    async def story():
        receipt = await world.admit(UNABLE)
        assert world.kernel.rules(UNABLE.id) == BASELINE | {("10.77.0.1/32", 6, 8443)}
        assert receipt.detail.startswith("kept from the Internet")
        inbound = [rule for rule in world.kernel.applied[-1].rules if not rule.outbound]
        assert {str(rule.remote) for rule in inbound} == {"10.77.0.1/32"}

    run(story())


@pytest.mark.requirement("R-70")
def test_it_reaches_its_like_and_nobody_who_could_reach_further_for_it():
    world = World(CLOUD, PEERS)
    able, like = a_thing(1), a_thing(2, verifies=frozenset())

    async def story():
        for thing in (UNABLE, able, like):
            await world.admit(thing)
        reached = {remote for remote, _, port in world.kernel.rules(UNABLE.id) if port == 7777}
        assert reached == {f"{world.locate(like.id)[0].ip}/32"}
        assert {port for _, _, port in world.kernel.rules(able.id)} >= {443, 7777}

    run(story())


@pytest.mark.requirement("R-70")
def test_after_an_update_that_lets_it_verify_its_file_counts_again():
    world = World(CLOUD)

    async def story():
        await world.admit(UNABLE)
        assert ("198.51.100.7/32", 6, 443) not in world.kernel.rules(UNABLE.id)
        await world.admit(dataclasses.replace(UNABLE, verifies=frozenset({-9})))
        assert ("198.51.100.7/32", 6, 443) in world.kernel.rules(UNABLE.id)

    run(story())


@pytest.mark.requirement("R-80")
def test_a_file_that_nobody_goes_by_yet_changes_no_rules():
    other = "https://mud.acme.example/other.json"
    world = World(pages={URL: described(CLOUD), other: described(PEERS, url=other)})

    async def story():
        await world.admit(THING)
        await world.manager.refresh()
        before = len(world.kernel.applied)
        assert await world.manager.obtain(other) == world.web.pages[other]
        with pytest.raises(TransportError, match=r"can be had: \S"):
            await world.manager.obtain("https://mud.acme.example/gone.json")
        await world.manager.refresh()
        assert len(world.kernel.applied) == before

    run(story())


@pytest.mark.spec("RFC 8520 4.6")
def test_a_class_of_controllers_that_the_owner_named_nobody_for_is_told_at_admission():
    gateway = Service(Remote(RemoteKind.CONTROLLER, "urn:ietf:params:mud:gateway"), 17, remote_port=5000)
    resolver = Service(Remote(RemoteKind.CONTROLLER, DNS_CLASS), 17, remote_port=5300)
    receipt = asyncio.run(World(gateway, resolver).admit(a_thing()))
    assert receipt.detail.startswith(f"{URL} by nobody, nobody here is urn:ietf:params:mud:gateway; DRY RUN")
