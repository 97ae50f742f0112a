"""Two parties, the network between them in an attacker's hands, and credentials of every type that we know."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from tests.unit.protocols.edhoc.certificates import AT, Authority
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.certificate import Certificate
from thingstead.crypto.key import KeyType, PublicKey, SoftwareKey, generate
from thingstead.errors import ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cwt import ccs, confirmation, token
from thingstead.protocols.edhoc.authentication import METHODS, Authentication, key_type
from thingstead.protocols.edhoc.certificate import (
    authenticate_certificate,
    certificate_credential,
    x5chain_reference,
    x5t_reference,
    x5u_reference,
)
from thingstead.protocols.edhoc.credential import (
    Credential,
    CredentialReference,
    kccs_reference,
    kid_reference,
    read_credential,
)
from thingstead.protocols.edhoc.error import UnknownCredentialError
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.responder import Responder
from thingstead.protocols.edhoc.session import Completed
from thingstead.protocols.edhoc.suite import cipher_suite

SUITE = cipher_suite(2)
ISSUER = generate(KeyType.P256)
ROOT = Authority()
_KCWT = b"\xa1\x0d"
_KNOWN_URI = "coaps://maker.example/{}"


@dataclass(frozen=True)
class Party:
    """A key, the credential that shows it, and whose it is."""

    name: str
    key: SoftwareKey
    credential: Credential


@dataclass
class Trust:
    """What an honest party holds about others, and how it decides on a reference; an attacker adds nothing to it."""

    by_reference: dict[bytes, Credential] = field(default_factory=dict)
    keys: set[bytes] = field(default_factory=set)
    certificates: dict[bytes, Certificate] = field(default_factory=dict)

    def decide(self, reference: CredentialReference, kind: Authentication) -> Credential:
        """The credential to go on with."""
        if reference.kid is not None:
            known: Credential = self._known(self.by_reference, reference.id_cred)
            return known
        if reference.kccs is not None:
            claimed = read_credential(reference.kccs, reference.id_cred)
            if claimed.public.raw not in self.keys:
                raise UnknownCredentialError("a claims set of nobody we know")
            return claimed
        if reference.kcwt is not None:
            accept = frozenset({int(AlgorithmId.ES256)})
            token.authenticate(reference.kcwt, ISSUER.public, accept=accept, at=AT, issuer="maker")
            return read_credential(reference.kcwt, reference.id_cred)
        chain = tuple(Certificate(der) for der in reference.x5chain)
        chain = chain or (self._known(self.certificates, reference.id_cred),)
        return authenticate_certificate(reference, chain, anchors=(ROOT.certificate,), kind=kind, at=AT).credential

    @staticmethod
    def _known(store: dict[bytes, Any], id_cred: bytes) -> Any:
        if id_cred not in store:
            raise UnknownCredentialError("nobody we know")
        return store[id_cred]


def _by_kid(name: str, public: PublicKey, trust: Trust | None) -> Credential:
    credential = Credential(kid_reference(name.encode()), ccs.encode(public, subject=name), public)
    if trust is not None:
        trust.by_reference[credential.id_cred] = credential
    return credential


def _kccs(name: str, public: PublicKey, trust: Trust | None) -> Credential:
    encoded = ccs.encode(public, subject=name)
    if trust is not None:
        trust.keys.add(public.raw)
    return Credential(kccs_reference(encoded), encoded, public)


def _kcwt(name: str, public: PublicKey, trust: Trust | None) -> Credential:
    values = {1: "maker", 2: name, 6: AT, 8: confirmation.for_public(public)}
    issuer = ISSUER if trust is not None else generate(KeyType.P256)
    encoded = token.issue(values, issuer, signature_id=AlgorithmId.ES256)
    return read_credential(encoded, _KCWT + encoded)


def _certified(refer: Callable[[Certificate, str], bytes]) -> Callable[[str, PublicKey, Trust | None], Credential]:
    def make(name: str, public: PublicKey, trust: Trust | None) -> Credential:
        authority = ROOT if trust is not None else Authority("Maker")
        certificate = authority.certify(public, name)
        id_cred = refer(certificate, name)
        if trust is not None:
            trust.certificates[id_cred] = certificate
        return certificate_credential(certificate, id_cred)

    return make


CREDENTIALS: dict[str, Callable[[str, PublicKey, Trust | None], Credential]] = {
    "kid": _by_kid,
    "kccs": _kccs,
    "kcwt": _kcwt,
    "x5t": _certified(lambda certificate, _name: x5t_reference(certificate)),
    "x5chain": _certified(lambda certificate, _name: x5chain_reference([certificate])),
    "x5u": _certified(lambda _certificate, name: x5u_reference(_KNOWN_URI.format(name))),
}


def party(name: str, kind: Authentication, form: str, trust: Trust | None) -> Party:
    """A party with a fresh key; without `trust` it is an attacker's, under others' names and with nobody to vouch."""
    key = generate(key_type(SUITE, kind))
    return Party(name, key, CREDENTIALS[form](name, key.public, trust))


@dataclass
class Ground:
    """A thing and a domain that know each other, and an attacker who passes as either with keys of its own."""

    method: int
    form: str

    def __post_init__(self) -> None:
        row = METHODS[self.method]
        self.trust = Trust()
        self.thing = party("thing", row.initiator, self.form, self.trust)
        self.domain = party("domain", row.responder, self.form, self.trust)
        self.false_thing = party("thing", row.initiator, self.form, None)
        self.false_domain = party("domain", row.responder, self.form, None)

    def initiator(
        self, who: Party, *, c_i: bytes = b"\x11", suites: tuple[int, ...] = (3, 2), selected: int = 3
    ) -> Initiator:
        return Initiator(
            method=self.method,
            suites=suites,
            selected=selected,
            credential=who.credential,
            key=who.key,
            connection_id=c_i,
            ephemeral=generate,
        )

    def responder(self, *, suites: tuple[int, ...] = (2, 3), methods: frozenset[int] = frozenset(METHODS)) -> Responder:
        return Responder(methods=methods, suites=suites, ephemeral=generate)


class Session:
    """One run between two parties; what either end believes in the end is in `completed`, by its number."""

    def __init__(
        self,
        ground: Ground,
        *,
        thing: Party | None = None,
        domain: Party | None = None,
        responder: Responder | None = None,
        **offered: Any,
    ) -> None:
        self.ground = ground
        self.thing = thing or ground.thing
        self.domain = domain or ground.domain
        self.offer = ground.initiator(self.thing, **offered)
        self.acceptance = responder or ground.responder()
        self.completed: dict[str, Completed[Credential]] = {}

    def messages(self) -> Generator[bytes, bytes, None]:
        """Yields each message; what is sent back in its place is what arrives."""
        row = METHODS[self.ground.method]
        trust = self.ground.trust
        message_1, waiting_2 = self.offer.message_1()
        arrived = yield message_1
        accepted = self.acceptance.receive(arrived)
        message_2, waiting_3 = accepted.message_2(b"\x22", self.domain.credential, key=self.domain.key)
        received_2 = waiting_2.receive((yield message_2))
        found = trust.decide(received_2.id_cred_r, row.responder)
        message_3, waiting_4 = received_2.authenticate(found).message_3()
        received_3 = waiting_3.receive((yield message_3))
        found = trust.decide(received_3.id_cred_i, row.initiator)
        message_4, self.completed["domain"] = received_3.authenticate(found).message_4()
        self.completed["thing"] = waiting_4.receive((yield message_4))


def play(session: Session, attack: Callable[[int, bytes], bytes]) -> ThingsteadError | None:
    """Run a session through `attack`; what ended it, or None where it came through."""
    run = session.messages()
    number, message = 1, next(run)
    try:
        while True:
            message = run.send(attack(number, message))
            number += 1
    except StopIteration:
        return None
    except ThingsteadError as refusal:
        return refusal


def recorded(session: Session) -> dict[int, bytes]:
    """The messages of an undisturbed run."""
    seen: dict[int, bytes] = {}

    def note(number: int, message: bytes) -> bytes:
        seen[number] = message
        return message

    assert play(session, note) is None
    return seen


def with_point(message: bytes, point: bytes) -> bytes:
    """message_1 or message_2 with another ephemeral key."""
    head = len(message) - len(codec.decode(message)) if message[0] >= 0x58 else message.index(b"\x58\x20") + 2
    return message[:head] + point + message[head + len(point) :]


def with_first(message_1: bytes, *values: Any) -> bytes:
    """message_1 with other items in front."""
    return codec.encode_sequence(*values, *codec.decode_sequence(message_1)[len(values) :])
