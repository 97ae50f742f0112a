"""What a firmware image must not carry, judged from where patterns matched (RFC 8576 §5.10).

A pattern says where something looks like a secret; here it is decided what counts. A finding names
rule and offset and never holds the bytes: the report of a leak must not be a second one.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "Finding", "Limits", "Match", "judge"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one scan.

    Attributes:
        max_bytes: size of the image.
        max_matches: places that one pattern may match; from there on it is switched off for this image.
        max_findings: findings in a report; what lies beyond is counted by nobody, the image is refused anyway.
        timeout: seconds that the patterns may take.
    """

    max_bytes: int = 1 << 26
    max_matches: int = 10_000
    max_findings: int = 100
    timeout: int = 30


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Match:
    """Where a pattern matched.

    Attributes:
        rule: name of the rule.
        pattern: name of the pattern in it; ``weak...`` ones need a second look.
        offset: first byte in the image.
        size: in bytes.
        what: the rule's words for people.
    """

    rule: str
    pattern: str
    offset: int
    size: int
    what: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must leave the image before it is published.

    Attributes:
        rule: name of the rule.
        offset: first byte in the image.
        what: words for people; no byte of the secret.
    """

    rule: str
    offset: int
    what: str


_LIST_RULE = "e_mail_address"
_LIST_SIZE = 5
_LIST_SPAN = 512

_LAST_VALUE = re.compile(rb"""[:=,>\s]\s*@?["']?([^"'\s]+(?: [^"'\s]+)*)["']?\s*$""")
_URL_PASSWORD = re.compile(rb"://[^:/@]*:([^@]*)@")
_CURL = re.compile(rb"""(?:-u|--user)[ \t=]{0,2}["']?([^"':\s]*)["']?:["']?(\S*)$""")
_HEADER = re.compile(rb"([^\s]+)$")
_EXAMPLE_LOGIN = re.compile(rb"^(?:user|username|login|name):(?:pass|password|passwd|secret|token)$", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    rb"^[<%{$\[(#]|\$\{|\{\{|[()]|^(?:your|my|the|some|enter|insert|none|null|true|false|undefined|example|placeholder)[_\s-]?"
    rb"|(?:_HERE|\.\.\.)$|env\.|getenv|\bfake\b|^(?:self|os|config|settings|args|options|params|process|request|this)\.|/bin/",
    re.IGNORECASE,
)
_MIN_BITS_PER_BYTE = 1.5
_SERVICE_RULE = "cloud_token"
_TOKEN_TAIL = 32
_MIN_TOKEN_BITS = 2.5


def judge(image: bytes, matches: Iterable[Match], *, limits: Limits = DEFAULT_LIMITS) -> list[Finding]:
    """Decide which matches are findings, in the order of the image.

    Args:
        image: the whole image.
        matches: of the patterns, each within the image.
        limits: bounds on the report.
    """
    found: list[Match] = []
    addresses: list[Match] = []
    for match in sorted(matches, key=lambda match: (match.offset, match.rule)):
        if match.rule == _LIST_RULE:
            # In angle brackets it is somebody's credit: who wrote a driver says so in every copy of it.
            if image[match.offset - 1 : match.offset] != b"<":
                addresses.append(match)
        elif _counts(match, image[match.offset : match.offset + match.size]):
            found.append(match)
    found += _lists(image, addresses)
    distinct = {(match.rule, match.offset): Finding(match.rule, match.offset, match.what) for match in found}
    return sorted(distinct.values(), key=lambda finding: (finding.offset, finding.rule))[: limits.max_findings]


def _counts(match: Match, matched: bytes) -> bool:
    judged = _JUDGED.get(match.pattern)
    if judged is not None:
        return judged(matched)
    if match.pattern.startswith("weak"):
        return _holds_a_secret(matched)
    if match.rule == _SERVICE_RULE:
        return b"EXAMPLE" not in matched and _bits_per_byte(matched[-_TOKEN_TAIL:]) >= _MIN_TOKEN_BITS
    return True


def _holds_a_secret(matched: bytes) -> bool:
    """Tell a value from a placeholder, a variable and a row of one character."""
    value = _URL_PASSWORD.search(matched) or _LAST_VALUE.search(matched)
    if value is None:
        return False
    return _is_value(value[1])


def _is_login(matched: bytes) -> bool:
    """A user name or a password behind ``curl -u``: one of both is enough where the other is left out."""
    found = _CURL.search(matched)
    if found is None or _EXAMPLE_LOGIN.match(b":".join(found.groups())):
        return False
    name, word = found.groups()
    return _is_value(word or name) and len(word or name) >= _LEAST_LOGIN


def _is_header_value(matched: bytes) -> bool:
    found = _HEADER.search(matched)
    return found is not None and _is_value(found[1])


def _is_token_of_claims(matched: bytes) -> bool:
    """A JWT: its first two parts are JSON objects, and the first names an algorithm (RFC 7519 §7.2)."""
    try:
        header, claims = (_json(part) for part in matched.split(b".")[:2])
    except (ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header and isinstance(claims, dict)


def _json(part: bytes) -> object:
    return json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))


def _is_value(secret: bytes) -> bool:
    return not _PLACEHOLDER.search(secret) and _bits_per_byte(secret) >= _MIN_BITS_PER_BYTE


_LEAST_LOGIN = 6
_JUDGED = {"weak_curl": _is_login, "weak_header": _is_header_value, "jwt": _is_token_of_claims}
"""Patterns that are looked at in a way of their own."""


def _bits_per_byte(data: bytes) -> float:
    """Shannon's entropy of the bytes of `data`."""
    counts = Counter(data)
    return -sum([count / len(data) * math.log2(count / len(data)) for count in counts.values()])


def _lists(image: bytes, addresses: list[Match]) -> list[Match]:
    """Places where at least `_LIST_SIZE` different addresses stand close together; an author's name is no list."""
    found: list[Match] = []
    last = -1
    for number, first in enumerate(addresses):
        if first.offset <= last:
            continue
        near = [match for match in addresses[number : number + 64] if match.offset - first.offset < _LIST_SPAN]
        if len({image[match.offset : match.offset + match.size].lower() for match in near}) >= _LIST_SIZE:
            found.append(first)
            last = near[-1].offset
    return found
