"""Area cose-hpke: messages of draft-ietf-cose-hpke, each with its recipient's key; their names say the rest.

Some of them have an IV as long as the key of AES-GCM, where RFC 9053 §4.1 fixes 12 bytes. We refuse that; that the key
in them comes out right, the library shows on the content.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.crypto.algorithm import REGISTRY, AlgorithmId
from thingstead.crypto.hpke import NO_PSK, Psk
from thingstead.errors import AuthenticationError, ProtocolError, SecurityError
from thingstead.protocols.cose import encrypt0, recipient, structure
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.cose.header import Label
from thingstead.protocols.cose.hpke import Agreed
from thingstead.protocols.cose.key import CoseKey
from thingstead.protocols.cose.recipient import Receiver
from thingstead.secret import Secret

__all__ = ["run"]

_ENCRYPT0 = b"\xd0"
_IV_SIZE = 12
_CONTENT = frozenset({AlgorithmId.A128GCM, AlgorithmId.A256GCM, AlgorithmId.CHACHA20_POLY1305})


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """One outcome for each message: it opens, and not for anybody who knows less."""
    found = json.loads(file.read_bytes())
    inputs = found["inputs"]
    for number, case in enumerate(found["cases"]):
        name = f"{case['alg']}-{number} {case['variant']}"
        message = _Message(bytes.fromhex(case["cose"]), cose_key.decode(bytes.fromhex(case["cose_key"])))
        try:
            problem = _problem(message, case["variant"], inputs)
        except (ProtocolError, SecurityError) as error:
            problem = str(error)
        if problem:
            yield failed(name, problem)
        elif message.has_long_iv:
            yield not_covered(name, "the key came out right; the content has an IV outside RFC 9053 §4.1")
        else:
            yield passed(name)


@dataclass(frozen=True, slots=True)
class _Message:
    encoded: bytes
    key: CoseKey

    @property
    def has_long_iv(self) -> bool:
        if self.encoded.startswith(_ENCRYPT0):
            return False
        iv = encrypt0.decode_encrypt(self.encoded).headers.parameter(Label.IV)
        return isinstance(iv, bytes) and len(iv) != _IV_SIZE

    def open(self, agreed: Agreed, external_aad: bytes) -> bytes:
        assert self.key.alg is not None
        assert self.key.private is not None
        accept = frozenset({self.key.alg})
        receiver = Receiver(self.key.private, accept, agreed=agreed)
        if self.encoded.startswith(_ENCRYPT0):
            return encrypt0.unprotect(self.encoded, receiver, accept=accept, external_aad=external_aad)
        message = encrypt0.decode_encrypt(self.encoded)
        if not self.has_long_iv:
            return encrypt0.unprotect(message, receiver, accept=_CONTENT, external_aad=external_aad)
        content = REGISTRY[message.headers.algorithm(_CONTENT)]
        key = recipient.content_key(message.recipients, receiver, content=content)
        aad = structure.enc_structure("Encrypt", protected=message.headers.encoded, external_aad=external_aad)
        try:
            return AESGCM(key.reveal()).decrypt(message.headers.parameter(Label.IV), message.ciphertext or b"", aad)
        except InvalidTag:
            raise AuthenticationError("the tag does not verify") from None


def _problem(message: _Message, variant: str, inputs: dict[str, str]) -> str:
    said = {what: text.encode() if f"external {what}" in variant else b"" for what, text in _external(inputs).items()}
    psk = Psk(Secret(bytes.fromhex(inputs["psk"])), bytes.fromhex(inputs["psk_id"])) if "PSK" in variant else NO_PSK
    right = Agreed(said["info"], said["hpke aad"], psk)
    if message.open(right, said["aad"]) != inputs["plaintext"].encode():
        return "another plaintext"
    for agreed, aad in (
        (Agreed(right.info + b"x", right.aad, psk), said["aad"]),
        (right, said["aad"] + b"x"),
        (Agreed(right.info, right.aad, NO_PSK if psk.identifier else Psk(Secret(bytes(32)), b"x")), said["aad"]),
    ):
        try:
            message.open(agreed, aad)
        except SecurityError:
            continue
        return "opens for who knows less"
    return ""


def _external(inputs: dict[str, str]) -> dict[str, str]:
    return {"aad": inputs["aad"], "info": inputs["info"], "hpke aad": inputs["hpke_aad"]}
