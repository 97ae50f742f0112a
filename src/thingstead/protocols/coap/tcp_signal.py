"""Signalling messages: what two ends of a connection tell each other about it (RFC 8323 §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.coap.code import code_name
from thingstead.protocols.coap.message import MAX_TOKEN, Message, MessageType
from thingstead.protocols.coap.option import decode_uint, encode_uint
from thingstead.protocols.coap.registry import SIGNAL_OPTIONS, Code, SignalOption

__all__ = [
    "Abort",
    "BadCsmOptionError",
    "Csm",
    "Ping",
    "Pong",
    "Release",
    "Signal",
    "decode_signal",
    "encode_signal",
]


class BadCsmOptionError(UnsupportedError):
    """A CSM with a critical option that we do not know; an Abort names it back (RFC 8323 §5.6).

    Attributes:
        number: of that option.
    """

    reason = "csm-option"

    def __init__(self, number: int) -> None:
        super().__init__(f"expected no critical option {number} in a CSM", spec="RFC 8323 §5.3")
        self.number = number


_S = SignalOption
_BASE_MESSAGE_SIZE = 1152
_BASE_TOKEN_SIZE = 8
_MAX_DIAGNOSTIC = 256


@dataclass(frozen=True, slots=True)
class Csm:
    """Capabilities and settings of the sender; what is not said keeps its base value (RFC 8323 §5.3).

    Attributes:
        max_message: bytes of one message that it takes.
        block_wise: it supports block-wise transfer, and BERT where `max_message` is over 1152.
        max_token: bytes of a token that it takes (RFC 8974 §2.2.1).
    """

    max_message: int = _BASE_MESSAGE_SIZE
    block_wise: bool = False
    max_token: int = _BASE_TOKEN_SIZE

    @property
    def takes_bert(self) -> bool:
        """Whether the sender takes blocks of several KiB (RFC 8323 §6)."""
        return self.block_wise and self.max_message > _BASE_MESSAGE_SIZE


@dataclass(frozen=True, slots=True)
class Ping:
    """Answer with a Pong; with `custody`, once all before it has been processed (RFC 8323 §5.4)."""

    custody: bool = False


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a Ping of the same token."""

    custody: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """No new requests, please; what is under way is finished (RFC 8323 §5.5).

    Attributes:
        alternatives: where to connect instead; hints that nothing vouches for.
        hold_off: seconds to wait before the next connection; None when it is not said.
    """

    alternatives: tuple[str, ...] = ()
    hold_off: int | None = None


@dataclass(frozen=True, slots=True)
class Abort:
    """The connection is over, at once (RFC 8323 §5.6).

    Attributes:
        bad_csm_option: number of the CSM option that was not understood.
        diagnostic: text for an operator.
    """

    bad_csm_option: int | None = None
    diagnostic: str = ""


Signal: TypeAlias = Csm | Ping | Pong | Release | Abort


def encode_signal(signal: Signal, token: bytes = b"") -> Message:
    """The message that says `signal`; a Pong has the token of its Ping."""
    said: list[tuple[SignalOption, bytes]] = []
    payload = b""
    if isinstance(signal, Csm):
        said.append((_S.MAX_MESSAGE_SIZE, encode_uint(signal.max_message)))
        if signal.block_wise:
            said.append((_S.BLOCK_WISE_TRANSFER, b""))
        if signal.max_token != _BASE_TOKEN_SIZE:
            said.append((_S.EXTENDED_TOKEN_LENGTH, encode_uint(signal.max_token)))
    elif isinstance(signal, Ping | Pong):
        said += [(_S.PING_CUSTODY, b"")] * signal.custody
    elif isinstance(signal, Release):
        said += [(_S.ALTERNATIVE_ADDRESS, text.encode()) for text in signal.alternatives]
        if signal.hold_off is not None:
            said.append((_S.HOLD_OFF, encode_uint(signal.hold_off)))
    else:
        payload = signal.diagnostic.encode()
        if signal.bad_csm_option is not None:
            said.append((_S.BAD_CSM_OPTION, encode_uint(signal.bad_csm_option)))
    options = [(option.value[1], value) for option, value in said]
    return Message(_CODES[type(signal)], MessageType.NON, 0, token, options, payload)


def decode_signal(message: Message, *, before: Csm) -> Signal:
    """Read a message of class 7.

    Args:
        message: its code is of class 7.
        before: the sender's settings so far, which a CSM changes in part.

    Raises:
        BadCsmOptionError: a critical option of a CSM that we do not know.
        UnsupportedError: such an option of another signal, or a signal that we do not know (RFC 8323 §5.2).
        DecodeError: an address that is not UTF-8.
    """
    options = _recognised(message)
    if message.code == Code.CSM:
        return _csm(options, before)
    if message.code == Code.PING:
        return Ping(_S.PING_CUSTODY in options)
    if message.code == Code.PONG:
        return Pong(_S.PONG_CUSTODY in options)
    if message.code == Code.RELEASE:
        hold_off = options.get(_S.HOLD_OFF)
        alternatives = tuple([_text(value) for value in options.get(_S.ALTERNATIVE_ADDRESS, ())])
        return Release(alternatives, None if hold_off is None else decode_uint(hold_off[0]))
    bad = options.get(_S.BAD_CSM_OPTION)
    diagnostic = message.payload[:_MAX_DIAGNOSTIC].decode("utf-8", "replace")
    return Abort(None if bad is None else decode_uint(bad[0]), diagnostic)


_CODES: dict[type[Signal], Code] = {
    Csm: Code.CSM,
    Ping: Code.PING,
    Pong: Code.PONG,
    Release: Code.RELEASE,
    Abort: Code.ABORT,
}


def _recognised(message: Message) -> dict[SignalOption, list[bytes]]:
    """The options that we know; elective ones that we do not, or of a wrong length, are passed over."""
    if message.code not in _CODES.values():
        raise UnsupportedError(f"expected a signal, got {code_name(message.code)}", spec="RFC 8323 §5.1")
    found: dict[SignalOption, list[bytes]] = {}
    for number, value in message.options:
        row = SIGNAL_OPTIONS.get((message.code, number))
        if row is not None and len(value) <= row.max_size:
            found.setdefault(row, []).append(value)
        elif number & 1 and message.code == Code.CSM:
            raise BadCsmOptionError(number)
        elif number & 1:
            raise UnsupportedError(
                f"expected no critical option {number} in {code_name(message.code)}", spec="RFC 8323 §5.2"
            )
    return found


def _csm(options: dict[SignalOption, list[bytes]], before: Csm) -> Csm:
    size = options.get(_S.MAX_MESSAGE_SIZE)
    stated = options.get(_S.EXTENDED_TOKEN_LENGTH)
    token = 0 if stated is None else min(decode_uint(stated[-1]), MAX_TOKEN)
    return Csm(
        before.max_message if size is None else decode_uint(size[-1]),
        before.block_wise or _S.BLOCK_WISE_TRANSFER in options,
        token if token >= _BASE_TOKEN_SIZE else before.max_token,
    )


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise DecodeError("expected UTF-8 in a signalling option", spec="RFC 8323 §5.5") from None
