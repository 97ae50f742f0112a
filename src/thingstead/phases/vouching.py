"""Vouching: a maker's server is asked whether a thing that wants to know it is ours.

::

    domain (V)                                         maker's server (W)
      | EDHOC, method 3, CRED_V by value --------------> |  once; again when it has forgotten us
      | POST /.well-known/lake-authz/voucherrequest ---> |  under OSCORE
      | <-------------------- 2.04 voucher, 4.00 or 4.03 |

(draft-ietf-lake-authz-07 §4.5, §5.3.) What comes unprotected is nobody's word: it ends the attempt and decides nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from thingstead.crypto.key import PrivateKey, generate
from thingstead.errors import DecodeError, ForbiddenError, TransportError, UntrustedError
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message, request
from thingstead.protocols.coap.registry import Code, ContentFormat
from thingstead.protocols.edhoc import coap_carriage
from thingstead.protocols.edhoc.credential import Credential
from thingstead.protocols.edhoc.initiator import Initiator
from thingstead.protocols.edhoc.session import OscoreParameters
from thingstead.protocols.lake_authz.message import (
    DRAFT,
    VOUCHER_REQUEST_PATH,
    VoucherRequest,
    decode_refusal,
    decode_response,
)
from thingstead.protocols.profile import join, path
from thingstead.protocols.profile.maker_server import MakerServer

__all__ = ["Ask", "meet", "request_voucher"]

Ask = Callable[[Message], Awaitable[Message]]
"""Sends a request to the server and waits for its response; raises `TransportError`, or `SecurityError` where that is
not the server's."""


async def meet(
    server: MakerServer, ask: Ask, *, credential: Credential, key: PrivateKey, connection_id: bytes
) -> OscoreParameters:
    """Prove our key to the server that the owner named, and to no other.

    Args:
        server: whom the owner named.
        ask: in clear.
        credential: CRED_V, the same that things are shown.
        key: the private half of it.
        connection_id: C_I.

    Raises:
        UntrustedError: another server ("server"), or it has sold us nothing ("no customer").
        SecurityError, ProtocolError: the handshake failed.
        TransportError: no answer.
    """
    initiator = Initiator(
        method=join.METHOD,
        suites=join.SUITES,
        credential=credential,
        key=key,
        connection_id=connection_id,
        ephemeral=generate,
    )
    message_1, waiting = initiator.message_1()
    offered = waiting.receive(_going_on(await ask(_edhoc(coap_carriage.frame_message_1(message_1)))))
    shown = join.domain_credential(offered.id_cred_r)
    if shown.public != server.session_key:
        raise UntrustedError(f"at {server.location} is another server than {server.maker}'s", reason="server")
    message_3, last = offered.authenticate(shown).message_3()
    answer = await ask(_edhoc(coap_carriage.frame_message_3(offered.c_r, message_3)))
    if answer.code == Code.UNAUTHORIZED:
        raise UntrustedError(f"{server.maker} has sold nothing to this domain, or says so", reason="no customer")
    return last.receive(_going_on(answer)).oscore()


async def request_voucher(wanted: VoucherRequest, ask: Ask) -> bytes:
    """Ask about one thing; what comes back is for the thing, and nothing to us.

    Args:
        wanted: about which thing, in which session.
        ask: under the session with the server, whose word the answer so is.

    Raises:
        ForbiddenError: it does not vouch for us ("not sold"), or knows no such thing ("unknown thing").
        DecodeError: another answer than the draft's.
        TransportError: none, or the server is at fault.
    """
    answer = await ask(request(Code.POST, VOUCHER_REQUEST_PATH, payload=wanted.encode()))
    if answer.code == Code.CHANGED:
        return decode_response(answer.payload)
    if answer.code == Code.FORBIDDEN:
        decode_refusal(answer.payload)
        raise ForbiddenError("the maker's server knows the thing, and does not vouch for us", reason="not sold")
    if answer.code == Code.BAD_REQUEST:
        raise ForbiddenError("the maker's server knows no such thing, or not for us", reason="unknown thing")
    raise TransportError(
        f"the maker's server answered {code_name(answer.code)}", spec=f"{DRAFT} §5.4.1", reason="server fault"
    )


def _edhoc(payload: bytes) -> Message:
    return request(Code.POST, path.EDHOC, payload=payload, content_format=ContentFormat.CID_EDHOC_CBOR_SEQ)


def _going_on(answer: Message) -> bytes:
    if answer.code != Code.CHANGED:
        raise DecodeError(f"expected the maker's server to go on, it answered {code_name(answer.code)}")
    return answer.payload
