import pytest

from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ExpiredError,
    ReplayError,
    ThingsteadError,
    UntrustedError,
)
from thingstead.protocols.coap.code import Code
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import OptionNumber
from thingstead.protocols.oscore.refusal import refusal


@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.parametrize(
    ("error", "code", "diagnostic"),
    [
        (DecodeError("x"), Code.BAD_OPTION, b"Failed to decode COSE"),
        (UntrustedError("x"), Code.UNAUTHORIZED, b"Security context not found"),
        (ReplayError("x"), Code.UNAUTHORIZED, b"Replay detected"),
        (AuthenticationError("x"), Code.BAD_REQUEST, b"Decryption failed"),
    ],
)
def test_a_refusal_says_what_the_rfc_allows_and_is_not_cached(error, code, diagnostic):
    assert refusal(error) == Message(code, options=[(OptionNumber.MAX_AGE, b"")], payload=diagnostic)


@pytest.mark.parametrize("error", [ThingsteadError("x"), ExpiredError("x")])
def test_an_error_from_elsewhere_is_not_told_to_the_peer(error):
    with pytest.raises(TypeError):
        refusal(error)
