"""Area cose: files of cose-wg/Examples, one message each: {title, input, intermediates, output, fail}.

A case passes when the message verifies under the key of its input, with only its own algorithm accepted, and
says what the input says; a case marked ``fail`` when it is refused.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance import diagnostic
from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey
from thingstead.errors import ProtocolError, SecurityError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import encrypt0, mac0, sign, sign1
from thingstead.secret import Secret

__all__ = ["run"]

_ALGORITHMS = {
    "ES256": AlgorithmId.ES256,
    "ES384": AlgorithmId.ES384,
    "ES512": AlgorithmId.ES512,
    "EdDSA": AlgorithmId.EDDSA,
    "HS256": AlgorithmId.HMAC_256_256,
    "HS256/64": AlgorithmId.HMAC_256_64,
    "HS384": AlgorithmId.HMAC_384_384,
    "HS512": AlgorithmId.HMAC_512_512,
    "A128GCM": AlgorithmId.A128GCM,
    "A192GCM": AlgorithmId.A192GCM,
    "A256GCM": AlgorithmId.A256GCM,
    "ChaCha-Poly1305": AlgorithmId.CHACHA20_POLY1305,
    "AES-CCM-16-128/64": AlgorithmId.AES_CCM_16_64_128,
    "AES-CCM-16-256/64": AlgorithmId.AES_CCM_16_64_256,
    "AES-CCM-64-128/64": AlgorithmId.AES_CCM_64_64_128,
    "AES-CCM-64-256/64": AlgorithmId.AES_CCM_64_64_256,
    "AES-CCM-16-128/128": AlgorithmId.AES_CCM_16_128_128,
    "AES-CCM-16-256/128": AlgorithmId.AES_CCM_16_128_256,
    "AES-CCM-64-128/128": AlgorithmId.AES_CCM_64_128_128,
    "AES-CCM-64-256/128": AlgorithmId.AES_CCM_64_128_256,
    "direct": AlgorithmId.DIRECT,
}
_CURVES = {"P-256": KeyType.P256, "P-384": KeyType.P384, "P-521": KeyType.P521, "Ed25519": KeyType.ED25519}
_OWN_CURVE = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
# What a name begins with -> why the case is not run.
_NOT_COVERED = {
    "AES-MAC": "AES-CBC-MAC is not implemented (RFC 9053 §3.2)",
    "RSA": "RSA is not implemented (RFC 8230)",
    "ECDH": "recipients by key agreement are not implemented (RFC 9053 §6.3, §6.4)",
    "HKDF": "recipients by derived key are not implemented (RFC 9053 §6.1.2)",
    "A128KW": "recipients by key wrap are not implemented (RFC 9053 §6.2)",
    "A192KW": "recipients by key wrap are not implemented (RFC 9053 §6.2)",
    "A256KW": "recipients by key wrap are not implemented (RFC 9053 §6.2)",
}


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """The one outcome of the file."""
    case = json.loads(file.read_bytes())
    name, data = case["title"], bytes.fromhex(case["output"]["cbor"])
    reason = _reason(case["input"]) or _contradiction(data, case["output"]["cbor_diag"])
    if reason:
        yield not_covered(name, reason)
        return
    try:
        problem = _problem(data, case["input"])
    except (ProtocolError, SecurityError) as error:
        yield passed(name) if case.get("fail") else failed(name, error)
    else:
        problem = "a message marked as wrong was accepted" if case.get("fail") else problem
        yield failed(name, problem) if problem else passed(name)


def _reason(given: dict[str, Any]) -> str:
    pairs = list(_walk(given))
    if any(key.startswith("countersign") for key, _ in pairs):
        return "countersignatures of RFC 8152, replaced by those of RFC 9338"
    for name in [value for key, value in pairs if key == "alg" and isinstance(value, str)]:
        if name not in _ALGORITHMS:
            return next((why for prefix, why in _NOT_COVERED.items() if name.startswith(prefix)), f"{name} is unknown")
    for curve in [value for key, value in pairs if key == "crv"]:
        if curve not in _CURVES:
            return f"the curve {curve} is not implemented"
        if any(_OWN_CURVE.get(value, curve) != curve for key, value in pairs if key == "alg"):
            return "a hash with another curve than its own, which RFC 9864 ends"
    return ""


def _contradiction(data: bytes, notation: str) -> str:
    """A message and its own diagnostic notation that say two things cannot both be conformed to."""
    if codec.encode(codec.decode(data)) == codec.encode(diagnostic.parse(notation)):
        return ""
    return "the bytes of the case are not those of its own diagnostic notation"


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner)


def _problem(data: bytes, given: dict[str, Any]) -> str:
    content = bytes.fromhex(given["plaintext_hex"]) if "plaintext_hex" in given else given["plaintext"].encode()
    kind = next(kind for kind in _KINDS if kind in given)
    said = _KINDS[kind](data, given[kind])
    return "" if said == content else f"expected {content!r}, got {said!r}"


def _sign1(data: bytes, given: dict[str, Any]) -> bytes:
    accept = frozenset({_ALGORITHMS[given["alg"]]})
    return sign1.authenticate(data, _public(given["key"]), accept=accept, external_aad=_external(given)).payload


def _sign(data: bytes, given: dict[str, Any]) -> bytes:
    # The reader of a case is an application that obeys what the case lists as critical.
    critical = [label for key, labels in _walk(given) if key == "crit" for label in labels]
    message = sign.decode(data, understood=frozenset(critical))
    payloads = {
        sign.authenticate(
            message,
            _public(signer["key"]),
            accept=frozenset({_algorithm(signer)}),
            index=index,
            external_aad=_external(given),
        ).payload
        for index, signer in enumerate(given["signers"])
    }
    return payloads.pop()


def _mac0(data: bytes, given: dict[str, Any]) -> bytes:
    return _authenticated(mac0.decode(data), given)


def _mac(data: bytes, given: dict[str, Any]) -> bytes:
    return _authenticated(mac0.decode_mac(data), given)


def _authenticated(message: mac0.Mac, given: dict[str, Any]) -> bytes:
    accept = frozenset({_algorithm(given)})
    return mac0.authenticate(message, _shared(given), accept=accept, external_aad=_external(given)).payload


def _encrypted(data: bytes, given: dict[str, Any]) -> bytes:
    return _decrypted(encrypt0.decode(data), given)


def _enveloped(data: bytes, given: dict[str, Any]) -> bytes:
    return _decrypted(encrypt0.decode_encrypt(data), given)


def _decrypted(message: encrypt0.Encrypted, given: dict[str, Any]) -> bytes:
    # The files note the whole nonce; RFC 9052 §3.1 makes it of a Partial IV and an agreed one.
    nonce = bytes.fromhex(given.get("unsent", {}).get("IV_hex", ""))
    partial = bytes.fromhex(given.get("unprotected", {}).get("partialIV_hex", "")).rjust(len(nonce), b"\x00")
    return encrypt0.unprotect(
        message,
        _shared(given),
        accept=frozenset({_algorithm(given)}),
        external_aad=_external(given),
        context_iv=bytes(a ^ b for a, b in zip(nonce, partial, strict=True)),
    )


_KINDS = {
    "sign0": _sign1,
    "sign": _sign,
    "mac0": _mac0,
    "mac": _mac,
    "encrypted": _encrypted,
    "enveloped": _enveloped,
}


def _algorithm(given: dict[str, Any]) -> int:
    """The algorithm of a layer, from whichever bucket its input names."""
    for bucket in (given.get("protected", {}), given.get("unprotected", {}), given):
        if "alg" in bucket:
            return _ALGORITHMS[bucket["alg"]]
    raise KeyError("alg")


def _external(given: dict[str, Any]) -> bytes:
    return bytes.fromhex(given.get("external", ""))


def _public(key: dict[str, Any]) -> PublicKey:
    return PublicKey(_CURVES[key["crv"]], _bytes(key, "x"), _bytes(key, "y"))


def _shared(given: dict[str, Any]) -> Secret:
    return Secret(_bytes(given["recipients"][0]["key"], "k"))


def _bytes(key: dict[str, Any], name: str) -> bytes:
    if name in key:
        return base64.urlsafe_b64decode(key[name] + "=" * (-len(key[name]) % 4))
    return bytes.fromhex(key.get(f"{name}_hex", ""))
