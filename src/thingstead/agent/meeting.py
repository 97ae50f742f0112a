"""How a client meets another thing, token in hand, and comes to keys: a story for each profile of ACE."""

from __future__ import annotations

from collections.abc import Callable

from thingstead.agent.handshake import edhoc_answer, edhoc_request, telling
from thingstead.agent.held_token import HeldToken
from thingstead.agent.story import Place, Request, Story
from thingstead.crypto.key import PrivateKey, PublicKey, generate
from thingstead.endpoint.derivation import context_of
from thingstead.errors import ForbiddenError
from thingstead.protocols.ace.input_material import InputMaterial
from thingstead.protocols.ace.token_upload import TokenUpload, UploadAnswer
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.initiator import Initiator, Message2Received
from thingstead.protocols.profile import join, path, peer

__all__ = ["REFUSED", "by_edhoc", "by_upload", "update"]

REFUSED = "refused"
"""Reason of the errors that say no more than that the other thing took neither token nor keys."""

_EDHOC_ID_SIZE, _UPLOAD_ID_SIZE = 2, 3
_NONCE_SIZE = 8


def by_edhoc(
    held: HeldToken,
    server: PublicKey,
    place: Place,
    own: tuple[Credential, PrivateKey],
    random_bytes: Callable[[int], bytes],
) -> Story:
    """EDHOC with another thing, which must prove the key that the authorization server named; returns a context.

    Raises:
        SecurityError, ProtocolError: it is another, or refuses (`reason` ``refused``).
        TransportError: no answer.
    """
    credential, key = own
    initiator = Initiator(
        method=join.METHOD,
        suites=join.SUITES,
        credential=credential,
        key=key,
        connection_id=random_bytes(_EDHOC_ID_SIZE),
        ephemeral=generate,
    )
    message_1, waiting = initiator.message_1()
    answer: Message = yield edhoc_request(coap_carriage.frame_message_1(message_1), place)
    offered = waiting.receive(edhoc_answer(answer))
    return (yield from telling(offered.c_r, _conclude(held, server, offered, place), place))


def _conclude(held: HeldToken, server: PublicKey, offered: Message2Received, place: Place) -> Story:
    """From message_2 on; the keys that both ends have then."""
    authenticated = offered.authenticate(peer.credential(server, held.server))
    message_3, last = authenticated.message_3(peer.token_item(held.access_token))
    answer: Message = yield edhoc_request(coap_carriage.frame_message_3(offered.c_r, message_3), place)
    return context_of(last.receive(edhoc_answer(answer)).oscore())


def by_upload(
    held: HeldToken,
    material: InputMaterial,
    place: Place,
    is_taken: Callable[[bytes], bool],
    random_bytes: Callable[[int], bytes],
) -> Story:
    """Upload a token and derive keys from its secret and two nonces (RFC 9203 §4.1, §4.3); returns a context.

    Neither end is proven yet: the first response that verifies under the keys is the other thing's proof.

    Args:
        held: the token.
        material: its secret.
        place: where the other thing is.
        is_taken: whether an identifier of ours names a context already.
        random_bytes: for N1 and our identifier.

    Raises:
        ForbiddenError: it was refused (`reason` ``refused``).
        DecodeError: an answer that no keys may be derived from.
        TransportError: no answer.
    """
    while is_taken(own_id := random_bytes(_UPLOAD_ID_SIZE)):
        pass
    nonce = random_bytes(_NONCE_SIZE)
    payload = TokenUpload(held.access_token, nonce, own_id).encode()
    message = request(Code.POST, path.AUTHZ_INFO, payload=payload, content_format=ContentFormat.ACE_CBOR)
    answer: Message = yield Request(message, protected=False, to=place)
    _require_created(answer, held)
    told = UploadAnswer.decode(answer.payload, own_id=own_id)
    try:
        return material.context(nonce_1=nonce, nonce_2=told.nonce, sender_id=told.recipient_id, recipient_id=own_id)
    except ValueError as error:
        raise ForbiddenError(f"{held.server} chose no identifier: {error}", spec="RFC 8613 §3.3") from error


def update(held: HeldToken, place: Place) -> Story:
    """Bring another token of a series under the keys that are in use, which stay (RFC 9203 §4.1).

    Raises:
        ForbiddenError: it was refused (`reason` ``refused``).
        SecurityError: the keys are in use no more.
        TransportError: no answer.
    """
    if held.material is None:
        message = request(Code.POST, path.AUTHZ_INFO, payload=held.access_token, content_format=ContentFormat.CWT)
    else:
        payload = TokenUpload(held.access_token).encode()
        message = request(Code.POST, path.AUTHZ_INFO, payload=payload, content_format=ContentFormat.ACE_CBOR)
    answer: Message = yield Request(message, to=place)
    _require_created(answer, held)


def _require_created(answer: Message, held: HeldToken) -> None:
    if answer.code != Code.CREATED:
        raise ForbiddenError(
            f"{held.server} did not take the token: {code_name(answer.code)}", spec="RFC 9200 §5.10.1", reason=REFUSED
        )
