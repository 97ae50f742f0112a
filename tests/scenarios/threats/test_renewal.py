"""What is recorded today stays closed, whatever key leaks tomorrow (R-25)."""

from itertools import permutations

import pytest

from tests.scenarios.world import play
from thingstead.agent.outbox import DOMAIN
from thingstead.errors import ThingsteadError
from thingstead.identifier import KeyId
from thingstead.protocols.coap.code import is_request
from thingstead.protocols.coap.message import decode
from thingstead.protocols.coap.registry import OptionNumber
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import unprotect_request
from thingstead.protocols.profile import birth as birth_record


def opened(recorded, secret, association):
    """How many recorded requests a context from this secret opens, whichever side's they are."""
    count = 0
    for sender_id, recipient_id in permutations((association.sender_id, association.recipient_id)):
        for message in recorded:
            context = SecurityContext.derive(
                secret, master_salt=association.master_salt, sender_id=sender_id, recipient_id=recipient_id
            )
            try:
                unprotect_request(message, context=context)
            except ThingsteadError:
                continue
            count += 1
    return count


def requests(datagrams):
    messages = [decode(datagram.data) for datagram in datagrams]
    return [one for one in messages if is_request(one.code) and one.option(OptionNumber.OSCORE) is not None]


@pytest.mark.requirement("R-25")
@pytest.mark.spec("RFC 9528 9.1")
def test_a_recorded_trace_opens_with_no_key_that_leaks_after_the_renewal():
    async def story(world):
        (thing,) = await world.joined("A0001")
        await world.sleep(10)
        agent, first = thing.agent, thing.agent.association
        recorded = requests(world.network.sent)
        agent.endpoint.association(DOMAIN).context.sender.sequence.bound(16)
        await world.until(lambda: agent.status()["joins"] == 2)
        second = agent.association
        keys = world.domain.keys
        leaked = [keys.handle(KeyId(name)).private_bytes() for name in keys.ids()]
        leaked += [thing.keys.handle(birth_record.IDENTITY_KEY).private_bytes(), second.master_secret]
        assert opened(recorded, first.master_secret, first) == len(recorded) > 3
        for secret in leaked:
            assert opened(recorded, secret, first) == opened(recorded, secret, second) == 0
        assert opened(requests(world.network.sent), second.master_secret, first) == 0

    play(story)
