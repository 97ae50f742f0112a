"""How a thing joins: EDHOC as initiator, and whose it is (RFC 9528).

A thing with a written voucher (RFC 8366) says who it is to the domain that this names, and to no other. One without
asks its maker's server through the domain; that takes a name, so whatever domain proves a key learns it
(draft-ietf-lake-authz-07 §6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from thingstead.agent import vouching
from thingstead.agent.association import DomainAssociation
from thingstead.agent.handshake import edhoc_answer, edhoc_request, next_suite, telling
from thingstead.agent.story import Request, Session, Story
from thingstead.crypto.key import PrivateKey, PublicKey, generate
from thingstead.errors import UnsupportedError, UntrustedError
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.ead import EadItem
from thingstead.protocols.edhoc.initiator import Initiator, Message2Received
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.lake_authz.message import VOUCHER
from thingstead.protocols.profile import birth as birth_record
from thingstead.protocols.profile import join, path
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.profile.grant import decode_grant, decode_granted
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.protocols.voucher import voucher

__all__ = ["Joining", "back_off"]

_BACK_OFF_STEPS = 5
_RANDOM_FACTOR = 1.5
_RANDOM_SIZE = 2


@dataclass(frozen=True, slots=True)
class Joining:
    """Everything one attempt to join needs.

    Attributes:
        birth: what the maker gave.
        key: the identity key.
        connection_id: C_I, which becomes the thing's OSCORE Recipient ID; 1..7 bytes.
        known_domain: key of the domain that it is a member of, which needs no voucher to take it in again: the
            maker's may have run out since.
        owner: whose it is, where not the maker's voucher says so but who owned it since.
        custody: what it says of that to the domain; None where there is nothing to say.
        keep: takes the first link of custody, and whom it has to name, where the maker's server says whose the thing
            is; raises what ends the attempt. Called before anything else of the join is believed.
        attest: signs evidence of what it runs for a nonce of the domain's; None where it does not attest.
        combines: asks for what is granted in the message that brings message_3, and does without message_4: what the
            domain grants then comes in blocks that are protected each, however long it is (RFC 9668 §3).
        suites: cipher suites in order of preference.
    """

    birth: Birth
    key: PrivateKey
    connection_id: bytes
    known_domain: PublicKey | None = None
    combines: bool = False
    owner: PublicKey | None = None
    custody: bytes | None = None
    keep: Callable[[bytes, PublicKey], None] | None = None
    attest: Callable[[bytes], bytes] | None = None
    suites: tuple[int, ...] = join.SUITES

    def story(self, at: datetime) -> Story:
        """Run EDHOC with the domain; returns a `DomainAssociation` that the caller saves before it is used.

        Raises:
            UntrustedError: the maker's voucher does not name this domain, and nothing of the thing's identity was sent;
                or no voucher came of the maker's server.
            SecurityError, ProtocolError: the handshake failed.
            TransportError: no answer.
        """
        selected: int | None = self.suites[0]
        while selected is not None:
            suite = cipher_suite(selected)
            message_1, waiting = self._initiator(selected).message_1()
            answer: Message = yield edhoc_request(coap_carriage.frame_message_1(message_1))
            selected = next_suite(answer, selected, self.suites)
        session = vouching.Session(suite, message_1, edhoc_answer(answer))
        offered = waiting.receive(session.message_2)
        return (yield from telling(offered.c_r, self._conclude(offered, session, at)))

    def _conclude(self, offered: Message2Received, session: vouching.Session, at: datetime) -> Story:
        """From message_2 on: is it our domain, and what does it grant?"""
        domain = join.domain_credential(offered.id_cred_r)
        server = None if domain.public == self.known_domain else self._require_owner(domain.public, at)
        authenticated = offered.authenticate(domain)
        question = None if server is None else vouching.ask(server, session, own=self._credential, domain=domain)
        items = (*join.identity_item(self.birth.maker_identity, self.custody), *self._evidence(offered))
        message_3, last = authenticated.message_3(items if question is None else (*items, question.item()))
        if self.combines and question is None:
            # No key is used for more before the answer verifies, which nobody else could have protected.
            oscore = last.complete_unconfirmed().oscore()
            answer: Message = yield Request(request(Code.GET, path.GRANT), session=Session(message_3, oscore))
            grant = decode_granted(edhoc_answer(answer, Code.CONTENT))
        else:
            framed = coap_carriage.frame_message_3(offered.c_r, message_3)
            answer = yield edhoc_request(framed)
            completed = last.receive(edhoc_answer(answer))
            self._heed(question, completed.ead_4, domain.public)
            oscore, grant = completed.oscore(), decode_grant(completed.ead_4)
        return DomainAssociation(
            master_secret=oscore.master_secret,
            master_salt=oscore.master_salt,
            sender_id=oscore.sender_id,
            recipient_id=oscore.recipient_id,
            aead_id=oscore.aead_id,
            digest_id=oscore.digest_id,
            domain_credential=domain.cred,
            access_token=grant.access_token,
            granted_token=grant.granted_token,
            thing_credential=grant.thing_credential,
            issuer_credential=grant.issuer_credential,
        )

    def _evidence(self, offered: Message2Received) -> tuple[EadItem, ...]:
        """What it runs, for a domain that asks; to one whose key is proven, and that may have the thing."""
        nonce = join.decode_attestation(offered.ead_2)
        return (EadItem(join.ATTESTATION, self.attest(nonce)),) if nonce and self.attest is not None else ()

    def _require_owner(self, domain_key: PublicKey, at: datetime) -> MakerServer | None:
        """Whether it may be this domain's; who is to be asked where nobody has said yet."""
        birth = self.birth
        if self.owner is not None:
            if self.owner != domain_key:
                raise UntrustedError("this thing is another owner's", reason="domain")
        elif birth.server is None:
            voucher.authenticate(birth.voucher, birth.maker_anchor, serial=birth.serial, domain_key=domain_key, at=at)
        else:
            return birth.server
        return None

    def _heed(self, question: vouching.Question | None, ead_4: Sequence[EadItem], domain_key: PublicKey) -> None:
        """Have the voucher that was asked for, and none that was not."""
        if question is None:
            if any(abs(item.label) == VOUCHER for item in ead_4):
                raise UnsupportedError("expected no voucher in EAD_4, for none was asked for", spec="RFC 9528 §3.8")
        elif self.keep is None:
            raise ValueError("who asks whose it is has to keep the answer")
        else:
            self.keep(question.answer(ead_4), domain_key)

    @property
    def _credential(self) -> Credential:
        return birth_record.credential(self.birth, self.key.public)

    def _initiator(self, selected: int) -> Initiator:
        return Initiator(
            method=join.METHOD,
            suites=self.suites,
            selected=selected,
            credential=self._credential,
            key=self.key,
            connection_id=self.connection_id,
            ephemeral=generate,
            ead_labels=join.EAD_LABELS,
        )


def back_off(attempt: int, interval: float, random_bytes: Callable[[int], bytes]) -> float:
    """Seconds to wait after a failed attempt: doubling, and by chance up to half as much again (RFC 7252 §4.2).

    Without chance the things of a building that lost power together knock together, again and again.

    Args:
        attempt: how many failed before this one.
        interval: seconds after the first; 32 times that is where the doubling ends.
        random_bytes: a source of randomness.
    """
    chance = int.from_bytes(random_bytes(_RANDOM_SIZE), "big") / (1 << 8 * _RANDOM_SIZE)
    return interval * (1 << min(attempt, _BACK_OFF_STEPS)) * (1 + (_RANDOM_FACTOR - 1) * chance)
