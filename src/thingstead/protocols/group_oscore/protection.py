"""Protect and unprotect requests and responses of a group, in group mode and in pairwise mode (RFC 10021 §6, §7)."""

from __future__ import annotations

from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.coap.code import is_request, is_response
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import OptionNumber
from thingstead.protocols.group_oscore.binding import GroupBinding
from thingstead.protocols.group_oscore.context import GroupContext, Member
from thingstead.protocols.group_oscore.envelope import (
    Envelope,
    open_group,
    open_pairwise,
    seal_group,
    seal_pairwise,
)
from thingstead.protocols.oscore.option import (
    OscoreOption,
    decode_partial_iv,
    encode_option,
    encode_partial_iv,
)
from thingstead.protocols.oscore.plaintext import compose_request, compose_response, open_plaintext, protected
from thingstead.protocols.oscore.protection import FreshnessError, read_option

__all__ = [
    "protect_group_request",
    "protect_group_response",
    "unprotect_group_request",
    "unprotect_group_response",
]

_OSCORE = int(OptionNumber.OSCORE)
_OBSERVE = int(OptionNumber.OBSERVE)


def protect_group_request(
    message: Message, *, context: GroupContext, to: bytes | None = None
) -> tuple[Message, GroupBinding]:
    """Protect a request for the group, countersigned, or for one member alone (RFC 10021 §6.1, §7.3).

    Args:
        message: the whole request.
        context: the newest epoch; one sender sequence number is spent.
        to: kid of the one member that can read and answer it; None is group mode, for all.

    Raises:
        StateError: the sender sequence numbers are not reserved, or used up.
        UnsupportedError: the group has not got the mode.
        UntrustedError: nobody has the kid `to`.
        ValueError: not a request, or one that is not protected as it is.
    """
    plaintext, outer, code = compose_request(message)
    own = context.own
    peer = None if to is None else _member(context, to)
    piv = encode_partial_iv(own.sequence.take())
    option = encode_option(OscoreOption(piv, own.sender_id, context.gid, group=peer is None))
    envelope = _request_envelope(context, kid=own.sender_id, piv=piv, option=option)
    binding = GroupBinding(
        context,
        kid=own.sender_id,
        partial_iv=piv,
        is_group_mode=peer is None,
        peer=peer,
        observe=message.uint_option(_OBSERVE),
        is_nonce_free=False,
    )
    return protected(message, code, outer, option, _seal(envelope, plaintext, to=peer)), binding


def unprotect_group_request(
    message: Message, *, context: GroupContext, option: OscoreOption | None = None
) -> tuple[Message, GroupBinding]:
    """Verify and decrypt a request of either mode (RFC 10021 §5.4, §6.2, §7.4).

    Args:
        message: the protected message.
        context: the epoch that the option's kid context names.
        option: what `read_option` said of this message, where the caller has it already.

    Returns:
        The inner request, and a binding whose `peer` is the member that provably sent it.

    Raises:
        DecodeError: option or plaintext malformed, or the inner code is not a request's.
        UntrustedError: another Gid, or a kid that no other member has.
        UnsupportedError: the group has not got the mode.
        ReplayError: Partial IV seen before from this member, or left of its window.
        FreshnessError: authentic, but this member's window was lost; it carries request and binding.
        AuthenticationError: countersignature or tag does not verify.
    """
    if option is None:
        option = read_option(message)
    kid, piv = _require_request(option, context)
    client = _member(context, kid)
    number = decode_partial_iv(piv)
    is_valid = client.window.is_valid
    if is_valid:
        client.window.check(number)
    envelope = _request_envelope(context, kid=kid, piv=piv, option=message.option(_OSCORE) or b"")
    plaintext = _open(envelope, message.payload, sender=client, is_group_mode=option.group)
    if is_valid:
        client.window.accept(number)
    request = open_plaintext(message, plaintext)
    if not is_request(request.code):
        raise DecodeError(f"expected the code of a request inside, got {request.code}", spec="RFC 8613 §8.2")
    binding = GroupBinding(
        context,
        kid=kid,
        partial_iv=piv,
        is_group_mode=option.group,
        peer=client,
        observe=request.uint_option(_OBSERVE),
        is_nonce_free=is_valid,
    )
    if not is_valid:
        raise FreshnessError(request, binding, client.window)
    return request, binding


def protect_group_response(
    message: Message, *, binding: GroupBinding, context: GroupContext | None = None, pairwise: bool | None = None
) -> Message:
    """Protect a response (RFC 10021 §6.3, §7.5).

    Args:
        message: the whole response.
        binding: of the request.
        context: the newest epoch, if it is not the request's any more.
        pairwise: for the client's eyes only, without countersignature; None is as the request was.

    Raises:
        StateError: the sender sequence numbers are not reserved, or used up.
        UnsupportedError: the group has not got the mode.
        UntrustedError: the client is no member of the newest epoch, or another has its kid there.
        ValueError: not a response, or one that is protected already.
    """
    plaintext, outer, code = compose_response(message)
    context = context or binding.context
    own = context.own
    client = None if binding.peer is None else _same_member(context, binding.peer)
    is_pairwise = not binding.is_group_mode if pairwise is None else pairwise
    may_reuse = message.option(_OBSERVE) is None and binding.take_nonce(context)
    own_piv = None if may_reuse else encode_partial_iv(own.sequence.take())
    # Due after a group-mode request only; after a pairwise one its two bytes show a client that our kid is new.
    kid_context = None if context is binding.context else context.gid
    option = encode_option(OscoreOption(own_piv, own.sender_id, kid_context, group=not is_pairwise))
    envelope = _response_envelope(binding, context, option=option, own_piv=own_piv, server_id=own.sender_id)
    payload = _seal(envelope, plaintext, to=client if is_pairwise else None)
    return protected(message, code, outer, option, payload)


def unprotect_group_response(
    message: Message, *, binding: GroupBinding, context: GroupContext | None = None
) -> tuple[Message, Member]:
    """Verify and decrypt a response of either mode (RFC 10021 §6.4, §7.6).

    Args:
        message: the protected message.
        binding: of our request.
        context: the epoch to read it in, if that is not the request's: the one its kid context names.

    Returns:
        The inner response, and the member that provably sent it.

    Raises:
        DecodeError: option or plaintext malformed, no kid where one is due, or an inner code that is no response's.
        UntrustedError: another Gid, a kid that no other member has, or another server than was asked.
        UnsupportedError: the group has not got the mode.
        ReplayError: not newer than what this server answered before.
        AuthenticationError: countersignature or tag does not verify.
    """
    option = read_option(message)
    context = context or binding.context
    if option.kid_context not in (None, context.gid):
        raise UntrustedError("the response is of another Gid", spec="RFC 10021 §6.4", reason="context")
    server = _server(option, binding, context)
    piv = option.partial_iv
    binding.check_response(piv, server=server, gid=context.gid)
    envelope = _response_envelope(
        binding, context, option=message.option(_OSCORE) or b"", own_piv=piv, server_id=server.kid
    )
    plaintext = _open(envelope, message.payload, sender=server, is_group_mode=option.group)
    response = open_plaintext(message, plaintext)
    if not is_response(response.code):
        raise DecodeError(f"expected the code of a response inside, got {response.code}", spec="RFC 8613 §8.4")
    is_notification = response.option(_OBSERVE) is not None
    binding.accept_response(piv, server=server, gid=context.gid, is_notification=is_notification)
    if is_notification:
        value = (piv or b"")[-3:].lstrip(b"\0")
        response = response.with_options((_OBSERVE, value), without=frozenset((_OBSERVE,)))
    return response, server


def _request_envelope(context: GroupContext, *, kid: bytes, piv: bytes, option: bytes) -> Envelope:
    return Envelope(
        context,
        request_kid=kid,
        request_piv=piv,
        request_kid_context=context.gid,
        option=option,
        piv=piv,
        id_piv=kid,
        is_request=True,
    )


def _response_envelope(
    binding: GroupBinding, context: GroupContext, *, option: bytes, own_piv: bytes | None, server_id: bytes
) -> Envelope:
    return Envelope(
        context,
        request_kid=binding.kid,
        request_piv=binding.partial_iv,
        request_kid_context=binding.kid_context,
        option=option,
        piv=binding.partial_iv if own_piv is None else own_piv,
        id_piv=binding.kid if own_piv is None else server_id,
        is_request=False,
    )


def _require_request(option: OscoreOption, context: GroupContext) -> tuple[bytes, bytes]:
    if option.partial_iv is None or option.kid is None or option.kid_context is None:
        raise DecodeError("expected kid, kid context and Partial IV in a group's request", spec="RFC 10021 §3.2")
    if option.kid_context != context.gid:
        raise UntrustedError("no security context has this Gid", spec="RFC 10021 §6.2", reason="context")
    return option.kid, option.partial_iv


def _server(option: OscoreOption, binding: GroupBinding, context: GroupContext) -> Member:
    if option.kid is None and binding.peer is None:
        raise DecodeError("expected a kid in the response to a group's request", spec="RFC 10021 §3.2")
    kid = binding.peer.kid if option.kid is None and binding.peer else option.kid or b""
    server = _member(context, kid)
    # A new kid is no matter; another credential is another server (RFC 10021 §6.4).
    if binding.peer is not None and server.credential != binding.peer.credential:
        raise UntrustedError("the response is of another server", spec="RFC 10021 §6.4", reason="kid")
    return server


def _member(context: GroupContext, kid: bytes) -> Member:
    member = context.members.get(kid)
    if member is None:
        raise UntrustedError("no other member has this kid", spec="RFC 10021 §6.2", reason="context")
    return member


def _same_member(context: GroupContext, earlier: Member) -> Member:
    """The member as a newer epoch knows it; a kid may have gone to somebody else meanwhile."""
    member = _member(context, earlier.kid)
    if member.credential != earlier.credential:
        raise UntrustedError("another member has this kid now", spec="RFC 10021 §12.2", reason="kid")
    return member


def _seal(envelope: Envelope, plaintext: bytes, *, to: Member | None) -> bytes:
    if to is None:
        return seal_group(envelope, plaintext)
    return seal_pairwise(envelope, plaintext, recipient=to)


def _open(envelope: Envelope, payload: bytes, *, sender: Member, is_group_mode: bool) -> bytes:
    if is_group_mode:
        return open_group(envelope, payload, sender=sender)
    return open_pairwise(envelope, payload, sender=sender)
