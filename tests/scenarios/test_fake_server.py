"""Whoever plays the update server to a thing of ours gives it nothing, and no release sends anybody anywhere."""

import pytest

from tests.scenarios.test_update import Releases, version
from tests.scenarios.world import play
from tests.unit.agent.test_updating import written
from tests.unit.agent.updates import OLD, Domain, Thing
from tests.unit.planes.software.test_release import opened, signed
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, ThingsteadError
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.coap import message as coap
from thingstead.protocols.coap.message import Message, MessageType
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.profile import path
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.identifier import class_identifier
from thingstead.simulator.firmware import demo_image
from thingstead.simulator.virtual.network import Host

PLACES = (
    "coap://127.0.0.1/update/image",
    "coap://[::1]/update/image",
    "coaps://localhost/update/image",
    "coap+tcp://10.0.0.1/update/image",
    "http://169.254.169.254/latest/meta-data",
    "http://[fd00:ec2::254]/latest/meta-data",
    "https://2130706433/image",
    "https://updates.example/image",
    "//169.254.169.254/update/image",
    "file:///etc/shadow",
    "data:,image",
    "/update/../token",
    "/update/image/",
    "/update/image?x=1",
    "/UPDATE/IMAGE",
    "update/image",
    "",
)


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("place", PLACES)
def test_a_thing_asks_its_domain_for_the_image_and_nobody_else_for_anything(place):
    thing = Thing(domain=Domain(written(uri=place)))
    thing.poll()
    assert set(thing.domain.asked) == {path.UPDATE, path.UPDATE_REPORT}
    assert thing.slots.active() == OLD
    assert thing.updating.refused.total() == 1


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("place", PLACES)
def test_the_domain_publishes_nothing_that_is_fetched_from_elsewhere(place):
    with pytest.raises(ThingsteadError):
        opened(signed(uri=place))


class FakeServer:
    """Answers whatever it is asked with an envelope of its own, in clear, and with what it overheard before."""

    def __init__(self, encoded, overheard):
        self._encoded = encoded
        self._overheard = overheard
        self._out = []
        self.asked = 0

    def receive_datagram(self, data, source, _now, *, multicast=False):
        try:
            request = coap.decode(data)
        except DecodeError:
            return
        if request.code not in {Code.GET, Code.POST, Code.FETCH}:
            return
        self.asked += 1
        protected = [(int(OptionNumber.OSCORE), bytes.fromhex("090100"))]
        for options, payload in (((), self._encoded), (protected, self._encoded), (protected, b"")):
            answer = Message(Code.CONTENT, options=list(options), payload=payload)
            for kind, mid in ((MessageType.ACK, request.mid), (MessageType.NON, 4711)):
                self._out.append((coap.encode_as(answer, kind, mid, request.token), source))
        self._out += [(one, source) for one in self._overheard]

    def run(self, _now):
        pass

    def datagrams_to_send(self, _now):
        out, self._out = self._out, []
        return out

    def next_deadline(self):
        return None


@pytest.mark.slow
@pytest.mark.requirement("R-29")
def test_a_fake_server_in_the_domains_place_gives_a_thing_no_update(tmp_path):
    async def story(world):
        (lamp,) = await world.joined("A0001")
        acme, image = world.makers["acme"], demo_image("LX-1", "6.6.6", size=500)
        unsigned = make_release(
            image,
            vendor_id=acme.vendor_id,
            class_id=class_identifier(acme.vendor_id, "LX-1"),
            sequence_number=9,
            version="6.6.6",
        )
        keys = (generate(KeyType.P256), generate(KeyType.ML_DSA_44))
        fake = FakeServer(
            envelope.encode(sign_release(unsigned, keys)),
            [one.data for one in world.network.sent if one.source == world.domain.address][-20:],
        )
        await world.domain.crash()
        host = Host(fake, world.domain.address, world.network)
        await world.sleep(120)
        host.stop()
        assert fake.asked > 0
        assert version(lamp) == "1.0.0"
        assert lamp.agent.status()["updates_refused"] == {}
        await world.domain.start()
        await world.until(lambda: lamp.is_joined)
        releases = Releases(world, tmp_path)
        await releases.publish(*releases.make("LX-1"))
        await world.until(lambda: version(lamp) == "1.1.0", within=300)

    play(story)
