"""Bytes of an EDHOC handshake for each method and type of credential: suite 2, message_4, no EAD, without CoAP.

Beside them the draft of a method with a shared key, and suites whose key exchange quantum computers do not break.

Public keys by reference and by value, a CWT of a maker's, and certificates of P-256 as small as X.509 gets: two short
names, no extensions, about 270 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bench.figure import Figure
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.certificate import Certificate
from thingstead.crypto.key import KeyType, PublicKey, SoftwareKey, generate
from thingstead.protocols.cwt import ccs, confirmation, token
from thingstead.protocols.edhoc.authentication import METHODS, key_type
from thingstead.protocols.edhoc.certificate import certificate_credential, x5chain_reference, x5t_reference
from thingstead.protocols.edhoc.credential import Credential, kccs_reference, kid_reference, read_credential
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.message import DEFAULT_LIMITS, Limits
from thingstead.protocols.edhoc.psk_initiator import PskInitiator
from thingstead.protocols.edhoc.psk_responder import PskResponder
from thingstead.protocols.edhoc.responder import Responder
from thingstead.protocols.edhoc.shared_key import SharedCredential
from thingstead.protocols.edhoc.suite import HYBRID, cipher_suite
from thingstead.secret import Secret

__all__ = ["figures"]

_AT = datetime(2026, 11, 23, tzinfo=UTC)
_YEAR = timedelta(days=365)
_MAKER = generate(KeyType.P256)
_ROOT = ec.generate_private_key(ec.SECP256R1())
_C_I, _C_R = b"\x01", b"\x02"
_SUITE = 2
_QUANTUM_SAFE = (
    (HYBRID, 3, "P-256 and ML-KEM-1024 (suite -22, ours)"),
    (-21, 0, "ML-KEM-1024 and ML-DSA-87 (draft-ietf-lake-pqsuites-01)"),
)


def figures() -> Iterator[Figure]:
    """Bytes of each message, and of all of them."""
    for method in METHODS:
        for form, make in _CREDENTIALS.items():
            yield from _rows(f"method {method}, {form}", _public_key(method, make))
    yield from _rows("method 4, kid of 2 bytes (draft-ietf-lake-edhoc-psk-08)", _shared_key())
    for number, method, name in _QUANTUM_SAFE:
        large = _public_key(method, _kid, number, limits=Limits(max_message=8160))
        yield from _rows(f"method {method}, kid of 1 byte, {name}", large)


def _rows(name: str, messages: list[bytes]) -> Iterator[Figure]:
    for number, message in enumerate(messages, 1):
        yield Figure(f"EDHOC {name}: message_{number}", "bytes", len(message))
    yield Figure(f"EDHOC {name}: all", "bytes", sum(map(len, messages)))


def _public_key(
    method: int,
    make: Callable[[str, SoftwareKey], Credential],
    number: int = _SUITE,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> list[bytes]:
    suite, row = cipher_suite(number), METHODS[method]
    key_i, key_r = generate(key_type(suite, row.initiator)), generate(key_type(suite, row.responder))
    credential_i, credential_r = make("i", key_i), make("r", key_r)
    offer = Initiator(
        method=method,
        suites=(number,),
        credential=credential_i,
        key=key_i,
        connection_id=_C_I,
        ephemeral=generate,
        limits=limits,
    )
    message_1, waiting_2 = offer.message_1()
    acceptance = Responder(methods=frozenset({method}), suites=(number,), ephemeral=generate, limits=limits)
    message_2, waiting_3 = acceptance.receive(message_1).message_2(_C_R, credential_r, key=key_r)
    message_3, _waiting_4 = waiting_2.receive(message_2).authenticate(credential_r).message_3()
    message_4, _completed = waiting_3.receive(message_3).authenticate(credential_i).message_4()
    return [message_1, message_2, message_3, message_4]


def _shared_key() -> list[bytes]:
    shared = SharedCredential(kid_reference(b"\x00\x10"), Secret(bytes(16)), b"\x61i", b"\x61r")
    offer = PskInitiator(suites=(_SUITE,), shared=shared, connection_id=_C_I, ephemeral=generate)
    message_1, waiting_2 = offer.message_1()
    message_2, waiting_3 = PskResponder(suites=(_SUITE,), ephemeral=generate).receive(message_1).message_2(_C_R)
    message_3, _waiting_4 = waiting_2.receive(message_2).message_3()
    message_4, _completed = waiting_3.receive(message_3).authenticate(shared)[0].message_4()
    return [message_1, message_2, message_3, message_4]


def _kid(name: str, key: SoftwareKey) -> Credential:
    return Credential(kid_reference(b"\x2b" if name == "i" else b"\x32"), ccs.encode(key.public), key.public)


def _kccs(name: str, key: SoftwareKey) -> Credential:
    encoded = ccs.encode(key.public, subject=name)
    return Credential(kccs_reference(encoded), encoded, key.public)


def _kcwt(name: str, key: SoftwareKey) -> Credential:
    values = {1: "maker", 2: name, 6: _AT, 8: confirmation.for_public(key.public)}
    encoded = token.issue(values, _MAKER, signature_id=AlgorithmId.ES256)
    return read_credential(encoded, b"\xa1\x0d" + encoded)


def _x5t(name: str, key: SoftwareKey) -> Credential:
    certificate = _certify(name, key.public)
    return certificate_credential(certificate, x5t_reference(certificate))


def _x5chain(name: str, key: SoftwareKey) -> Credential:
    certificate = _certify(name, key.public)
    return certificate_credential(certificate, x5chain_reference([certificate]))


_CREDENTIALS = {"kid of 1 byte": _kid, "kccs": _kccs, "kcwt": _kcwt, "x5t of 8 bytes": _x5t, "x5chain of one": _x5chain}


def _certify(name: str, public: PublicKey) -> Certificate:
    signed = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("maker"))
        .public_key(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + public.raw))
        .serial_number(1)
        .not_valid_before(_AT)
        .not_valid_after(_AT + _YEAR)
        .sign(_ROOT, hashes.SHA256())
    )
    return Certificate(signed.public_bytes(serialization.Encoding.DER))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
