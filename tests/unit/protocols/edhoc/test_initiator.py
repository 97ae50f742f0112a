import dataclasses
import pickle

import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import claims, initiator, until_authentication, until_message_2, until_message_3
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, StateError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.credential import Credential, kccs_reference, kid_reference
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.error import PeerError
from thingstead.protocols.edhoc.message import Limits, encode_plaintext
from thingstead.protocols.edhoc.schedule import Label, apply_keystream, mix, second_transcript
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.secret import Secret

REFUSALS = (AuthenticationError, DecodeError, UnsupportedError, PeerError)


def forged_message_2(plaintext):
    """message_2 for the trace's message_1, from an attacker who made an ephemeral key of its own."""
    suite, key = cipher_suite(2), rfc.p256(rfc.Y)
    th_2 = second_transcript(suite, rfc.G_Y, rfc.H_MESSAGE_1)
    prk_2e = mix(suite, th_2, key.agree(rfc.p256(rfc.X).public))
    return codec.encode(rfc.G_Y + apply_keystream(suite, prk_2e, Label.KEYSTREAM_2, plaintext, th=th_2))


def waiting_for_message_2(**changes):
    return initiator(**changes).message_1()[1]


@pytest.mark.spec("RFC 9528 5.2.2")
def test_each_session_has_an_ephemeral_key_of_its_own():
    wanted = initiator(ephemeral=generate)
    assert wanted.message_1()[0] != wanted.message_1()[0]


def test_first_suite_is_selected_unless_said_otherwise():
    assert initiator(suites=(2, 3), selected=None).suite.number == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"key": generate(KeyType.P256)},
        {"method": 0, "suites": (0,), "selected": 0},
        {"suites": (0,), "selected": 0},
        {"connection_id": bytes(8)},
    ],
)
def test_settings_that_do_not_fit_are_misuse(changes):
    with pytest.raises(ValueError, match=r"key|identifier"):
        initiator(**changes)


@pytest.mark.parametrize("changes", [{"method": 4}, {"suites": (25,), "selected": None}])
def test_unknown_method_or_suite_is_refused(changes):
    with pytest.raises(UnsupportedError):
        initiator(**changes)


@pytest.mark.requirement("R-27")
@pytest.mark.parametrize("at", range(len(rfc.MESSAGE_2)))
def test_each_changed_byte_of_message_2_is_refused(at):
    for bit in (0x01, 0x80):
        changed = bytearray(rfc.MESSAGE_2)
        changed[at] ^= bit
        with pytest.raises(REFUSALS):
            waiting_for_message_2().receive(bytes(changed)).authenticate(rfc.CREDENTIAL_R)


@pytest.mark.parametrize("size", [0, 1, 2, 33, 34, 35, 44])
def test_cut_message_2_is_refused(size):
    with pytest.raises(REFUSALS):
        waiting_for_message_2().receive(rfc.MESSAGE_2[:size])


@pytest.mark.requirement("R-27")
@pytest.mark.parametrize("message", [rfc.MESSAGE_1, rfc.MESSAGE_3, rfc.MESSAGE_4], ids=["1", "3", "4"])
def test_reflected_or_misplaced_message_is_not_message_2(message):
    with pytest.raises(REFUSALS):
        waiting_for_message_2().receive(message)


@pytest.mark.requirement("R-27")
@pytest.mark.spec("RFC 9528 5.3.3")
def test_responder_without_the_key_of_its_credential_is_refused():
    key = generate(KeyType.P256)
    credential = Credential(kid_reference(b"\x32"), claims(key, b"\x32"), key.public)
    with pytest.raises(AuthenticationError):
        waiting_for_message_2().receive(rfc.MESSAGE_2).authenticate(credential)


def test_same_key_in_another_credential_is_refused():
    renamed = dataclasses.replace(rfc.CREDENTIAL_R, cred=claims(rfc.p256(rfc.SK_R), b"\x32", "somebody else"))
    with pytest.raises(AuthenticationError):
        waiting_for_message_2().receive(rfc.MESSAGE_2).authenticate(renamed)


@pytest.mark.spec("RFC 9528 9.2")
def test_own_credential_does_not_authenticate_the_responder():
    with pytest.raises(AuthenticationError, match="our own"):
        waiting_for_message_2().receive(rfc.MESSAGE_2).authenticate(rfc.CREDENTIAL_I)


def test_credential_of_another_curve_is_refused():
    key = generate(KeyType.X25519)
    with pytest.raises(UnsupportedError):
        waiting_for_message_2().receive(rfc.MESSAGE_2).authenticate(
            Credential(kid_reference(b"\x32"), claims(key, b"\x32"), key.public)
        )


@pytest.mark.spec("RFC 9528 3.3.3")
def test_identifier_of_our_own_as_c_r_is_refused():
    plaintext = encode_plaintext(kid_reference(b"\x32"), bytes(8), c_r=rfc.C_I, ead=b"")
    with pytest.raises(DecodeError, match="C_R"):
        waiting_for_message_2().receive(forged_message_2(plaintext))


@pytest.mark.spec("RFC 9528 3.8")
def test_critical_ead_2_ends_the_session_unless_understood():
    plaintext = encode_plaintext(kid_reference(b"\x32"), bytes(8), c_r=rfc.C_R, ead=b"\x24\x41\x01")
    with pytest.raises(UnsupportedError):
        waiting_for_message_2().receive(forged_message_2(plaintext))
    received = waiting_for_message_2(ead_labels={2: frozenset({5})}).receive(forged_message_2(plaintext))
    assert received.ead_2 == (EadItem(-5, b"\x01"),)


def test_credential_by_value_can_be_read_before_it_is_proven():
    plaintext = encode_plaintext(kccs_reference(rfc.CRED_R), bytes(8), c_r=rfc.C_R, ead=b"")
    received = waiting_for_message_2().receive(forged_message_2(plaintext))
    assert received.id_cred_r.kccs == rfc.CRED_R
    with pytest.raises(AuthenticationError):
        received.authenticate(rfc.CREDENTIAL_R)


@pytest.mark.spec("RFC 9528 6")
def test_error_in_place_of_message_2_names_the_suites():
    with pytest.raises(PeerError) as refusal:
        waiting_for_message_2().receive(rfc.ERROR)
    assert refusal.value.error.suites == (2,)


@pytest.mark.spec("RFC 9528 9.2")
@pytest.mark.parametrize("x", [bytes(32), b"\xff" * 32, b"\x01" + bytes(31)])
def test_g_y_of_small_order_or_off_the_curve_is_refused(x):
    key = generate(KeyType.X25519)
    settings = initiator(
        suites=(0,),
        selected=0,
        credential=Credential(kid_reference(b"i"), claims(key, b"i"), key.public),
        key=key,
        ephemeral=generate,
    )
    with pytest.raises(REFUSALS):
        settings.message_1()[1].receive(codec.encode(x + bytes(11)))


@pytest.mark.spec("RFC 9528 5.1")
def test_each_state_is_used_once():
    waiting_2 = waiting_for_message_2()
    received = waiting_2.receive(rfc.MESSAGE_2)
    authenticated = received.authenticate(rfc.CREDENTIAL_R)
    _message_3, waiting_4 = authenticated.message_3()
    waiting_4.receive(rfc.MESSAGE_4)
    again = (
        lambda: waiting_2.receive(rfc.MESSAGE_2),
        lambda: received.authenticate(rfc.CREDENTIAL_R),
        authenticated.message_3,
        lambda: waiting_4.receive(rfc.MESSAGE_4),
        waiting_4.complete_unconfirmed,
    )
    for step in again:
        with pytest.raises(StateError):
            step()


def test_failed_authentication_ends_the_session():
    received = waiting_for_message_2().receive(rfc.MESSAGE_2)
    with pytest.raises(AuthenticationError):
        received.authenticate(rfc.CREDENTIAL_I)
    with pytest.raises(StateError):
        received.authenticate(rfc.CREDENTIAL_R)


@pytest.mark.requirement("R-27")
@pytest.mark.parametrize("at", range(len(rfc.MESSAGE_4)))
def test_each_changed_byte_of_message_4_is_refused_and_the_true_one_still_accepted(at):
    _message_3, waiting, _responder = until_message_3()
    changed = bytearray(rfc.MESSAGE_4)
    changed[at] ^= 0x40
    with pytest.raises(REFUSALS):
        waiting.receive(bytes(changed))
    assert waiting.receive(rfc.MESSAGE_4).oscore().master_secret == Secret(rfc.MASTER_SECRET)


@pytest.mark.spec("RFC 9528 6")
def test_forged_error_does_not_end_the_wait_for_message_4():
    _message_3, waiting, _responder = until_message_3()
    with pytest.raises(PeerError):
        waiting.receive(b"\x03\xf5")
    waiting.receive(rfc.MESSAGE_4)


@pytest.mark.spec("RFC 9528 9.7")
def test_wait_for_message_4_ends_after_many_forgeries():
    _message_2, received, _waiting_3 = until_message_2(limits=Limits(max_forgeries=1))
    _message_3, waiting = received.authenticate(rfc.CREDENTIAL_R).message_3()
    with pytest.raises(AuthenticationError):
        waiting.receive(codec.encode(bytes(8)))
    with pytest.raises(StateError):
        waiting.receive(rfc.MESSAGE_4)


def test_critical_ead_4_that_is_not_understood_ends_the_session():
    received, waiting = until_authentication()
    message_4, _completed = received.authenticate(rfc.CREDENTIAL_I).message_4([EadItem(-9)])
    with pytest.raises(UnsupportedError):
        waiting.receive(message_4)
    with pytest.raises(StateError):
        waiting.receive(message_4)


@pytest.mark.spec("RFC 9528 5.5")
def test_profile_without_message_4_gives_the_same_keys():
    _message_3, waiting, _responder = until_message_3()
    assert waiting.complete_unconfirmed().oscore().master_secret == Secret(rfc.MASTER_SECRET)


@pytest.mark.requirement("R-31")
def test_states_do_not_show_or_pickle_their_secrets():
    received = waiting_for_message_2().receive(rfc.MESSAGE_2)
    shown = repr(received._held)
    assert rfc.PRK_2E.hex() not in shown
    assert str(rfc.PRK_2E) not in shown
    with pytest.raises(TypeError):
        pickle.dumps(received)
