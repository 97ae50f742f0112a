"""Other kinds of sessions for somebody on the path: a shared key, a suite with a KEM, a request, a maker's voucher."""

from collections.abc import Callable, Generator
from typing import Any, ClassVar

from tests.unit.protocols.edhoc.party import party
from thingstead.agent import vouching
from thingstead.crypto.key import KeyType, generate
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.edhoc.authentication import Authentication
from thingstead.protocols.edhoc.combined_request import combine, split
from thingstead.protocols.edhoc.credential import kid_reference
from thingstead.protocols.edhoc.ead import EadItem, EadLabels
from thingstead.protocols.edhoc.error import UnknownCredentialError
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.message import Limits
from thingstead.protocols.edhoc.psk_initiator import PskInitiator
from thingstead.protocols.edhoc.psk_responder import PskResponder
from thingstead.protocols.edhoc.responder import Responder
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.edhoc.shared_key import SharedCredential
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.lake_authz import voucher
from thingstead.protocols.lake_authz.message import VOUCHER
from thingstead.protocols.lake_authz.voucher import Binding
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import (
    protect_request,
    protect_response,
    read_option,
    unprotect_request,
    unprotect_response,
)
from thingstead.protocols.profile import join
from thingstead.protocols.profile.maker_server import MakerServer
from thingstead.secret import Secret

__all__ = ["KINDS", "Conversation"]

C_I, C_R = b"\x11", b"\x22"
_KID = kid_reference(b"\x42\x43")
_NAMES = (codec.encode({2: "thing"}), codec.encode({2: "domain"}))
SHARED = SharedCredential(_KID, Secret(bytes(range(16))), *_NAMES)
ANOTHER = SharedCredential(_KID, Secret(bytes(range(1, 17))), *_NAMES)
_SIGNING = [party(cipher_suite(-21), Authentication.SIGNATURE, name) for name in (b"thing", b"domain", b"thing")]
_SERVER = generate(KeyType.P256)
_CARD = MakerServer("maker", "coap://192.0.2.1", _SERVER.public, _SERVER.public)
_STATIC = [party(cipher_suite(3), Authentication.STATIC_DH, name) for name in (b"thing", b"domain", b"thing")]


class Conversation:
    """One run; `completed` says which end holds which keys, and takes the other for authentic.

    Args:
        forged: the thing holds other keys than it says.
    """

    suites: tuple[int, ...] = (3,)

    def __init__(self, *, forged: bool = False) -> None:
        self.forged = forged
        self.completed: dict[str, OscoreParameters] = {}

    def messages(self) -> Generator[bytes, bytes, None]:
        """Yields each message; what is sent back in its place is what arrives."""
        raise NotImplementedError


class SharedKey(Conversation):
    """Method 4, as install codes use it."""

    suites = (3, 2)

    def messages(self) -> Generator[bytes, bytes, None]:
        shared = ANOTHER if self.forged else SHARED
        offer = PskInitiator(suites=self.suites, shared=shared, connection_id=C_I, ephemeral=generate)
        message_1, waiting_2 = offer.message_1()
        accepted = PskResponder(suites=(2, 3), ephemeral=generate).receive((yield message_1))
        message_2, waiting_3 = accepted.message_2(C_R)
        message_3, waiting_4 = waiting_2.receive((yield message_2)).message_3()
        received = waiting_3.receive((yield message_3))
        if received.id_cred_psk.id_cred != SHARED.id_cred:
            raise UnknownCredentialError("no such key")
        message_4, completed = received.authenticate(SHARED)[0].message_4()
        self.completed["domain"] = completed.oscore()
        self.completed["thing"] = waiting_4.receive((yield message_4)).oscore()


class Quantum(Conversation):
    """Method 0 with ML-KEM-1024 and ML-DSA-87."""

    suites = (-21,)
    method, parties = 0, _SIGNING
    ead_labels: ClassVar[EadLabels] = {}

    def messages(self) -> Generator[bytes, bytes, None]:
        (credential_i, key_i), (credential_r, key_r), (_, other) = self.parties
        limits = Limits(max_message=8160)
        offer = Initiator(
            method=self.method,
            suites=self.suites,
            credential=credential_i,
            key=_Mismatched(other, key_i.public) if self.forged else key_i,
            connection_id=C_I,
            ephemeral=generate,
            ead_labels=self.ead_labels,
            limits=limits,
        )
        acceptance = Responder(
            methods=frozenset({self.method}),
            suites=self.suites,
            ephemeral=generate,
            ead_labels=self.ead_labels,
            limits=limits,
        )
        message_1, waiting_2 = offer.message_1()
        arrived_1 = yield message_1
        message_2, waiting_3 = acceptance.receive(arrived_1).message_2(C_R, credential_r, key=key_r)
        arrived_2 = yield message_2
        received_2 = waiting_2.receive(arrived_2)
        _require_kid(received_2.id_cred_r.id_cred, credential_r.id_cred)
        self.seen = (message_1, arrived_2), (arrived_1, message_2)
        message_3, waiting_4 = received_2.authenticate(credential_r).message_3(self.ead_3())
        yield from self.conclude(message_3, waiting_3, waiting_4)

    def ead_3(self) -> tuple[EadItem, ...]:
        """What goes with message_3."""
        return ()

    def conclude(self, message_3: bytes, waiting_3: Any, waiting_4: Any) -> Generator[bytes, bytes, None]:
        """From message_3 on."""
        received_3 = waiting_3.receive((yield message_3))
        _require_kid(received_3.id_cred_i.id_cred, self.parties[0][0].id_cred)
        message_4, completed = received_3.authenticate(self.parties[0][0]).message_4()
        self.completed["domain"] = completed.oscore()
        self.completed["thing"] = waiting_4.receive((yield message_4)).oscore()


class Combined(Quantum):
    """Method 3, and a request with message_3; third and fourth travel the payloads of request and response."""

    suites = (3,)
    method, parties = 3, _STATIC

    def conclude(self, message_3: bytes, waiting_3: Any, waiting_4: Any) -> Generator[bytes, bytes, None]:
        """From message_3 on."""
        ours = waiting_4.complete_unconfirmed().oscore()
        protected, binding = protect_request(request(Code.GET, "/hello"), context=_context(ours))
        combined = combine(protected, message_3)
        combined.payload = yield combined.payload
        parts = split(combined)
        received_3 = waiting_3.receive(parts.message_3)
        _require_kid(received_3.id_cred_i.id_cred, self.parties[0][0].id_cred)
        theirs = received_3.authenticate(self.parties[0][0]).complete_without_message_4().oscore()
        _inner, answer = unprotect_request(parts.request, context=_context(theirs), option=read_option(parts.request))
        self.completed["domain"] = theirs
        response = protect_response(Message(Code.CONTENT, payload=b"welcome"), binding=answer)
        response.payload = yield response.payload
        unprotect_response(response, binding=binding)
        self.completed["thing"] = ours


class Vouched(Quantum):
    """Method 3, and a thing that believes its maker's server only; what that hears is what the domain saw."""

    suites = (3,)
    method, parties = 3, _STATIC
    ead_labels = join.EAD_LABELS

    def ead_3(self) -> tuple[EadItem, ...]:
        """The question."""
        (own, _), (domain, _), _ = self.parties
        session = vouching.Session(cipher_suite(self.suites[0]), *self.seen[0])
        self.question = vouching.ask(_CARD, session, own=own, domain=domain)
        return (self.question.item(),)

    def conclude(self, message_3: bytes, waiting_3: Any, waiting_4: Any) -> Generator[bytes, bytes, None]:
        """From message_3 on."""
        (own, _), (domain, _), _ = self.parties
        received_3 = waiting_3.receive((yield message_3))
        _require_kid(received_3.id_cred_i.id_cred, own.id_cred)
        authenticated = received_3.authenticate(own)
        suite = cipher_suite(self.suites[0])
        info = join.decode_question(received_3.ead_3, suite)
        assert info is not None
        about = Binding(voucher.session_hash(suite, *self.seen[1]), own.id_cred, domain.cred)
        sealed = voucher.issue(voucher.answer_key(suite, info.ek_ct, _SERVER), about, opaque=b"link")
        message_4, completed = authenticated.message_4((EadItem(-VOUCHER, sealed),))
        self.completed["domain"] = completed.oscore()
        ended = waiting_4.receive((yield message_4))
        assert self.question.answer(ended.ead_4) == b"link"
        self.completed["thing"] = ended.oscore()


KINDS: dict[str, Callable[..., Conversation]] = {
    "shared key": SharedKey,
    "quantum": Quantum,
    "combined": Combined,
    "vouched": Vouched,
}


class _Mismatched:
    """A key that says it is another."""

    def __init__(self, key: Any, public: Any) -> None:
        self._key = key
        self.public = public

    def sign(self, data: bytes, signature_id: int) -> Any:
        return self._key.sign(data, signature_id)

    def agree(self, peer: Any) -> Any:
        return self._key.agree(peer)


def _require_kid(received: bytes, known: bytes) -> None:
    if received != known:
        raise UnknownCredentialError("a credential of nobody we know")


def _context(parameters: OscoreParameters) -> SecurityContext:
    return SecurityContext.derive(
        parameters.master_secret,
        master_salt=parameters.master_salt,
        sender_id=parameters.sender_id,
        recipient_id=parameters.recipient_id,
        aead_id=parameters.aead_id,
        digest_id=parameters.digest_id,
    )
