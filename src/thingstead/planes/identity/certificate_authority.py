"""The identity plane: the domain's own credential for each thing, issued, suspended, revoked, and asked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from thingstead.clock import Clock
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.crypto.lifetime import name_of
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.ledger.entry import Draft, Kind
from thingstead.domain.plane import Demand, Expiry, Finding, PlaneName, Probe, Receipt
from thingstead.domain.ports import Archive
from thingstead.domain.thing import Thing
from thingstead.errors import DecodeError, StateError, StorageError
from thingstead.identifier import ThingId, TransitionId, thing_id
from thingstead.planes.identity.status_list import CredentialStanding, CredentialStatus, StatusList
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import token
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.cwt.credential import authenticate_domain_credential, issue_domain_credential

__all__ = ["CertificateAuthority"]

_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_SIGNED = (name_of(AlgorithmId.ESP256),)
_CREDENTIAL = (AssetKind.CREDENTIAL, "domain credential", _SIGNED)
_CTI_SIZE = 8
_ACTOR = "plane:identity"


@dataclass(frozen=True, slots=True)
class _Holding:
    """A document of this plane; `encoded` is the credential as issued, empty once it is revoked."""

    cti: bytes
    status: CredentialStatus
    encoded: bytes


class CertificateAuthority:
    """Issues what says who a thing is within the domain, and answers those who rely on it.

    Credentials are on disk, and read there when one is handed out or its status changes.

    Args:
        records: the plane's documents, one per thing.
        key: the identity plane's own signing key (ESP256).
        domain: the domain's name, issuer of every credential.
        clock: for UTC.
        random_bytes: for credential identifiers.
        validity: how long a credential holds.
        statuses: what is told of them; a list of its own if it is not another's.
    """

    name = PlaneName.IDENTITY

    def __init__(
        self,
        records: Archive,
        key: PrivateKey,
        *,
        domain: str,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        validity: timedelta,
        statuses: StatusList | None = None,
    ) -> None:
        self._records = records
        self._key = key
        self._domain = domain
        self._clock = clock
        self._random_bytes = random_bytes
        self._validity = validity
        self._statuses = statuses or StatusList(clock)
        self._proven: dict[ThingId, PublicKey] = {}
        for name, document in records.load().items():
            self._statuses.keep(thing_id(name), self._stand(_decode(document)))

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
            StorageError: it cannot be read.
        """
        standing = self._statuses.standings.get(thing)
        if standing is None or standing.status is not CredentialStatus.VALID:
            raise StateError(f"{thing} holds no valid credential of this domain")
        return self._read(thing).encoded

    def status(self, cti: bytes) -> CredentialStatus:
        """What a relying party may rely on for the credential named `cti`, now."""
        return self._statuses.status(cti)

    async def admit(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Issue for the key that was proven, or lift a suspension."""
        public = self._proven.pop(thing.id, None)
        standing = self._statuses.standings.get(thing.id)
        if public is not None:
            await self._write(thing.id, self._issue(thing.id, public), Kind.ISSUE, cause)
            return self._receipt(thing, Demand.ADMIT, transition_id, "credential issued")
        if standing is not None and standing.status is CredentialStatus.SUSPENDED:
            lifted = replace(self._read(thing.id), status=CredentialStatus.VALID)
            await self._write(thing.id, lifted, Kind.ISSUE, cause)
            return self._receipt(thing, Demand.ADMIT, transition_id, "suspension lifted")
        return self._receipt(thing, Demand.ADMIT, transition_id, "nothing to issue for; the thing has to join")

    async def restrict(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Suspend the credential: relying parties are told so until it is admitted again."""
        self._proven.pop(thing.id, None)
        standing = self._statuses.standings.get(thing.id)
        if standing is not None and standing.status is CredentialStatus.VALID:
            suspended = replace(self._read(thing.id), status=CredentialStatus.SUSPENDED)
            await self._write(thing.id, suspended, Kind.REVOCATION, cause)
        return self._receipt(thing, Demand.RESTRICT, transition_id, "credential suspended")

    async def withdraw(self, thing: Thing, *, cause: str, transition_id: TransitionId) -> Receipt:
        """Revoke for good: the credential goes, its identifier stays revoked."""
        self._proven.pop(thing.id, None)
        standing = self._statuses.standings.get(thing.id)
        if standing is not None and standing.status is not CredentialStatus.REVOKED:
            revoked = _Holding(standing.cti, CredentialStatus.REVOKED, b"")
            await self._write(thing.id, revoked, Kind.REVOCATION, cause)
        return self._receipt(thing, Demand.WITHDRAW, transition_id, "credential revoked")

    async def probe(self, thing: Thing) -> Probe:
        """Ask the status service what it would tell a peer that was shown the thing's credential."""
        return self._statuses.probe(thing.id)

    def expiries(self) -> Sequence[Expiry]:
        """Every valid credential's end."""
        return [
            Expiry("domain credential", standing.expires, (thing,), self.name)
            for thing, standing in self._statuses.standings.items()
            if standing.expires is not None and standing.status is CredentialStatus.VALID
        ]

    def assets(self) -> Sequence[CryptoAsset]:
        """The key, and every credential that counts under it."""
        held = []
        for name, document in self._records.load().items():
            holding = _decode(document)
            if holding.encoded:
                claims = token.decode(holding.encoded).claims
                since, until = claims.required_date(Claim.IAT), claims.required_date(Claim.EXP)
                held.append(CryptoAsset(*_CREDENTIAL, (thing_id(name),), since, until, replaceable=True))
        things = tuple([thing for asset in held for thing in asset.things])
        return [CryptoAsset(AssetKind.KEY, "key of the identity plane", _SIGNED, things), *held]

    def findings(self, question: str) -> Sequence[Finding]:
        """What this plane shows for `question`."""
        row = _FINDINGS.get(question)
        if row is None:
            return []
        control, risk = row
        valid = sum(standing.status is CredentialStatus.VALID for standing in self._statuses.standings.values())
        revoked = sum(standing.status is CredentialStatus.REVOKED for standing in self._statuses.standings.values())
        evidence = f"{valid} valid and {revoked} revoked credentials, each bound to a proven key"
        return [Finding(question, self.name, control, evidence, risk, holds=bool(self._statuses.standings))]

    def snapshot(self) -> Mapping[str, bytes]:
        """Everything: a revoked identifier must stay revoked in a restored domain."""
        return self._records.load()

    async def restore(self, documents: Mapping[str, bytes]) -> None:
        """Take up what is not here, or stood worse then: a backup gives nobody back what was taken since."""
        fresh: dict[ThingId, CredentialStanding] = {}
        for name, document in documents.items():
            thing, kept = thing_id(name), self._stand(_decode(document))
            current = self._statuses.standings.get(thing)
            if current is None or current.status < kept.status:
                fresh[thing] = kept
        await self._records.write({thing: documents[thing] for thing in fresh})
        for thing, kept in fresh.items():
            self._statuses.keep(thing, kept)

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
        return _Holding(cti, CredentialStatus.VALID, encoded)

    def _stand(self, holding: _Holding) -> CredentialStanding:
        """As ours; an expired credential is still ours to show and to revoke, `status` looks at the date."""
        if not holding.encoded:
            return CredentialStanding(holding.cti, CredentialStatus.REVOKED, None)
        issued_at = token.decode(holding.encoded).claims.required_date(Claim.IAT)
        valid = authenticate_domain_credential(
            holding.encoded, self._key.public, accept=_ACCEPT, domain=self._domain, at=issued_at
        )
        return CredentialStanding(valid.cti, holding.status, valid.expires)

    async def _write(self, thing: ThingId, holding: _Holding, kind: Kind, cause: str) -> None:
        standing = self._stand(holding)
        draft = Draft(self._clock.utc(), kind, _ACTOR, thing, cause, {"cti": holding.cti})
        await self._records.write({thing: _encode(holding)}, entries=[draft])
        self._statuses.keep(thing, standing)

    def _read(self, thing: ThingId) -> _Holding:
        document = self._records.read(thing)
        if document is None:
            raise StorageError(f"the credential of {thing} is gone from disk")
        return _decode(document)

    def _receipt(self, thing: Thing, demand: Demand, transition_id: TransitionId, detail: str) -> Receipt:
        return Receipt(self.name, thing.id, demand, transition_id, self._clock.utc(), detail)


def _encode(holding: _Holding) -> bytes:
    return codec.encode([holding.cti, int(holding.status), holding.encoded])


def _decode(document: bytes) -> _Holding:
    match codec.decode(document):
        case [bytes(cti), int(status), bytes(encoded)]:
            return _Holding(cti, CredentialStatus(status), encoded)
        case _:
            raise DecodeError("expected a record of the identity plane")


_FINDINGS = {
    "T3": (
        "one key per thing, proven at join",
        "a copied key, or the token of a device that joins nothing, is found only when both copies are seen at work",
    ),
    "T4": ("identity signed by the maker's anchor", "a genuine thing with altered hardware passes"),
    "T6": ("mutual authentication; voucher before identity", "relies on the maker's voucher naming the right domain"),
    "R-09": ("a credential is revoked for good, and its identifier stays so", "a peer that does not ask relies on it"),
    "C5.2": ("voucher and maker identity end in one credential", "installers without maker proof need another path"),
}
