"""MUD URLs as devices, labels and people say them (RFC 8520 §1.4, §10, §11, §12; RFC 9238)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from thingstead.errors import DecodeError

__all__ = ["Label", "decode_string", "parse_qr_code", "parse_url"]


@dataclass(frozen=True, slots=True)
class Label:
    """What is printed on a device.

    Attributes:
        url: where its MUD file is.
        mac: of its interface, 6 or 8 octets; empty where the label does not say.
    """

    url: str
    mac: bytes = b""


def parse_url(text: str) -> str:
    """A MUD URL: https, of a host, in ASCII, without what a server would never see.

    Raises:
        DecodeError: something else.
    """
    if len(text) > _LONGEST:
        raise DecodeError(f"expected a MUD URL of at most {_LONGEST} characters, got {len(text)}", spec=_URL)
    if not _PRINTED.fullmatch(text):
        raise DecodeError("expected a MUD URL of ASCII characters without spaces", spec="RFC 3986 §2")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise DecodeError(f"expected a MUD URL: {error}", spec=_URL) from None
    if not text.startswith("https://") or not host:
        raise DecodeError(f"expected a MUD URL that begins with https://, got {text[:40]!r}", spec=_URL)
    if "@" in parts.netloc or parts.fragment:
        raise DecodeError("expected a MUD URL without user and fragment", spec=_URL)
    return text


def decode_string(data: bytes) -> str:
    """The URL of a MUDstring, as DHCP and LLDP carry it: what follows a space is reserved and passed over (§10).

    Raises:
        DecodeError: no URL.
    """
    if len(data) > _LONGEST_STRING:
        raise DecodeError(f"expected a MUDstring of at most {_LONGEST_STRING} octets, got {len(data)}", spec=_STRING)
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        raise DecodeError("expected a MUDstring in ASCII", spec=_STRING) from None
    return parse_url(text.partition(" ")[0])


def parse_qr_code(text: str) -> Label:
    """What the text of a QR code on a label says: in records of an SQRL code, or nothing but the URL.

    Raises:
        DecodeError: a code without a MUD URL, or of another form.
    """
    if len(text) > _LONGEST_CODE:
        raise DecodeError(f"expected a code of at most {_LONGEST_CODE} characters, got {len(text)}", spec=_CODE)
    if not text.startswith(_HEADER):
        return Label(parse_url(text.strip()))
    # A field separator begins anew: what was read before it is passed over (RFC 9238 §3.1).
    for unit in text.removeprefix(_HEADER).removesuffix(_TRAILER).split(_FIELD):
        records = {record[:4]: record[4:] for record in reversed(unit.split(_UNIT))}
        if _MUD_RECORD in records:
            # A label is no place for a query: it is taken off (§3.2.4).
            return Label(parse_url(records[_MUD_RECORD].partition("?")[0]), _mac(records.get(_MAC_RECORD, "")))
    raise DecodeError("expected a record M180 with the MUD URL in the code", spec="RFC 9238 §3.2.4")


_URL, _STRING, _CODE = "RFC 8520 §1.4", "RFC 8520 §10", "RFC 9238 §3.1"
_LONGEST, _LONGEST_STRING, _LONGEST_CODE = 1024, 255, 4096
_PRINTED = re.compile(r"[!-~]+")
_RECORD, _GROUP, _FIELD, _UNIT = "\x1e", "\x1d", "\x1c", "\x1f"
_HEADER, _TRAILER = f"[)>{_RECORD}06{_GROUP}12N", f"{_RECORD}\x04"
_MUD_RECORD, _MAC_RECORD = "M180", "M06C"
_MAC = re.compile(r"([0-9A-Fa-f]{12}|[0-9A-Fa-f]{16})?")


def _mac(text: str) -> bytes:
    if not _MAC.fullmatch(text):
        raise DecodeError(f"expected a MAC address in hexadecimal, got {text[:40]!r}", spec="RFC 9238 §3.2.5")
    return bytes.fromhex(text)
