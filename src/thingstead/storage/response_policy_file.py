"""The part of the owner's policy that is about alarms, as it is written.

::

    [response]
    quarantine_from = "alarm"     # or "notice", "incident", "never"
    never = ["silence", "dns-*"]  # detectors whose word cuts nobody off
    share = 0.25                  # of a zone's things, and of all, that may be cut off by alarms at one time
    per_hour = 10
    rest_hours = 24               # after a thing was let go again, before the same detector may cut it off again
    lift_hours = 0                # after which it is let go by itself; 0 for never
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import msgspec

from thingstead.domain.response_policy import ResponsePolicy, Severity

__all__ = ["ResponseSection", "response_policy"]

_Names = Annotated[tuple[Annotated[str, msgspec.Meta(max_length=60)], ...], msgspec.Meta(max_length=64)]


class ResponseSection(msgspec.Struct, forbid_unknown_fields=True):
    """``[response]``: what an alarm may have done by itself."""

    quarantine_from: Literal["notice", "incident", "alarm", "never"] = "alarm"
    never: _Names = ()
    share: Annotated[float, msgspec.Meta(gt=0, le=0.5)] = 0.25
    per_hour: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    rest_hours: Annotated[float, msgspec.Meta(ge=0, le=8760)] = 24
    lift_hours: Annotated[float, msgspec.Meta(ge=0, le=8760)] = 0


def response_policy(section: ResponseSection) -> ResponsePolicy:
    """What the section says."""
    level = section.quarantine_from
    return ResponsePolicy(
        None if level == "never" else Severity(level),
        section.never,
        section.share,
        section.per_hour,
        timedelta(hours=section.rest_hours),
        timedelta(hours=section.lift_hours) or None,
    )
