"""LLDP data units (IEEE 802.1AB-2016 §8), as far as they hold what organizations define."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.errors import DecodeError

__all__ = ["DataUnit", "decode"]


@dataclass(frozen=True, slots=True)
class DataUnit:
    """One announcement; none of it is proved.

    Attributes:
        ttl: seconds for which it holds; 0 takes back what was said before.
        organizational: OUI, subtype and what follows, in the order they came.
    """

    ttl: int
    organizational: tuple[tuple[bytes, int, bytes], ...]

    def of(self, oui: bytes, subtype: int) -> bytes | None:
        """The first that an organization defined so; None where there is none."""
        for owner, kind, value in self.organizational:
            if (owner, kind) == (oui, subtype):
                return value
        return None


def decode(data: bytes) -> DataUnit:
    """Decode the payload of a frame of type 88-CC.

    Raises:
        DecodeError: the three that must come first do not (§8.2), or a length reaches beyond the frame.
    """
    kinds, organizational, ttl, at = list[int](), list[tuple[bytes, int, bytes]](), 0, 0
    while at + 2 <= len(data):
        header = int.from_bytes(data[at : at + 2])
        kind, size = header >> 9, header & 0x1FF
        value, at = data[at + 2 : at + 2 + size], at + 2 + size
        if len(value) != size:
            raise DecodeError(f"expected TLV {kind} of {size} octets, got {len(value)}", spec="IEEE 802.1AB §8.4")
        if kind == _END:
            break
        kinds.append(kind)
        if kind == _TTL:
            ttl = int.from_bytes(value[:2])
        elif kind == _ORGANIZATIONAL and size >= 4:
            organizational.append((value[:3], value[3], value[4:]))
    if kinds[:3] != [_CHASSIS, _PORT, _TTL]:
        raise DecodeError("expected chassis, port and time to live first", spec="IEEE 802.1AB §8.2")
    return DataUnit(ttl, tuple(organizational))


_END, _CHASSIS, _PORT, _TTL, _ORGANIZATIONAL = 0, 1, 2, 3, 127
