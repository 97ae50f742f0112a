"""The security services that a data flow can need, and what gives them (RFC 8576 §2, §3; R-14)."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["CARRIED", "Service"]


class Service(StrEnum):
    """One of them."""

    CONFIDENTIALITY = "confidentiality"
    AUTHENTICATION = "authentication"
    INTEGRITY = "integrity"
    AUTHORIZATION = "authorization"
    SOURCE_AUTHENTICATION = "source-authentication"
    DUPLICATE_DETECTION = "duplicate-detection"
    STALENESS_DETECTION = "staleness-detection"
    AVAILABILITY = "availability"


CARRIED = frozenset(Service) - {Service.STALENESS_DETECTION, Service.AVAILABILITY}
"""What every flow from a thing to the domain has by the way it comes: OSCORE under keys that two parties share, its
replay window, and one decision by the scope of the thing's token."""
