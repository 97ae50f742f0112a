"""The sales file: which thing was sold to whom. What is not in it, nobody vouches for."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType

from thingstead.errors import ConfigError
from thingstead.storage.settings import parse

__all__ = ["Sale", "Sales", "parse_sales", "render_sale"]

_THUMBPRINT = re.compile(r"[0-9a-f]{64}")
_ID_CRED = re.compile(r"([0-9a-f]{2}){1,64}")
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Sale:
    """One thing.

    Attributes:
        serial: the maker's number for it.
        id_cred_i: ID_CRED_I by which it names itself in EDHOC, in hex.
        to: thumbprints (RFC 9679, SHA-256) of the keys of domains that may have it, in hex; none of them, nobody.
    """

    serial: str
    id_cred_i: str
    to: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _SERIAL.fullmatch(self.serial):
            raise ConfigError(f"expected a serial number, got {self.serial[:40]!r}")
        if not _ID_CRED.fullmatch(self.id_cred_i):
            raise ConfigError(f"{self.serial}: expected id_cred_i in lower-case hex, got {self.id_cred_i[:40]!r}")
        for thumbprint in self.to:
            if not _THUMBPRINT.fullmatch(thumbprint):
                raise ConfigError(f"{self.serial}: expected thumbprints of 64 hex digits, got {thumbprint[:70]!r}")


@dataclass(frozen=True, slots=True)
class _File:
    sold: tuple[Sale, ...] = ()


class Sales:
    """What was sold, by what things call themselves.

    Args:
        sold: every sale, a thing once.

    Raises:
        ConfigError: a serial number twice.
    """

    def __init__(self, sold: tuple[Sale, ...] = ()) -> None:
        by_name: dict[bytes, tuple[Sale, ...]] = {}
        for sale in sold:
            name = bytes.fromhex(sale.id_cred_i)
            by_name[name] = (*by_name.get(name, ()), sale)
        for serial, times in Counter([sale.serial for sale in sold]).items():
            if times > 1:
                raise ConfigError(f"{serial} is there {times} times; one [[sold]] holds all domains of a thing")
        self._by_name = MappingProxyType(by_name)
        self._customers = frozenset([thumbprint for sale in sold for thumbprint in sale.to])

    def find(self, id_cred_i: bytes) -> tuple[Sale, ...]:
        """The things of this name; several where a short key identifier fell on two."""
        return self._by_name.get(id_cred_i, ())

    def has_customer(self, thumbprint: bytes) -> bool:
        """Whether anything at all was sold to the domain of this key."""
        return thumbprint.hex() in self._customers


def parse_sales(text: str, *, name: str = "sales file") -> Sales:
    """Read the file.

    Raises:
        ConfigError: not TOML, an unknown key, or a value that is none; names the thing.
    """
    return Sales(parse(text, _File, name=name).sold)


def render_sale(sale: Sale) -> str:
    """The lines of one sale, to append."""
    to = ", ".join(f'"{thumbprint}"' for thumbprint in sale.to)
    return f'\n[[sold]]\nserial = "{sale.serial}"\nid_cred_i = "{sale.id_cred_i}"\nto = [{to}]\n'
