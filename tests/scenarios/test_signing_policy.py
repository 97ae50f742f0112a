"""How many of a maker's keys are enough is one rule: domains publish by it, and things that are lied to keep it."""

from dataclasses import replace

import pytest

from tests.scenarios.test_update import Releases, version
from tests.scenarios.world import play
from thingstead.crypto.key import KeyType, generate
from thingstead.protocols.profile import key_set

pytestmark = [pytest.mark.slow, pytest.mark.requirement("R-29")]

KEYS = tuple(generate(kind) for kind in (KeyType.P256, KeyType.P256, KeyType.ML_DSA_44))
PUBLIC = tuple(key.public for key in KEYS)
TWO_OF_THREE, HYBRID = key_set.threshold(PUBLIC, 2), key_set.hybrid(PUBLIC)


async def one_lamp(world, chosen):
    acme = world.makers["acme"]
    world.makers["acme"] = replace(acme, release_keys=KEYS, born_with=chosen)
    await world.domain.ask("trust.reload")
    return (await world.joined("A0001"))[0]


@pytest.mark.parametrize(
    ("chosen", "enough", "lacking"),
    [
        (TWO_OF_THREE, KEYS[:2], KEYS[:1]),
        (TWO_OF_THREE, KEYS[1:], KEYS[2:]),
        (HYBRID, (KEYS[1], KEYS[2]), KEYS[:2]),
        (HYBRID, KEYS, KEYS[2:]),
    ],
)
def test_so_many_as_the_maker_said_are_enough_and_no_fewer(tmp_path, chosen, enough, lacking):
    async def story(world):
        releases, lamp = Releases(world, tmp_path), await one_lamp(world, chosen)
        refused = await releases.publish(*releases.make(keys=lacking))
        assert refused["error"]["reason"] == "signers"
        await releases.publish(*releases.make(keys=enough))
        await world.until(lambda: version(lamp) == "1.1.0")

    play(story)


@pytest.mark.parametrize("chosen", [TWO_OF_THREE, HYBRID])
def test_a_domain_that_hands_out_what_too_few_have_signed_changes_no_thing(tmp_path, chosen):
    """The controller is broken into, and offers a release of one key."""

    async def story(world):
        releases, lamp = Releases(world, tmp_path), await one_lamp(world, chosen)
        await releases.publish(*releases.make(keys=KEYS))
        (offer,) = world.domain.controller.planes.software._shelf._offers.values()
        object.__setattr__(offer, "encoded", releases.make(keys=KEYS[:1])[0])
        await world.until(lamp.agent.updating.refused.total)
        assert dict(lamp.agent.updating.refused) == {"signers": 1}
        assert version(lamp) == "1.0.0"

    play(story)
