from collections import deque

import pytest

from tests.unit.endpoint.ladder import CONTROLLER, SECURED, context
from thingstead.endpoint.association import Association, SequenceGate
from thingstead.endpoint.client_exchange import ClientExchange
from thingstead.endpoint.client_verification import refusal_error, verify
from thingstead.errors import AuthenticationError, SecurityError, TransportError, UntrustedError
from thingstead.protocols.coap.block import Pieces
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.protection import protect_request, protect_response, unprotect_request

PLAIN = Message(Code.CONTENT, token=b"t", payload=b"x")
PROTECTED = Message(Code.CHANGED, token=b"t", options=[(OptionNumber.OSCORE, b"")], payload=bytes(20))


def asked(*, secured):
    association = Association(SECURED, context()) if secured else None
    exchange = ClientExchange(1, request(Code.GET, "/a"), CONTROLLER, association, pieces=Pieces(6), is_reliable=False)
    if association is not None:
        exchange.protected, exchange.binding = protect_request(exchange.request, context=association.context)
    return exchange


def seen(exchange, message, *, is_relay=False):
    return verify(exchange, message, gate=SequenceGate(deque(), stride=8), is_relay=is_relay)


def honest(exchange):
    _, binding = unprotect_request(exchange.protected, context=context(mirrored=True))
    return protect_response(PLAIN, binding=binding)


def test_the_response_of_the_peer_is_opened():
    exchange = asked(secured=True)
    assert seen(exchange, honest(exchange)).payload == b"x"


def test_the_response_to_a_plain_request_is_as_it_is():
    assert seen(asked(secured=False), PLAIN) is PLAIN


def test_a_relay_passes_on_what_is_protected_for_somebody_else():
    assert seen(asked(secured=False), PROTECTED, is_relay=True) is PROTECTED


@pytest.mark.spec("RFC 8613 8.4")
@pytest.mark.parametrize(
    ("secured", "message", "error"),
    [(True, PLAIN, AuthenticationError), (True, PROTECTED, AuthenticationError), (False, PROTECTED, UntrustedError)],
    ids=["unprotected", "forged", "protected"],
)
def test_what_is_protected_on_one_side_only_or_not_by_the_peer_is_refused(secured, message, error):
    with pytest.raises(error):
        seen(asked(secured=secured), message)


def test_a_response_is_believed_once():
    exchange = asked(secured=True)
    message = honest(exchange)
    seen(exchange, message)
    with pytest.raises(SecurityError):
        seen(exchange, message)


@pytest.mark.parametrize(("code", "error"), [(Code.UNAUTHORIZED, UntrustedError), (Code.NOT_FOUND, TransportError)])
def test_a_refusal_is_named_by_its_code(code, error):
    assert type(refusal_error(code)) is error
