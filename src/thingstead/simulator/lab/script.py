"""What is going to happen: steps at times of the lab's own clock, each told before it is done."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from thingstead.crypto.digest import digest

__all__ = ["Act", "Datagram", "Raw", "Step", "Talk", "document"]

_LONGEST = 48


@dataclass(frozen=True, slots=True)
class Datagram:
    """One UDP datagram, and a look at what comes back.

    Attributes:
        source: the sender's address and port.
        to: where to.
        payload: its content.
    """

    source: tuple[IPv4Address, int]
    to: tuple[IPv4Address, int]
    payload: bytes

    def __str__(self) -> str:
        return f"UDP {_where(self.source)} > {_where(self.to)} {_what(self.payload)}"


@dataclass(frozen=True, slots=True)
class Talk:
    """A TCP connection: each line is sent when the answer to the one before is there, or nothing came.

    Attributes:
        source: the sender's address and port.
        to: where to.
        lines: what is sent.
    """

    source: tuple[IPv4Address, int]
    to: tuple[IPv4Address, int]
    lines: tuple[bytes, ...] = ()

    def __str__(self) -> str:
        said = " | ".join(_what(line) for line in self.lines)
        return f"TCP {_where(self.source)} > {_where(self.to)} {said}".rstrip()


@dataclass(frozen=True, slots=True)
class Raw:
    """A whole frame, as no socket would send it.

    Attributes:
        what: for people.
        frame: from its link header on.
    """

    what: str
    frame: bytes

    def __str__(self) -> str:
        return f"{self.what} ({len(self.frame)} octets, {digest(self.frame).hex()[:8]})"


Act = Datagram | Talk | Raw


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One act of one character.

    Attributes:
        at: seconds since the scenario began, by the lab's clock.
        number: tells steps of one instant apart.
        who: the character's name.
        act: what it does.
        pattern: the pattern of bad traffic that it belongs to; empty in ordinary life.
    """

    at: float
    number: int
    who: str
    act: Act
    pattern: str = ""


def document(steps: tuple[Step, ...]) -> list[dict[str, object]]:
    """The ground truth: who does what and when, and what of it is bad."""
    return [{"at": round(one.at, 6), "who": one.who, "does": str(one.act), "bad": one.pattern} for one in steps]


def _where(address: tuple[IPv4Address, int]) -> str:
    return f"{address[0]}:{address[1]}"


def _what(payload: bytes) -> str:
    """Text as it stands, shortened; else how much it is, and a digest, so that no two different ones read the same."""
    if payload.isascii() and payload.strip(b"\r\n").decode("ascii").isprintable() and len(payload) <= _LONGEST:
        return repr(payload.decode("ascii"))
    return f"{len(payload)} octets {digest(payload).hex()[:8]}"
