"""One attempt to join: which way is tried, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from thingstead.agent.introduction import Introduction
from thingstead.agent.joining import Joining
from thingstead.agent.membership import Member
from thingstead.agent.ownership import Ownership
from thingstead.agent.ports import Home
from thingstead.agent.story import Story
from thingstead.crypto.key import PublicKey
from thingstead.crypto.keystore import KeyStore
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import join
from thingstead.protocols.profile.birth import Birth

__all__ = ["Attempts"]

_CONNECTION_ID_SIZE = 1


@dataclass(frozen=True, slots=True)
class Attempts:
    """What every attempt needs.

    Attributes:
        home: the thing's memory.
        keys: hold its identity key.
        birth: what its maker gave.
        ownership: whose it is.
        former: key of the domain that it was in last, for which it needs no voucher.
        utc: its idea of UTC.
        random_bytes: a source of randomness.
        attest: signs evidence of what the thing runs.
        suites: cipher suites in order of preference.
    """

    home: Home
    keys: KeyStore
    birth: Birth
    ownership: Ownership
    former: Callable[[], PublicKey | None]
    utc: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    attest: Callable[[bytes], bytes] | None = None
    suites: tuple[int, ...] = join.SUITES

    def story(self, number: int, member: Member | None) -> Story:
        """The attempt after so many that failed; returns and raises as `Joining.story`."""
        introduction = Introduction(self.home, self.birth)
        code = introduction.code()
        # A label that nobody read is no reason not to join by the maker's voucher, where there is one.
        if code is not None and not number % 2:
            yield from introduction.story(code, self._connection_id(member))
        # A domain that refuses the combined request is asked without it the next time.
        joining = Joining(
            self.birth,
            self.keys.handle(birth_record.IDENTITY_KEY),
            self._connection_id(member),
            known_domain=self.former() or introduction.domain() if member is None else member.domain_key,
            combines=member is not None and not number % 2,
            owner=self.ownership.owner,
            custody=self.ownership.statement,
            keep=self.ownership.begin,
            attest=self.attest,
            suites=self.suites,
        )
        return (yield from joining.story(self.utc()))

    def _connection_id(self, member: Member | None) -> bytes:
        """C_I, by which the domain's messages name a context of ours: not the one that is still in use."""
        taken = None if member is None else member.context.recipient.id
        while (candidate := self.random_bytes(_CONNECTION_ID_SIZE)) == taken:
            pass
        return candidate
