import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import initiator, responder
from thingstead.protocols.edhoc.error import WrongSuiteError, answer, decode_error
from thingstead.protocols.edhoc.suite import choose_suite


@pytest.mark.spec("RFC 9529 3")
def test_static_diffie_hellman_trace_is_reproduced_byte_for_byte():
    message_1, waiting_2 = initiator().message_1()
    assert message_1 == rfc.MESSAGE_1

    received_1 = responder().receive(message_1)
    message_2, waiting_3 = received_1.message_2(rfc.C_R, rfc.CREDENTIAL_R, key=rfc.p256(rfc.SK_R))
    assert message_2 == rfc.MESSAGE_2

    received_2 = waiting_2.receive(message_2)
    assert (received_2.c_r, received_2.id_cred_r.kid) == (rfc.C_R, b"\x32")
    message_3, waiting_4 = received_2.authenticate(rfc.CREDENTIAL_R).message_3()
    assert message_3 == rfc.MESSAGE_3

    received_3 = waiting_3.receive(message_3)
    assert received_3.id_cred_i.kid == b"\x2b"
    message_4, completed_r = received_3.authenticate(rfc.CREDENTIAL_I).message_4()
    assert message_4 == rfc.MESSAGE_4

    completed_i = waiting_4.receive(message_4)
    ours, theirs = completed_i.oscore(), completed_r.oscore()
    assert ours.master_secret.reveal() == theirs.master_secret.reveal() == rfc.MASTER_SECRET
    assert ours.master_salt == theirs.master_salt == rfc.MASTER_SALT
    assert (ours.sender_id, ours.recipient_id) == (rfc.C_R, rfc.C_I)
    assert (theirs.sender_id, theirs.recipient_id) == (rfc.C_I, rfc.C_R)
    assert (ours.aead_id, ours.digest_id) == (10, -16)


@pytest.mark.spec("RFC 9529 3.2")
def test_first_message_1_of_the_trace_is_answered_with_its_error():
    with pytest.raises(WrongSuiteError) as refusal:
        responder().receive(rfc.FIRST_MESSAGE_1)
    error = answer(refusal.value)
    assert error == rfc.ERROR
    assert choose_suite((6, 2), decode_error(error).suites) == 2
