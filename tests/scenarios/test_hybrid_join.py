"""A thing and its domain agree by ECDH and ML-KEM together where both want it, and by ECDH alone where one does not."""

import pytest

from tests.scenarios.world import POLICY, play
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.domain.lifecycle import Cause
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.message import MessageType, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc import error as edhoc_error
from thingstead.protocols.edhoc.error import WrongSuiteError
from thingstead.protocols.profile import join, path
from thingstead.simulator.virtual.network import Datagram

pytestmark = [pytest.mark.slow, pytest.mark.requirement("R-87")]
OFFERED = POLICY + '\n[crypto]\nhybrid = "offered"\n'
REQUIRED = POLICY + '\n[crypto]\nhybrid = "required"\n'
ML_KEM_KEY = 1568


def is_hybrid(thing):
    """Keys of 256 bits, of the only suite that gives them."""
    association = thing.agent.association
    known = (association.aead_id, association.digest_id) == (AlgorithmId.A256GCM, AlgorithmId.SHA_512)
    return known and len(association.master_secret.reveal()) == 32


async def agreements(world, thing):
    """What the inventory says the thing's association comes of, and whether whoever recorded it may read it one day."""
    rows = await world.domain.ask("crypto.inventory", year=2040)
    (row,) = [one for one in rows if one["name"] == "OSCORE association" and thing.id in one["things"]]
    return row


@pytest.mark.parametrize("policy", [OFFERED, REQUIRED], ids=["offered", "required"])
@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_both_want_it_and_all_that_follows_stands_under_its_keys(policy, loss):
    async def story(world):
        (lamp,) = await world.joined("A0001", hybrid_keys=True)
        assert is_hybrid(lamp)
        answer = await world.ask(lamp, request(Code.GET, path.WELL_KNOWN_CORE))
        assert answer.code == Code.CONTENT
        sent = [one for one in world.network.sent if one.source == lamp.address]
        assert sum(len(one.data) for one in sent[:4]) > ML_KEM_KEY
        row = await agreements(world, lamp)
        assert "P256MLKEM1024" in str(row)
        assert "ECDH P-256" not in str(row)

    play(story, policy=policy, loss=loss)


@pytest.mark.parametrize(
    ("policy", "wants"), [(POLICY, True), (OFFERED, False), (POLICY, False)], ids=["thing", "domain", "nobody"]
)
def test_where_one_of_them_does_not_they_agree_as_before(policy, wants):
    async def story(world):
        (lamp,) = await world.joined("A0001", hybrid_keys=wants)
        assert not is_hybrid(lamp)
        assert "ECDH P-256" in str(await agreements(world, lamp))

    play(story, policy=policy)


def test_where_it_is_required_a_thing_without_it_stays_out():
    async def story(world):
        lamp = world.thing("A0001")
        lamp.start()
        await world.sleep(120)
        assert not lamp.is_joined
        other = world.thing("A0002", hybrid_keys=True)
        other.start()
        await world.until(lambda: other.is_joined)
        assert is_hybrid(other)

    play(story, policy=REQUIRED)


@pytest.mark.spec("RFC 9528 6.3.1")
def test_nobody_on_the_way_talks_the_two_out_of_it():
    """A forged error has the thing offer less, behind what it likes more; the domain sees that, and says no."""

    async def story(world):
        lamp = world.thing("A0001", hybrid_keys=True)
        forged: list[Datagram] = []

        def lies(datagram):
            asked = coap.decode(datagram.data)
            if datagram.source != lamp.address or asked.code != Code.POST or forged:
                return (datagram,)
            body = edhoc_error.answer(WrongSuiteError("less", suites=join.SUITES))
            assert body is not None
            refusal = coap_carriage.frame_error(body, Code.BAD_REQUEST)
            lie = coap.encode_as(refusal, MessageType.ACK, asked.mid, asked.token)
            forged.append(Datagram(datagram.at, datagram.destination, datagram.source, lie))
            return forged

        world.network.on_path = lies
        lamp.start()
        await world.until(lambda: lamp.is_joined)
        assert (len(forged), is_hybrid(lamp)) == (1, True)
        assert world.domain.controller.resources.refused["wrong suite"] == 1

    play(story, policy=OFFERED)


@pytest.mark.spec("RFC 9668 3")
def test_a_thing_comes_to_it_when_it_joins_anew():
    """As a member it asks for what is granted in the message that brings message_3."""

    async def story(world):
        (lamp,) = await world.joined("A0001", hybrid_keys=True)
        assert not is_hybrid(lamp)
        world.domain.policy = OFFERED
        await world.domain.ask("policy.reload")
        conductor = world.domain.controller.conductor
        await conductor.transition(lamp.id, Cause.RE_BOOTSTRAP_REQUIRED, actor="owner")
        await world.until(lambda: is_hybrid(lamp), within=300)
        assert lamp.agent.status()["last_error"] == ""

    play(story)
