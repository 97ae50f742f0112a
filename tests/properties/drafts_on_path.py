"""Other kinds of sessions for somebody on the path: a shared key, a suite with a KEM, message_3 with a request."""

from collections.abc import Callable, Generator
from typing import Any

from tests.unit.protocols.edhoc.party import party
from thingstead.crypto.key import generate
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.edhoc.authentication import Authentication
from thingstead.protocols.edhoc.combined_request import combine, split
from thingstead.protocols.edhoc.credential import kid_reference
from thingstead.protocols.edhoc.error import UnknownCredentialError
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.message import Limits
from thingstead.protocols.edhoc.psk_initiator import PskInitiator
from thingstead.protocols.edhoc.psk_responder import PskResponder
from thingstead.protocols.edhoc.responder import Responder
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.edhoc.shared_key import SharedCredential
from thingstead.protocols.edhoc.suite import cipher_suite
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.protection import (
    protect_request,
    protect_response,
    read_option,
    unprotect_request,
    unprotect_response,
)
from thingstead.secret import Secret

__all__ = ["KINDS", "Conversation"]

C_I, C_R = b"\x11", b"\x22"
_KID = kid_reference(b"\x42\x43")
_NAMES = (codec.encode({2: "thing"}), codec.encode({2: "domain"}))
SHARED = SharedCredential(_KID, Secret(bytes(range(16))), *_NAMES)
ANOTHER = SharedCredential(_KID, Secret(bytes(range(1, 17))), *_NAMES)
_SIGNING = [party(cipher_suite(-21), Authentication.SIGNATURE, name) for name in (b"thing", b"domain", b"thing")]
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
            limits=limits,
        )
        acceptance = Responder(methods=frozenset({self.method}), suites=self.suites, ephemeral=generate, limits=limits)
        message_1, waiting_2 = offer.message_1()
        accepted = acceptance.receive((yield message_1))
        message_2, waiting_3 = accepted.message_2(C_R, credential_r, key=key_r)
        received_2 = waiting_2.receive((yield message_2))
        _require_kid(received_2.id_cred_r.id_cred, credential_r.id_cred)
        message_3, waiting_4 = received_2.authenticate(credential_r).message_3()
        yield from self.conclude(message_3, waiting_3, waiting_4)

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


KINDS: dict[str, Callable[..., Conversation]] = {"shared key": SharedKey, "quantum": Quantum, "combined": Combined}


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
