"""OSCORE contexts in the file forms of libcoap (coap-oscore-conf(5)) and aiocoap (a directory of JSON files)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from thingstead.crypto.algorithm import REGISTRY, AlgorithmId, Kind
from thingstead.errors import DecodeError, UnsupportedError
from thingstead.secret import Secret
from thingstead.storage.oscore_context import OscoreParameters

__all__ = [
    "AIOCOAP_SECRET",
    "AIOCOAP_SEQUENCE",
    "AIOCOAP_SETTINGS",
    "AiocoapContext",
    "parse_aiocoap",
    "parse_libcoap",
    "parse_sequence",
    "render_aiocoap",
    "render_credentials",
    "render_libcoap",
]

AIOCOAP_SETTINGS, AIOCOAP_SECRET, AIOCOAP_SEQUENCE = "settings.json", "secret.json", "sequence.json"
"""The files of aiocoap's directory; keys may stand in either of the first two, and the last is absent before use."""

_MAX_SIZE = 1 << 16
_LIBCOAP = "coap-oscore-conf(5)"
_HKDF = {AlgorithmId.HKDF_SHA_256: AlgorithmId.SHA_256, AlgorithmId.HKDF_SHA_512: AlgorithmId.SHA_512}
_HKDF_NAMES = {"direct+HKDF-SHA-256": AlgorithmId.HKDF_SHA_256, "direct+HKDF-SHA-512": AlgorithmId.HKDF_SHA_512}
_HASHES = {"sha256": AlgorithmId.SHA_256, "sha512": AlgorithmId.SHA_512}
_AEADS = {row.name: row.id for row in REGISTRY.values() if row.kind is Kind.AEAD}
_LIBCOAP_AEADS = frozenset({AlgorithmId.AES_CCM_16_64_128, AlgorithmId.AES_CCM_16_64_256})
_NO_MEANING_HERE = frozenset({"ssn_freq", "rfc8613_b_1_2"})
_MUST_BE_OFF = frozenset({"rfc8613_b_2", "break_sender_key", "break_recipient_key"})
_DEFAULT_WINDOW = 32


def parse_libcoap(data: bytes) -> OscoreParameters:
    """What ``coap-client -E`` reads: ``keyword,encoding,value`` lines. It does not say what numbers are spent.

    Raises:
        DecodeError: not of that form, a keyword twice, or one missing.
        UnsupportedError: a keyword or algorithm that we do not have.
    """
    values: dict[str, Any] = {}
    for number, line in enumerate(_text(data, _LIBCOAP).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        keyword, encoding, value = (*line.split(",", 2), "", "")[:3]
        if keyword in values:
            raise DecodeError(f"expected one {keyword[:40]!r}, got another in line {number}", spec=_LIBCOAP)
        values[keyword] = _libcoap_value(encoding, value, number)
    for keyword in values.keys() - _LIBCOAP_KEYWORDS:
        if keyword not in _MUST_BE_OFF or values[keyword]:
            raise UnsupportedError(f"the keyword {keyword[:40]!r} means nothing here", spec=_LIBCOAP)
    return OscoreParameters(
        Secret(_bytes(values, "master_secret", _LIBCOAP)),
        _bytes(values, "sender_id", _LIBCOAP),
        _bytes(values, "recipient_id", _LIBCOAP),
        _bytes(values, "master_salt", _LIBCOAP, b""),
        _bytes(values, "id_context", _LIBCOAP) if "id_context" in values else None,
        _of(_AEADS, values.get("aead_alg", AlgorithmId.AES_CCM_16_64_128), "AEAD"),
        _HKDF[_of(_HKDF_NAMES, values.get("hkdf_alg", AlgorithmId.HKDF_SHA_256), "HKDF")],
        _window(values.get("replay_window", _DEFAULT_WINDOW), _LIBCOAP),
    ).check()


_LIBCOAP_KEYWORDS = _NO_MEANING_HERE | {
    "master_secret",
    "master_salt",
    "id_context",
    "sender_id",
    "recipient_id",
    "replay_window",
    "aead_alg",
    "hkdf_alg",
}


def render_libcoap(parameters: OscoreParameters) -> bytes:
    """The same for ``coap-client -E``; its sequence number goes into a file of its own.

    Raises:
        UnsupportedError: an algorithm that libcoap does not have for OSCORE.
    """
    if parameters.aead_id not in _LIBCOAP_AEADS:
        raise UnsupportedError("libcoap protects with AES-CCM-16-64-128 or AES-CCM-16-64-256 only", spec=_LIBCOAP)
    hkdf = {digest: number for number, digest in _HKDF.items()}.get(AlgorithmId(parameters.digest_id))
    if hkdf is None:
        raise UnsupportedError("libcoap derives keys with SHA-256 or SHA-512 only", spec=_LIBCOAP)
    lines = [
        f'master_secret,hex,"{parameters.master_secret.reveal().hex()}"',
        f'sender_id,hex,"{parameters.sender_id.hex()}"',
        f'recipient_id,hex,"{parameters.recipient_id.hex()}"',
        f"replay_window,integer,{min(parameters.window, 63)}",
        f"aead_alg,integer,{int(parameters.aead_id)}",
        f"hkdf_alg,integer,{int(hkdf)}",
    ]
    if parameters.master_salt:
        lines.insert(1, f'master_salt,hex,"{parameters.master_salt.hex()}"')
    if parameters.id_context is not None:
        lines.insert(1, f'id_context,hex,"{parameters.id_context.hex()}"')
    return "\n".join([*lines, ""]).encode()


def parse_sequence(data: bytes) -> int:
    """The second file of ``coap-client -E``: the number from which on none is spent.

    Raises:
        DecodeError: not one number.
    """
    text = data[:32].decode("ascii", "replace").strip()
    if not (text.isascii() and text.isdigit()):
        raise DecodeError("expected one sequence number in libcoap's sequence file", spec=_LIBCOAP)
    return int(text)


@dataclass(frozen=True, slots=True)
class AiocoapContext:
    """What aiocoap's directory says.

    Attributes:
        parameters: of the context.
        sequence: no number from here on is spent.
        is_new: nothing was received under it.
    """

    parameters: OscoreParameters
    sequence: int
    is_new: bool


def parse_aiocoap(files: Mapping[str, bytes]) -> AiocoapContext:
    """What aiocoap's FilesystemSecurityContext reads.

    Args:
        files: content by name, of those that are there.

    Raises:
        DecodeError: not of that form, a key twice, or one missing.
        UnsupportedError: an algorithm that we do not have.
    """
    values: dict[str, Any] = {}
    for name in (AIOCOAP_SECRET, AIOCOAP_SETTINGS):
        for written, shown in _object(files.get(name, b"{}"), name).items():
            key, value = _aiocoap_value(written, shown, name)
            if key in values:
                raise DecodeError(f"expected one {key[:40]!r}, got another in {name}", spec="aiocoap")
            values[key] = value
    parameters = OscoreParameters(
        Secret(_bytes(values, "secret", "aiocoap")),
        _bytes(values, "sender-id", "aiocoap"),
        _bytes(values, "recipient-id", "aiocoap"),
        _bytes(values, "salt", "aiocoap", b""),
        _bytes(values, "id-context", "aiocoap") if values.get("id-context") is not None else None,
        _of(_AEADS, values.get("algorithm", "AES-CCM-16-64-128"), "AEAD"),
        _of(_HASHES, values.get("kdf-hashfun", "sha256"), "hash"),
        _window(values.get("window", _DEFAULT_WINDOW), "aiocoap"),
    ).check()
    if AIOCOAP_SEQUENCE not in files:
        return AiocoapContext(parameters, 0, is_new=True)
    number = _object(files[AIOCOAP_SEQUENCE], AIOCOAP_SEQUENCE).get("next-to-send")
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise DecodeError(f"expected next-to-send in {AIOCOAP_SEQUENCE}", spec="aiocoap")
    return AiocoapContext(parameters, number, is_new=False)


def render_aiocoap(context: AiocoapContext) -> dict[str, bytes]:
    """The files of the directory, by name.

    Raises:
        UnsupportedError: a hash that aiocoap has no name for.
    """
    parameters = context.parameters
    names = {number: name for name, number in _HASHES.items()}
    if parameters.digest_id not in names:
        raise UnsupportedError("aiocoap derives keys with SHA-256 or SHA-512 only", spec="aiocoap")
    settings: dict[str, object] = {
        "sender-id_hex": parameters.sender_id.hex(),
        "recipient-id_hex": parameters.recipient_id.hex(),
        "algorithm": REGISTRY[parameters.aead_id].name,
        "kdf-hashfun": names[AlgorithmId(parameters.digest_id)],
        "window": parameters.window,
    }
    if parameters.id_context is not None:
        settings["id-context_hex"] = parameters.id_context.hex()
    secret = {"secret_hex": parameters.master_secret.reveal().hex(), "salt_hex": parameters.master_salt.hex()}
    files: dict[str, object] = {AIOCOAP_SETTINGS: settings, AIOCOAP_SECRET: secret}
    if not context.is_new or context.sequence:
        # "unknown" makes aiocoap ask for an Echo before it believes that a request is fresh.
        files[AIOCOAP_SEQUENCE] = {"next-to-send": context.sequence, "received": "unknown"}
    return {name: json.dumps(content, indent=1).encode() + b"\n" for name, content in files.items()}


def render_credentials(directory: str) -> bytes:
    """What ``aiocoap-client --credentials`` reads: everything it asks goes under the context in `directory`."""
    return json.dumps({"coap://*": {"oscore": {"basedir": directory}}}, indent=1).encode() + b"\n"


def _libcoap_value(encoding: str, value: str, number: int) -> Any:
    value = value.rstrip()
    if value.startswith('"'):
        value = value[1:].partition('"')[0]
    try:
        return _ENCODINGS[encoding](value)
    except (KeyError, ValueError):
        # Not what stands there: it may be the secret.
        raise DecodeError(f"expected keyword,encoding,value in line {number}", spec=_LIBCOAP) from None


_BOOLEANS = {"true": True, "false": False}
_ENCODINGS: dict[str, Callable[[str], Any]] = {
    "ascii": str.encode,
    "hex": bytes.fromhex,
    "integer": int,
    "text": str,
    "bool": _BOOLEANS.__getitem__,
}


def _aiocoap_value(key: str, value: Any, name: str) -> tuple[str, Any]:
    plain, mark, form = key.rpartition("_")
    if not mark or form not in {"hex", "ascii"}:
        return key, value
    try:
        return plain, bytes.fromhex(value) if form == "hex" else value.encode("ascii")
    except (ValueError, TypeError, AttributeError):
        raise DecodeError(f"expected a text behind {key[:40]!r} in {name}", spec="aiocoap") from None


def _object(data: bytes, name: str) -> dict[str, Any]:
    try:
        told = json.loads(_text(data, name))
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise DecodeError(f"expected a JSON object in {name}", spec="aiocoap")
    return told


def _text(data: bytes, name: str) -> str:
    if len(data) > _MAX_SIZE:
        raise DecodeError(f"expected at most {_MAX_SIZE} bytes, got {len(data)}", spec=name)
    return data.decode("utf-8", "replace")


def _bytes(values: Mapping[str, Any], key: str, spec: str, default: bytes | None = None) -> bytes:
    value = values.get(key, default)
    if not isinstance(value, bytes):
        raise DecodeError(f"expected a byte string {key!r}", spec=spec)
    return value


def _window(value: Any, spec: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise DecodeError("expected a number as size of the replay window", spec=spec)
    return value


def _of(names: Mapping[str, AlgorithmId], value: Any, kind: str) -> AlgorithmId:
    """An algorithm by IANA name or COSE number."""
    found = names.get(value) if isinstance(value, str) else next((one for one in names.values() if one == value), None)
    if found is None:
        raise UnsupportedError(f"there is no {kind} {str(value)[:40]!r} here", spec="RFC 8613 §3.2")
    return found
