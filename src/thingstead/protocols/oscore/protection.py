"""Protect and unprotect requests and responses (RFC 8613 §8).

A context is found by the caller: by the kid and kid context of a request, which `read_option` shows before anything
is believed, or by the token of a response, whose `RequestBinding` carries the context.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from thingstead.errors import AuthenticationError, DecodeError, ReplayError, UntrustedError
from thingstead.protocols.coap.code import is_request, is_response
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.binding import RequestBinding
from thingstead.protocols.oscore.context import SecurityContext
from thingstead.protocols.oscore.option import OscoreOption, decode_option, decode_partial_iv, encode_partial_iv
from thingstead.protocols.oscore.plaintext import compose_request, compose_response, open_plaintext, protected
from thingstead.protocols.oscore.replay import ReplayWindow

__all__ = [
    "FreshnessError",
    "protect_request",
    "protect_response",
    "read_option",
    "unprotect_request",
    "unprotect_response",
]

_KID = 0x08
_KID_CONTEXT = 0x10
BindingT = TypeVar("BindingT", bound="_HasPartialIv")
_CHANGED = int(Code.CHANGED)
_OSCORE = int(OptionNumber.OSCORE)
_OBSERVE = int(OptionNumber.OBSERVE)


class _HasPartialIv(Protocol):
    """What pairwise and group bindings have alike."""

    partial_iv: bytes


class FreshnessError(ReplayError, Generic[BindingT]):
    """An authenticated request that may be old, because the replay window was lost (RFC 8613 appendix B.1.2).

    Answer it with a protected 4.01 that holds an Echo option and nothing else, unless it brings back the Echo value
    that was given to this peer: then `recover` the window, and the request may be served.

    Attributes:
        request: the inner request.
        binding: what its response is protected under; it always takes a Partial IV of its own.
        is_newest: no request with this or a larger Partial IV came since the window was lost.
    """

    reason = "freshness"

    def __init__(self, request: Message, binding: BindingT, window: ReplayWindow) -> None:
        super().__init__("the replay window was lost; freshness has to be shown", spec="RFC 8613 §7.5")
        self.request = request
        self.binding = binding
        self.is_newest = window.doubt(decode_partial_iv(binding.partial_iv))
        self._window = window

    def recover(self) -> None:
        """Make the window valid again, from this request on; only after its Echo value has been verified.

        Raises:
            ReplayError: the window has become valid meanwhile and knows this request.
        """
        self._window.recover(decode_partial_iv(self.binding.partial_iv))


def protect_request(
    message: Message, *, context: SecurityContext, with_kid_context: bool = False
) -> tuple[Message, RequestBinding]:
    """Protect a request (RFC 8613 §8.1).

    Args:
        message: the whole request; its type, message ID and token pass through.
        context: of the server; one sender sequence number is spent, also when nothing is sent after all.
        with_kid_context: tell the server the ID Context, which must then not be None.

    Returns:
        The OSCORE message, and the binding that its responses are verified under.

    Raises:
        StateError: the sender sequence numbers are not reserved, or used up.
        ValueError: not a request, or one that is not protected as it is (§4.1.3).
    """
    plaintext, outer, code = compose_request(message)
    sender = context.sender
    number = sender.sequence.take()
    partial_iv = encode_partial_iv(number)
    nonce = sender.nonce(number)
    aad = sender.aad(partial_iv)
    kid_context = context.kid_context if with_kid_context else None
    value = _request_option(partial_iv, kid_context, sender.id)
    payload = sender.aead.encrypt(nonce, plaintext, aad)
    observe = message.uint_option(_OBSERVE)
    binding = RequestBinding(context, sender.id, partial_iv, kid_context, observe, nonce, aad, False)
    return protected(message, code, outer, value, payload), binding


def recall_request(context: SecurityContext, partial_iv: bytes) -> RequestBinding:
    """The binding of a request of ours, without Observe, of which nothing but its Partial IV was kept (RFC 8974 §3).

    That its response is taken only once is up to who kept it.
    """
    sender = context.sender
    nonce = sender.nonce(decode_partial_iv(partial_iv))
    return RequestBinding(context, sender.id, partial_iv, None, None, nonce, sender.aad(partial_iv), False)


def read_option(message: Message) -> OscoreOption:
    """Decode the OSCORE option of a message: nothing of it is authenticated yet.

    Raises:
        DecodeError: no OSCORE option, a malformed one, or no payload (RFC 8613 §2).
    """
    value = message.option(_OSCORE)
    if value is None:
        raise DecodeError("expected an OSCORE option", spec="RFC 8613 §2")
    if not message.payload:
        raise DecodeError("expected a payload with the OSCORE option", spec="RFC 8613 §2")
    return decode_option(value)


def unprotect_request(
    message: Message, *, context: SecurityContext, option: OscoreOption | None = None
) -> tuple[Message, RequestBinding]:
    """Verify and decrypt a request (RFC 8613 §8.2).

    Args:
        message: the OSCORE message; of its outer options only class U survives.
        context: found by the option's kid; its replay window moves on success only.
        option: what `read_option` said of this message, where the caller has it already.

    Returns:
        The inner request, and the binding that its responses are protected under.

    Raises:
        DecodeError: option or plaintext malformed, or the inner code is not a request's.
        UntrustedError: kid or kid context of another context, or the key is used up.
        ReplayError: Partial IV seen before, or left of the window.
        FreshnessError: authentic, but the window was lost; it carries request and binding.
        AuthenticationError: the tag does not verify.
    """
    if option is None:
        option = read_option(message)
    recipient = context.recipient
    partial_iv = option.partial_iv
    if option.kid != recipient.id or partial_iv is None or option.group or option.kid_context is not None:
        partial_iv = _require_request(option, context)
    window = recipient.window
    is_valid = window.is_valid
    plaintext, nonce, aad = recipient.open(partial_iv, message.payload)
    request = open_plaintext(message, plaintext)
    if not is_request(request.code):
        raise DecodeError(f"expected the code of a request inside, got {request.code}", spec="RFC 8613 §8.2")
    options = request.options
    observe = request.uint_option(_OBSERVE) if options and options[0][0] <= _OBSERVE else None
    binding = RequestBinding(context, recipient.id, partial_iv, option.kid_context, observe, nonce, aad, is_valid)
    if not is_valid:
        raise FreshnessError(request, binding, window)
    return request, binding


def protect_response(message: Message, *, binding: RequestBinding) -> Message:
    """Protect a response (RFC 8613 §8.3).

    The first one that is not a notification spends the request's nonce; all others take a sender sequence number.

    Raises:
        StateError: the sender sequence numbers are not reserved, or used up.
        ValueError: not a response, or one that is protected already.
    """
    plaintext, outer, code = compose_response(message)
    sender = binding.context.sender
    nonce = binding.take_nonce() if code == _CHANGED else None
    value = b""
    if nonce is None:
        number = sender.sequence.take()
        partial_iv = encode_partial_iv(number)
        value = bytes((len(partial_iv),)) + partial_iv
        nonce = sender.nonce(number)
    return protected(message, code, outer, value, sender.aead.encrypt(nonce, plaintext, binding.aad))


def unprotect_response(message: Message, *, binding: RequestBinding) -> Message:
    """Verify and decrypt a response (RFC 8613 §8.4).

    Returns:
        The inner response. The Observe value of a notification is the low three bytes of its Partial IV, so that
        ordering by RFC 7641 §3.4 orders what the server signed for, not what a proxy wrote (§4.1.3.5.2).

    Raises:
        DecodeError: option or plaintext malformed, the inner code not a response's, or a notification to a request
            that was none.
        UntrustedError: kid or kid context of another context, or the key is used up.
        ReplayError: the request has had its response, or a newer notification came before.
        AuthenticationError: the tag does not verify.
    """
    option = read_option(message)
    context = binding.context
    recipient = context.recipient
    partial_iv = option.partial_iv
    if option.group:
        raise _unexpected_group()
    if option.kid not in (None, recipient.id) or option.kid_context not in (None, context.kid_context):
        raise UntrustedError("the response is of another security context", spec="RFC 8613 §8.4", reason="context")
    binding.check_response(partial_iv)
    nonce = binding.nonce if partial_iv is None else recipient.nonce(decode_partial_iv(partial_iv))
    try:
        plaintext = recipient.aead.decrypt(nonce, message.payload, binding.aad)
    except AuthenticationError:
        recipient.note_failure()
        raise
    response = open_plaintext(message, plaintext)
    if not is_response(response.code):
        raise DecodeError(f"expected the code of a response inside, got {response.code}", spec="RFC 8613 §8.4")
    is_notification = response.option(_OBSERVE) is not None
    binding.accept_response(partial_iv, is_notification=is_notification)
    if is_notification:
        value = (partial_iv or b"")[-3:].lstrip(b"\0")
        return response.with_options((_OBSERVE, value), without=frozenset((_OBSERVE,)))
    return response


def _request_option(partial_iv: bytes, kid_context: bytes | None, kid: bytes) -> bytes:
    """What `encode_option` makes of these, at half its price: this is the hot path."""
    if kid_context is None:
        return bytes((_KID | len(partial_iv),)) + partial_iv + kid
    flags = _KID | _KID_CONTEXT | len(partial_iv)
    return bytes((flags,)) + partial_iv + bytes((len(kid_context),)) + kid_context + kid


def _require_request(option: OscoreOption, context: SecurityContext) -> bytes:
    if option.group:
        raise _unexpected_group()
    if option.partial_iv is None or option.kid is None:
        raise DecodeError("expected kid and Partial IV in a request", spec="RFC 8613 §5")
    named = option.kid_context
    if option.kid != context.recipient.id or (named is not None and named != context.kid_context):
        raise UntrustedError("no security context has this kid", spec="RFC 8613 §8.2", reason="context")
    return option.partial_iv


def _unexpected_group() -> DecodeError:
    return DecodeError("expected no Group Flag under a pairwise context", spec="RFC 8613 §6.1")
