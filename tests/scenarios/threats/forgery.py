"""Everything that a private key of a domain could be put to, and who would believe it: real verifiers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from tests.scenarios.world import World
from thingstead.agent.joining import Joining
from thingstead.agent.story import Request, Wait
from thingstead.controller import revocation
from thingstead.controller.composition import domain_credential
from thingstead.controller.revocation import Revocations
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PrivateKey, PublicKey, generate, verify
from thingstead.domain.ledger import head
from thingstead.domain.ledger.head import TreeHead
from thingstead.errors import ThingsteadError
from thingstead.identifier import KeyId, ThingId
from thingstead.protocols.ace import token
from thingstead.protocols.ace.aif import Scope
from thingstead.protocols.ace.groupcomm_join import kdc_proof_input
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.cwt import credential
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.responder import Responder
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import delegation, join
from thingstead.secret import Secret

__all__ = ["believed", "identity_shown"]

_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_VICTIM = ThingId("thing-aaaaaaaaaaaaaaaa")


def believed(world: World, key: PrivateKey) -> set[str]:
    """What of all that a domain signs, or shows in a handshake, is believed when it is made with `key`."""
    found = set()
    for name, forge in _FORGERIES.items():
        try:
            forge(world, key)
        except ThingsteadError:
            continue
        found.add(name)
    return found


def identity_shown(world: World, key: PrivateKey) -> str:
    """Answer the handshake of a thing that wants to join, as the domain: the serial number that it shows.

    Raises:
        ThingsteadError: it does not show it.
    """
    thing = world.thing(f"NEW-{len(world.things)}")
    born = birth_record.decode(thing.disk["birth"])
    story = Joining(born, thing.keys.handle(birth_record.IDENTITY_KEY), b"\x01").story(world.clock.utc())
    responder = Responder(
        methods=frozenset({join.METHOD}), suites=join.SUITES, ephemeral=generate, ead_labels=join.EAD_LABELS
    )
    own = domain_credential(world.domain.keys, world.domain.config)
    _, message_1 = coap_carriage.parse_request(_payload(next(story)))
    message_2, waiting = responder.receive(message_1).message_2(
        connection_id=b"\x02", credential=own, key=_Posing(own.public, key)
    )
    _, message_3 = coap_carriage.parse_request(_payload(story.send(Message(Code.CHANGED, payload=message_2))))
    shown = join.decode_identity(waiting.receive(message_3).ead_3)
    maker = world.makers["acme"]
    return credential.authenticate_maker_identity(
        shown, maker.anchor.public, accept=_ACCEPT, maker=maker.name, at=world.clock.utc()
    ).serial


@dataclass(frozen=True)
class _Posing:
    """A thief's key that goes by the domain's public key, as any liar's does."""

    public: PublicKey
    stolen: PrivateKey

    def agree(self, peer: PublicKey) -> Secret:
        return self.stolen.agree(peer)

    def sign(self, data: bytes, signature_id: int) -> bytes:
        return self.stolen.sign(data, signature_id)


def _payload(wanted: Request | Wait) -> bytes:
    assert isinstance(wanted, Request)
    return wanted.message.payload


def _public(world: World, name: str) -> PublicKey:
    return world.domain.keys.handle(KeyId(name)).public


def _credential(world: World, key: PrivateKey) -> None:
    at = world.clock.utc().replace(microsecond=0)
    encoded = credential.issue_domain_credential(
        generate(KeyType.P256).public,
        key,
        domain="home",
        thing=_VICTIM,
        at=at,
        expires=at + timedelta(days=1),
        cti=b"forged",
        signature_id=AlgorithmId.ESP256,
    )
    credential.authenticate_domain_credential(encoded, _public(world, "identity"), accept=_ACCEPT, domain="home", at=at)


def _token(world: World, key: PrivateKey) -> None:
    at, holder = world.clock.utc().replace(microsecond=0), generate(KeyType.P256).public
    encoded = token.issue(
        holder,
        key,
        issuer="home",
        subject="mallory",
        audience=_VICTIM,
        scope=Scope({"/light": 4}),
        at=at,
        expires=at + timedelta(hours=1),
        cti=b"forged",
        signature_id=AlgorithmId.ESP256,
    )
    token.authenticate(
        encoded, _public(world, "access"), accept=_ACCEPT, at=at, issuer="home", audience=_VICTIM, presenter=holder
    )


def _proof(world: World, key: PrivateKey) -> None:
    said = kdc_proof_input(cnonce=bytes(8), kdc_nonce=bytes(8))
    signature = key.sign(said, AlgorithmId.ESP256)
    verify(_public(world, "groups"), signature=signature, data=said, signature_id=AlgorithmId.ESP256)


def _head(world: World, key: PrivateKey) -> None:
    encoded = head.sign(TreeHead(7, bytes(32), world.clock.utc(), "home"), key)
    head.authenticate(encoded, _public(world, "ledger"), domain="home")


def _revocations(world: World, key: PrivateKey) -> None:
    encoded = revocation.sign(Revocations("home", 1, 0, 0, ()), key)
    revocation.authenticate(encoded, _public(world, "ledger"), domain="home")


def _delegation(world: World, key: PrivateKey) -> None:
    at = world.clock.utc().replace(microsecond=0)
    encoded = delegation.issue(
        generate(KeyType.P256).public,
        key,
        domain="home",
        installer="mallory",
        zones=["floor-1"],
        classes=[2],
        at=at,
        expires=at + timedelta(days=1),
        cti=b"forged",
    )
    delegation.authenticate(encoded, _public(world, "owner"), domain="home", at=at)


_FORGERIES: dict[str, Callable[[World, PrivateKey], object]] = {
    "handshake": identity_shown,
    "credential": _credential,
    "token": _token,
    "proof of the group manager": _proof,
    "head": _head,
    "revocations": _revocations,
    "delegation": _delegation,
}
