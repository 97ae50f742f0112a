"""What a backup would hold of a living domain."""

from tests.scenarios.world import play


def test_no_association_of_a_living_domain_is_in_what_its_planes_would_back_up():
    async def story(world):
        things = await world.joined("A0001", "A0002")
        kept = b"".join(b"".join(plane.snapshot().values()) for plane in world.domain.controller.planes)
        assert kept
        for thing in things:
            assert thing.agent.association.master_secret.reveal() not in kept

    play(story)
