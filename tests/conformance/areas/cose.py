"""Area cose: files of cose-wg/Examples, one message each: {title, input, intermediates, output, fail}.

A case passes when the message verifies under the key of its input, with only its own algorithm accepted, and
says what the input says; a case marked ``fail`` when it is refused. Those in CWT (RFC 8392 appendix A) are also read as
tokens: the claims of appendix A.1 come out, whichever way they are protected, and of what is signed the token verifies.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.conformance.outcome import ManifestEntry, Outcome, failed, not_covered, passed
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey, SoftwareKey, private_key
from thingstead.errors import DecodeError, ProtocolError, SecurityError
from thingstead.protocols.cbor import codec, diagnostic
from thingstead.protocols.cose import encrypt0, mac0, sign, sign1
from thingstead.protocols.cose.recipient import Receiver
from thingstead.protocols.cwt import claims, token
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
    "AES-MAC-128/64": AlgorithmId.AES_MAC_128_64,
    "AES-MAC-256/64": AlgorithmId.AES_MAC_256_64,
    "AES-MAC-128/128": AlgorithmId.AES_MAC_128_128,
    "AES-MAC-256/128": AlgorithmId.AES_MAC_256_128,
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
    "HKDF-HMAC-SHA-256": AlgorithmId.HKDF_SHA_256,
    "HKDF-HMAC-SHA-512": AlgorithmId.HKDF_SHA_512,
    "HKDF-AES-128": AlgorithmId.HKDF_AES_128,
    "HKDF-AES-256": AlgorithmId.HKDF_AES_256,
    "A128KW": AlgorithmId.A128KW,
    "A192KW": AlgorithmId.A192KW,
    "A256KW": AlgorithmId.A256KW,
    "ECDH-ES": AlgorithmId.ECDH_ES_HKDF_256,
    "ECDH-ES-512": AlgorithmId.ECDH_ES_HKDF_512,
    "ECDH-SS": AlgorithmId.ECDH_SS_HKDF_256,
    "ECDH-SS-512": AlgorithmId.ECDH_SS_HKDF_512,
    # The key wraps of an agreement are written with a plus in some files and with a hyphen in others.
    **{
        f"ECDH-{kind}{joint}{wrap}": AlgorithmId[f"ECDH_{kind}_{wrap}"]
        for kind in ("ES", "SS")
        for joint in "+-"
        for wrap in ("A128KW", "A192KW", "A256KW")
    },
}
_CURVES = {
    "P-256": KeyType.P256,
    "P-384": KeyType.P384,
    "P-521": KeyType.P521,
    "X25519": KeyType.X25519,
    "Ed25519": KeyType.ED25519,
}
_OWN_CURVE = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
# What a name begins with -> why the case is not run.
_NOT_COVERED = {"RSA": "RSA is not implemented (RFC 8230)"}


def run(file: Path, entry: ManifestEntry) -> Iterator[Outcome]:
    """The one outcome of the file."""
    case = json.loads(file.read_bytes())
    name, data = case.get("title", file.stem), bytes.fromhex(case["output"]["cbor"])
    reason = _reason(case["input"]) or _contradiction(data, case["output"].get("cbor_diag", ""))
    if reason:
        yield not_covered(name, reason)
        return
    try:
        problem = _problem(data, case["input"]) or (_token_problem(data, case["input"]) if _CWT in file.parts else "")
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
            return next((why for start, why in _NOT_COVERED.items() if name.startswith(start)), f"{name} is unknown")
    if any(key == "recipients" and isinstance(inner, dict) and key in inner for key, v in pairs for inner in _list(v)):
        return "recipients of recipients are not implemented (RFC 9052 §8.5)"
    for curve in [value for key, value in pairs if key == "crv"]:
        if curve not in _CURVES:
            return f"the curve {curve} is not implemented"
        if any(_OWN_CURVE.get(value, curve) != curve for key, value in pairs if key == "alg"):
            return "a hash with another curve than its own, which RFC 9864 ends"
    return ""


def _contradiction(data: bytes, notation: str) -> str:
    """A message and its own diagnostic notation that say two things cannot both be conformed to."""
    try:
        noted = diagnostic.parse(notation)
    except DecodeError:
        return ""  # in a form of the notation that is not read here, or none
    if codec.encode(codec.decode(data)) == codec.encode(noted):
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


_CWT = "CWT"
_CLAIMS: dict[int, Any] = {
    1: "coap://as.example.com",
    2: "erikw",
    3: "coap://light.example.com",
    4: 1444064944,
    5: 1443944944,
    6: 1443944944,
    7: b"\x0b\x71",
}


def _token_problem(data: bytes, given: dict[str, Any]) -> str:
    """Of a CWT, what is wrong with its claims (RFC 8392 appendix A.1)."""
    content = bytes.fromhex(given["plaintext_hex"])
    if "sign0" in given:
        found = token.authenticate(
            token.CWT_HEAD + data,
            _public(given["sign0"]["key"]),
            accept=frozenset({_ALGORITHMS[given["sign0"]["alg"]]}),
            at=datetime.fromtimestamp(_CLAIMS[5], UTC),
            issuer=_CLAIMS[1],
            audience=_CLAIMS[3],
        ).claims
    else:
        nested = content[:1] == b"\xd2"
        found = token.decode(content).claims if nested else claims.decode(content)
    return "" if dict(found.values) == _CLAIMS else f"expected the claims of appendix A.1, got {dict(found.values)}"


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
            external_aad=_external(signer if "external" in signer else given),
        ).payload
        for index, signer in enumerate(given["signers"])
    }
    return payloads.pop()


def _mac0(data: bytes, given: dict[str, Any]) -> bytes:
    return _authenticated(mac0.decode(data), given, _shared(given["recipients"][0]))


def _mac(data: bytes, given: dict[str, Any]) -> bytes:
    message = mac0.decode_mac(data)
    return {_authenticated(message, given, key) for key in _receivers(given)}.pop()


def _authenticated(message: mac0.Mac, given: dict[str, Any], key: Secret | Receiver) -> bytes:
    accept = frozenset({_algorithm(given)})
    return mac0.authenticate(message, key, accept=accept, external_aad=_external(given)).payload


def _encrypted(data: bytes, given: dict[str, Any]) -> bytes:
    return _decrypted(encrypt0.decode(data), given, _shared(given["recipients"][0]))


def _enveloped(data: bytes, given: dict[str, Any]) -> bytes:
    message = encrypt0.decode_encrypt(data)
    return {_decrypted(message, given, key) for key in _receivers(given)}.pop()


def _decrypted(message: encrypt0.Encrypted, given: dict[str, Any], key: Secret | Receiver) -> bytes:
    # The files note the whole nonce; RFC 9052 §3.1 makes it of a Partial IV and an agreed one.
    nonce = bytes.fromhex(given.get("unsent", {}).get("IV_hex", ""))
    partial = bytes.fromhex(given.get("unprotected", {}).get("partialIV_hex", "")).rjust(len(nonce), b"\x00")
    return encrypt0.unprotect(
        message,
        key,
        accept=frozenset({_algorithm(given)}),
        external_aad=_external(given),
        context_iv=bytes(a ^ b for a, b in zip(nonce, partial, strict=True)),
    )


def _receivers(given: dict[str, Any]) -> Iterator[Receiver]:
    """Each recipient of a case, with what it alone holds and what both sides know."""
    for index, row in enumerate(given["recipients"]):
        unsent = row.get("unsent", {})
        private = _text(unsent, "priv_other")
        yield Receiver(
            _private(row["key"]) if "crv" in row["key"] else _shared(row),
            accept=frozenset({_algorithm(row)}),
            index=index,
            sender=_public(row["sender_key"]) if "sender_key" in row else None,
            supp_pub_other=_text(unsent, "pub_other"),
            supp_priv=None if private is None else Secret(private),
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
    key_type, y = _CURVES[key["crv"]], key.get("y")
    if isinstance(y, bool):
        return PublicKey.from_x(key_type, _bytes(key, "x"), odd=y)
    return PublicKey(key_type, _bytes(key, "x"), _bytes(key, "y"))


def _private(key: dict[str, Any]) -> SoftwareKey:
    return private_key(_CURVES[key["crv"]], Secret(_bytes(key, "d")))


def _shared(recipient: dict[str, Any]) -> Secret:
    return Secret(_bytes(recipient["key"], "k"))


def _bytes(key: dict[str, Any], name: str) -> bytes:
    if name in key:
        return base64.urlsafe_b64decode(key[name] + "=" * (-len(key[name]) % 4))
    return bytes.fromhex(key.get(f"{name}_hex", ""))


def _text(fields: dict[str, Any], name: str) -> bytes | None:
    if f"{name}_hex" in fields:
        return bytes.fromhex(fields[f"{name}_hex"])
    return fields[name].encode() if name in fields else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
