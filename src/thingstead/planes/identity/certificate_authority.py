"""The identity plane: the domain's own credential for each thing, issued, suspended, revoked, and asked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from thingstead.clock import Clock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import Demand, Expiry, Finding, PlaneName, Probe, Receipt, Standing
from thingstead.domain.ports import Records
from thingstead.domain.thing import Thing
from thingstead.errors import DecodeError, StateError
from thingstead.identifier import ThingId, TransitionId, thing_id
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import token
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.cwt.credential import (
    DomainCredential,
    authenticate_domain_credential,
    issue_domain_credential,
)

__all__ = ["CertificateAuthority", "CredentialStatus"]

_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_CTI_SIZE = 8
_ACTOR = "plane:identity"


class CredentialStatus(IntEnum):
    """What a relying party is told of a credential."""

    UNKNOWN = 0
    VALID = 1
    SUSPENDED = 2
    REVOKED = 3


@dataclass(frozen=True, slots=True)
class _Holding:
    credential: DomainCredential | None
    cti: bytes
    status: CredentialStatus


class CertificateAuthority:
    """Issues what says who a thing is within the domain, and answers those who rely on it.

    Args:
        records: the plane's documents, one per thing.
        key: the identity plane's own signing key (ESP256).
        domain: the domain's name, issuer of every credential.
        clock: for UTC.
        random_bytes: for credential identifiers.
        validity: how long a credential holds.
    """

    name = PlaneName.IDENTITY

    def __init__(
        self,
        records: Records,
        key: PrivateKey,
        *,
        domain: str,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        validity: timedelta,
    ) -> None:
        self._records = records
        self._key = key
        self._domain = domain
        self._clock = clock
        self._random_bytes = random_bytes
        self._validity = validity
        self._holdings: dict[ThingId, _Holding] = {}
        self._by_cti: dict[bytes, ThingId] = {}
        self._proven: dict[ThingId, PublicKey] = {}
        self._last_acceptance: dict[ThingId, datetime] = {}
        for name, document in records.load().items():
            self._keep(thing_id(name), self._decode(document))

    def prove(self, thing: ThingId, public: PublicKey) -> None:
        """Note the key that a thing has just proven to hold; the next `admit` issues for it."""
        self._proven[thing] = public

    def disprove(self, thing: ThingId) -> None:
        """Forget such a key: the join that it was proven in is over."""
        self._proven.pop(thing, None)

    def credential_of(self, thing: ThingId) -> bytes:
        """The credential as issued.

        Raises:
            StateError: the thing holds none.
        """
        holding = self._holdings.get(thing)
        if holding is None or holding.credential is None or holding.status is not CredentialStatus.VALID:
            raise StateError(f"{thing} holds no valid credential of this domain")
        return holding.credential.encoded

    def status(self, cti: bytes) -> CredentialStatus:
        """What a relying party may rely on for the credential named `cti`, now."""
        thing = self._by_cti.get(cti)
        holding = None if thing is None else self._holdings[thing]
        if thing is None or holding is None:
            return CredentialStatus.UNKNOWN
        at = self._clock.utc()
        if holding.status is CredentialStatus.VALID and (
            holding.credential is None or holding.credential.expires <= at
        ):
            return CredentialStatus.REVOKED
        if holding.status is CredentialStatus.VALID:
            self._last_acceptance[thing] = at
        return holding.status

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Issue for the key that was proven, or lift a suspension."""
        public = self._proven.pop(thing.id, None)
        holding = self._holdings.get(thing.id)
        if public is not None:
            issued = self._issue(thing.id, public)
            await self._write(thing.id, issued, Kind.ISSUE, cause, {"cti": issued.cti})
            return self._receipt(thing, Demand.ADMIT, transition_id, "credential issued")
        if holding is not None and holding.status is CredentialStatus.SUSPENDED:
            lifted = replace(holding, status=CredentialStatus.VALID)
            await self._write(thing.id, lifted, Kind.ISSUE, cause, {"cti": lifted.cti})
            return self._receipt(thing, Demand.ADMIT, transition_id, "suspension lifted")
        return self._receipt(thing, Demand.ADMIT, transition_id, "nothing to issue for; the thing has to join")

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Suspend the credential: relying parties are told so until it is admitted again."""
        self._proven.pop(thing.id, None)
        holding = self._holdings.get(thing.id)
        if holding is not None and holding.status is CredentialStatus.VALID:
            suspended = replace(holding, status=CredentialStatus.SUSPENDED)
            await self._write(thing.id, suspended, Kind.REVOCATION, cause, {"cti": holding.cti})
        return self._receipt(thing, Demand.RESTRICT, transition_id, "credential suspended")

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Revoke for good: the credential goes, its identifier stays revoked."""
        self._proven.pop(thing.id, None)
        holding = self._holdings.get(thing.id)
        if holding is not None and holding.status is not CredentialStatus.REVOKED:
            revoked = _Holding(None, holding.cti, CredentialStatus.REVOKED)
            await self._write(thing.id, revoked, Kind.REVOCATION, cause, {"cti": holding.cti})
        return self._receipt(thing, Demand.WITHDRAW, transition_id, "credential revoked")

    async def probe(self, thing: Thing) -> Probe:
        """Ask the status service what it would tell a peer that was shown the thing's credential."""
        holding = self._holdings.get(thing.id)
        before = self._last_acceptance.get(thing.id)
        status = CredentialStatus.UNKNOWN if holding is None else self.status(holding.cti)
        # The probe's own question must not count as a peer that relied on the answer.
        if before is None:
            self._last_acceptance.pop(thing.id, None)
        else:
            self._last_acceptance[thing.id] = before
        return Probe(
            self.name, thing.id, _STANDINGS[status], "credential status service", self._clock.utc(), status.name, before
        )

    def expiries(self) -> Sequence[Expiry]:
        """Every valid credential's end."""
        return [
            Expiry("domain credential", holding.credential.expires, (thing,), self.name)
            for thing, holding in self._holdings.items()
            if holding.credential is not None and holding.status is CredentialStatus.VALID
        ]

    def findings(self, question: str) -> Sequence[Finding]:
        """What this plane shows for `question`."""
        row = _FINDINGS.get(question)
        if row is None:
            return []
        control, risk = row
        valid = sum(holding.status is CredentialStatus.VALID for holding in self._holdings.values())
        revoked = sum(holding.status is CredentialStatus.REVOKED for holding in self._holdings.values())
        evidence = f"{valid} valid and {revoked} revoked credentials, each bound to a proven key"
        return [Finding(question, self.name, control, evidence, risk, holds=bool(self._holdings))]

    def snapshot(self) -> Mapping[str, bytes]:
        """Everything: a revoked identifier must stay revoked in a restored domain."""
        return {thing: self._encode(holding) for thing, holding in self._holdings.items()}

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up what is not here, or stood worse then: a backup gives nobody back what was taken since."""
        for name, document in documents.items():
            thing, kept = thing_id(name), self._decode(document)
            current = self._holdings.get(thing)
            if current is None or current.status < kept.status:
                await self._records.write({name: document})
                self._keep(thing, kept)

    def _issue(self, thing: ThingId, public: PublicKey) -> _Holding:
        at = self._clock.utc().replace(microsecond=0)
        cti = self._random_bytes(_CTI_SIZE)
        expires = at + self._validity
        encoded = issue_domain_credential(
            public,
            self._key,
            domain=self._domain,
            thing=thing,
            at=at,
            expires=expires,
            cti=cti,
            signature_id=AlgorithmId.ESP256,
        )
        return _Holding(self._authenticate(encoded, at), cti, CredentialStatus.VALID)

    def _authenticate(self, encoded: bytes, at: datetime) -> DomainCredential:
        return authenticate_domain_credential(encoded, self._key.public, accept=_ACCEPT, domain=self._domain, at=at)

    async def _write(
        self, thing: ThingId, holding: _Holding, kind: Kind, cause: str, details: Mapping[str, bytes]
    ) -> None:
        draft = Draft(self._clock.utc(), kind, _ACTOR, thing, cause, details)
        await self._records.write({thing: self._encode(holding)}, entries=[draft])
        self._keep(thing, holding)

    def _keep(self, thing: ThingId, holding: _Holding) -> None:
        before = self._holdings.get(thing)
        if before is not None:
            # One credential counts per thing: an older one must not live on under the name of its successor.
            self._by_cti.pop(before.cti, None)
        self._holdings[thing] = holding
        self._by_cti[holding.cti] = thing

    def _encode(self, holding: _Holding) -> bytes:
        encoded = b"" if holding.credential is None else holding.credential.encoded
        return codec.encode([holding.cti, int(holding.status), encoded])

    def _decode(self, document: bytes) -> _Holding:
        match codec.decode(document):
            case [bytes(cti), int(status), bytes(encoded)]:
                if not encoded:
                    return _Holding(None, cti, CredentialStatus.REVOKED)
                # An expired credential is still ours to show and to revoke; `status` looks at the date.
                issued_at = token.decode(encoded).claims.required_date(Claim.IAT)
                return _Holding(self._authenticate(encoded, issued_at), cti, CredentialStatus(status))
            case _:
                raise DecodeError("expected a record of the identity plane")

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId, detail: str) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), detail)


_STANDINGS = {
    CredentialStatus.UNKNOWN: Standing.ABSENT,
    CredentialStatus.VALID: Standing.ACCEPTED,
    CredentialStatus.SUSPENDED: Standing.REFUSED,
    CredentialStatus.REVOKED: Standing.REFUSED,
}

_FINDINGS = {
    "T3": ("one key per thing, proven at join", "a copied key is found only when both copies are seen at work"),
    "T4": ("identity signed by the maker's anchor", "a genuine thing with altered hardware passes"),
    "T6": ("mutual authentication; voucher before identity", "relies on the maker's voucher naming the right domain"),
    "R-09": ("a credential is revoked for good, and its identifier stays so", "a peer that does not ask relies on it"),
    "C5.2": ("voucher and maker identity end in one credential", "installers without maker proof need another path"),
}
