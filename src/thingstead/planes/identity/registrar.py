"""The registrar: under which maker's anchor an identity stands (RFC 8995 §1.3 calls the role so)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PublicKey
from thingstead.errors import UntrustedError
from thingstead.protocols.cwt import token
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.cwt.credential import MakerIdentity, authenticate_maker_identity, introduced_maker_identity

__all__ = ["ACCEPTED", "IsVouched", "Registrar"]

ACCEPTED = frozenset({int(AlgorithmId.ESP256)})
"""Algorithms that makers may sign identities with."""


IsVouched = Callable[[bytes, str, PublicKey], bool]


class Registrar:
    """Verifies who made a thing. Whether it may join is policy's question, not asked here (R-59).

    Args:
        anchors: the makers the owner trusts, by the name their identities are issued under.
        is_vouched: whether an install code brought an identity, of a maker that the owner does not know; asked with the
            token, the serial number and the key in it.
        is_introduced: whether the thing of a serial number and key is in by such a code; it stays what it came as.
    """

    def __init__(
        self,
        anchors: Mapping[str, PublicKey],
        *,
        is_vouched: IsVouched = lambda *_: False,
        is_introduced: Callable[[str, PublicKey], bool] = lambda *_: False,
    ) -> None:
        self._is_vouched = is_vouched
        self._is_introduced = is_introduced
        self.trust(anchors)

    def trust(self, anchors: Mapping[str, PublicKey]) -> None:
        """Go by these anchors from now on, and by no other."""
        self._anchors = dict(anchors)

    def makers(self) -> tuple[str, ...]:
        """Names of the anchors, sorted."""
        return tuple(sorted(self._anchors))

    def authenticate(self, maker_identity: bytes, *, at: datetime) -> MakerIdentity:
        """Verify a maker identity under the anchor of the maker it names, or by the owner's word where there is none.

        Raises:
            UntrustedError: no anchor of that name, and no install code brought it.
            AuthenticationError: another key signed it.
            DecodeError, UnsupportedError, ExpiredError: as `authenticate_maker_identity`.
        """
        maker = _maker_of(maker_identity)
        if maker not in self._anchors:
            return introduced_maker_identity(maker_identity, self._is_vouched)
        identity = self.identify(maker_identity, at)[0]
        if self._is_introduced(identity.serial, identity.public):
            return introduced_maker_identity(maker_identity, lambda *_: True)
        return identity

    def identify(self, maker_identity: bytes, at: datetime) -> tuple[MakerIdentity, PublicKey]:
        """The same for makers with an anchor only, and the anchor."""
        maker = _maker_of(maker_identity)
        anchor = self._anchors.get(maker)
        if anchor is None:
            raise UntrustedError(f"no trust anchor for maker {maker[:40]!r}", reason="unknown maker")
        return authenticate_maker_identity(maker_identity, anchor, accept=ACCEPTED, maker=maker, at=at), anchor


def _maker_of(maker_identity: bytes) -> str:
    return token.decode(maker_identity).claims.text(Claim.ISS)
