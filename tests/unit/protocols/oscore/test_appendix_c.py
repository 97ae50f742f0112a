"""Every intermediate value of RFC 8613 appendix C, step by step."""

import json
from pathlib import Path

import pytest

from thingstead.crypto.aead import aead
from thingstead.crypto.digest import hkdf
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap import message as coap
from thingstead.protocols.oscore.derivation import nonce_base
from thingstead.protocols.oscore.option import decode_option, decode_partial_iv
from thingstead.protocols.oscore.plaintext import compose_request, compose_response
from thingstead.secret import Secret

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "oscore_rfc8613_appendix_c.json").read_text())
DERIVATIONS = {row["id"]: row for row in VECTORS["derivations"]}
REQUESTS = {row["id"]: row for row in VECTORS["requests"]}

INFO = {
    ("C.1", "sender_key"): "8540f60a634b657910",
    ("C.1", "recipient_key"): "854101f60a634b657910",
    ("C.1", "common_iv"): "8540f60a6249560d",
    ("C.2", "sender_key"): "854100f60a634b657910",
    ("C.2", "recipient_key"): "854101f60a634b657910",
    ("C.2", "common_iv"): "8540f60a6249560d",
    ("C.3", "sender_key"): "85404837cbf3210017a2d30a634b657910",
    ("C.3", "recipient_key"): "8541014837cbf3210017a2d30a634b657910",
    ("C.3", "common_iv"): "85404837cbf3210017a2d30a6249560d",
}
"""C.1.1 to C.3.1; the servers' halves, C.1.2 to C.3.2, are the same with the names changed round."""

EXTERNAL_AAD = {
    "C.4": "8501810a40411440",
    "C.5": "8501810a4100411440",
    "C.6": "8501810a40411440",
    "C.7": "8501810a40411440",
    "C.8": "8501810a40411440",
}
PLAINTEXT = dict.fromkeys(("C.4", "C.5", "C.6"), "01b3747631") | dict.fromkeys(
    ("C.7", "C.8"), "45ff48656c6c6f20576f726c6421"
)
NONCE = {
    "C.4": "4622d4dd6d944168eefb549868",
    "C.5": "bf35ae297d2dace910c52e99ed",
    "C.6": "2ca58fb85ff1b81c0b7181b84a",
    "C.7": "4622d4dd6d944168eefb549868",
    "C.8": "4722d4dd6d944169eefb54987c",
}
MESSAGES = VECTORS["requests"] + VECTORS["responses"]


def request_of(vector):
    return REQUESTS[vector.get("request", vector["id"])]


def derivation_of(vector):
    return DERIVATIONS[request_of(vector)["derivation"]]


@pytest.mark.spec("RFC 8613 C")
@pytest.mark.parametrize("name", INFO, ids=" ".join)
def test_an_info_array_gives_its_key(name):
    vector = DERIVATIONS[name[0]]
    secret, salt = Secret(bytes.fromhex(vector["master_secret"])), bytes.fromhex(vector["master_salt"])
    info, expected = bytes.fromhex(INFO[name]), bytes.fromhex(vector[name[1]])
    assert hkdf(secret, salt=salt, info=info, size=len(expected)) == expected


@pytest.mark.spec("RFC 8613 5.4")
@pytest.mark.spec("RFC 8613 C")
@pytest.mark.parametrize("vector", MESSAGES, ids=lambda vector: vector["id"])
def test_an_external_aad_is_wrapped_as_given(vector):
    wrapped = codec.encode(["Encrypt0", b"", bytes.fromhex(EXTERNAL_AAD[vector["id"]])])
    assert wrapped.hex() == request_of(vector)["aad"]


@pytest.mark.spec("RFC 8613 C")
@pytest.mark.parametrize("vector", MESSAGES, ids=lambda vector: vector["id"])
def test_a_partial_iv_gives_its_nonce(vector):
    derivation, request = derivation_of(vector), request_of(vector)
    own = vector.get("own_partial_iv", False)
    id_piv = bytes.fromhex(derivation["recipient_id" if own else "sender_id"])
    partial_iv = decode_option(bytes.fromhex((vector if own else request)["option"])).partial_iv or b""
    nonce = nonce_base(bytes.fromhex(derivation["common_iv"]), id_piv) ^ decode_partial_iv(partial_iv)
    assert nonce.to_bytes(13, "big").hex() == NONCE[vector["id"]]


@pytest.mark.spec("RFC 8613 6.2")
@pytest.mark.spec("RFC 8613 C")
@pytest.mark.parametrize("vector", MESSAGES, ids=lambda vector: vector["id"])
def test_a_ciphertext_opens_to_its_plaintext_and_closes_again(vector):
    is_response = "request" in vector
    key = Secret(bytes.fromhex(derivation_of(vector)["recipient_key" if is_response else "sender_key"]))
    nonce, aad = bytes.fromhex(NONCE[vector["id"]]), bytes.fromhex(request_of(vector)["aad"])
    ciphertext, plaintext = bytes.fromhex(vector["ciphertext"]), bytes.fromhex(PLAINTEXT[vector["id"]])
    assert aead(10, key).decrypt(nonce, ciphertext, aad) == plaintext
    assert aead(10, key).encrypt(nonce, plaintext, aad) == ciphertext


@pytest.mark.spec("RFC 8613 C")
@pytest.mark.parametrize("vector", MESSAGES, ids=lambda vector: vector["id"])
def test_a_message_is_split_into_its_plaintext(vector):
    compose = compose_response if "request" in vector else compose_request
    inner, outer, _ = compose(coap.decode(bytes.fromhex(vector["unprotected"])))
    assert inner.hex() == PLAINTEXT[vector["id"]]
    assert outer == ([] if "request" in vector else [(3, b"localhost")])
