"""EDHOC against lakers, unmodified, in both roles: method 3, suite 2, credentials as CCS."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import initiator, responder
from thingstead.crypto.key import generate
from thingstead.errors import AuthenticationError
from thingstead.protocols.edhoc.credential import Credential, kccs_reference, kid_reference, read_credential
from thingstead.protocols.edhoc.ead import EadItem

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.spec("RFC 9528 5")]

SCRIPT = Path(__file__).parent / "lakers_party.py"


class Lakers:
    def __init__(self, python):
        self.process = subprocess.Popen([python, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.requests, self.answers = self.process.stdin, self.process.stdout

    def __call__(self, function, *arguments):
        plain = [argument.hex() if isinstance(argument, bytes) else argument for argument in arguments]
        self.requests.write(json.dumps([function, plain]).encode() + b"\n")
        self.requests.flush()
        return json.loads(self.answers.readline())


@pytest.fixture
def lakers(peer_python):
    peer = Lakers(peer_python)
    yield peer
    peer.requests.close()
    peer.process.wait(timeout=10)
    peer.answers.close()


def accepted(answer):
    outcome, value = answer
    assert outcome == "ok", value
    return bytes.fromhex(value) if isinstance(value, str) else value


def same_keys(completed, peer):
    # lakers 0.6.2 writes an exporter label above 23 as a bare byte, which is not the CBOR of it (RFC 9528 §4.1.2).
    for label, context, size in ((0, b"", 16), (1, b"", 8), (23, b"context", 40)):
        assert completed.export(label, context, size).reveal() == accepted(peer("export", label, context, size))


@pytest.mark.parametrize("reference", [kid_reference(b"\x32"), kccs_reference(rfc.CRED_R)], ids=["kid", "kccs"])
def test_lakers_joins_us(lakers, reference):
    lakers("initiator", rfc.SK_I, rfc.CRED_I)
    received_1 = responder(ephemeral=generate).receive(accepted(lakers("make_message_1", b"\x0a")))
    assert (received_1.c_i, received_1.suite.number) == (b"\x0a", 2)
    credential_r = Credential(reference, rfc.CRED_R, rfc.CREDENTIAL_R.public)
    message_2, waiting = received_1.message_2(b"\x27", credential_r, key=rfc.p256(rfc.SK_R))
    assert accepted(lakers("read_message_2", message_2, rfc.CRED_R)) == ["27", []]
    message_3 = accepted(lakers("make_message_3", "reference", 15, rfc.CRED_I))
    received_3 = waiting.receive(message_3)
    assert (received_3.id_cred_i.kid, received_3.ead_3) == (b"\x2b", (EadItem(15, rfc.CRED_I),))
    credential_i = read_credential(rfc.CRED_I, received_3.id_cred_i.id_cred)
    message_4, completed = received_3.authenticate(credential_i).message_4()
    assert accepted(lakers("read_message_4", message_4)) == []
    same_keys(completed, lakers)


@pytest.mark.parametrize("transfer", ["reference", "value"])
def test_we_join_lakers(lakers, transfer):
    lakers("responder", rfc.SK_R, rfc.CRED_R)
    message_1, waiting_2 = initiator(suites=(2,), ephemeral=generate).message_1([EadItem(160, b"grease")])
    accepted(lakers("read_message_1", message_1))
    received = waiting_2.receive(accepted(lakers("make_message_2", b"\x02", transfer)))
    assert received.c_r == b"\x02"
    assert received.id_cred_r.kccs == (rfc.CRED_R if transfer == "value" else None)
    message_3, waiting_4 = received.authenticate(rfc.CREDENTIAL_R).message_3([EadItem(15, b"identity")])
    answer = accepted(lakers("read_message_3", message_3, rfc.CRED_I))
    assert answer == ["a104412b", [[15, b"identity".hex()]]]
    completed = waiting_4.receive(accepted(lakers("make_message_4")))
    same_keys(completed, lakers)


def test_we_join_lakers_by_value(lakers):
    by_value = Credential(kccs_reference(rfc.CRED_I), rfc.CRED_I, rfc.CREDENTIAL_I.public)
    lakers("responder", rfc.SK_R, rfc.CRED_R)
    message_1, waiting_2 = initiator(suites=(2,), credential=by_value, ephemeral=generate).message_1()
    accepted(lakers("read_message_1", message_1))
    received = waiting_2.receive(accepted(lakers("make_message_2", b"\x02", "reference")))
    message_3, waiting_4 = received.authenticate(rfc.CREDENTIAL_R).message_3()
    accepted(lakers("read_message_3", message_3, rfc.CRED_I))
    same_keys(waiting_4.receive(accepted(lakers("make_message_4"))), lakers)


@pytest.mark.requirement("R-27")
def test_lakers_refuses_our_changed_message_3(lakers):
    lakers("responder", rfc.SK_R, rfc.CRED_R)
    message_1, waiting_2 = initiator(suites=(2,), ephemeral=generate).message_1()
    accepted(lakers("read_message_1", message_1))
    received = waiting_2.receive(accepted(lakers("make_message_2", b"\x02", "reference")))
    message_3, _waiting_4 = received.authenticate(rfc.CREDENTIAL_R).message_3()
    changed = message_3[:-1] + bytes([message_3[-1] ^ 1])
    assert lakers("read_message_3", changed, rfc.CRED_I)[0] == "refused"


@pytest.mark.requirement("R-27")
def test_we_refuse_lakers_with_the_wrong_key(lakers):
    lakers("responder", rfc.SK_I, rfc.CRED_R)
    message_1, waiting_2 = initiator(suites=(2,), ephemeral=generate).message_1()
    accepted(lakers("read_message_1", message_1))
    received = waiting_2.receive(accepted(lakers("make_message_2", b"\x02", "reference")))
    with pytest.raises(AuthenticationError):
        received.authenticate(rfc.CREDENTIAL_R)
