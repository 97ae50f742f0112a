"""Of many associations, those that are silent drop their ciphers; nobody notices but the memory."""

from tests.unit.endpoint.ladder import THING, events
from thingstead.endpoint.association import Association
from thingstead.endpoint.config import EndpointConfig
from thingstead.endpoint.endpoint import Endpoint
from thingstead.endpoint.event import AssociationId
from thingstead.protocols.coap.message import Message, encode, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import protect_request
from thingstead.secret import Secret

MAX_AWAKE = 4


def pair(number):
    """Context of thing `number`, and ours with it."""
    secret, kid = Secret(bytes([number]) * 16), bytes([number])
    thing = SecurityContext.derive(secret, sender_id=kid, recipient_id=b"cc")
    return thing, SecurityContext.derive(secret, sender_id=b"cc", recipient_id=kid)


def fleet(size):
    side = Endpoint(EndpointConfig(max_awake=MAX_AWAKE), random_bytes=bytes)
    things = []
    for number in range(size):
        thing, ours = pair(number)
        things.append(thing)
        side.install(Association(AssociationId(str(number)), ours, address=THING))
    return side, things


def speak(side, thing, token=b"t", *, tag=b""):
    asked = request(Code.GET, "/h")
    asked.token = token
    message, _ = protect_request(asked, context=thing)
    if tag:
        message.payload = message.payload[:-8] + tag
    side.receive_datagram(encode(message), THING, 0.0)
    served = events(side)
    for event in served:
        side.send_response(event.exchange, Message(Code.CONTENT), 0.0)
    side.datagrams_to_send(0.0)
    return bool(served)


def ciphers(side, size):
    contexts = [side.association(AssociationId(str(number))).context for number in range(size)]
    return sum(half._aead is not None for context in contexts for half in (context.sender, context.recipient))


def test_silent_associations_drop_their_ciphers_and_speak_again():
    side, things = fleet(40)
    assert ciphers(side, 40) == 0
    assert all(speak(side, thing) for thing in things)
    assert ciphers(side, 40) <= 2 * 2 * MAX_AWAKE
    assert all(speak(side, thing) for thing in things)


def test_who_speaks_keeps_its_cipher_however_many_others_do():
    side, things = fleet(40)
    speak(side, things[0])
    kept = side.association(AssociationId("0")).context.recipient.aead
    for thing in things[1:]:
        speak(side, things[0])
        speak(side, thing)
    assert side.association(AssociationId("0")).context.recipient.aead is kept


def test_forged_requests_in_everybodys_name_keep_no_more_ciphers():
    side, things = fleet(40)
    assert not any(speak(side, thing, tag=bytes(8)) for thing in things)
    assert ciphers(side, 40) <= 2 * 2 * MAX_AWAKE


def test_a_replay_is_refused_after_the_cipher_was_dropped():
    side, things = fleet(40)
    message, _ = protect_request(request(Code.GET, "/h"), context=things[0])
    side.receive_datagram(encode(message), THING, 0.0)
    for thing in things[1:]:
        speak(side, thing)
    assert side.association(AssociationId("0")).context.recipient._aead is None
    events(side)
    message.token = b"other"
    side.receive_datagram(encode(message), THING, 0.0)
    assert (events(side), side.counters["replay"]) == ([], 1)


def test_an_association_that_ends_is_held_by_nothing():
    side, things = fleet(3)
    for thing in things:
        speak(side, thing)
    for number in range(3):
        side.end(AssociationId(str(number)))
    assert not side._associations._awake | side._associations._drowsy
