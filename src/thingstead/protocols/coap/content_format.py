"""Content formats: the media type behind a number (RFC 7252 §12.3)."""

from __future__ import annotations

from thingstead.protocols.coap.registry import CONTENT_FORMATS

__all__ = ["media_type"]


def media_type(number: int) -> str:
    """The registered media type, or ``content-format/N`` for a number that we do not carry."""
    row = CONTENT_FORMATS.get(number)
    return row.title if row is not None else f"content-format/{number}"
