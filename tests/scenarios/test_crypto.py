"""Which algorithms a living domain rests on, and what becomes of its things when its owner ends one."""

import json

import pytest

from tests.scenarios.world import play
from thingstead.controller.directory import KEYS
from thingstead.identifier import KeyId


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
