"""Who says where a thing's MUD file is, and what came of it: trust differs by source (RFC 8520 §2, §16).

A first or another URL that anybody but the owner says is a review and changes nothing; what the owner says, counts. A
source that says again what was decided on says nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from thingstead.domain.instant import instant, microseconds
from thingstead.errors import DecodeError, PolicyError
from thingstead.protocols.cbor import codec

__all__ = ["TRUST", "Claim", "ClaimSource", "ClaimState", "Claims", "decode"]


class ClaimSource(StrEnum):
    """Who says so, those who prove most first."""

    CREDENTIAL = "credential"
    CERTIFICATE = "certificate"
    OWNER = "owner"
    LABEL = "label"
    DHCPV4 = "dhcpv4"
    DHCPV6 = "dhcpv6"
    LLDP = "lldp"


_SELF_ASSERTED = "says whoever has its link-layer address: no more than that"

TRUST: Mapping[ClaimSource, str] = {
    ClaimSource.CREDENTIAL: "signed by its maker, in the credential it joined with",
    ClaimSource.CERTIFICATE: "signed by its maker's authority, in its certificate",
    ClaimSource.OWNER: "said by you",
    ClaimSource.LABEL: "read by you off a label: whoever put it there",
    ClaimSource.DHCPV4: _SELF_ASSERTED,
    ClaimSource.DHCPV6: _SELF_ASSERTED,
    ClaimSource.LLDP: _SELF_ASSERTED,
}
"""In words, for whoever decides."""

OWNER_SOURCES = frozenset({ClaimSource.CERTIFICATE, ClaimSource.OWNER, ClaimSource.LABEL})
"""What comes by the owner's own hand is no review."""


class ClaimState(StrEnum):
    """What came of it."""

    IN_FORCE = "in force"
    WAITING = "waiting"
    REFUSED = "refused"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Claim:
    """The last word of one source.

    Attributes:
        source: whose.
        url: where the file is, as it says.
        at: when it said so first.
        state: what came of it.
    """

    source: ClaimSource
    url: str
    at: datetime
    state: ClaimState


@dataclass(frozen=True, slots=True)
class Claims:
    """All that is said of one thing; at most one claim of each source.

    Attributes:
        rows: in the order of `ClaimSource`.
    """

    rows: tuple[Claim, ...] = ()

    def of(self, source: ClaimSource) -> Claim | None:
        """What a source says."""
        return next((one for one in self.rows if one.source is source), None)

    @property
    def waiting(self) -> tuple[Claim, ...]:
        """What is to be decided on."""
        return tuple([one for one in self.rows if one.state is ClaimState.WAITING])

    def in_force(self, url: str) -> Claim | None:
        """Who says what counts, of several the one who proves most; None where nobody was heard to say it."""
        return next((one for one in self.rows if one.state is ClaimState.IN_FORCE and one.url == url), None)

    def heard(self, source: ClaimSource, url: str, *, counts: str, at: datetime) -> Claims | None:
        """Take up what a source says while `counts` is in force; None where that is nothing new.

        Who says something else each time is heard once in a while, or it would fill a disk.
        """
        before = self.of(source)
        if before is not None and (before.url == url or (before.state in _NOISY and at < before.at + _CALM)):
            return None
        state = ClaimState.IN_FORCE if url == counts else ClaimState.WAITING
        return self._with(Claim(source, url, at, state))

    def approved(self, url: str) -> Claims:
        """What waits and says `url` counts from now on; what else counted has passed.

        Raises:
            PolicyError: nobody waits with that.
        """
        self._require_waiting(url)
        return self._counting(url)

    def refused(self, url: str) -> Claims:
        """Forget about it, until its source says something else.

        Raises:
            PolicyError: nobody waits with that.
        """
        self._require_waiting(url)
        return Claims(
            tuple([replace(one, state=ClaimState.REFUSED) if _waits_with(one, url) else one for one in self.rows])
        )

    def said(self, source: ClaimSource, url: str, *, at: datetime) -> Claims:
        """What the owner says counts."""
        return self._with(Claim(source, url, at, ClaimState.WAITING))._counting(url)

    def encode(self) -> bytes:
        """For a document."""
        return codec.encode([[one.source.value, one.url, microseconds(one.at), one.state.value] for one in self.rows])

    def _with(self, claim: Claim) -> Claims:
        rows = {one.source: one for one in self.rows} | {claim.source: claim}
        return Claims(tuple([rows[source] for source in ClaimSource if source in rows]))

    def _counting(self, url: str) -> Claims:
        rows = []
        for one in self.rows:
            if one.url == url:
                rows.append(replace(one, state=ClaimState.IN_FORCE))
            elif one.state is ClaimState.IN_FORCE:
                rows.append(replace(one, state=ClaimState.PASSED))
            else:
                rows.append(one)
        return Claims(tuple(rows))

    def _require_waiting(self, url: str) -> None:
        if not any(_waits_with(one, url) for one in self.rows):
            raise PolicyError(f"nothing waits for a decision on {url[:200]}", reason="no-review")


_CALM = timedelta(minutes=10)
_NOISY = frozenset({ClaimState.WAITING, ClaimState.REFUSED})


def _waits_with(claim: Claim, url: str) -> bool:
    return claim.state is ClaimState.WAITING and claim.url == url


def decode(document: bytes) -> Claims:
    """Read back what `Claims.encode` wrote.

    Raises:
        DecodeError: not a document of ours.
    """
    rows = codec.decode(document)
    try:
        return Claims(tuple([_claim(*row) for row in rows]))
    except (TypeError, ValueError) as error:
        raise DecodeError(f"expected what is said of a thing's MUD file: {error}") from None


def _claim(source: str, url: str, at: int, state: str) -> Claim:
    if not isinstance(url, str) or not isinstance(at, int):
        raise DecodeError("expected a MUD URL and since when it is said")
    return Claim(ClaimSource(source), url, instant(at), ClaimState(state))
