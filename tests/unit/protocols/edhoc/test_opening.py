"""message_1 and message_2 as an Initiator of any method sees them."""

import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.error import ErrorCode, ErrorMessage, PeerError, encode_error
from thingstead.protocols.edhoc.message import Limits, decode_message_1
from thingstead.protocols.edhoc.opening import begin
from thingstead.protocols.edhoc.suite import cipher_suite

pytestmark = pytest.mark.spec("RFC 9528 5.3.3")
SUITE = cipher_suite(2)


def begun(*, method=3, suites=(6, 2), ead_1=()):
    return begin(method, suites, SUITE, ephemeral=lambda _curve: rfc.p256(rfc.X), c_i=rfc.C_I, ead_1=ead_1)


@pytest.mark.spec("RFC 9529 3.2.1")
def test_message_1_of_the_trace_is_made_and_its_message_2_opened():
    message_1, waiting = begun()
    assert message_1 == rfc.MESSAGE_1
    opened = waiting.open(rfc.MESSAGE_2, limits=Limits())
    assert opened.plaintext == rfc.PLAINTEXT_2


@pytest.mark.parametrize("method", [0, 4])
def test_message_1_says_what_it_was_told(method):
    read = decode_message_1(begun(method=method, suites=(2,), ead_1=[EadItem(-7, b"x")])[0])
    assert (read.method, read.suites, read.ead_1) == (method, (2,), (EadItem(-7, b"x"),))


def test_an_error_message_is_told_apart():
    error = encode_error(ErrorMessage(ErrorCode.WRONG_SUITE, suites=(3,)))
    with pytest.raises(PeerError):
        begun()[1].open(error, limits=Limits())


@pytest.mark.parametrize(
    "message_2",
    [b"", codec.encode(b""), codec.encode(bytes(31)), codec.encode(b"\xff" * 40), rfc.MESSAGE_2[:-1], b"\xa0"],
)
def test_what_is_no_message_2_is_refused(message_2):
    with pytest.raises(DecodeError):
        begun()[1].open(message_2, limits=Limits())


def test_a_message_2_over_the_limit_is_refused():
    with pytest.raises(DecodeError):
        begun()[1].open(rfc.MESSAGE_2, limits=Limits(max_message=len(rfc.MESSAGE_2) - 1))
