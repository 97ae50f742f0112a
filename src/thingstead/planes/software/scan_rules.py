"""The rules by which images are looked through: their text, and the digest that tells one edition from another."""

from __future__ import annotations

from importlib import resources

from thingstead.crypto.digest import digest

__all__ = ["EDITION", "SOURCE"]

SOURCE = resources.files("thingstead.analysis").joinpath("rules/secrets.yar").read_text("utf-8")
"""Read with the module: a process that has given up its rights may not read what it was installed from."""

EDITION = digest(SOURCE.encode()).hex()
