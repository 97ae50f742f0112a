import dataclasses
from typing import Any

import pytest

from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.party import party
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, UnsupportedError
from thingstead.protocols.edhoc.authentication import (
    Authentication,
    Claim,
    advance,
    key_type,
    method_row,
    proof_size,
    prove,
    require_own,
    verify_proof,
)
from thingstead.protocols.edhoc.ead import EadItem, encode_ead
from thingstead.protocols.edhoc.schedule import Label
from thingstead.protocols.edhoc.suite import SUITES, cipher_suite
from thingstead.secret import Secret

SIGNATURE, STATIC_DH = Authentication.SIGNATURE, Authentication.STATIC_DH
CLAIM = Claim(
    suite=cipher_suite(2),
    kind=STATIC_DH,
    prk=Secret(rfc.PRK_3E2M),
    label=Label.MAC_2,
    th=rfc.TH_2,
    id_cred=rfc.CREDENTIAL_R.id_cred,
    cred=rfc.CRED_R,
    ead=b"",
    c_r=rfc.C_R,
)
CHANGES: dict[str, dict[str, Any]] = {
    "transcript": {"th": rfc.TH_3},
    "credential": {"cred": rfc.CRED_I},
    "reference": {"id_cred": rfc.CREDENTIAL_I.id_cred},
    "EAD": {"ead": encode_ead([EadItem(15, b"")])},
    "key": {"prk": Secret(rfc.PRK_4E3M)},
    "direction": {"label": Label.MAC_3},
}


@pytest.mark.spec("RFC 9528 3.2")
@pytest.mark.parametrize(
    ("number", "initiator", "responder"),
    [(0, SIGNATURE, SIGNATURE), (1, SIGNATURE, STATIC_DH), (2, STATIC_DH, SIGNATURE), (3, STATIC_DH, STATIC_DH)],
)
def test_methods_are_those_of_the_registry(number, initiator, responder):
    row = method_row(number)
    assert (row.initiator, row.responder) == (initiator, responder)


@pytest.mark.parametrize("number", [4, -1, 1 << 70])
def test_other_methods_are_refused(number):
    with pytest.raises(UnsupportedError):
        method_row(number)


@pytest.mark.spec("RFC 9529 3")
def test_macs_of_the_trace():
    assert CLAIM.mac() == rfc.MAC_2
    message_3 = dataclasses.replace(
        CLAIM,
        prk=Secret(rfc.PRK_4E3M),
        label=Label.MAC_3,
        th=rfc.TH_3,
        id_cred=rfc.CREDENTIAL_I.id_cred,
        cred=rfc.CRED_I,
        c_r=None,
    )
    assert message_3.mac() == prove(message_3, rfc.p256(rfc.SK_I)) == rfc.MAC_3


@pytest.mark.parametrize("change", [*CHANGES, "C_R"])
def test_mac_covers_everything(change):
    verify_proof(CLAIM, rfc.MAC_2, rfc.CREDENTIAL_R.public)
    changed = dataclasses.replace(CLAIM, **CHANGES.get(change, {"c_r": b"\x18"}))
    with pytest.raises(AuthenticationError):
        verify_proof(changed, rfc.MAC_2, rfc.CREDENTIAL_R.public)


@pytest.mark.parametrize("change", [*CHANGES, "C_R"])
def test_signature_covers_everything(change):
    _credential, key = party(cipher_suite(2), SIGNATURE, b"r")
    claim = dataclasses.replace(CLAIM, kind=SIGNATURE)
    proof = prove(claim, key)
    verify_proof(claim, proof, key.public)
    changed = dataclasses.replace(claim, **CHANGES.get(change, {"c_r": b"\x18"}))
    with pytest.raises(AuthenticationError):
        verify_proof(changed, proof, key.public)


@pytest.mark.spec("RFC 9528 3.5.1")
def test_signature_of_another_key_is_refused():
    claim = dataclasses.replace(CLAIM, kind=SIGNATURE)
    proof = prove(claim, generate(KeyType.P256))
    with pytest.raises(AuthenticationError):
        verify_proof(claim, proof, generate(KeyType.P256).public)


def test_key_of_another_algorithm_is_refused():
    claim = dataclasses.replace(CLAIM, kind=SIGNATURE)
    with pytest.raises(UnsupportedError):
        verify_proof(claim, bytes(64), generate(KeyType.ED25519).public)


@pytest.mark.spec("RFC 9528 5.3.2")
@pytest.mark.parametrize("number", SUITES)
def test_proof_has_the_size_that_is_expected(number):
    suite = cipher_suite(number)
    for kind in Authentication:
        _credential, key = party(suite, kind, b"k")
        claim = dataclasses.replace(CLAIM, suite=suite, kind=kind)
        assert len(prove(claim, key)) == proof_size(suite, kind)


def test_signature_methods_mix_nothing_in():
    prk = Secret(rfc.PRK_2E)
    assert advance(cipher_suite(2), SIGNATURE, prk, label=Label.SALT_3E2M, th=rfc.TH_2, agree=lambda: prk) is prk


@pytest.mark.spec("RFC 9528 3.5.1")
@pytest.mark.parametrize(
    ("number", "kind", "expected"),
    [
        (0, STATIC_DH, KeyType.X25519),
        (0, SIGNATURE, KeyType.ED25519),
        (6, STATIC_DH, KeyType.X25519),
        (6, SIGNATURE, KeyType.P256),
        (24, SIGNATURE, KeyType.P384),
    ],
)
def test_key_type_follows_from_suite_and_method(number, kind, expected):
    suite = cipher_suite(number)
    assert key_type(suite, kind) is expected
    credential, key = party(suite, kind, b"k")
    require_own(suite, kind, credential, key=key, identifier=b"\x01")


@pytest.mark.parametrize(
    ("kind", "key", "identifier"),
    [
        (STATIC_DH, rfc.p256(rfc.SK_I), b""),
        (SIGNATURE, rfc.p256(rfc.SK_R), b""),
        (STATIC_DH, rfc.p256(rfc.SK_R), bytes(8)),
    ],
)
def test_own_settings_that_do_not_fit_are_misuse(kind, key, identifier):
    with pytest.raises(ValueError, match=r"key|identifier"):
        require_own(
            cipher_suite(2 if identifier or kind is STATIC_DH else 0),
            kind,
            rfc.CREDENTIAL_R,
            key=key,
            identifier=identifier,
        )
