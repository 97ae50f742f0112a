"""Invariant: whatever the bytes, an EDHOC decoder reads them or raises DecodeError or UnsupportedError (PeerError for
an error message); what is read is written back to the same bytes; no state completes on bytes that no peer made.
"""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import initiator, responder, until_message_3
from thingstead.errors import AuthenticationError, DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.coap_carriage import frame_message_1, frame_message_3, parse_request
from thingstead.protocols.edhoc.credential import compact_reference, expand_reference, read_credential
from thingstead.protocols.edhoc.ead import EadItem, decode_ead, encode_ead
from thingstead.protocols.edhoc.error import PeerError, decode_error, encode_error
from thingstead.protocols.edhoc.identifier import decode_identifier, encode_identifier
from thingstead.protocols.edhoc.message import (
    decode_byte_string,
    decode_message_1,
    decode_plaintext_2,
    decode_plaintext_3,
    decode_plaintext_4,
    encode_message_1,
)

REFUSALS = (DecodeError, UnsupportedError)
LEAVES = st.one_of(
    st.integers(-30, 30),
    st.binary(max_size=40),
    st.text(max_size=4),
    st.booleans(),
    st.none(),
    st.lists(st.one_of(st.integers(), st.binary(max_size=8)), max_size=3),
    st.dictionaries(
        st.sampled_from([4, 13, 14, 33, 34, 35]), st.one_of(st.integers(), st.binary(max_size=8)), max_size=3
    ),
)
SEQUENCES = st.lists(LEAVES, max_size=7).map(lambda values: codec.encode_sequence(*values))
HOSTILE = st.one_of(st.binary(max_size=96), SEQUENCES)
ITEMS = st.lists(
    st.builds(EadItem, st.integers(-70000, 70000).filter(bool), st.one_of(st.none(), st.binary(max_size=12))),
    max_size=6,
)


@given(HOSTILE)
def test_message_1_is_read_or_refused(data):
    try:
        read = decode_message_1(data)
    except DecodeError:
        return
    ead_1 = encode_ead(read.ead_1)
    again = encode_message_1(read.method, read.suites, read.g_x, c_i=read.c_i, ead_1=ead_1)
    assert decode_message_1(again) == read


@given(st.integers(-100, 100), st.lists(st.integers(-30, 70), min_size=1, max_size=9), st.binary(max_size=50), ITEMS)
def test_message_1_survives_the_wire(method, suites, octets, items):
    message = encode_message_1(method, tuple(suites), octets, c_i=octets[:9], ead_1=encode_ead(items))
    read = decode_message_1(message)
    assert (read.method, read.suites, read.g_x, read.c_i) == (method, tuple(suites), octets, octets[:9])
    assert read.ead_1 == tuple(items)


@given(HOSTILE)
def test_plaintexts_and_byte_strings_are_read_or_refused(data):
    for decode in (
        lambda: decode_plaintext_2(data, proof_size=8),
        lambda: decode_plaintext_3(data, proof_size=8),
        lambda: decode_plaintext_4(data),
        lambda: read_credential(data, b"\xa1\x04\x41k"),
    ):
        with contextlib.suppress(*REFUSALS):
            decode()
    with contextlib.suppress(PeerError, *REFUSALS):
        assert codec.encode(decode_byte_string(data)) == data


@given(HOSTILE)
def test_error_message_is_read_or_refused(data):
    try:
        error = decode_error(data)
    except DecodeError:
        return
    if error.code in {1, 2, 3}:
        assert decode_error(encode_error(error)) == error


@given(HOSTILE)
def test_reference_is_read_or_refused(data):
    try:
        value, end = codec.decode_prefix(data)
        reference = expand_reference(value, data[:end])
    except DecodeError:
        return
    if codec.encode(value) == data[:end]:
        assert compact_reference(reference.id_cred) == data[:end]


@given(st.binary(max_size=30))
def test_identifier_has_one_form(identifier):
    assert decode_identifier(codec.decode(encode_identifier(identifier))) == identifier


@given(ITEMS)
def test_ead_survives_the_wire(items):
    assert decode_ead(codec.decode_sequence(encode_ead(items)), max_items=8) == tuple(items)


@given(HOSTILE)
def test_request_is_split_or_refused(data):
    try:
        identifier, message = parse_request(data)
    except DecodeError:
        return
    assert data == (frame_message_1(message) if identifier is None else frame_message_3(identifier, message))


@given(HOSTILE)
def test_states_refuse_what_no_peer_made(data):
    message_3, waiting_4, waiting_3 = until_message_3()
    for step in (
        lambda: responder().receive(data).message_2(rfc.C_R, rfc.CREDENTIAL_R, key=rfc.p256(rfc.SK_R)),
        lambda: initiator().message_1()[1].receive(data).authenticate(rfc.CREDENTIAL_R),
    ):
        with contextlib.suppress(PeerError, AuthenticationError, *REFUSALS):
            step()
            assert data == rfc.MESSAGE_1
    for waiting in (waiting_3, waiting_4):
        try:
            waiting.receive(data)
        except (PeerError, AuthenticationError, *REFUSALS):
            continue
        raise AssertionError("accepted what no peer made")
    waiting_3.receive(message_3)
