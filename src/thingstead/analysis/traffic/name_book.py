"""What addresses stand for, learned from the answers that devices got (RFC 9726 §3): for as long as those say."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from thingstead.analysis import kept
from thingstead.errors import DecodeError, ProtocolError
from thingstead.protocols.dns import message as dns
from thingstead.protocols.mud.conditions import DNS_NAME
from thingstead.protocols.packet.packet import Packet

__all__ = ["NameBook", "NameLimits"]

_UDP, _DNS_PORT = 17, 53
_SIZES = frozenset({4, 16})
_Asked = tuple[bytes, int | None, bytes, int, str]


@dataclass(frozen=True, slots=True)
class NameLimits:
    """Bounds on what answers may make us remember.

    Attributes:
        max_questions: that wait for their answer; the oldest goes for a new one.
        max_addresses: that were named; the one that was named longest ago goes for a new one.
        max_names: of one address.
        min_seconds: a shorter time to live counts as this: who asked takes a moment to go there.
        max_seconds: a longer one counts as this.
    """

    max_questions: int = 1024
    max_addresses: int = 16_384
    max_names: int = 16
    min_seconds: int = 30
    max_seconds: int = 86_400


class NameBook:
    """Names by address, and when each ends.

    Who answers is not proved by what passes here; an answer counts where the same place was asked the same.

    Args:
        limits: bounds.
    """

    def __init__(self, limits: NameLimits | None = None) -> None:
        self._limits = limits or NameLimits()
        self._ends: OrderedDict[bytes, OrderedDict[str, float]] = OrderedDict()
        self._asked: OrderedDict[_Asked, None] = OrderedDict()

    def see(self, packet: Packet) -> None:
        """Learn from a packet, if it is a look-up or the answer to one (RFC 1035 §4.2.1)."""
        if packet.protocol != _UDP or _DNS_PORT not in (packet.source_port, packet.destination_port):
            return
        try:
            message = dns.decode(packet.payload)
        except ProtocolError:
            return
        if message.question is None:
            return
        name = message.question.name
        if not message.is_response:
            self._ask((packet.source, packet.source_port, packet.destination, message.id, name))
            return
        asked = (packet.destination, packet.destination_port, packet.source, message.id, name)
        if asked not in self._asked:
            return
        for address, ttl in message.addresses():
            # What no rule can say is no name here; it would be no more than a text of a stranger's.
            for one in filter(DNS_NAME.fullmatch, (*reversed(message.aliases()), name)):
                self.learn(one, address.packed, at=packet.at, ttl=ttl)

    def learn(self, name: str, address: bytes, *, at: float, ttl: int) -> None:
        """A name was answered with an address.

        Args:
            name: in lower case, without a dot at its end.
            address: packed.
            at: when.
            ttl: seconds for which the answer holds.
        """
        limits = self._limits
        self._keep(name, address, at + min(max(ttl, limits.min_seconds), limits.max_seconds))

    def kept(self, now: float, most: int) -> list[list[Any]]:
        """Names that hold, of the `most` addresses that were named last: address, name, and its end."""
        named = [*self._ends.items()][-most:]
        return [[address, name, int(end)] for address, ends in named for name, end in ends.items() if end > now]

    def take_up(self, rows: object, now: float) -> None:
        """Go on from what `kept` gave before a restart.

        Raises:
            DecodeError: it gave nothing like that.
        """
        for address, name, end in kept.rows(rows, bytes, str, int):
            if len(address) not in _SIZES or not DNS_NAME.fullmatch(name):
                raise DecodeError("expected a name of an address")
            self._keep(name, address, min(float(end), now + self._limits.max_seconds))

    def _keep(self, name: str, address: bytes, end: float) -> None:
        limits = self._limits
        ends = self._ends.pop(address, None) or OrderedDict()
        ends.pop(name, None)
        while len(ends) >= limits.max_names:
            ends.popitem(last=False)
        ends[name] = end
        while len(self._ends) >= limits.max_addresses:
            self._ends.popitem(last=False)
        self._ends[address] = ends

    def names_of(self, address: bytes, at: float) -> tuple[str, ...]:
        """What the address stands for then, the newest first; empty where no answer holds."""
        ends = self._ends.get(address)
        if ends is None:
            return ()
        return tuple([name for name in reversed(ends) if at <= ends[name]])

    def _ask(self, asked: _Asked) -> None:
        while len(self._asked) >= self._limits.max_questions:
            self._asked.popitem(last=False)
        self._asked[asked] = None

    def shared(self, address: bytes, at: float) -> bool:
        """Whether names of more than one owner stand for it, as at large hosters (RFC 9726 §3.2)."""
        return len({_owner(name) for name in self.names_of(address, at)}) > 1


def _owner(name: str) -> str:
    """The last two labels: who registered a name, as far as that shows without a list of registries."""
    return ".".join(name.split(".")[-2:])
