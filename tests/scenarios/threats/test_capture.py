"""All that a domain and its things ever put on the wire, searched for what must not be there."""

import pytest

from tests.scenarios.world import play
from thingstead.identifier import KeyId
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.profile import birth as birth_record
from thingstead.secret import Secret
from thingstead.simulator.capture import leaks

READING = b"readings"
"""Name of the series that things report, as every reading has it in clear under OSCORE."""


def secrets_of(world):
    found = {"a reading": Secret(READING)}
    keys = world.domain.keys
    found |= {f"the domain's {name} key": keys.handle(KeyId(name)).private_bytes() for name in keys.ids()}
    for serial, thing in world.things.items():
        found[f"{serial} identity key"] = thing.keys.handle(birth_record.IDENTITY_KEY).private_bytes()
        member = thing.agent.association
        context = SecurityContext.derive(
            member.master_secret,
            master_salt=member.master_salt,
            sender_id=member.sender_id,
            recipient_id=member.recipient_id,
        )
        found[f"{serial} master secret"] = member.master_secret
        for name, half in (("sender", context.sender), ("recipient", context.recipient)):
            assert half._key is not None
            found[f"{serial} {name} key"] = half._key
    return found


async def live(world):
    """Join, report for a while, lose everything, and join again."""
    for serial in ("A0001", "A0002"):
        world.thing(serial).start()
    await world.until(lambda: all(thing.is_joined for thing in world.things.values()))
    await world.sleep(10)
    secrets = secrets_of(world)
    world.things["A0001"].crash()
    world.things["A0001"].start()
    await world.sleep(10)
    return b"".join(datagram.data for datagram in world.network.sent), secrets


@pytest.mark.requirement("R-24")
@pytest.mark.spec("RFC 8613 4.1")
def test_no_secret_stands_in_a_capture_of_a_whole_life():
    capture, secrets = play(live)
    assert len(capture) > 1000
    assert len(secrets) == 1 + 5 + 2 * 4
    assert leaks(capture, secrets) == []


def test_the_search_finds_what_stands_there():
    capture, secrets = play(live)
    (leak,) = leaks(capture + secrets["A0001 sender key"].reveal(), secrets)
    assert (leak.name, leak.offset) == ("A0001 sender key", len(capture))
