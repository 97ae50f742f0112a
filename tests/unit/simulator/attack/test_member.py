import pytest

from tests.scenarios.threats.ground import attacked, target_of
from tests.scenarios.world import POLICY, play
from thingstead.agent.outbox import DOMAIN
from thingstead.errors import StateError
from thingstead.protocols.coap.registry import Code
from thingstead.simulator.attack.member import birth_of, joined, take_up, telemetry, values_kept

REFUSING = POLICY.replace('name = "lamps of Acme"', 'name = "lamps of Acme"\nserials = ["A000?"]')


def states(rows):
    return {row["serial"]: row["state"] for row in rows}


def test_a_member_is_a_genuine_thing_and_is_retired_in_the_end():
    async def attack(target):
        async with joined(target) as member:
            serial = member.birth.serial
            assert states(await target.ask("thing.list", {}))[serial] == "operational"
            assert (await member.station.ask(telemetry(target, 1.0), association=DOMAIN)).is_success
            assert await values_kept(target, member) == 1
        assert states(await target.ask("thing.list", {}))[serial] == "decommissioned"
        return []

    assert attacked(attack) == []


def test_an_attack_that_fails_leaves_no_member_behind():
    async def attack(target):
        with pytest.raises(ZeroDivisionError):
            async with joined(target):
                raise ZeroDivisionError
        assert "operational" not in {
            state for serial, state in states(await target.ask("thing.list", {})).items() if serial.startswith("ATTACK")
        }
        return []

    attacked(attack)


def test_a_member_that_an_attack_retires_itself_is_left_to_it():
    async def attack(target):
        async with joined(target, retire=False) as member:
            pass
        assert states(await target.ask("thing.list", {}))[member.birth.serial] == "operational"
        return []

    attacked(attack)


def test_a_domain_that_does_not_take_it_in_cannot_be_attacked_from_within():
    async def story(world):
        await world.joined("A0001")
        target = target_of(world, genuine="A0001")
        with pytest.raises(StateError, match="could not join"):
            async with joined(target):
                raise AssertionError("it joined")
        assert [row["serial"] for row in await target.ask("thing.list", {})] == ["A0001"]

    play(story, policy=REFUSING)


def test_no_two_things_of_an_attacker_have_one_serial_number():
    async def attack(target):
        births = [birth_of(target, target.maker, target.model)[0] for _ in range(20)]
        assert len({birth.serial for birth in births}) == 20
        assert all(birth.serial.startswith("ATTACK-") for birth in births)
        return []

    attacked(attack)


def test_numbers_that_are_taken_up_where_they_were_used_are_refused():
    async def attack(target):
        async with joined(target) as member:
            station = member.station
            assert (await station.ask(telemetry(target, 1.0), association=DOMAIN)).code == Code.CHANGED
            again = take_up(station, member.birth, member.key, member.association)
            assert (await again.station.ask(telemetry(target, 2.0), association=DOMAIN)).code == 0
            assert await values_kept(target, member) == 1
            further = take_up(station, member.birth, member.key, member.association, sequence=100)
            assert (await further.station.ask(telemetry(target, 3.0), association=DOMAIN)).is_success
        return []

    attacked(attack)
