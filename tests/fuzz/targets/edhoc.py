"""EDHOC in both roles, behind its stream cipher and its AEAD too: an attacker holds the keys of its own handshakes."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.fuzz.target import Target, attempt, ensure, refuses
from tests.unit.protocols.edhoc import rfc9529 as rfc
from tests.unit.protocols.edhoc.certificates import Authority
from tests.unit.protocols.edhoc.party import initiator, responder
from thingstead.crypto.certificate import Certificate
from thingstead.crypto.key import KeyType, generate
from thingstead.endpoint.combined import part
from thingstead.errors import ProtocolError, SecurityError, ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.edhoc.authentication import METHODS, Authentication
from thingstead.protocols.edhoc.certificate import authenticate_certificate, x5chain_reference
from thingstead.protocols.edhoc.credential import expand_reference, read_credential
from thingstead.protocols.edhoc.message import Limits
from thingstead.protocols.edhoc.psk_initiator import PskInitiator
from thingstead.protocols.edhoc.psk_responder import PskResponder
from thingstead.protocols.edhoc.responder import Responder
from thingstead.protocols.edhoc.schedule import (
    MESSAGE_3,
    Label,
    apply_keystream,
    following_transcript,
    mix,
    seal,
    second_transcript,
    transcript_hash,
)
from thingstead.protocols.edhoc.shared_key import SharedCredential
from thingstead.protocols.edhoc.suite import EXPERIMENTAL_SUITES, SUITES, cipher_suite
from thingstead.secret import Secret

_SUITE = cipher_suite(2)
_SHARED = SharedCredential(b"\xa1\x04\x42\x00\x10", Secret(bytes(16)), b"\x61i", b"\x61r")
_X, _Y = rfc.p256(rfc.X), rfc.p256(rfc.Y)
_ATTACKER = generate(KeyType.P256)
_KEM = generate(KeyType.ML_KEM_1024)
_EVERYTHING = Responder(
    methods=frozenset(METHODS),
    suites=(*SUITES, *EXPERIMENTAL_SUITES),
    ephemeral=generate,
    limits=Limits(max_message=8160),
)
_AT = datetime(2026, 11, 23, tzinfo=UTC)
_ROOT = Authority()


def _message_1(data: bytes) -> None:
    """Any suite and method, the experimental ones among them: read or refused."""
    received = attempt(lambda: _EVERYTHING.receive(data))
    ensure(
        received is None or len(received.c_i) <= received.suite.identifier_size, "an identifier of no OSCORE context"
    )


def _message_2(data: bytes) -> None:
    """PLAINTEXT_2 of an attacker that answers in the Responder's place, and holds no credential of it."""
    message_1, waiting = initiator().message_1()
    th_2 = second_transcript(_SUITE, _ATTACKER.public.x, transcript_hash(_SUITE, message_1))
    prk = mix(_SUITE, th_2, _ATTACKER.agree(_X.public))
    hidden = apply_keystream(_SUITE, prk, Label.KEYSTREAM_2, data, th=th_2)
    message_2 = codec.encode(_ATTACKER.public.x + hidden)
    refuses(
        lambda: waiting.receive(message_2).authenticate(rfc.CREDENTIAL_R), "somebody else was taken for the Responder"
    )


def _message_3(data: bytes) -> None:
    """PLAINTEXT_3 of an Initiator that has done all right until then, and holds no credential that we know."""
    message_1, waiting_2 = initiator().message_1()
    message_2, waiting_3 = responder().receive(message_1).message_2(rfc.C_R, rfc.CREDENTIAL_R, key=rfc.p256(rfc.SK_R))
    known = waiting_2.receive(message_2).authenticate(rfc.CREDENTIAL_R)._spend()
    sealed = seal(_SUITE, known.prk_3e2m, MESSAGE_3, th=known.th_3, plaintext=data)
    received = codec.encode(sealed)
    refuses(
        lambda: waiting_3.receive(received).authenticate(rfc.CREDENTIAL_I), "somebody else was taken for the Initiator"
    )


def _shared_key(data: bytes) -> None:
    """What stands under the stream cipher of message_3, of somebody who does not hold the key that it names."""
    offer = PskInitiator(suites=(2,), shared=_SHARED, connection_id=b"\x01", ephemeral=lambda _curve: _X)
    message_1, _waiting_2 = offer.message_1()
    acceptance = PskResponder(suites=(2,), ephemeral=lambda _curve: _Y)
    _message_2, waiting_3 = acceptance.receive(message_1).message_2(b"\x02")
    th_2 = second_transcript(_SUITE, _Y.public.x, transcript_hash(_SUITE, message_1))
    prk = mix(_SUITE, th_2, _X.agree(_Y.public))
    th_3 = following_transcript(_SUITE, th_2, b"\x02", b"")
    hidden = codec.encode(apply_keystream(_SUITE, prk, Label.KEYSTREAM_3A, data, th=th_3))
    refuses(lambda: waiting_3.receive(hidden).authenticate(_SHARED), "somebody without the key was taken in")


def _credentials(data: bytes) -> None:
    """References and credentials by value; a chain that nobody signed leads nowhere."""
    try:
        value, end = codec.decode_prefix(data)
        reference = expand_reference(value, data[:end])
        encoded = reference.kccs or reference.kcwt
        if encoded is not None:
            read_credential(encoded, reference.id_cred)
        chain = tuple(Certificate(der) for der in reference.x5chain)
        authenticate_certificate(reference, chain, anchors=(_ROOT.certificate,), kind=Authentication.SIGNATURE, at=_AT)
    except (ProtocolError, SecurityError):
        return
    ensure(reference.x5chain in _TRUSTED, "a certificate of nobody was trusted")


def _combined(data: bytes) -> None:
    """A payload of a combined request is two parts that make it up again, or refused."""
    options = [(int(OptionNumber.OSCORE), b"\x09\x00\x01"), (int(OptionNumber.EDHOC), b"")]
    try:
        first, rest = part(Message(Code.POST, options=options, payload=data), path="/.well-known/edhoc")
    except ThingsteadError:
        return
    ensure(first.payload[1:] + rest.payload == data, "bytes were lost between the parts")


_LEAF = _ROOT.certify(generate(KeyType.P256).public, "leaf")
_TRUSTED = ((_LEAF.der,), (_ROOT.certificate.der,))
_QUANTUM_1 = codec.encode_sequence(0, -21, _KEM.public.x, 1)

TARGETS = (
    Target(
        "edhoc message_1", _message_1, (rfc.MESSAGE_1, _QUANTUM_1, codec.encode_sequence(0, [3, 24], bytes(48), b""))
    ),
    Target("edhoc message_2", _message_2, (rfc.PLAINTEXT_2, b"\x27\x32\x48" + bytes(8))),
    Target("edhoc message_3", _message_3, (b"\x2b\x48" + bytes(8), b"\x2b\x48" + bytes(8) + b"\x2f\x41\x00")),
    Target("edhoc shared key", _shared_key, (b"\x42\x00\x10\x49" + bytes(9), b"\x42\x00\x10\x40")),
    Target("edhoc credentials", _credentials, (x5chain_reference([_LEAF]), b"\xa1\x0e" + rfc.CRED_R, b"\x2b")),
    Target("edhoc combined request", _combined, (bytes.fromhex("52d5535f3147e85f1cfacd9e78abf9e0a81bbf612f1092"),)),
)
