"""Vulnerability records in the schema of OSV (ossf.github.io/osv-schema 1.7): read, and kept as small as they are used.

Only what decides is read: which packages, which versions, how bad. A record stays its publisher's word.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from thingstead.analysis.severity import base_score
from thingstead.domain.release_policy import Severity
from thingstead.errors import DecodeError

__all__ = ["Affected", "Event", "Range", "Record", "parse_record", "read_record"]

_SPEC = "OSV schema 1.7"
_MAX_BYTES = 4 << 20
_Text = Annotated[str, msgspec.Meta(max_length=1024)]
_Words = Annotated[str, msgspec.Meta(max_length=1 << 16)]


_RATINGS = {
    "LOW": Severity.LOW,
    "MODERATE": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM,
    "HIGH": Severity.HIGH,
    "IMPORTANT": Severity.HIGH,
    "CRITICAL": Severity.CRITICAL,
}
_SCORES = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM))


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One end of a range: exactly one is set, and ``0`` is before every version."""

    introduced: _Text = ""
    fixed: _Text = ""
    last_affected: _Text = ""
    limit: _Text = ""


class Range(msgspec.Struct, frozen=True, omit_defaults=True):
    """Versions between events, in the order of `type`: SEMVER, ECOSYSTEM or GIT."""

    type: _Text
    events: Annotated[tuple[Event, ...], msgspec.Meta(max_length=10_000)] = ()
    repo: _Text = ""


class _Package(msgspec.Struct, frozen=True, omit_defaults=True):
    name: _Text
    ecosystem: _Text
    purl: _Text = ""


class _Rating(msgspec.Struct, frozen=True):
    type: _Text
    score: _Text


class _Specific(msgspec.Struct, frozen=True, omit_defaults=True):
    severity: Any = None


class Affected(msgspec.Struct, frozen=True, omit_defaults=True):
    """One package of a record; None where it names commits of a repository alone."""

    package: _Package | None = None
    ranges: Annotated[tuple[Range, ...], msgspec.Meta(max_length=1000)] = ()
    versions: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=100_000)] = ()
    severity: tuple[_Rating, ...] = ()
    ecosystem_specific: _Specific | None = None
    database_specific: _Specific | None = None


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One vulnerability."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")]
    summary: _Words = ""
    aliases: tuple[_Text, ...] = ()
    affected: Annotated[tuple[Affected, ...], msgspec.Meta(max_length=1000)] = ()
    severity: tuple[_Rating, ...] = ()
    database_specific: _Specific | None = None
    withdrawn: Any = None

    def rated(self, affected: Affected) -> Severity:
        """How bad it is for a package: by CVSS where there is a vector, else in the database's own words."""
        scores = [base_score(one.score) for one in (*affected.severity, *self.severity) if one.type == "CVSS_V3"]
        known = [score for score in scores if score is not None]
        if known:
            return next((level for least, level in _SCORES if max(known) >= least), Severity.LOW)
        for said in (affected.ecosystem_specific, affected.database_specific, self.database_specific):
            word = None if said is None else said.severity
            if isinstance(word, str) and word.upper() in _RATINGS:
                return _RATINGS[word.upper()]
        return Severity.HIGH

    def encode(self) -> bytes:
        """What is kept of it."""
        return msgspec.json.encode(self)


_DECODER = msgspec.json.Decoder(Record)


def parse_record(data: bytes) -> Record:
    """Read a record in JSON.

    Raises:
        DecodeError: not JSON, or not a record; the message names the place.
    """
    if len(data) > _MAX_BYTES:
        raise DecodeError(f"expected a record of at most {_MAX_BYTES} bytes, got {len(data)}", reason="osv")
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _refused(error) from error


def read_record(value: object) -> Record:
    """Read a record out of plain values, as YAML gives them.

    Raises:
        DecodeError: not a record.
    """
    try:
        return msgspec.convert(value, Record)
    except (msgspec.ValidationError, RecursionError) as error:
        raise _refused(error) from error


def _refused(error: Exception) -> DecodeError:
    return DecodeError(f"expected a vulnerability record of OSV: {error}", spec=_SPEC, reason="osv")
