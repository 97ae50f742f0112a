import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from thingstead.errors import DecodeError
from thingstead.protocols.edhoc.coap_carriage import (
    CredentialType,
    frame_error,
    frame_message_1,
    frame_message_3,
    link_attributes,
    parse_request,
)
from thingstead.protocols.edhoc.message import Limits
from thingstead.protocols.link_format import link

pytestmark = pytest.mark.spec("RFC 9528 A.2")


def test_true_begins_a_session():
    payload = frame_message_1(rfc.MESSAGE_1)
    assert payload[:1] == b"\xf5"
    assert parse_request(payload) == (None, rfc.MESSAGE_1)


@pytest.mark.parametrize("c_r", [b"\x27", b"\x18", b"", b"\x01\x02\x03"])
def test_identifier_finds_the_session(c_r):
    assert parse_request(frame_message_3(c_r, rfc.MESSAGE_3)) == (c_r, rfc.MESSAGE_3)


@pytest.mark.parametrize(
    "payload", ["", "f5", "27", "f400", "f600", "412700", "18ff00", "580127ff", "a000", "5f41ffff00", "1b"]
)
def test_malformed_requests_are_refused(payload):
    with pytest.raises(DecodeError):
        parse_request(bytes.fromhex(payload))


def test_oversized_request_is_refused():
    with pytest.raises(DecodeError):
        parse_request(frame_message_1(bytes(100)), limits=Limits(max_message=64))


@pytest.mark.parametrize(("code", "told"), [(0x80, 0x80), (0x81, 0x80), (0x83, 0x80), (0x9D, 0x80), (0xA3, 0xA0)])
def test_an_error_message_says_whose_error_it_is_and_no_more(code, told):
    carried = frame_error(b"\x01\x60", code)
    assert (carried.code, carried.options, carried.payload) == (told, [(12, b"\x40")], b"\x01\x60")


def test_in_the_reverse_flow_c_i_finds_the_session_of_message_2():
    """The server is Initiator: it answers an empty POST with message_1, and each later request names its session."""
    assert parse_request(frame_message_3(rfc.C_I, rfc.MESSAGE_2)) == (rfc.C_I, rfc.MESSAGE_2)


@pytest.mark.spec("RFC 9668 6")
def test_a_link_says_what_the_resource_takes_each_value_by_itself():
    attributes = link_attributes(
        methods=(0, 3),
        suites=(2,),
        credential_types=(CredentialType.CCS, CredentialType.X509),
        references=("kid", "x5t"),
        ead_labels=(15,),
        combines=True,
    )
    assert link.render([link.Link("/.well-known/edhoc", attributes)]).decode() == (
        '</.well-known/edhoc>;rt="core.edhoc";ed-method="0";ed-method="3";ed-csuite="2";ed-cred-t="1";ed-cred-t="2";'
        'ed-idcred-t="4";ed-idcred-t="34";ed-ead="15";ed-r;ed-comb-req'
    )


@pytest.mark.spec("RFC 9668 6")
def test_a_link_does_not_promise_what_is_not_taken():
    attributes = link_attributes(
        methods=(3,), suites=(2,), credential_types=(), references=(), ead_labels=(), combines=False
    )
    assert ("ed-comb-req", None) not in attributes
