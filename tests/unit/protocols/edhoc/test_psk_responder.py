from dataclasses import replace

import pytest

from tests.unit.protocols.edhoc import psk_draft as draft
from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import responder as public_key_responder
from tests.unit.protocols.edhoc.test_psk_initiator import initiator, responder
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import generate
from thingstead.errors import AuthenticationError, DecodeError, StateError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.error import PeerError, WrongSuiteError
from thingstead.protocols.edhoc.suite import SUITES
from thingstead.secret import Secret

pytestmark = pytest.mark.spec("draft-ietf-lake-edhoc-psk-08 5")


def waiting(**changes):
    """A Responder that has answered the draft's message_1."""
    message_2, waiting_3 = responder(**changes).receive(draft.MESSAGE_1).message_2(draft.C_R)
    assert message_2 == draft.MESSAGE_2
    return waiting_3


def test_the_messages_of_the_draft_are_made_byte_for_byte():
    received = waiting().receive(draft.MESSAGE_3)
    assert received.id_cred_psk.id_cred == draft.SHARED.id_cred
    authenticated, ead_3 = received.authenticate(draft.SHARED)
    assert (authenticated.peer, ead_3) == (draft.SHARED, ())
    message_4, completed = authenticated.message_4()
    assert message_4 == draft.MESSAGE_4
    assert completed.export(2, b"", 16) == Secret(draft.RESUMPTION_PSK)


@pytest.mark.parametrize("suite", SUITES)
def test_both_ends_hold_the_same_keys_under_every_suite(suite):
    shared = replace(draft.SHARED, digest_id=SUITES[suite].digest)
    message_1, waiting_2 = initiator(suites=(suite,), shared=shared, ephemeral=generate).message_1()
    accepting = responder(suites=(suite,), ephemeral=generate)
    message_2, waiting_3 = accepting.receive(message_1).message_2(draft.C_R, [EadItem(5, b"2")])
    received_2 = waiting_2.receive(message_2)
    message_3, waiting_4 = received_2.message_3([EadItem(5, b"3")])
    authenticated, ead_3 = waiting_3.receive(message_3).authenticate(shared)
    message_4, completed = authenticated.message_4()
    assert (received_2.ead_2, ead_3) == ((EadItem(5, b"2"),), (EadItem(5, b"3"),))
    ours, theirs = waiting_4.receive(message_4).oscore(), completed.oscore()
    assert (ours.master_secret, ours.sender_id) == (theirs.master_secret, theirs.recipient_id)


@pytest.mark.parametrize("at", range(1, len(draft.MESSAGE_3)))
def test_a_changed_message_3_is_refused_and_the_genuine_one_still_taken(at):
    waiting_3 = waiting()
    forged = draft.MESSAGE_3[:at] + bytes([draft.MESSAGE_3[at] ^ 1]) + draft.MESSAGE_3[at + 1 :]
    with pytest.raises((AuthenticationError, DecodeError)):
        waiting_3.receive(forged).authenticate(draft.SHARED)
    assert waiting_3.receive(draft.MESSAGE_3).authenticate(draft.SHARED)


def test_the_patience_for_forgeries_has_an_end():
    waiting_3 = waiting()
    for _ in range(8):
        with pytest.raises(DecodeError):
            waiting_3.receive(codec.encode(bytes(12)))
    with pytest.raises(StateError):
        waiting_3.receive(draft.MESSAGE_3)


@pytest.mark.parametrize(
    "other",
    [
        replace(draft.SHARED, psk=Secret(bytes(16))),
        replace(draft.SHARED, id_cred=bytes.fromhex("a104420011")),
        replace(draft.SHARED, cred_i=draft.CRED_R, cred_r=draft.CRED_I),
        replace(draft.SHARED, cred_i=codec.encode({2: "another"})),
        replace(draft.SHARED, cred_r=codec.encode({2: "another"})),
    ],
)
def test_another_key_name_or_role_does_not_fit(other):
    waiting_3 = waiting()
    received = waiting_3.receive(draft.MESSAGE_3)
    with pytest.raises(AuthenticationError):
        received.authenticate(other)
    received.authenticate(draft.SHARED)


@pytest.mark.spec("RFC 9528 5.1")
def test_message_3_counts_once():
    waiting_3 = waiting()
    first, second = waiting_3.receive(draft.MESSAGE_3), waiting_3.receive(draft.MESSAGE_3)
    first.authenticate(draft.SHARED)
    for again in (
        lambda: first.authenticate(draft.SHARED),
        lambda: second.authenticate(draft.SHARED),
        lambda: waiting_3.receive(draft.MESSAGE_3),
    ):
        with pytest.raises(StateError):
            again()


def test_message_3_of_another_session_is_refused():
    _message_2, waiting_3 = responder(ephemeral=generate).receive(draft.MESSAGE_1).message_2(draft.C_R)
    with pytest.raises((AuthenticationError, DecodeError)):
        waiting_3.receive(draft.MESSAGE_3).authenticate(draft.SHARED)


def test_an_error_message_ends_nothing():
    waiting_3 = waiting()
    with pytest.raises(PeerError):
        waiting_3.receive(b"\x03\xf5")
    waiting_3.receive(draft.MESSAGE_3).authenticate(draft.SHARED)


def test_a_key_is_used_with_one_hash():
    received = waiting().receive(draft.MESSAGE_3)
    with pytest.raises(UnsupportedError):
        received.authenticate(replace(draft.SHARED, digest_id=AlgorithmId.SHA_384))


def test_critical_ead_3_that_is_not_understood_ends_the_session():
    message_1, waiting_2 = initiator().message_1()
    message_2, waiting_3 = responder().receive(message_1).message_2(draft.C_R)
    message_3, _waiting_4 = waiting_2.receive(message_2).message_3([EadItem(-26, b"x")])
    with pytest.raises(UnsupportedError):
        waiting_3.receive(message_3).authenticate(draft.SHARED)


def test_nobody_who_does_not_ask_for_the_method_speaks_it():
    with pytest.raises(UnsupportedError):
        public_key_responder(methods=frozenset(range(4))).receive(draft.MESSAGE_1)
    with pytest.raises(UnsupportedError):
        responder().receive(rfc.MESSAGE_1)


def test_a_suite_that_passes_over_a_better_one_is_refused():
    message_1, _waiting = initiator(suites=(3, 2), selected=2).message_1()
    with pytest.raises(WrongSuiteError):
        responder().receive(message_1)


@pytest.mark.parametrize("connection_id", [draft.C_I, bytes(8)])
def test_an_identifier_that_is_the_peers_or_too_long_is_refused(connection_id):
    with pytest.raises(ValueError, match="connection identifier"):
        responder().receive(draft.MESSAGE_1).message_2(connection_id)
