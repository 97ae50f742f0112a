"""Requests and responses of the token endpoint, and which number says what was wrong with one."""

import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.errors import DecodeError, PolicyError, ProtocolError, StateError, UnsupportedError
from thingstead.protocols.ace import token_endpoint
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.input_material import InputMaterial
from thingstead.protocols.ace.token_endpoint import TokenError, TokenRequest, TokenResponse
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import ccs, confirmation
from thingstead.secret import Secret

KEY = generate(KeyType.P256).public
SCOPE = Scope({"/light": 4})
REQUEST = TokenRequest("thing-aaaaaaaaaaaaaaaa", SCOPE, KEY, b"nonce")
FURTHER = TokenRequest("thing-aaaaaaaaaaaaaaaa", SCOPE, series=b"series")
UPDATE = TokenRequest("thing-aaaaaaaaaaaaaaaa", SCOPE, kid=b"\x01")
RESPONSE = TokenResponse(b"token", 3600, SCOPE, ccs.encode(KEY, kid=b"kid", subject="light"), series=b"series")
SHARED = TokenResponse(b"token", 3600, SCOPE, profile=2, material=InputMaterial(b"\x01", Secret(bytes(16))))


def changed(message, *without, **with_):
    said = codec.decode(message.encode())
    values = {int(name[1:]): value for name, value in with_.items()}
    return codec.encode({key: value for key, value in said.items() if key not in without} | values)


@pytest.mark.spec("RFC 9200 5.8.1")
@pytest.mark.parametrize("asked", [REQUEST, TokenRequest("light"), FURTHER, UPDATE])
def test_a_request_comes_back_as_it_was(asked):
    assert TokenRequest.decode(asked.encode()) == asked


@pytest.mark.spec("RFC 9200 5.8.5")
def test_a_request_on_the_wire():
    assert codec.decode(TokenRequest("light").encode()) == {33: 2, 5: "light", 38: None}


@pytest.mark.spec("RFC 9200 5.8.1")
def test_without_a_grant_type_it_is_client_credentials_and_more_is_passed_over():
    assert TokenRequest.decode(changed(REQUEST, 33, _99="more", _38=4)) == REQUEST


@pytest.mark.spec("RFC 9200 5.8.3")
@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", TokenError.INVALID_REQUEST),
        (b"\x80", TokenError.INVALID_REQUEST),
        (changed(REQUEST, 5), TokenError.INVALID_REQUEST),
        (changed(REQUEST, _5=b"light"), TokenError.INVALID_REQUEST),
        (changed(REQUEST, _5=""), TokenError.INVALID_REQUEST),
        (changed(REQUEST, _5="x" * 256), TokenError.INVALID_REQUEST),
        (changed(REQUEST, _39=b""), TokenError.INVALID_REQUEST),
        (changed(REQUEST, _39="text"), TokenError.INVALID_REQUEST),
        (changed(REQUEST, _39=bytes(65)), TokenError.INVALID_REQUEST),
        (changed(REQUEST, _4={}), TokenError.INVALID_REQUEST),
        (changed(REQUEST, _4=confirmation.for_kid(b"")), TokenError.INVALID_REQUEST),
        (changed(REQUEST, _47=[]), TokenError.INVALID_REQUEST),
        (changed(REQUEST, _47={0: b"series"}), TokenError.INVALID_REQUEST),
        (changed(FURTHER, _47={}), TokenError.INVALID_REQUEST),
        (changed(FURTHER, _47={0: b""}), TokenError.INVALID_REQUEST),
        (changed(FURTHER, _47={0: bytes(17)}), TokenError.INVALID_REQUEST),
        (changed(FURTHER, _47={0: "series"}), TokenError.INVALID_REQUEST),
        (changed(UPDATE, _4={4: {0: b"\x01", 2: bytes(16)}}), TokenError.UNSUPPORTED_POP_KEY),
        (changed(REQUEST, _9=b"\x00"), TokenError.INVALID_REQUEST),
        (changed(REQUEST, _9="read write"), TokenError.INVALID_SCOPE),
        (changed(REQUEST, _4={2: []}), TokenError.UNSUPPORTED_POP_KEY),
        (changed(REQUEST, _33=0), TokenError.UNSUPPORTED_GRANT_TYPE),
        (changed(REQUEST, _33="client_credentials"), TokenError.UNSUPPORTED_GRANT_TYPE),
        (changed(REQUEST, _33=None), TokenError.UNSUPPORTED_GRANT_TYPE),
        (changed(REQUEST, _38=1), TokenError.INCOMPATIBLE_ACE_PROFILES),
        (changed(REQUEST, _38="coap_oscore"), TokenError.INCOMPATIBLE_ACE_PROFILES),
    ],
)
def test_a_wrong_request_is_refused_with_its_number(data, error):
    with pytest.raises(ProtocolError) as caught:
        TokenRequest.decode(data)
    code, payload = token_endpoint.refusal(caught.value)
    assert code == Code.BAD_REQUEST
    assert token_endpoint.decode_refusal(payload) is error


@pytest.mark.spec("RFC 9200 5.8.3")
@pytest.mark.parametrize("error", TokenError)
def test_each_reason_finds_its_number_and_an_invalid_client_is_unauthorized(error):
    code, payload = token_endpoint.refusal(PolicyError("no", reason=error.name.lower()))
    assert codec.decode(payload) == {30: int(error)}
    assert code == (Code.UNAUTHORIZED if error is TokenError.INVALID_CLIENT else Code.BAD_REQUEST)


def test_a_reason_of_ours_alone_is_an_invalid_request():
    assert codec.decode(token_endpoint.refusal(StateError("no"))[1]) == {30: 1}


@pytest.mark.parametrize("data", [b"", b"\xa0", codec.encode({30: "invalid_request"}), codec.encode({30: True})])
def test_a_refusal_that_gives_no_number_is_none(data):
    with pytest.raises(DecodeError):
        token_endpoint.decode_refusal(data)


def test_a_number_that_we_do_not_know_is_passed_over():
    assert token_endpoint.decode_refusal(codec.encode({30: 77})) is None


@pytest.mark.spec("RFC 9200 5.8.2")
@pytest.mark.parametrize("response", [RESPONSE, SHARED, TokenResponse(b"token", 1, SCOPE, profile=2)])
def test_a_response_comes_back_as_it_was(response):
    assert TokenResponse.decode(response.encode()) == response
    assert TokenResponse.decode(changed(response, _34=2)) == response


@pytest.mark.spec("RFC 9203 3.2")
def test_a_shared_secret_is_told_under_osc():
    assert codec.decode(SHARED.encode())[8] == {4: {0: b"\x01", 2: bytes(16)}}


@pytest.mark.parametrize(
    "data",
    [
        b"\x80",
        changed(RESPONSE, 1),
        changed(RESPONSE, _1="token"),
        changed(RESPONSE, 2),
        changed(RESPONSE, _2=-1),
        changed(RESPONSE, _2=1.5),
        changed(RESPONSE, 9),
        changed(RESPONSE, _41=confirmation.for_kid(b"")),
        changed(RESPONSE, _41={11: {2: "light"}}),
        changed(RESPONSE, _47={}),
        changed(SHARED, _8={}),
        changed(SHARED, _8={3: b"kid"}),
        changed(SHARED, _8={4: {0: b"\x01"}}),
    ],
)
def test_a_response_that_lacks_what_a_client_needs_is_refused(data):
    with pytest.raises(DecodeError):
        TokenResponse.decode(data)


@pytest.mark.spec("RFC 9200 5.8.4.3")
@pytest.mark.parametrize("data", [changed(RESPONSE, 38), changed(RESPONSE, _38=1), changed(RESPONSE, _38="2")])
def test_a_token_of_another_profile_is_not_ours(data):
    with pytest.raises(UnsupportedError):
        TokenResponse.decode(data)
