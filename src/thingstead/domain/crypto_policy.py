"""Which algorithms an owner still takes, and when they expect a quantum computer: dates earlier than the registry's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from thingstead.crypto.judgement import Quantum, Status
from thingstead.crypto.lifetime import AGREEMENTS, judgement, name_of
from thingstead.errors import ConfigError, UnsupportedError
from thingstead.protocols.edhoc.suite import HYBRID, cipher_suite

__all__ = [
    "HYBRID_AGREEMENT",
    "QUANTUM_YEAR",
    "CryptoPolicy",
    "Hybrid",
    "agreement_of",
    "algorithms_of",
    "crypto_policy",
    "secrecy_of",
    "suites_of_joins",
    "suites_taken",
]

QUANTUM_YEAR = 2035
"""The project's default: the year in which NIST IR 8547 (draft) wants what a quantum computer breaks to be gone."""

_FIRST_YEAR, _LAST_YEAR = 2026, 2200


HYBRID_AGREEMENT = "P256MLKEM1024"
"""What the hybrid suite's keys come of."""


class Hybrid(StrEnum):
    """What the owner wants of the hybrid key exchange, which is experimental: its suite has a number of ours."""

    OFF = "off"
    OFFERED = "offered"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class CryptoPolicy:
    """The owner's dates above the registry's.

    A guideline's date is told, and nothing new is begun after it; what switches something off is the owner's own date
    alone, after they were shown what it strands. A building whose lamps all end on a day that somebody elsewhere wrote
    down is the fault that this product is there to prevent.

    Attributes:
        sunsets: last day of an algorithm by its name; each is earlier than the registry's.
        quantum_year: from when on the owner reckons with a quantum computer that breaks elliptic curves.
        hybrid: whether things may join, or have to, by a key exchange that a quantum computer does not undo.
    """

    sunsets: Mapping[str, date] = field(default_factory=dict)
    quantum_year: int = QUANTUM_YEAR
    hybrid: Hybrid = Hybrid.OFF

    def sunset(self, name: str) -> date | None:
        """The last day of an algorithm, the owner's or the registry's; None while there is none."""
        return self.sunsets.get(name, judgement(name).sunset)

    def status(self, name: str, day: date) -> Status:
        """What is thought of an algorithm on `day`."""
        return judgement(name).status_on(day) if self._is_in_time(name, day) else Status.FORBIDDEN

    def takes(self, name: str, day: date) -> bool:
        """Whether the domain still accepts an algorithm on `day`: until the owner's date, and never what is broken."""
        return judgement(name).status is not Status.FORBIDDEN and self._is_in_time(name, day)

    def breaks(self, name: str, year: int) -> bool:
        """Whether the owner reckons with it that a quantum computer undoes the algorithm by the end of `year`."""
        return judgement(name).quantum is not Quantum.RESISTANT and year >= self.quantum_year

    def _is_in_time(self, name: str, day: date) -> bool:
        own = self.sunsets.get(name)
        return own is None or day <= own


def suites_taken(policy: CryptoPolicy, numbers: Iterable[int], day: date) -> tuple[int, ...]:
    """Of these cipher suites of EDHOC those of which every algorithm is still taken, in their order."""
    return tuple([number for number in numbers if all(policy.takes(name, day) for name in algorithms_of(number))])


def suites_of_joins(policy: CryptoPolicy, classic: tuple[int, ...], day: date) -> tuple[int, ...]:
    """The cipher suites that a domain takes joins by: the hybrid one where its owner wants it, alone where they say so.

    Args:
        policy: the owner's.
        classic: in order of preference.
        day: today.
    """
    beside = () if policy.hybrid is Hybrid.REQUIRED else classic
    return suites_taken(policy, beside if policy.hybrid is Hybrid.OFF else (HYBRID, *beside), day)


def algorithms_of(number: int) -> tuple[str, ...]:
    """What a suite rests on in a join, where both sides authenticate by Diffie-Hellman (RFC 9528 §3.6)."""
    suite = cipher_suite(number)
    used = (suite.aead, suite.digest, suite.application_aead, suite.application_digest)
    exchange = [] if suite.kem is None else [HYBRID_AGREEMENT]
    return tuple(dict.fromkeys([AGREEMENTS[suite.curve], *exchange, *map(name_of, used)]))


def secrecy_of(number: int) -> tuple[str, ...]:
    """What keeps a recorded join by a suite secret: of a hybrid one, for the curve alone does not undo that."""
    curve = AGREEMENTS[cipher_suite(number).curve]
    return tuple([name for name in algorithms_of(number) if cipher_suite(number).kem is None or name != curve])


def agreement_of(aead_id: int, digest_id: int, classic: str) -> str:
    """What the keys of an association come of, by its algorithms: those of the hybrid suite no other suite gives."""
    hybrid = cipher_suite(HYBRID)
    is_hybrid = (aead_id, digest_id) == (hybrid.application_aead, hybrid.application_digest)
    return HYBRID_AGREEMENT if is_hybrid else classic


def crypto_policy(
    sunsets: Mapping[str, date], quantum_year: int = QUANTUM_YEAR, hybrid: Hybrid = Hybrid.OFF
) -> CryptoPolicy:
    """Take an owner's dates.

    Raises:
        ConfigError: an algorithm that is none, a date after the registry's, or a year out of reach: what a guideline
            forbids, no line of an owner's file brings back.
    """
    for name, last in sunsets.items():
        try:
            theirs = judgement(name)
        except UnsupportedError as error:
            raise ConfigError(f"[crypto.sunset]: {error}") from error
        if theirs.status is Status.FORBIDDEN:
            raise ConfigError(f"[crypto.sunset] {name}: it is forbidden already; {theirs.source}")
        if theirs.sunset is not None and last > theirs.sunset:
            raise ConfigError(
                f"[crypto.sunset] {name}: expected {theirs.sunset} or earlier, got {last}; {theirs.source}"
            )
    if not _FIRST_YEAR <= quantum_year <= _LAST_YEAR:
        raise ConfigError(f"[crypto] quantum_year: expected {_FIRST_YEAR} to {_LAST_YEAR}, got {quantum_year}")
    return CryptoPolicy(dict(sunsets), quantum_year, hybrid)
