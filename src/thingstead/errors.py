"""Floor 1: every error Thingstead raises, and what each one means outside.

::

    ThingsteadError
    ├── ProtocolError            a peer's bytes, or the order they came in
    │   ├── DecodeError          not well-formed, or outside the standard's grammar
    │   ├── UnsupportedError     well-formed, but names something we do not implement
    │   └── StateError           right message, wrong moment
    ├── SecurityError            the bytes are fine, the proof is not
    │   ├── AuthenticationError  signature, MAC or tag does not verify
    │   ├── ReplayError          seen before, or older than the window
    │   ├── ExpiredError         was valid once
    │   ├── UntrustedError       verifies, but under nothing we trust
    │   └── ForbiddenError       authenticated, not authorised
    │       └── RoleError        an operator, on a socket that does not hold it
    ├── PolicyError              the owner's policy says no
    │   └── HeldError            it wants a second person to say yes
    ├── TransitionError          the lifecycle table says no
    ├── TransportError           the network did not carry it
    │   ├── AddressError         we cannot listen there
    │   ├── UnreachableError     the network says that nobody is there
    │   └── NoResponseError      nobody answered in time
    ├── RequestRefusedError      a peer answered 4.xx
    ├── PeerFaultError           a peer answered 5.xx
    ├── StorageError             the disk did not keep it
    └── ConfigError              the operator asked for something impossible

Each error finds its CoAP code, HTTP status, exit code and advice in `CONSEQUENCES`;
misuse by our own code is `TypeError` or `ValueError` and has no row there.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "CONSEQUENCES",
    "AddressError",
    "AuthenticationError",
    "ConfigError",
    "Consequence",
    "DecodeError",
    "ExpiredError",
    "ForbiddenError",
    "HeldError",
    "NoResponseError",
    "PeerFaultError",
    "PolicyError",
    "ProtocolError",
    "ReplayError",
    "RequestRefusedError",
    "RoleError",
    "SecurityError",
    "StateError",
    "StorageError",
    "ThingsteadError",
    "TransitionError",
    "TransportError",
    "UnreachableError",
    "UnsupportedError",
    "UntrustedError",
    "consequence",
]


class ThingsteadError(Exception):
    """Root of the tree.

    Args:
        message: one sentence for the operator: what was expected, what came. No secrets.
        spec: the clause that was broken, e.g. ``"RFC 8613 §8.2"``; empty where no standard speaks.
        reason: a short stable slug that refusals are counted under, e.g. ``"replay"``.
    """

    reason: str = "error"

    def __init__(self, message: str, *, spec: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.spec = spec
        if reason:
            self.reason = reason

    def __str__(self) -> str:
        return f"{self.message} ({self.spec})" if self.spec else self.message


class ProtocolError(ThingsteadError):
    """A peer's bytes, or the order they came in, break the protocol."""

    reason = "protocol"


class DecodeError(ProtocolError):
    """Bytes that are not well-formed, or outside the standard's grammar."""

    reason = "malformed"


class UnsupportedError(ProtocolError):
    """Well-formed, but it names an algorithm, option or version we do not implement."""

    reason = "unsupported"


class StateError(ProtocolError):
    """A message that is right, at a moment when it is not."""

    reason = "state"


class SecurityError(ThingsteadError):
    """A proof that is missing, wrong, late or out of bounds."""

    reason = "security"


class AuthenticationError(SecurityError):
    """A signature, MAC or tag that does not verify."""

    reason = "unauthenticated"


class ReplayError(SecurityError):
    """A message seen before, or older than the replay window reaches."""

    reason = "replay"


class ExpiredError(SecurityError):
    """A credential, token or voucher outside its validity."""

    reason = "expired"


class UntrustedError(SecurityError):
    """A proof that verifies under nothing we trust, or that trust was taken from."""

    reason = "untrusted"


class ForbiddenError(SecurityError):
    """An authenticated peer asking for what its scope does not hold."""

    reason = "forbidden"


class RoleError(ForbiddenError):
    """An operator asking for what the role of its socket does not hold."""

    reason = "role"


class PolicyError(ThingsteadError):
    """The owner's policy says no."""

    reason = "policy"


class HeldError(PolicyError):
    """The owner's policy wants a second person to look; nothing was done, and nothing is lost."""

    reason = "held"


class TransitionError(ThingsteadError):
    """The lifecycle table has no such transition."""

    reason = "transition"


class TransportError(ThingsteadError):
    """The network did not carry the message, or not in time."""

    reason = "transport"


class AddressError(TransportError):
    """An address to listen on is not this machine's, is taken, or takes a right that we do not have."""

    reason = "address"


class UnreachableError(TransportError):
    """The network says that nobody is there: no such port, host, route or name."""

    reason = "unreachable"


class NoResponseError(TransportError):
    """Nobody answered in time."""

    reason = "no-response"


class RequestRefusedError(ThingsteadError):
    """A peer answered a request of ours with 4.xx: as it stands it will not be served (RFC 7252 §5.9.2)."""

    reason = "refused"


class PeerFaultError(ThingsteadError):
    """A peer answered a request of ours with 5.xx: it cannot serve it (RFC 7252 §5.9.3)."""

    reason = "peer-fault"


class StorageError(ThingsteadError):
    """The disk did not keep, or does not hold, what it should."""

    reason = "storage"


class ConfigError(ThingsteadError):
    """The operator's configuration or command line cannot be obeyed."""

    reason = "config"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What an error means outside the process.

    Attributes:
        coap_code: one octet, class in the upper 3 bits (RFC 7252 §3): 0x80 is 4.00.
        http_status: RFC 9110 status code.
        exit_code: of a command line that ends with it, 2..99.
        advice: one imperative sentence for the operator.
    """

    coap_code: int
    http_status: int
    exit_code: int
    advice: str


CONSEQUENCES: dict[type[ThingsteadError], Consequence] = {
    ThingsteadError: Consequence(0xA0, 500, 70, "Report this with the output of `thingstead --version`."),
    ProtocolError: Consequence(0x80, 400, 10, "Compare the sender's version with docs/standards.md."),
    DecodeError: Consequence(0x80, 400, 11, "Look at the place named; the sender must mend it."),
    UnsupportedError: Consequence(0x82, 501, 12, "Choose an algorithm or option listed in docs/standards.md."),
    StateError: Consequence(0x80, 409, 13, "Start the exchange again from its first message."),
    SecurityError: Consequence(0x81, 403, 20, "Treat the sender as unknown until it proves otherwise."),
    AuthenticationError: Consequence(0x80, 401, 21, "Check which key the sender holds; do not retry blindly."),
    ReplayError: Consequence(0x81, 401, 22, "Nothing to do once; many from one source is an attack."),
    ExpiredError: Consequence(0x81, 401, 23, "Renew the credential named, or correct the clock."),
    UntrustedError: Consequence(0x81, 403, 24, "Add the anchor only if you know whose it is."),
    ForbiddenError: Consequence(0x83, 403, 25, "Widen the scope in the policy file only if the thing needs it."),
    RoleError: Consequence(0x83, 403, 26, "Ask as somebody whose role has the right: docs/reference/roles.md."),
    PolicyError: Consequence(0x83, 403, 30, "Read the rule named; change the policy file or leave it so."),
    HeldError: Consequence(0x83, 403, 32, "Have somebody else look: `thingstead publication list`."),
    TransitionError: Consequence(0x89, 409, 31, "See `thingstead thing show` for the state the thing is in."),
    TransportError: Consequence(0xA4, 504, 40, "Check that the peer is running and reachable, then try again."),
    AddressError: Consequence(
        0xA4, 504, 43, "See who has it, such as by `ss -tulnp`, or name another in the settings."
    ),
    UnreachableError: Consequence(0xA4, 504, 41, "Check host, port and that the peer is running; look at the URI."),
    NoResponseError: Consequence(0xA4, 504, 42, "Try again, or wait longer; a firewall may drop it in silence."),
    RequestRefusedError: Consequence(
        0xA2, 502, 44, "Compare path, method, format and rights with what the peer serves."
    ),
    PeerFaultError: Consequence(0xA2, 502, 45, "Try again later, or ask whoever runs the peer."),
    StorageError: Consequence(0xA0, 500, 50, "Check space and permissions of the data directory."),
    ConfigError: Consequence(0xA0, 500, 60, "Correct what is named, then try again."),
}
"""The one table: error class -> CoAP code, HTTP status, exit code, advice (complete; a test proves it)."""


def consequence(error: ThingsteadError) -> Consequence:
    """Find the row of the most specific class of `error`."""
    for cls in type(error).__mro__:
        row = CONSEQUENCES.get(cls)
        if row is not None:
            return row
    raise TypeError(f"{type(error).__name__} is not in the error tree")
