"""Thingstead: the security domain controller for IP-based things."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
