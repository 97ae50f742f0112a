"""Area edhoc: traces and invalid messages in the form of RFC 9529 (Markdown), and key material (JSON).

A trace is played by both parties with the ephemeral keys that it names: every message and the OSCORE parameters
must come out byte for byte. An invalid message must be refused by every configuration that could have read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from tests.conformance.trace_text import Value, read_values
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import digest
from thingstead.crypto.key import KeyType, PrivateKey, generate, private_key
from thingstead.errors import ProtocolError, SecurityError, ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.edhoc.authentication import METHODS, Authentication, proof_size
from thingstead.protocols.edhoc.credential import Credential, kid_reference
from thingstead.protocols.edhoc.ead import EadItem, decode_ead
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.message import decode_message_1, decode_plaintext_2, decode_plaintext_3
from thingstead.protocols.edhoc.responder import Responder
from thingstead.protocols.edhoc.session import Completed
from thingstead.protocols.edhoc.suite import SUITES, CipherSuite, cipher_suite
from thingstead.secret import Secret

__all__ = ["run"]

_INVALID = "Invalid "
_KEY_FIELDS = ("X", "Y", "G_", "SK_", "PK_", "CRED_")
_SIGNING_KEYS = {AlgorithmId.EDDSA: KeyType.ED25519, AlgorithmId.ES256: KeyType.P256, AlgorithmId.ES384: KeyType.P384}
_BROKEN = (ThingsteadError, AttributeError, LookupError, TypeError, ValueError)


class _MismatchError(ValueError):
    """What came out is not what the file says."""


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome for a trace or a set of keys, one for each invalid message."""
    if file.read_bytes().lstrip().startswith(b"{"):
        yield _keys(json.loads(file.read_bytes()))
        return
    values = read_values(file)
    invalid = [value for value in values if value.name.startswith(_INVALID)]
    for value in invalid:
        yield _refused(value)
    if not invalid:
        yield _trace(values)


def _trace(values: list[Value]) -> Outcome:
    trace = _Trace({(value.name, value.form): value.data for value in values})
    try:
        message_1 = decode_message_1(trace.named("message_1"))
        row, suite = METHODS[message_1.method], cipher_suite(message_1.suites[-1])
        is_signed = Authentication.SIGNATURE in {row.initiator, row.responder}
        if is_signed and suite.signature is not AlgorithmId.EDDSA:
            return not_covered("trace", "ECDSA signatures are random, a trace of them cannot be reproduced")
        _play(trace, suite, message_1.method, message_1.suites)
    except _BROKEN as error:
        return failed("trace", f"{type(error).__name__}: {error}")
    return passed("trace")


@dataclass(frozen=True, slots=True)
class _Trace:
    """The values of a trace by name and form; where a name comes twice, the later one counts."""

    values: dict[tuple[str, str], bytes]

    def named(self, name: str, form: str = "") -> bytes:
        for (this, this_form), data in reversed(self.values.items()):
            if this == name and this_form.startswith(form):
                return data
        raise LookupError(f"the trace has no {name}")

    def check(self, name: str, data: bytes, form: str = "") -> bytes:
        expected = self.named(name, form)
        if data != expected:
            raise _MismatchError(f"{name}: expected {expected.hex()}, got {data.hex()}")
        return expected

    def ead(self, name: str) -> tuple[EadItem, ...]:
        return decode_ead(codec.decode_sequence(self.named(name)), max_items=16)

    def credential(self, party: str, key: PrivateKey) -> Credential:
        return Credential(self.named(f"ID_CRED_{party}"), self.named(f"CRED_{party}", "CBOR"), key.public)


def _play(trace: _Trace, suite: CipherSuite, method: int, suites: tuple[int, ...]) -> None:
    row = METHODS[method]
    key_i = private_key(_key_type(suite, row.initiator), Secret(trace.named("SK_I", "Raw")))
    key_r = private_key(_key_type(suite, row.responder), Secret(trace.named("SK_R", "Raw")))
    credential_i, credential_r = trace.credential("I", key_i), trace.credential("R", key_r)
    eads = [trace.ead(f"EAD_{number}") for number in (1, 2, 3, 4)]
    labels = {number: frozenset(item.number for item in items) for number, items in enumerate(eads, start=1)}
    initiator = Initiator(
        method=method,
        suites=suites,
        selected=suite.number,
        credential=credential_i,
        key=key_i,
        connection_id=trace.named("C_I", "Raw"),
        ephemeral=lambda _curve: private_key(suite.curve, Secret(trace.named("X", "Raw"))),
        ead_labels=labels,
    )
    responder = Responder(
        methods=frozenset({method}),
        suites=(suite.number,),
        ephemeral=lambda _curve: private_key(suite.curve, Secret(trace.named("Y", "Raw"))),
        ead_labels=labels,
    )
    message_1, waiting_2 = initiator.message_1(eads[0])
    received = responder.receive(trace.check("message_1", message_1))
    message_2, waiting_3 = received.message_2(trace.named("C_R", "Raw"), credential_r, key=key_r, ead_2=eads[1])
    authenticated = waiting_2.receive(trace.check("message_2", message_2)).authenticate(credential_r)
    message_3, waiting_4 = authenticated.message_3(eads[2])
    confirmed = waiting_3.receive(trace.check("message_3", message_3)).authenticate(credential_i)
    message_4, completed_r = confirmed.message_4(eads[3])
    for completed in (completed_r, waiting_4.receive(trace.check("message_4", message_4))):
        _check_oscore(trace, completed)


def _check_oscore(trace: _Trace, completed: Completed[Credential]) -> None:
    parameters = completed.oscore()
    trace.check("OSCORE Master Secret", parameters.master_secret.reveal(), "Raw")
    trace.check("OSCORE Master Salt", parameters.master_salt, "Raw")


def _key_type(suite: CipherSuite, kind: Authentication) -> KeyType:
    return suite.curve if kind is Authentication.STATIC_DH else _SIGNING_KEYS[suite.signature]


def _refused(value: Value) -> Outcome:
    name = value.name.removeprefix(_INVALID).strip()
    readers = {
        "message_1": _accepts_message_1,
        "message_2": _accepts_message_2,
        "message_3": _accepts_message_3,
        "message_4": _accepts_message_4,
        "PLAINTEXT_2": _accepts_plaintext_2,
        "PLAINTEXT_3": _accepts_plaintext_3,
    }
    if name not in readers:
        return not_covered(name, f"no reader for an invalid {name}")
    for suite in SUITES.values():
        for method in METHODS:
            try:
                readers[name](value.data, suite, method)
            except (ProtocolError, SecurityError):
                continue
            except Exception as error:  # noqa: BLE001  anything else is not a refusal
                return failed(name, f"{error!r} under suite {suite.number}, method {method}")
            return failed(name, f"accepted under suite {suite.number}, method {method}")
    return passed(name)


def _accepts_message_1(data: bytes, suite: CipherSuite, method: int) -> None:
    received = _responder(suite, method).receive(data)
    key = generate(_key_type(suite, METHODS[method].responder))
    received.message_2(b"\x99", _credential(b"r", key), key=key)


def _accepts_message_2(data: bytes, suite: CipherSuite, method: int) -> None:
    _initiator(suite, method).message_1()[1].receive(data)


def _accepts_message_3(data: bytes, suite: CipherSuite, method: int) -> None:
    key = generate(_key_type(suite, METHODS[method].responder))
    message_1 = _initiator(suite, method).message_1()[0]
    received = _responder(suite, method).receive(message_1)
    received.message_2(b"\x99", _credential(b"r", key), key=key)[1].receive(data)


def _accepts_message_4(data: bytes, suite: CipherSuite, method: int) -> None:
    key = generate(_key_type(suite, METHODS[method].responder))
    credential = _credential(b"r", key)
    message_1, waiting_2 = _initiator(suite, method).message_1()
    message_2, _waiting = _responder(suite, method).receive(message_1).message_2(b"\x99", credential, key=key)
    waiting_2.receive(message_2).authenticate(credential).message_3()[1].receive(data)


def _accepts_plaintext_2(data: bytes, suite: CipherSuite, method: int) -> None:
    decode_plaintext_2(data, proof_size=proof_size(suite, METHODS[method].responder))


def _accepts_plaintext_3(data: bytes, suite: CipherSuite, method: int) -> None:
    decode_plaintext_3(data, proof_size=proof_size(suite, METHODS[method].initiator))


def _responder(suite: CipherSuite, method: int) -> Responder:
    return Responder(methods=frozenset({method}), suites=(suite.number,), ephemeral=generate)


def _initiator(suite: CipherSuite, method: int) -> Initiator:
    key = generate(_key_type(suite, METHODS[method].initiator))
    return Initiator(
        method=method,
        suites=(suite.number,),
        credential=_credential(b"i", key),
        key=key,
        connection_id=b"\x98",
        ephemeral=generate,
    )


def _credential(kid: bytes, key: PrivateKey) -> Credential:
    return Credential(kid_reference(kid), codec.encode({2: kid.decode()}), key.public)


def _keys(fields: dict[str, str]) -> Outcome:
    """Private and public keys must belong together, and certificates carry them and have the thumbprint named."""
    try:
        case = {name: bytes.fromhex(value) for name, value in fields.items() if name.startswith(_KEY_FIELDS)}
        if not case:
            return not_covered("keys", "the file names no key")
        for private, public in (("X", "G_X"), ("Y", "G_Y"), ("SK_I", "PK_I"), ("SK_R", "PK_R")):
            if case.get(private) and case.get(public):
                _check_pair(private, case[private], case[public])
        for party in ("I", "R"):
            certificate = case.get(f"CRED_{party}", b"")
            if case.get(f"PK_{party}", b"") not in certificate:
                raise _MismatchError(f"CRED_{party} does not hold PK_{party}")
            thumbprint = case.get(f"CRED_{party}_thumbprint")
            if thumbprint is not None and digest(certificate)[: len(thumbprint)] != thumbprint:
                raise _MismatchError(f"CRED_{party} has another thumbprint")
    except _BROKEN as error:
        return failed("keys", f"{type(error).__name__}: {error}")
    return passed("keys")


def _check_pair(name: str, private: bytes, public: bytes) -> None:
    is_uncompressed = len(public) == 65 and public[0] == 4
    for key_type in (KeyType.P256,) if is_uncompressed else (KeyType.P256, KeyType.X25519, KeyType.ED25519):
        derived = private_key(key_type, Secret(private[:32])).public
        if public in {derived.x, b"\x04" + derived.x + derived.y}:
            return
    raise _MismatchError(f"{name} is not the private half of {public.hex()}")
