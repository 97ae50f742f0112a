"""Vendor and class identifiers: a chain of version 5 UUIDs (draft-ietf-suit-manifest §8.4.8.2)."""

from __future__ import annotations

from uuid import NAMESPACE_DNS, UUID, uuid5

from thingstead.errors import DecodeError

__all__ = ["class_identifier", "vendor_identifier"]


def vendor_identifier(domain: str) -> bytes:
    """The 16 bytes that name a vendor by its DNS domain; says who made a thing for, never who speaks."""
    return uuid5(NAMESPACE_DNS, domain).bytes


def class_identifier(vendor: bytes, information: str) -> bytes:
    """The 16 bytes that name a class of a vendor's things.

    Args:
        vendor: vendor identifier of 16 bytes.
        information: what makes two things take the same image: model, hardware revision, boot loader.

    Raises:
        DecodeError: the vendor identifier is no UUID.
    """
    if len(vendor) != 16:
        raise DecodeError(f"expected a vendor identifier of 16 bytes, got {len(vendor)}", spec="RFC 9562 §4")
    return uuid5(UUID(bytes=vendor), information).bytes
