import pytest

from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ExpiredError,
    ReplayError,
    ThingsteadError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.refusal import refusal


@pytest.mark.spec("RFC 8613 8.2")
@pytest.mark.spec("RFC 8613 D.5.3")
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DecodeError("x"), Code.BAD_OPTION),
        (UnsupportedError("x"), Code.BAD_OPTION),
        (UntrustedError("x"), Code.UNAUTHORIZED),
        (ReplayError("x"), Code.UNAUTHORIZED),
        (AuthenticationError("x"), Code.BAD_REQUEST),
    ],
)
def test_a_refusal_is_a_code_that_is_not_cached_and_no_more(error, code):
    assert refusal(error) == Message(code, options=[(OptionNumber.MAX_AGE, b"")])


def test_a_replay_and_an_unknown_context_look_the_same():
    assert refusal(ReplayError("seen")) == refusal(UntrustedError("unknown"))


@pytest.mark.parametrize("error", [ThingsteadError("x"), ExpiredError("x")])
def test_an_error_from_elsewhere_is_not_told_to_the_peer(error):
    with pytest.raises(TypeError):
        refusal(error)
