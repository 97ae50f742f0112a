"""Which algorithms a living domain rests on, and what becomes of its things when its owner ends one."""

import json

import pytest

from tests.scenarios.world import POLICY, play
from thingstead.controller.directory import KEYS
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.identifier import KeyId
from thingstead.protocols.profile import join


async def listed(world, **asked):
    return {row["name"]: row for row in await world.domain.ask("crypto.inventory", **asked)}


@pytest.mark.requirement("R-86")
def test_every_key_token_credential_and_context_of_a_living_domain_is_listed():
    async def story(world):
        lamp, sensor = await world.joined("A0001", "A0002")
        await world.domain.ask("group.create", group="lamps")
        rows = await listed(world, year=2035)
        both = {lamp.id, sensor.id}
        for name in (
            "OSCORE association",
            "access token",
            "token of the domain at a thing",
            "domain credential",
            "identity key of a thing",
        ):
            assert (rows[name]["count"], set(rows[name]["things"])) == (2, both), name
        assert {f"key of the {plane} plane" for plane in ("identity", "access", "groups")} <= set(rows)
        assert {"key of the ledger", "EDHOC with suite 2", "update key of acme", "keys of group lamps"} <= set(rows)
        assert rows["OSCORE association"]["exposure"].startswith("what is recorded today")
        assert rows["OSCORE association"]["algorithms"] == ("ECDH P-256", "AES-CCM-16-64-128", "SHA-256")

    play(story)


@pytest.mark.requirement("R-86")
def test_nothing_secret_is_in_an_inventory():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        told = json.dumps([await world.domain.ask("crypto.inventory"), await world.domain.ask("crypto.bill")])
        association = lamp.agent.association
        secrets = [association.master_secret.reveal(), association.access_token, association.granted_token]
        secrets += [world.domain.keys.handle(KeyId(name)).private_bytes().reveal() for name in KEYS]
        for secret in secrets:
            assert secret.hex() not in told
            assert secret.hex()[:32] not in told

    play(story)


CCM = "AES-CCM-16-64-128"
WITHOUT_GROUPS = "".join(line for line in POLICY.splitlines(keepends=True) if "/ace-group/" not in line)


async def ended(world, name):
    """The owner ends an algorithm as of yesterday."""
    world.domain.policy += f'\n[crypto.sunset]\n"{name}" = 2026-11-22\n'
    return await world.domain.ask("policy.reload")


@pytest.mark.requirement("R-76")
def test_things_with_another_suite_join_anew_by_themselves_and_none_of_the_old_is_left():
    async def story(world):
        lamps = await world.joined("A0001", "A0002")
        assert {lamp.agent.association.aead_id for lamp in lamps} == {int(AlgorithmId.AES_CCM_16_64_128)}
        await ended(world, CCM)
        chacha = int(AlgorithmId.CHACHA20_POLY1305)
        await world.until(lambda: all(lamp.agent.association.aead_id == chacha for lamp in lamps), within=120)
        await world.until(lambda: all(world.domain.record(one.serial).state == "operational" for one in lamps))
        rows = (await listed(world)).values()
        assert not [row for row in rows if CCM in row["algorithms"] and row["things"]]
        readings = world.domain.controller.planes.data.accepted
        await world.until(lambda: world.domain.controller.planes.data.accepted > readings)

    play(story, policy=WITHOUT_GROUPS)


@pytest.mark.requirement("R-76")
def test_members_of_a_group_whose_keys_know_no_other_algorithm_are_held():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        await world.until(lamp.agent.groups.epochs, within=60)
        await ended(world, CCM)
        await world.until(lambda: world.domain.record("A0001").restriction == "held", within=10)

    play(story)


@pytest.mark.requirement("R-76")
def test_who_knows_only_what_is_not_taken_stays_outside(monkeypatch):
    async def story(world):
        await ended(world, CCM)
        monkeypatch.setattr(join, "SUITES", (2, 3))
        lamp = world.thing("A0001")
        lamp.start()
        await world.sleep(30)
        assert not lamp.is_joined
        assert "it refused" in lamp.agent.status()["last_error"]

    play(story)


@pytest.mark.requirement("R-76")
@pytest.mark.parametrize("name", ["ESP256", "ECDH P-256"])
def test_things_that_have_no_other_way_are_held(name):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        told = await world.domain.ask("crypto.forbid", algorithm=name, last="2026-11-22")
        assert set(told["isolates"]) == {lamp.id}
        assert world.domain.record("A0001").restriction == "none"
        await ended(world, name)
        await world.until(lambda: world.domain.record("A0001").restriction == "held", within=10)

    play(story)


@pytest.mark.requirement("R-76")
def test_the_calendar_says_when_an_algorithm_ends_and_whom_that_strands():
    async def story(world):
        (lamp,) = await world.joined("A0001")
        world.domain.policy += '\n[crypto.sunset]\n"ESP256" = 2027-01-31\n"AES-CCM-16-64-128" = 2027-01-31\n'
        await world.domain.ask("policy.reload")
        rows = {row["what"]: row for row in await world.domain.ask("calendar")}
        assert rows["algorithm ESP256, by the owner's policy"]["strands"] == (lamp.id,)
        assert rows[f"algorithm {CCM}, by the owner's policy"]["strands"] == ()

    play(story, policy=WITHOUT_GROUPS)
