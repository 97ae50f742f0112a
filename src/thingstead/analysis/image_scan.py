"""What a firmware image must not carry, judged from where patterns matched (RFC 8576 §5.10).

A pattern says where something looks like a secret; here it is decided what counts. A finding names
rule and offset and never holds the bytes: the report of a leak must not be a second one.
"""

from __future__ import annotations

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
_PLACEHOLDER = re.compile(
    rb"^[<%{$\[(#]|\$\{|\{\{|[()]|^(?:your|my|the|some|enter|insert|none|null|true|false|undefined|example|placeholder)[_\s-]?"
    rb"|(?:_HERE|\.\.\.)$|env\.|getenv|^(?:self|os|config|settings|args|options|params|process|request|this)\.|/bin/",
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
            addresses.append(match)
        elif _counts(match, image[match.offset : match.offset + match.size]):
            found.append(match)
    found += _lists(image, addresses)
    distinct = {(match.rule, match.offset): Finding(match.rule, match.offset, match.what) for match in found}
    return sorted(distinct.values(), key=lambda finding: (finding.offset, finding.rule))[: limits.max_findings]


def _counts(match: Match, matched: bytes) -> bool:
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
    secret = value[1]
    return not _PLACEHOLDER.search(secret) and _bits_per_byte(secret) >= _MIN_BITS_PER_BYTE


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
