"""Whether a token that somebody shows this thing counts here and now (RFC 9200 §5.10.1.1).

A thing with a clock goes by `exp`. One without counts the seconds of `exi` from when the token first came, and takes
none that lacks it. Either may ask for tokens that were issued since it last said so: those bring back its `cnonce`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from thingstead.agent.exi_book import ExiBook
from thingstead.agent.membership import Member
from thingstead.agent.revocation import Revocations
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PublicKey
from thingstead.errors import DecodeError, ExpiredError, SecurityError, StateError, UntrustedError
from thingstead.protocols.ace import exi, sealed_token, token
from thingstead.protocols.ace.token import ShownToken
from thingstead.protocols.coap.echo import EchoMint
from thingstead.protocols.cwt import ccs
from thingstead.secret import Secret

__all__ = ["JudgedToken", "TokenJudge"]

_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_KEY_SIZE = 32
_CNONCE_LIFETIME = 120.0
"""Seconds that a client has to fetch a token and come back (RFC 9200 §5.3.1)."""


@dataclass(frozen=True, slots=True)
class JudgedToken:
    """A token that counts, whoever shows it.

    Attributes:
        rights: what it says.
        token_hash: how the list of revoked tokens names it.
        ends: when it ends by the thing's own time.
    """

    rights: ShownToken
    token_hash: bytes
    ends: datetime


@dataclass(frozen=True, slots=True)
class _Domain:
    name: str
    issuer: PublicKey
    thing_id: str
    token_key: Secret


class TokenJudge:
    """What a thing knows that tokens are judged by.

    Args:
        revocations: tokens that count no more.
        book: counts for a thing without a clock; None for one with a clock.
        utc: the thing's clock, or what it has in place of one.
        wants_fresh: takes only tokens that bring back what it gave their client.
        random_bytes: a source of randomness.
        witness: is told when the authorization server has signed something; who has no clock knows the time by it.
    """

    def __init__(
        self,
        revocations: Revocations,
        book: ExiBook | None,
        *,
        utc: Callable[[], datetime],
        wants_fresh: bool,
        random_bytes: Callable[[int], bytes],
        witness: Callable[[datetime], None] = lambda _at: None,
    ) -> None:
        self._witness = witness
        self._revocations = revocations
        self._book = book
        self._utc = utc
        self._mint = EchoMint(Secret(random_bytes(_KEY_SIZE)), lifetime=_CNONCE_LIFETIME) if wants_fresh else None
        self._domain: _Domain | None = None

    def entitle(self, member: Member) -> None:
        """Judge by what this membership says."""
        association = member.association
        self._domain = _Domain(
            member.domain,
            ccs.decode(association.issuer_credential).public,
            member.thing_id,
            sealed_token.token_key(
                association.master_secret, master_salt=association.master_salt, digest_id=association.digest_id
            ),
        )

    def leave(self) -> None:
        """Judge nothing any more."""
        self._domain = None
        if self._book is not None:
            self._book.leave()

    def cnonce(self, now: float) -> bytes:
        """What a token has to bring back; empty where none has to (RFC 9200 §5.3.1)."""
        return b"" if self._mint is None else self._mint.issue(b"", now)

    def judge(self, encoded: bytes, now: float) -> JudgedToken:
        """A token of our domain's authorization server, for us, that counts now; nobody has proven to hold it.

        Raises:
            StateError: the thing is in no domain.
            DecodeError, UnsupportedError: outside the grammar, or of a scope that cannot be enforced.
            AuthenticationError: sealed or signed by somebody else.
            UntrustedError: of another issuer (`reason` ``issuer``), for somebody else (``audience``), or revoked.
            ExpiredError: outside its time, or not fresh (``cnonce``).
            StorageError: it was not written down that it came; it does not count.
        """
        domain = self._domain
        if domain is None:
            raise StateError("this thing is in no domain")
        is_sealed = sealed_token.is_sealed(encoded)
        rights = token.authenticate_shown(
            sealed_token.unseal(encoded, domain.token_key) if is_sealed else encoded,
            domain.issuer,
            accept=_ACCEPT,
            at=self._utc() if self._book is None else None,
            issuer=domain.name,
            audience=domain.thing_id,
            encoded=encoded,
        )
        if (rights.proof.key is None) is not is_sealed:
            raise DecodeError("expected a secret in a sealed token, and a key in any other", spec="RFC 9203 §3.2")
        self._witness(rights.issued_at)
        token_hash = token.token_hash(encoded)
        if token_hash in self._revocations:
            raise UntrustedError("the token was revoked", spec="RFC 9770 §11.1", reason="revoked")
        self._check_freshness(rights, now)
        return JudgedToken(rights, token_hash, self._end_of(rights, domain.thing_id))

    def _check_freshness(self, rights: ShownToken, now: float) -> None:
        if self._mint is None:
            return
        try:
            self._mint.verify(rights.cnonce or b"", b"", now)
        except SecurityError:
            raise ExpiredError("expected a token that is fresh", spec="RFC 9200 §5.3.1", reason="cnonce") from None

    def _end_of(self, rights: ShownToken, thing_id: str) -> datetime:
        if self._book is None:
            return rights.expires
        # What lies before a time that has been has passed, with a clock or without.
        if rights.expires <= self._utc():
            raise ExpiredError(f"expired at {rights.expires.isoformat()}", spec="RFC 9200 §5.10.1.1")
        if rights.exi is None:
            raise ExpiredError("expected exi: this thing has no clock", spec="RFC 9200 §5.10.3", reason="no exi")
        seconds = self._book.admit(exi.sequence_number(rights.cti, thing_id), rights.exi)
        return self._utc() + timedelta(seconds=seconds)
