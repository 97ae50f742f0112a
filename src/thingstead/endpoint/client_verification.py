"""Whether a response is the answer to our request, or a notification of what we observe (RFC 8613 §8.4)."""

from __future__ import annotations

from contextlib import suppress

from thingstead.endpoint.association import SequenceGate
from thingstead.endpoint.client_exchange import ClientExchange
from thingstead.errors import AuthenticationError, ThingsteadError, TransportError, UnsupportedError, UntrustedError
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.oscore.protection import unprotect_response

__all__ = ["refusal_error", "verify"]

_REFUSALS: dict[int, type[ThingsteadError]] = {
    Code.UNAUTHORIZED: UntrustedError,
    Code.BAD_REQUEST: AuthenticationError,
    Code.BAD_OPTION: UnsupportedError,
}
"""What an unprotected error to a protected request tells us (RFC 8613 §8.2)."""


def verify(exchange: ClientExchange, message: Message, *, gate: SequenceGate, is_relay: bool) -> Message:
    """The inner response; of a plain request the message as it is.

    Args:
        exchange: what the message names by its token.
        message: whole.
        gate: is told of what does not verify, which wears a key out.
        is_relay: what OSCORE protects is for somebody else.

    Raises:
        AuthenticationError, ReplayError, UntrustedError, DecodeError: as for `unprotect_response`; also what is
            protected only on one side of the exchange.
    """
    is_protected = message.option(OptionNumber.OSCORE) is not None
    if exchange.association is None:
        if is_protected and not is_relay:
            raise UntrustedError("expected no OSCORE in the response to a plain request", spec="RFC 8613 §8.4")
        return message
    if not is_protected:
        raise AuthenticationError("expected a protected response", spec="RFC 8613 §8.4", reason="unprotected")
    try:
        if message.token != exchange.observe_token:
            return unprotect_response(message, binding=exchange.binding)
        if exchange.is_registering_again:
            with suppress(AuthenticationError):
                return _answer(exchange, message)
        return unprotect_response(message, binding=exchange.observe_binding)
    except (AuthenticationError, UntrustedError):
        gate.look(exchange.association.id, exchange.association.context)
        raise


def refusal_error(code: int) -> ThingsteadError:
    """What `ClientExchange.is_refused_by` means for the application."""
    error = _REFUSALS.get(code, TransportError)
    return error(
        f"the peer refused the request, unprotected: {code_name(code)}", spec="RFC 8613 §8.2", reason="refused"
    )


def _answer(exchange: ClientExchange, message: Message) -> Message:
    """The inner response to a registration that was repeated."""
    inner = unprotect_response(message, binding=exchange.binding)
    if inner.option(OptionNumber.OBSERVE) is not None:
        exchange.adopt()
    return inner
