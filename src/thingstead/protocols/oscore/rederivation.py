"""Fresh contexts from one Master Secret, by an exchange of random ID Contexts (RFC 8613 appendix B.2).

::

    client                                            server
      |  request #1, ID Context = R1                    |
      |------------------------------------------------>|
      |  4.01, ID Context = R2 || R1, kid context = R2  |
      |<------------------------------------------------|
      |  request #2, ID Context = R2 || R3              |
      |------------------------------------------------>|  from here on this is the context

Each party knows by its own random part that the keys were never used. There is no forward secrecy: whoever gets the
Master Secret reads all that was recorded. A kid context holds the random parts wrapped in a CBOR byte string.
"""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.digest import hmac_tag, verify_hmac
from thingstead.errors import AuthenticationError, DecodeError, ProtocolError
from thingstead.protocols.cbor import codec
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.binding import RequestBinding
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.option import OscoreOption, encode_option
from thingstead.protocols.oscore.protection import protect_response, read_option, unprotect_response
from thingstead.secret import Secret

__all__ = ["NONCE_SIZE", "InputParameters", "NonceMint", "answer", "begin", "follow", "id_context_of"]

NONCE_SIZE = 8
"""Bytes of R1, R3 and of the random part of R2."""

_R2_SIZE = NONCE_SIZE + 8
_MAX_SIZE = 128
_SPEC = "RFC 8613 appendix B.2"
_OSCORE = int(OptionNumber.OSCORE)


@dataclass(frozen=True, slots=True)
class InputParameters:
    """What both parties have before there is a context, from one party's side (RFC 8613 §3.2).

    Attributes:
        master_secret: of the two parties.
        sender_id: ours.
        recipient_id: the peer's.
        master_salt: may be empty.
        aead_id: COSE number.
        digest_id: COSE number of the hash of the key derivation.
    """

    master_secret: Secret
    sender_id: bytes
    recipient_id: bytes
    master_salt: bytes = b""
    aead_id: int = AlgorithmId.AES_CCM_16_64_128
    digest_id: int = AlgorithmId.SHA_256

    def context(self, id_context: bytes, *, named: bytes | None = None) -> SecurityContext:
        """The context of a random ID Context, called by it or by the part of it that is `named` on the wire."""
        return SecurityContext.derive(
            self.master_secret,
            master_salt=self.master_salt,
            sender_id=self.sender_id,
            recipient_id=self.recipient_id,
            id_context=id_context,
            aead_id=self.aead_id,
            digest_id=self.digest_id,
            kid_context=codec.encode(id_context if named is None else named),
        )


class NonceMint:
    """Makes R2 values and knows them again without keeping any (appendix B.2.1).

    One is good until a run has been completed: its user then throws the mint away, and with it every R2, so that
    no request #2 is ever accepted after another context has followed.

    Args:
        key: 32 fresh random bytes.
    """

    __slots__ = ("_key",)

    def __init__(self, key: Secret) -> None:
        self._key = key

    def issue(self, random: bytes, peer: bytes) -> bytes:
        """An R2 for whoever receives at `peer`: `random`, which never comes twice, and a MAC."""
        return random + hmac_tag(self._key, random + peer, AlgorithmId.HMAC_256_64)

    def issued(self, id_context: bytes, peer: bytes) -> bool:
        """Whether this is the ID Context of a request #2: an R2 of ours, and an R3."""
        if len(id_context) < _R2_SIZE + NONCE_SIZE:
            return False
        random, mac = id_context[:NONCE_SIZE], id_context[NONCE_SIZE:_R2_SIZE]
        try:
            verify_hmac(self._key, random + peer, mac, AlgorithmId.HMAC_256_64)
        except AuthenticationError:
            return False
        return True


def id_context_of(kid_context: bytes | None) -> bytes:
    """The random ID Context within a kid context.

    Raises:
        DecodeError: there is none, it is not wrapped, or it is too short to be random or too long.
    """
    value = None if kid_context is None or len(kid_context) > _MAX_SIZE else codec.decode(kid_context)
    if not isinstance(value, bytes) or len(value) < NONCE_SIZE:
        raise DecodeError(f"expected a wrapped ID Context of at least {NONCE_SIZE} bytes", spec=_SPEC)
    return value


def begin(parameters: InputParameters, r1: bytes) -> SecurityContext:
    """Step 1, at the client: the context of request #1, which is sent with its kid context."""
    return parameters.context(r1)


def answer(binding: RequestBinding, parameters: InputParameters, r2: bytes) -> Message:
    """Step 2, at the server: response #1 to a request that verified under a context of the client's making."""
    context = parameters.context(r2 + (binding.context.id_context or b""), named=r2)
    second = _rebound(binding, context, is_nonce_free=True)
    protected = protect_response(Message(Code.UNAUTHORIZED), binding=second)
    name = encode_option(OscoreOption(kid_context=context.kid_context))
    return protected.with_options((_OSCORE, name), without=frozenset((_OSCORE,)))


def follow(message: Message, binding: RequestBinding, parameters: InputParameters, r3: bytes) -> SecurityContext | None:
    """Step 3, at the client: the context of request #2, if `message` is a response #1; None if it is anything else.

    Raises:
        ProtocolError, SecurityError: it claims to be one and does not verify.
    """
    try:
        r2 = id_context_of(read_option(message).kid_context)
    except ProtocolError:
        return None
    context = parameters.context(r2 + (binding.context.id_context or b""), named=r2)
    inner = unprotect_response(message, binding=_rebound(binding, context, is_nonce_free=False))
    if inner.code != Code.UNAUTHORIZED:
        raise DecodeError(f"expected 4.01 under a context that begins, got {inner.code}", spec=_SPEC)
    return parameters.context(r2 + r3)


def _rebound(first: RequestBinding, context: SecurityContext, *, is_nonce_free: bool) -> RequestBinding:
    """The same request, answered under another context: "the AEAD nonce from the request" is the one it had (§8.3)."""
    return RequestBinding(
        context, first.kid, first.partial_iv, first.kid_context, first.observe, first.nonce, first.aad, is_nonce_free
    )
