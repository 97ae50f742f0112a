"""Two parties for the tests, and what they say to each other."""

from functools import partial

from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.secret import Secret

GREETING = Message(Code.CONTENT, payload=b"Hello World!")


def pair(*, server_window=None, server_sequence=None, **algorithms):
    derive = partial(
        SecurityContext.derive, Secret(bytes(range(16))), master_salt=b"salt", id_context=b"ctx", **algorithms
    )
    client = derive(sender_id=b"\x01", recipient_id=b"\x02")
    server = derive(sender_id=b"\x02", recipient_id=b"\x01", window=server_window, sequence=server_sequence)
    return client, server


def get(*options):
    return Message(Code.GET, token=b"t", options=sorted([*options, (OptionNumber.URI_PATH, b"x")]))
