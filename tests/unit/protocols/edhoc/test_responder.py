import dataclasses

import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import (
    claims,
    initiator,
    responder,
    until_authentication,
    until_message_2,
    until_message_3,
)
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, StateError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.credential import Credential, kccs_reference, kid_reference
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.error import PeerError, WrongSuiteError
from thingstead.protocols.edhoc.message import Limits
from thingstead.secret import Secret

KEY_R = rfc.p256(rfc.SK_R)
REFUSALS = (AuthenticationError, DecodeError, UnsupportedError, PeerError)


def message_1_received(**changes):
    return responder(**changes).receive(rfc.MESSAGE_1)


@pytest.mark.spec("RFC 9528 5.2.3")
def test_message_1_tells_what_the_initiator_wants():
    received = message_1_received()
    assert (received.c_i, received.method.number, received.suite.number, received.ead_1) == (rfc.C_I, 3, 2, ())


@pytest.mark.parametrize("methods", [frozenset(), frozenset({0, 1, 2})])
def test_method_that_is_not_accepted_is_refused(methods):
    with pytest.raises(UnsupportedError):
        message_1_received(methods=methods)


@pytest.mark.requirement("R-27")
def test_suite_that_the_initiator_likes_less_is_refused():
    with pytest.raises(WrongSuiteError):
        message_1_received(suites=(2, 6))


@pytest.mark.spec("RFC 9529 4")
@pytest.mark.parametrize(
    "g_x",
    [
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",  # not below p
        "a04e73601df544a70ba7ea1e57030f7d4b4eb7f673924e58d54ca77a5e7d4d4a",  # no point has this x
        "d9697725d23a688b12d1c7e0108a08c9f71a85a09c20814976ab21122248fc",  # leading zero left out
        "",
        "00" * 48,
    ],
)
def test_g_x_off_the_curve_is_refused(g_x):
    message_1 = codec.encode_sequence(3, 2, bytes.fromhex(g_x), 14)
    with pytest.raises(DecodeError):
        responder().receive(message_1)


@pytest.mark.spec("RFC 9529 4")
def test_g_x_of_the_length_of_another_curve_is_refused():
    with pytest.raises(DecodeError):
        responder(suites=(24,)).receive(codec.encode_sequence(3, [2, 24], rfc.G_X, 14))


@pytest.mark.spec("RFC 7748 6.1")
def test_g_x_of_small_order_is_refused():
    low = bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")
    key = generate(KeyType.X25519)
    credential = Credential(kid_reference(b"r"), claims(key, b"r"), key.public)
    received = responder(suites=(0,), ephemeral=generate).receive(codec.encode_sequence(3, 0, low, 14))
    with pytest.raises(DecodeError):
        received.message_2(b"\x01", credential, key=key)


@pytest.mark.spec("RFC 8613 3.3")
def test_c_i_too_long_for_oscore_is_refused():
    with pytest.raises(DecodeError):
        responder().receive(codec.encode_sequence(3, 2, rfc.G_X, bytes(8)))


@pytest.mark.spec("RFC 9528 3.8")
def test_critical_ead_1_ends_the_session_unless_understood():
    message_1, _waiting = initiator().message_1([EadItem(-5, b"id"), EadItem(160)])
    with pytest.raises(UnsupportedError):
        responder().receive(message_1)
    assert responder(ead_labels={1: frozenset({5})}).receive(message_1).ead_1 == (EadItem(-5, b"id"), EadItem(160))


@pytest.mark.parametrize(
    ("connection_id", "credential", "key"),
    [
        (rfc.C_I, rfc.CREDENTIAL_R, KEY_R),
        (bytes(8), rfc.CREDENTIAL_R, KEY_R),
        (rfc.C_R, rfc.CREDENTIAL_I, KEY_R),
    ],
)
def test_settings_that_do_not_fit_are_misuse(connection_id, credential, key):
    with pytest.raises(ValueError, match=r"C_R|key|identifier"):
        message_1_received().message_2(connection_id, credential, key=key)


def test_static_key_of_another_curve_is_misuse():
    key = generate(KeyType.X25519)
    with pytest.raises(ValueError, match="P256"):
        message_1_received().message_2(rfc.C_R, Credential(kid_reference(b"r"), claims(key, b"r"), key.public), key=key)


@pytest.mark.requirement("R-27")
@pytest.mark.parametrize("at", range(len(rfc.MESSAGE_1)))
def test_each_changed_byte_of_message_1_ends_at_the_initiator(at):
    """message_1 is not protected; the transcript hash in message_2 shows the change (RFC 9528 §6.3.1)."""
    _message_1, waiting = initiator().message_1()
    changed = bytearray(rfc.MESSAGE_1)
    changed[at] ^= 0x01
    with pytest.raises(REFUSALS):  # noqa: PT012  # where it is noticed depends on the byte
        received = responder(methods=frozenset({0, 1, 2, 3})).receive(bytes(changed))
        message_2, _waiting_3 = received.message_2(rfc.C_R, rfc.CREDENTIAL_R, key=KEY_R)
        waiting.receive(message_2).authenticate(rfc.CREDENTIAL_R)


@pytest.mark.requirement("R-27")
@pytest.mark.parametrize("at", range(len(rfc.MESSAGE_3)))
def test_each_changed_byte_of_message_3_is_refused_and_the_true_one_still_accepted(at):
    message_3, _waiting_4, waiting = until_message_3()
    for bit in (0x01, 0x80):
        changed = bytearray(message_3)
        changed[at] ^= bit
        with pytest.raises(REFUSALS):
            waiting.receive(bytes(changed))
    assert waiting.receive(message_3).authenticate(rfc.CREDENTIAL_I).peer == rfc.CREDENTIAL_I


@pytest.mark.requirement("R-27")
def test_own_message_reflected_is_not_message_3():
    message_2, _received, waiting = until_message_2()
    for message in (message_2, rfc.MESSAGE_1, rfc.MESSAGE_4, b""):
        with pytest.raises(REFUSALS):
            waiting.receive(message)


@pytest.mark.requirement("R-15")
def test_message_3_of_another_session_is_refused():
    _message_1, waiting_2 = initiator(ephemeral=generate).message_1()
    message_1, _none = initiator(ephemeral=generate).message_1()
    message_2, waiting = (
        responder(ephemeral=generate).receive(message_1).message_2(rfc.C_R, rfc.CREDENTIAL_R, key=KEY_R)
    )
    for other in (rfc.MESSAGE_3, until_message_3()[0]):
        with pytest.raises(AuthenticationError):
            waiting.receive(other)
    with pytest.raises(REFUSALS):
        waiting_2.receive(message_2).authenticate(rfc.CREDENTIAL_R)


@pytest.mark.spec("RFC 9528 9.7")
def test_wait_for_message_3_ends_after_many_forgeries():
    message_1, waiting_2 = initiator().message_1()
    received = responder(limits=Limits(max_forgeries=3)).receive(message_1)
    message_2, waiting = received.message_2(rfc.C_R, rfc.CREDENTIAL_R, key=KEY_R)
    message_3, _waiting_4 = waiting_2.receive(message_2).authenticate(rfc.CREDENTIAL_R).message_3()
    for forged in (codec.encode(bytes(18)), b"", b"\x03\xf5"):
        with pytest.raises(REFUSALS):
            waiting.receive(forged)
    with pytest.raises(StateError):
        waiting.receive(message_3)


@pytest.mark.requirement("R-27")
def test_initiator_without_the_key_of_its_credential_is_refused():
    received, _waiting = until_authentication()
    key = generate(KeyType.P256)
    with pytest.raises(AuthenticationError):
        received.authenticate(Credential(kid_reference(b"\x2b"), claims(key, b"\x2b"), key.public))


def test_same_key_in_another_credential_is_refused():
    received, _waiting = until_authentication()
    with pytest.raises(AuthenticationError):
        received.authenticate(
            dataclasses.replace(rfc.CREDENTIAL_I, cred=claims(rfc.p256(rfc.SK_I), b"\x2b", "someone"))
        )


@pytest.mark.spec("RFC 9528 9.2")
def test_own_credential_does_not_authenticate_the_initiator():
    received, _waiting = until_authentication()
    with pytest.raises(AuthenticationError, match="our own"):
        received.authenticate(rfc.CREDENTIAL_R)


def test_credential_in_ead_3_can_be_read_before_it_is_proven():
    message_1, waiting_2 = initiator().message_1()
    ours = dataclasses.replace(rfc.CREDENTIAL_R, id_cred=kccs_reference(rfc.CRED_R))
    message_2, waiting_3 = responder().receive(message_1).message_2(rfc.C_R, ours, key=KEY_R)
    received_2 = waiting_2.receive(message_2)
    assert received_2.id_cred_r.kccs == rfc.CRED_R
    message_3, waiting_4 = received_2.authenticate(ours).message_3([EadItem(15, rfc.CRED_I)])
    received_3 = waiting_3.receive(message_3)
    assert (received_3.id_cred_i.kid, received_3.ead_3) == (b"\x2b", (EadItem(15, rfc.CRED_I),))
    message_4, completed = received_3.authenticate(rfc.CREDENTIAL_I).message_4([EadItem(16, b"token")])
    confirmed = waiting_4.receive(message_4)
    assert confirmed.ead_4 == (EadItem(16, b"token"),)
    assert confirmed.oscore().master_secret == completed.oscore().master_secret


@pytest.mark.spec("RFC 9528 3.8")
def test_critical_ead_3_that_is_not_understood_ends_the_session():
    _message_2, received, waiting = until_message_2()
    message_3, _waiting_4 = received.authenticate(rfc.CREDENTIAL_R).message_3([EadItem(-15, b"")])
    with pytest.raises(UnsupportedError):
        waiting.receive(message_3)
    with pytest.raises(StateError):
        waiting.receive(message_3)


@pytest.mark.spec("RFC 9528 5.1")
def test_each_state_is_used_once():
    received_1 = message_1_received()
    _message_2, waiting = received_1.message_2(rfc.C_R, rfc.CREDENTIAL_R, key=KEY_R)
    received_3 = waiting.receive(rfc.MESSAGE_3)
    authenticated = received_3.authenticate(rfc.CREDENTIAL_I)
    authenticated.message_4()
    again = (
        lambda: received_1.message_2(rfc.C_R, rfc.CREDENTIAL_R, key=KEY_R),
        lambda: waiting.receive(rfc.MESSAGE_3),
        lambda: received_3.authenticate(rfc.CREDENTIAL_I),
        authenticated.message_4,
        authenticated.complete_without_message_4,
    )
    for step in again:
        with pytest.raises(StateError):
            step()


@pytest.mark.spec("RFC 9528 5.5")
def test_profile_without_message_4_gives_the_same_keys():
    received, _waiting = until_authentication()
    completed = received.authenticate(rfc.CREDENTIAL_I).complete_without_message_4()
    assert completed.oscore().master_secret == Secret(rfc.MASTER_SECRET)
    assert completed.peer == rfc.CREDENTIAL_I
