"""The EDHOC and OSCORE profile of ACE: its version, the numbers that nobody has assigned yet, and token series.

A series is what an authorization server issues to one client for one resource server while rights change and keys do
not (draft-ietf-ace-edhoc-oscore-profile-11 §3.2); a newer token of it takes the place of the older one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thingstead.errors import DecodeError

__all__ = ["DRAFT", "EDHOC_INFO", "MAX_SERIES", "PROFILE", "information", "series_of"]

DRAFT = "draft-ietf-ace-edhoc-oscore-profile-11"
"""What all of this is of; its numbers are those of its own CDDL model, which IANA may assign otherwise."""

PROFILE = 4
"""coap_edhoc_oscore among the ACE profiles."""

EDHOC_INFO = 47
"""edhoc_info among the OAuth parameters; as a claim it is `Claim.EDHOC_INFO`."""

MAX_SERIES = 16
_SESSION_ID = 0


def information(series: bytes) -> dict[int, Any]:
    """An EDHOC_Information with the identifier of a series and nothing more (§3.4)."""
    return {_SESSION_ID: series}


def series_of(value: Any) -> bytes:
    """The identifier of the series in an EDHOC_Information; what else stands there is a hint, and passed over.

    Raises:
        DecodeError: no map, or none in it.
    """
    series = value.get(_SESSION_ID) if isinstance(value, Mapping) else None
    if not isinstance(series, bytes) or not 0 < len(series) <= MAX_SERIES:
        raise DecodeError(f"expected a session_id of 1 to {MAX_SERIES} bytes", spec=f"{DRAFT} §3.4")
    return series
