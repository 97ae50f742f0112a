"""``thingstead response``: things that an alarm cut off, and the way back."""

from __future__ import annotations

from typing import Any

from thingstead.cli.action import Parameter
from thingstead.cli.console import View
from thingstead.cli.remote import remote

__all__ = ["LIST", "UNDO"]

_VIEW = View(
    (
        ("response", "response"),
        ("thing", "thing"),
        ("detector", "detector"),
        ("why", "explanation"),
        ("at", "at"),
        ("cut off after ms", "cut_off_after_ms"),
        ("let go by", "ended_by"),
    ),
    empty="no alarm has cut a thing off",
)


def _after_list(rows: Any) -> str:
    held = [row for row in rows if row["ended_at"] is None]
    return f"thingstead response undo {held[0]['response']}" if held else "thingstead ledger show --kind alarm"


LIST = remote(
    "response.list",
    Parameter("--thing", "of one thing alone"),
    view=_VIEW,
    then=_after_list,
    description="What an alarm may have done by itself is the policy's to say ([response] in policy.toml): from how\n"
    "bad on, for what share of a zone and of the domain, and how often within an hour. Each plane's time is in --json.",
)
UNDO = remote(
    "response.undo",
    Parameter("response", "its name in `thingstead response list`"),
    then="thingstead thing show {thing}",
    description="All planes take the thing in again, as before the alarm. The same detector's word does not cut it\n"
    "off again until [response] rest_hours are over; what it says is still put on the ledger.",
)
