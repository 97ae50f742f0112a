import re

import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import claims, initiator, responder
from thingstead.crypto.key import KeyType, generate, private_key
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.credential import Credential, kid_reference
from thingstead.protocols.edhoc.error import (
    ErrorCode,
    ErrorMessage,
    WrongSuiteError,
    answer,
    decode_error,
    encode_error,
)
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.message import decode_plaintext_2
from thingstead.protocols.edhoc.responder import Responder
from thingstead.protocols.edhoc.suite import choose_suite
from thingstead.secret import Secret


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
    assert answer(refusal.value) == rfc.ERROR
    assert choose_suite((6, 2), decode_error(rfc.ERROR).suites) == 2


def trace_1(shared):
    """Names and bytes of the first trace; a name that comes twice has the same bytes, or is not used here."""
    text = (shared / "vectors" / "edhoc" / "rfc9529_trace1_sig_x5t.md").read_text()
    found = re.findall(
        r"^(\S.*?) \((?:Raw Value|CBOR Data Item|CBOR Sequence)\).*\n((?:[0-9a-f]{2}[ \n])+)", text, re.M
    )
    named: dict[str, bytes] = {}
    for name, octets in found:
        named.setdefault(name, bytes.fromhex(octets))
    return named


def signer(named, side):
    key = private_key(KeyType.ED25519, Secret(named[f"SK_{side}"]))
    assert key.public.x == named[f"PK_{side}"]
    return Credential(named[f"ID_CRED_{side}"], codec.encode(named[f"CRED_{side}"]), key.public), key


@pytest.mark.spec("RFC 9529 2")
def test_signature_trace_is_reproduced_byte_for_byte(shared):
    named = trace_1(shared)
    (credential_i, key_i), (credential_r, key_r) = signer(named, "I"), signer(named, "R")
    message_1, waiting_2 = Initiator(
        method=0,
        suites=(0,),
        credential=credential_i,
        key=key_i,
        connection_id=named["C_I"],
        ephemeral=lambda curve: private_key(curve, Secret(named["X"])),
    ).message_1()
    assert message_1 == named["message_1"]
    accepting = Responder(
        methods=frozenset({0}), suites=(0,), ephemeral=lambda curve: private_key(curve, Secret(named["Y"]))
    )
    message_2, waiting_3 = accepting.receive(message_1).message_2(named["C_R"], credential_r, key=key_r)
    assert message_2 == named["message_2"]
    received_2 = waiting_2.receive(message_2)
    assert received_2.id_cred_r.x5t == (-15, bytes.fromhex("79f2a41b510c1f9b"))
    message_3, waiting_4 = received_2.authenticate(credential_r).message_3()
    assert message_3 == named["message_3"]
    message_4, completed_r = waiting_3.receive(message_3).authenticate(credential_i).message_4()
    assert message_4 == named["message_4"]
    for end in (waiting_4.receive(message_4), completed_r):
        assert end.oscore().master_secret == Secret(named["OSCORE Master Secret"])
        assert end.oscore().master_salt == named["OSCORE Master Salt"]
        end.update_keys(named["context for KeyUpdate"])
        assert end.oscore().master_secret == Secret(named["OSCORE Master Secret after KeyUpdate"])
        assert end.oscore().master_salt == named["OSCORE Master Salt after KeyUpdate"]


def accept_message_1(data):
    """As far as message_2: points of small order show up in the agreement only."""
    curve = KeyType.P256 if data[1:2] != b"\x00" else KeyType.X25519
    key = generate(curve)
    credential = Credential(kid_reference(b"r"), claims(key, b"r"), key.public)
    accepting = responder(suites=(0, 2, 24), ephemeral=generate)
    accepting.receive(data).message_2(b"\x01\x02", credential, key=key)


REFUSING = {
    "message_1": accept_message_1,
    "message_2": initiator().message_1()[1].receive,
    "PLAINTEXT_2": lambda data: decode_plaintext_2(data, proof_size=8),
}


@pytest.mark.spec("RFC 9529 4")
@pytest.mark.requirement("R-19")
@pytest.mark.parametrize("number", ["00", "02", "04", "06", "08", "10", "12", "14"])
def test_invalid_traces_are_refused(shared, number):
    text = (shared / "vectors" / "edhoc" / f"rfc9529_invalid_{number}.md").read_text()
    ((name, octets),) = re.findall(r"^Invalid (\S+) \(.*\n((?:[0-9a-fA-F]{2}[ \n])+)", text, re.M)
    with pytest.raises(DecodeError) as refusal:
        REFUSING[name](bytes.fromhex(octets))
    assert answer(refusal.value) == encode_error(ErrorMessage(ErrorCode.UNSPECIFIED, text="malformed"))
