from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from tests.unit.protocols.edhoc import psk_draft as draft
from thingstead.errors import AuthenticationError, DecodeError, StateError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.error import PeerError
from thingstead.protocols.edhoc.identifier import encode_identifier
from thingstead.protocols.edhoc.psk_initiator import PskInitiator
from thingstead.protocols.edhoc.psk_responder import PskResponder
from thingstead.protocols.edhoc.schedule import Label, apply_keystream, mix, second_transcript, transcript_hash
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.secret import Secret

pytestmark = pytest.mark.spec("draft-ietf-lake-edhoc-psk-08 5")


def initiator(**changes):
    wanted: dict[str, Any] = {
        "suites": (2,),
        "shared": draft.SHARED,
        "connection_id": draft.C_I,
        "ephemeral": lambda _curve: draft.X,
    }
    return PskInitiator(**(wanted | changes))


def responder(**changes):
    wanted: dict[str, Any] = {"suites": (2, 3), "ephemeral": lambda _curve: draft.Y}
    return PskResponder(**(wanted | changes))


def until_message_4(*, ead_labels=MappingProxyType({}), ead_4=()):
    message_1, waiting_2 = initiator(ead_labels=ead_labels).message_1()
    message_2, waiting_3 = responder().receive(message_1).message_2(draft.C_R)
    message_3, waiting_4 = waiting_2.receive(message_2).message_3()
    authenticated, _ead_3 = waiting_3.receive(message_3).authenticate(draft.SHARED)
    return waiting_4, authenticated.message_4(ead_4)[0]


def test_the_messages_of_the_draft_are_made_byte_for_byte():
    message_1, waiting_2 = initiator().message_1()
    assert message_1 == draft.MESSAGE_1
    received = waiting_2.receive(draft.MESSAGE_2)
    assert (received.c_r, received.ead_2) == (draft.C_R, ())
    message_3, waiting_4 = received.message_3()
    assert message_3 == draft.MESSAGE_3
    completed = waiting_4.receive(draft.MESSAGE_4)
    assert completed.peer is draft.SHARED
    # The draft prints 16 bytes here, where its §6 says that the key is as long as the hash.
    assert completed.export(2, b"", 16) == Secret(draft.RESUMPTION_PSK)
    assert completed.export(3, b"", 2) == Secret(draft.RESUMPTION_KID)


@pytest.mark.parametrize("position", range(len(draft.MESSAGE_2) - 2))
def test_a_changed_message_2_ends_in_no_session(position):
    """It proves nothing by itself: what was changed shows when message_3 is verified, or before."""
    message_1, waiting_2 = initiator().message_1()
    message_2, waiting_3 = responder().receive(message_1).message_2(draft.C_R)
    at = position + 2
    changed = message_2[:at] + bytes([message_2[at] ^ 0x01]) + message_2[at + 1 :]
    with pytest.raises((AuthenticationError, DecodeError)):
        waiting_3.receive(waiting_2.receive(changed).message_3()[0]).authenticate(draft.SHARED)


def test_a_responder_without_the_key_is_found_out_at_message_4():
    message_1, waiting_2 = initiator().message_1()
    message_2, waiting_3 = responder().receive(message_1).message_2(draft.C_R)
    message_3, waiting_4 = waiting_2.receive(message_2).message_3()
    guessed = replace(draft.SHARED, psk=Secret(bytes(16)))
    received = waiting_3.receive(message_3)
    assert received.id_cred_psk.kid == b"\x00\x10"
    with pytest.raises(AuthenticationError):
        received.authenticate(guessed)
    with pytest.raises(AuthenticationError):
        waiting_4.receive(codec.encode(bytes(8)))


def test_a_changed_message_4_is_refused_and_the_genuine_one_still_taken():
    waiting_4, message_4 = until_message_4()
    for at in range(1, len(message_4)):
        if at > 7:
            break  # the state is patient with seven forgeries, and takes the eighth message
        with pytest.raises(AuthenticationError):
            waiting_4.receive(message_4[:at] + bytes([message_4[at] ^ 1]) + message_4[at + 1 :])
    assert waiting_4.receive(message_4).peer is draft.SHARED


@pytest.mark.parametrize("message_2", ["", "01", "f6", "40", "4101", "5820" + "00" * 32, "5821" + "ff" * 33, "0161"])
def test_a_malformed_message_2_is_refused(message_2):
    with pytest.raises(DecodeError):
        initiator().message_1()[1].receive(bytes.fromhex(message_2))


def test_an_error_message_ends_the_session():
    with pytest.raises(PeerError):
        initiator().message_1()[1].receive(b"\x03\xf5")


def test_our_own_identifier_as_c_r_is_refused():
    message_1, waiting_2 = initiator(connection_id=draft.C_R).message_1()
    suite = cipher_suite(2)
    th_2 = second_transcript(suite, draft.Y.public.x, transcript_hash(suite, message_1))
    prk = mix(suite, th_2, draft.Y.agree(draft.X.public))
    message_2 = codec.encode(
        draft.Y.public.x + apply_keystream(suite, prk, Label.KEYSTREAM_2, encode_identifier(draft.C_R), th=th_2)
    )
    with pytest.raises(DecodeError, match="differ from C_I"):
        waiting_2.receive(message_2)


def test_critical_ead_that_is_not_understood_ends_the_session():
    message_1, waiting_2 = initiator().message_1()
    message_2, _waiting_3 = responder().receive(message_1).message_2(draft.C_R, [EadItem(-26, b"x")])
    with pytest.raises(UnsupportedError):
        waiting_2.receive(message_2)
    waiting_4, message_4 = until_message_4(ead_4=[EadItem(-26, b"x")])
    with pytest.raises(UnsupportedError):
        waiting_4.receive(message_4)
    waiting_4, message_4 = until_message_4(ead_4=[EadItem(-26, b"x")], ead_labels={4: frozenset({26})})
    assert waiting_4.receive(message_4).ead_4 == (EadItem(-26, b"x"),)


@pytest.mark.spec("RFC 9528 5.1")
def test_states_are_used_once():
    _message_1, waiting_2 = initiator().message_1()
    received = waiting_2.receive(draft.MESSAGE_2)
    received.message_3()
    for again in (lambda: waiting_2.receive(draft.MESSAGE_2), received.message_3):
        with pytest.raises(StateError):
            again()


@pytest.mark.parametrize("changes", [{"suites": (24,)}, {"connection_id": bytes(8)}])
def test_a_suite_of_another_hash_and_a_long_identifier_are_refused(changes):
    with pytest.raises(ValueError, match="expected a suite"):
        initiator(**changes)
