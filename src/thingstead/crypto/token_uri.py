"""Where a key on a token is: a PKCS #11 URI (RFC 7512), of which we read what names one key of one token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from thingstead.errors import DecodeError

__all__ = ["TokenUri", "parse"]

_SCHEME = "pkcs11:"
_MAX_CHARACTERS = 1024
_ATTRIBUTE = re.compile(r"([a-z-]{1,32})=((?:[A-Za-z0-9._~:\[\]@!$'()*+,=/-]|%[0-9A-Fa-f]{2})*)")
_PATH = ("token", "serial", "object", "id", "type")
_QUERY = ("module-path", "pin-source")
_SPEC = "RFC 7512 §2.3"


@dataclass(frozen=True, slots=True)
class TokenUri:
    """The attributes of a URI that we go by; empty where it says nothing.

    Attributes:
        module: path of the library that speaks to the token.
        token: its label.
        serial: its serial number.
        label: of the key.
        key_id: CKA_ID of the key.
        pin_source: file that the PIN stands in.
    """

    module: str
    token: str = ""
    serial: str = ""
    label: str = ""
    key_id: bytes = b""
    pin_source: str = ""


def parse(text: str) -> TokenUri:
    """Read a PKCS #11 URI.

    Raises:
        DecodeError: outside the grammar, an attribute that we do not go by, no module, no key, or a PIN in the URI
            itself, where everybody who lists processes reads it ("pin-value").
    """
    if len(text) > _MAX_CHARACTERS or not text.startswith(_SCHEME):
        raise DecodeError("expected a PKCS #11 URI that begins with pkcs11:", spec=_SPEC)
    path, _, query = text.removeprefix(_SCHEME).partition("?")
    said = _attributes(path, ";", _PATH) | _attributes(query, "&", _QUERY)
    if said.get("type", b"private") != b"private":
        raise DecodeError("expected a private key on the token", spec=_SPEC)
    if "module-path" not in said:
        raise DecodeError("expected a module-path, the library that speaks to the token", spec=_SPEC)
    if not said.keys() & {"object", "id"}:
        raise DecodeError("expected the object or the id of a key", spec=_SPEC)
    source = _text(said, "pin-source").removeprefix("file:")
    return TokenUri(
        module=_text(said, "module-path"),
        token=_text(said, "token"),
        serial=_text(said, "serial"),
        label=_text(said, "object"),
        key_id=said.get("id", b""),
        pin_source=source.removeprefix("//"),
    )


def _attributes(text: str, separator: str, known: tuple[str, ...]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in text.split(separator) if text else []:
        match = _ATTRIBUTE.fullmatch(part)
        if match is None:
            raise DecodeError("expected attributes such as token=release", spec=_SPEC)
        name, value = match[1], unquote_to_bytes(match[2])
        if name == "pin-value":
            raise DecodeError("expected the PIN in a file that pin-source names", spec=_SPEC, reason="pin-value")
        if name not in known:
            raise DecodeError(f"expected attributes of {', '.join(known)}, got {name}", spec=_SPEC)
        if name in found:
            raise DecodeError(f"expected {name} once", spec=_SPEC)
        if not value:
            raise DecodeError(f"expected a value for {name}", spec=_SPEC)
        found[name] = value
    return found


def _text(said: dict[str, bytes], name: str) -> str:
    try:
        text = said.get(name, b"").decode()
    except UnicodeDecodeError:
        raise DecodeError(f"expected UTF-8 in {name}", spec=_SPEC) from None
    if not text.isprintable():
        raise DecodeError(f"expected text in {name}", spec=_SPEC)
    return text
