"""A rekey as members are told of it: fresh keys, who left, who came (ace-key-groupcomm-oscore-21 §11).

Members have each other's credentials already, so that what ends somebody's place fits in one datagram, however large
the group is: what is lost on its way is one message and not one block of many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from thingstead.errors import DecodeError, StateError
from thingstead.protocols.ace.groupcomm import DEFAULT_LIMITS, GroupKeys, Limits, parameters
from thingstead.protocols.ace.groupcomm_registry import Parameter
from thingstead.protocols.cbor import codec

__all__ = ["Rekeying", "decode"]


@dataclass(frozen=True, slots=True)
class Rekeying:
    """What changed from one epoch to a later one.

    Attributes:
        base: version of the keying material that it follows.
        keys: of the later epoch; of the members only those who came since.
        stale: Sender IDs of those who left since (`stale_node_ids`).
    """

    base: int
    keys: GroupKeys
    stale: tuple[bytes, ...]

    def encode(self) -> bytes:
        """As a payload."""
        fields = self.keys.fields()
        fields |= {Parameter.STALE_NODE_IDS.value: list(self.stale), Parameter.BASE_NUM.value: self.base}
        return codec.encode(fields)

    def after(self, before: GroupKeys) -> GroupKeys:
        """The keys of the later epoch, for who has those of the earlier one.

        Raises:
            StateError: it has another epoch's, or other ones than it would follow.
        """
        if (before.num, before.name, before.sender_id) != (self.base, self.keys.name, self.keys.sender_id):
            raise StateError(f"expected to follow epoch {before.num} of {before.name}", spec="RFC 9594 §6")
        gone = {*self.stale, *[peer.sender_id for peer in self.keys.members]}
        stayed = [peer for peer in before.members if peer.sender_id not in gone]
        return replace(self.keys, members=(*stayed, *self.keys.members))


def decode(data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> GroupKeys | Rekeying:
    """Read what the Group Manager hands round: all of an epoch, or what changed.

    Raises:
        DecodeError: a parameter missing, of the wrong kind, or over a limit.
        UnsupportedError: another key type, profile or algorithm than this profile has.
    """
    fields = parameters(data, limits=limits)
    keys = GroupKeys.from_parameters(fields, limits=limits)
    if Parameter.STALE_NODE_IDS not in fields:
        return keys
    match fields[Parameter.STALE_NODE_IDS], fields.get(Parameter.BASE_NUM):
        case [list(stale), int(base)] if type(base) is int and 0 < base < keys.num and _are_ids(stale, limits):
            return Rekeying(base, keys, tuple(stale))
        case _:
            raise DecodeError("expected stale_node_ids, and the epoch that this one follows", spec="RFC 9594 §6")


def _are_ids(stale: list[object], limits: Limits) -> bool:
    if len(stale) > limits.max_members:
        return False
    return all(isinstance(one, bytes) and len(one) <= limits.max_nonce for one in stale)
