"""A thing's membership on disk: association and sequence number, ordered so that no crash makes a nonce come twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from thingstead.agent import association as association_codec
from thingstead.agent.association import DomainAssociation
from thingstead.agent.ports import Home
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PublicKey
from thingstead.endpoint.derivation import context_of
from thingstead.errors import DecodeError, ProtocolError, SecurityError
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.cwt import ccs
from thingstead.protocols.cwt import token as cwt
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.oscore.context import SecurityContext, SequenceNumbers
from thingstead.protocols.oscore.replay import ReplayWindow

__all__ = ["ASSOCIATION", "Member", "Membership"]

ASSOCIATION = "association"
_SEQUENCE = "sequence"
_SEQUENCE_SIZE = 8
_RENEWAL_SHARE = 8
"""The last eighth of its time a membership is there to be renewed."""

_ACCEPT = frozenset({int(AlgorithmId.ESP256)})


@dataclass(frozen=True, slots=True)
class Member:
    """A membership whose grant has been verified.

    Attributes:
        association: as it is kept.
        thing_id: the thing's name in the domain.
        scope: what the domain may do at the thing.
        expires: until when it may.
        renewal: when to join again, so that nothing expires.
        domain: the domain's name.
        domain_key: the key that it proved.
        context: ready to be used; its numbers go on above all that were ever reserved.
    """

    association: DomainAssociation
    thing_id: str
    scope: Scope
    expires: datetime
    renewal: datetime
    domain: str
    domain_key: PublicKey
    context: SecurityContext


class Membership:
    """Keeps it.

    Args:
        home: where.
        utc: the thing's clock.
        witness: is told when the domain has signed something: that time has been.
        agree: is told what time it is by the domain, which has just proven itself.
    """

    def __init__(
        self,
        home: Home,
        *,
        utc: Callable[[], datetime],
        witness: Callable[[datetime], None] = lambda _at: None,
        agree: Callable[[datetime], None] = lambda _at: None,
    ) -> None:
        self._home = home
        self._utc = utc
        self._witness = witness
        self._agree = agree
        self._reserved = 0

    def former_domain(self) -> PublicKey | None:
        """Key of the domain that it was in last, whatever ran out since; None where none is on record.

        What is kept was verified when it was, and goes with a wipe. So a thing that was off for longer than its rights
        held, and lost power, finds its domain again, though its maker's voucher is long over.
        """
        saved = self._home.load(ASSOCIATION)
        try:
            return None if saved is None else ccs.decode(association_codec.decode(saved).domain_credential).public
        except (ProtocolError, SecurityError):
            return None

    def load(self) -> Member | None:
        """Take up what is kept, None if there is nothing; its replay window is lost (RFC 8613 appendix B.1.2).

        Raises:
            ProtocolError, SecurityError: it cannot be used, and lies there until another takes its place.
            StorageError: it cannot be read.
        """
        saved = self._home.load(ASSOCIATION)
        if saved is None:
            return None
        reserved = _number(self._home.load(_SEQUENCE))
        member = self._verify(association_codec.decode(saved), sequence=reserved, fresh=False)
        self._reserved = reserved
        return member

    def keep(self, joined: DomainAssociation, *, spent: int = 0) -> Member:
        """Keep a fresh association, if what the domain grants itself with it is good.

        The older one goes first: under it no number may ever begin anew.

        Args:
            joined: what the join led to.
            spent: numbers below this were used under it already, so its replay window counts as lost, too.

        Raises:
            ProtocolError, SecurityError: it is not; the older one stands.
            StorageError: the disk does not take it; there is none now.
        """
        self._agree(cwt.decode(joined.granted_token).claims.required_date(Claim.IAT))
        member = self._verify(joined, sequence=spent, fresh=not spent)
        self._home.delete(ASSOCIATION)
        self._home.save(_SEQUENCE, _as_bytes(spent))
        self._home.save(ASSOCIATION, association_codec.encode(joined))
        self._reserved = spent
        return member

    def reserve(self, upto: int) -> None:
        """Make durable that numbers below `upto` are spent (RFC 8613 appendix B.1.1).

        What is durable only grows: a late request of an older association must not take anything back.

        Raises:
            StorageError: the disk does not take it; they must not be used.
        """
        if upto > self._reserved:
            self._home.save(_SEQUENCE, _as_bytes(upto))
            self._reserved = upto

    def _verify(self, joined: DomainAssociation, *, sequence: int, fresh: bool) -> Member:
        domain = ccs.decode(joined.domain_credential)
        thing_id = cwt.decode(joined.thing_credential).claims.text(Claim.SUB)
        # It came in a handshake that the domain has proven itself in, so the time that it says is the domain's.
        self._witness(cwt.decode(joined.granted_token).claims.required_date(Claim.IAT))
        granted = token.authenticate(
            joined.granted_token,
            ccs.decode(joined.issuer_credential).public,
            accept=_ACCEPT,
            at=self._utc(),
            issuer=domain.subject,
            audience=thing_id,
            presenter=domain.public,
        )
        numbers = SequenceNumbers(sequence, reserved=sequence)
        context = context_of(joined, sequence=numbers, window=ReplayWindow(valid=fresh))
        renewal = granted.expires - (granted.expires - granted.issued_at) / _RENEWAL_SHARE
        return Member(joined, thing_id, granted.scope, granted.expires, renewal, domain.subject, domain.public, context)


def _as_bytes(number: int) -> bytes:
    return number.to_bytes(_SEQUENCE_SIZE, "big")


def _number(saved: bytes | None) -> int:
    """The first sequence number that was never reserved.

    Raises:
        DecodeError: lost or damaged; to guess one would be to use a nonce twice.
    """
    if saved is None or len(saved) != _SEQUENCE_SIZE:
        raise DecodeError(f"expected a sequence number of {_SEQUENCE_SIZE} bytes beside the association")
    return int.from_bytes(saved, "big")
