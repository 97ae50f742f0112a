"""Behind which port of a bridge each sender is at home: whoever sends under its address elsewhere is somebody else."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from thingstead.analysis import kept
from thingstead.analysis.detectors.sight import foreign
from thingstead.analysis.detectors.window import MAX_DEVICES, PerKey

__all__ = ["PortBook"]

_MOMENT, _LATE, _SETTLED, _WEEK = 2.0, 5.0, 600.0, 7 * 86_400.0
"""Seconds between two sights of one message, as it passes and as it is verified; by which a busy tap may be late; and
after which a place counts as known, or as left; and after which a restart forgets it."""


@dataclass(slots=True)
class _Home:
    port: str = ""
    since: float = 0.0
    heard: float = 0.0
    verified: float = 0.0
    is_known: bool = False
    elsewhere: float = 0.0


class PortBook:
    """Learns homes from what passes, and corrects them by what only the thing itself can have sent.

    A thing that moved has to show its keys, or to be silent at its old place for ten minutes if it has none: who just
    sends under its address from another port gets nothing done in its name.

    Args:
        held: rules hold each thing to its port: its silence there moves it nowhere.
    """

    def __init__(self, *, held: bool = False) -> None:
        self._held = held
        self._homes: PerKey[bytes, _Home] = PerKey(_Home, MAX_DEVICES)

    def sender(self, mac: bytes, port: str, at: float) -> bytes:
        """To whom a frame is put down: `mac`, or `foreign` where that is at home behind another port."""
        home = self._homes[mac]
        if not home.port or (port != home.port and self._has_left(home, at)):
            home.is_known = home.verified > home.heard
            home.port, home.since, home.elsewhere = port, at, 0.0
        if port != home.port:
            home.elsewhere = at
            return foreign(mac, port)
        home.heard = at
        home.is_known = home.is_known or at - max(home.since, home.elsewhere) > _SETTLED
        # Of two places, neither known for long, nobody can say whose the address is.
        return mac if home.is_known or not home.elsewhere else foreign(mac, port)

    def verify(self, mac: bytes, at: float) -> None:
        """A message that only the thing can have sent came now."""
        home = self._homes[mac]
        home.verified = at
        if at - home.heard <= _MOMENT and at - home.elsewhere > _SETTLED:
            home.is_known = True

    def kept(self, things: Container[bytes], most: int) -> list[list[Any]]:
        """Homes that are known, of the `most` things that were heard last."""
        return [
            [device, home.port, int(home.heard), int(home.verified)]
            for device, home in kept.of(things, self._homes.items(), most)
            if home.is_known
        ]

    def take_up(self, rows: object, now: float) -> None:
        """Go on from what `kept` gave before a restart; errors as for `kept.rows`.

        What was heard nowhere for a week is learned anew: links may have other names by now.
        """
        for device, port, heard, verified in kept.rows(rows, bytes, str, int, int):
            at = min(float(heard), now)
            if now - at < _WEEK:
                self._homes[device] = _Home(port, at, at, min(float(verified), now), is_known=True)

    def _has_left(self, home: _Home, at: float) -> bool:
        """Verified, but not from there; or silent there for long, of what never shows keys."""
        if home.verified:
            return home.verified - home.heard > _MOMENT and at - home.verified > _LATE
        return not self._held and at - home.heard > _SETTLED
