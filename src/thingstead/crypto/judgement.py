"""What is thought of an algorithm: how long it may be used, what a quantum computer does to it, and who says so.

Dates are those of drafts and guidelines that were read, named with each; where nobody sets one it is the project's own
default, and named so. An owner may set an earlier date (`domain.crypto_policy`), never a later one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

__all__ = [
    "BROKEN",
    "EC_AGREEMENT",
    "EC_SIGNATURE",
    "HASH_SIGNATURE",
    "LATTICE",
    "OPEN_CURVE",
    "RSA",
    "STRANGE",
    "SYMMETRIC",
    "SYMMETRIC_SPARE",
    "Judgement",
    "Quantum",
    "Status",
]


class Status(StrEnum):
    """What may be done with an algorithm on a given day."""

    RECOMMENDED = "recommended"
    ACCEPTABLE = "acceptable"
    DEPRECATED = "deprecated"
    FORBIDDEN = "forbidden"


class Quantum(StrEnum):
    """What a quantum computer that is large enough does to it."""

    RESISTANT = "resistant"
    FORGED = "forged from then on"
    READ = "read back to the first recording"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One opinion, which several algorithms share.

    Attributes:
        status: today's.
        quantum: what a quantum computer does to it.
        source: who says so.
        deprecated_after: last day on which it is chosen for something new; None while none is set.
        sunset: last day on which it is chosen or accepted at all; None while none is set.
    """

    status: Status
    quantum: Quantum
    source: str
    deprecated_after: date | None = None
    sunset: date | None = None

    def status_on(self, day: date) -> Status:
        """What may be done with it on `day`."""
        if self.status is Status.FORBIDDEN or (self.sunset is not None and day > self.sunset):
            return Status.FORBIDDEN
        if self.deprecated_after is not None and day > self.deprecated_after:
            return Status.DEPRECATED
        return self.status


_NIST = "NIST IR 8547 (initial public draft, November 2024)"
_BSI = "BSI TR-02102-1 (2026-01)"
_CNSA = "CNSA 2.0 FAQ (2.1, December 2024)"
_OURS = "the project's default"
_END_2035 = date(2035, 12, 31)

EC_SIGNATURE = Judgement(
    Status.RECOMMENDED,
    Quantum.FORGED,
    f"{_NIST}: disallowed after 2035; {_BSI}: until the end of 2035",
    None,
    _END_2035,
)
OPEN_CURVE = Judgement(
    Status.ACCEPTABLE,
    Quantum.FORGED,
    f"RFC 9864: the number leaves the curve open; {_NIST}: disallowed after 2035",
    None,
    _END_2035,
)
EC_AGREEMENT = Judgement(
    Status.RECOMMENDED,
    Quantum.READ,
    f"{_BSI}: alone until the end of 2031; {_NIST}: disallowed after 2035",
    date(2031, 12, 31),
    _END_2035,
)
RSA = Judgement(
    Status.ACCEPTABLE,
    Quantum.FORGED,
    f"{_NIST}: of 112 bit deprecated after 2030, disallowed after 2035",
    date(2030, 12, 31),
    _END_2035,
)
LATTICE = Judgement(Status.RECOMMENDED, Quantum.RESISTANT, f"FIPS 203, FIPS 204; {_CNSA} takes the largest sets only")
HASH_SIGNATURE = Judgement(Status.RECOMMENDED, Quantum.RESISTANT, f"NIST SP 800-208; {_CNSA}, for software")
SYMMETRIC = Judgement(
    Status.RECOMMENDED, Quantum.RESISTANT, f"{_OURS}: no date; {_CNSA} takes AES-256 and SHA-384 or SHA-512 only"
)
SYMMETRIC_SPARE = Judgement(Status.ACCEPTABLE, Quantum.RESISTANT, f"{_OURS}: taken where a peer chose it, not chosen")
STRANGE = Judgement(Status.DEPRECATED, Quantum.FORGED, f"{_OURS}: what nobody has judged is chosen for nothing new")
BROKEN = Judgement(Status.FORBIDDEN, Quantum.FORGED, f"{_OURS}: collisions are made in practice")
