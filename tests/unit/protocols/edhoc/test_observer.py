"""What somebody learns who sees every message of a join, and somebody who sends message_1 himself."""

import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.eavesdropper import Eavesdropper
from tests.unit.protocols.edhoc.party import claims, initiator, party, responder, run
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError
from thingstead.protocols.edhoc.authentication import METHODS
from thingstead.protocols.edhoc.credential import Credential, kccs_reference, kid_reference
from thingstead.protocols.edhoc.ead import EadItem, EadLabel
from thingstead.protocols.edhoc.suite import cipher_suite

SERIAL = "TH-2026-000417"
KID = b"\xfe\xed\xfa\xce\x01\x02\x03\x04"
PIECE = 6


def thing():
    key = generate(KeyType.P256)
    return Credential(kid_reference(KID), claims(key, KID, SERIAL), key.public), key


def join(credential, key):
    """A join as the product does it; the messages on the wire."""
    domain = Credential(kccs_reference(rfc.CRED_R), rfc.CRED_R, rfc.CREDENTIAL_R.public)
    message_1, waiting_2 = initiator(credential=credential, key=key, ephemeral=generate).message_1()
    accepted = responder(ephemeral=generate).receive(message_1)
    message_2, waiting_3 = accepted.message_2(rfc.C_R, domain, key=rfc.p256(rfc.SK_R))
    identity = EadItem(EadLabel.CREDENTIAL_BY_VALUE, credential.cred)
    message_3, waiting_4 = waiting_2.receive(message_2).authenticate(domain).message_3([identity])
    received = waiting_3.receive(message_3)
    assert received.ead_3 == (identity,)
    message_4, completed = received.authenticate(credential).message_4([EadItem(16, SERIAL.encode())])
    waiting_4.receive(message_4)
    assert completed.peer == credential
    return [message_1, message_2, message_3, message_4]


def pieces(data):
    return {data[at : at + PIECE] for at in range(len(data) - PIECE + 1)}


@pytest.mark.requirement("R-61")
@pytest.mark.spec("RFC 9528 9.1")
def test_passive_observer_sees_no_long_term_identifier():
    credential, key = thing()
    transcript = b"|".join(join(credential, key))
    for identifier in (SERIAL.encode(), KID, credential.cred, key.public.x, key.public.y, rfc.CRED_R):
        assert pieces(identifier).isdisjoint(pieces(transcript))


@pytest.mark.requirement("R-61")
def test_two_joins_of_one_thing_have_nothing_in_common():
    credential, key = thing()
    head = len(b"\x03\x82\x06\x02\x58\x20")  # method, suites and the head of G_X: the same for every thing of a kind
    first, second = (pieces(b"|".join(join(credential, key))[head:]) for _ in range(2))
    assert first.isdisjoint(second)


@pytest.mark.requirement("R-61")
def test_false_responder_learns_no_identity_of_the_initiator():
    credential, key = thing()
    message_1, waiting = initiator(credential=credential, key=key, ephemeral=generate).message_1()
    false_key = generate(KeyType.P256)
    false = Credential(kccs_reference(rfc.CRED_R), rfc.CRED_R, false_key.public)
    message_2, _waiting_3 = responder(ephemeral=generate).receive(message_1).message_2(b"\x05", false, key=false_key)
    received = waiting.receive(message_2)
    trusted = Credential(received.id_cred_r.id_cred, rfc.CRED_R, rfc.CREDENTIAL_R.public)
    with pytest.raises(AuthenticationError):
        received.authenticate(trusted)
    assert pieces(credential.cred).isdisjoint(pieces(message_1))


@pytest.mark.requirement("R-25")
@pytest.mark.spec("RFC 9528 9.1")
@pytest.mark.parametrize("method", METHODS)
def test_recorded_messages_stay_closed_when_both_long_term_keys_leak_later(method):
    """Whoever has them agrees with each ephemeral key seen, and with the other's; one ephemeral key would be needed."""
    suite, row = cipher_suite(2), METHODS[method]
    (credential_i, key_i), (credential_r, key_r) = party(suite, row.initiator, b"i"), party(suite, row.responder, b"r")
    ephemeral = [generate(KeyType.P256), generate(KeyType.P256)]
    keys = iter(ephemeral)
    _ours, _theirs, messages = run(
        suite, method, (credential_i, key_i), (credential_r, key_r), ephemeral=lambda _curve: next(keys)
    )
    recorded = Eavesdropper(suite, messages, cred_i=credential_i.cred, cred_r=credential_r.cred)
    assert recorded.opened([key_i, key_r]) == []
    message_3, message_4 = recorded.opened([ephemeral[0], key_i, key_r])
    assert (message_3[:2], message_4) == (b"\x41i", b"")
