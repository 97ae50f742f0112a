"""A value of a TOML file and where it stands, so that every refusal names the place."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from thingstead.errors import ConfigError

__all__ = ["Files", "Place", "parse"]

Files = Callable[[str], bytes]
"""Gives the content of a file beside the TOML file, or raises `ConfigError`."""

_MAX_CHARACTERS = 1 << 18
_MAX_DEPTH = 24
_MAX_ITEMS = 256
_MAX_TEXT = 4096
_SHOWN = 40
# As a statement names what goes with a release.
_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_HEX = re.compile(r"([0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True)
class Place:
    """One value; what asks for it says what it has to be, and refuses in one sentence what it is not.

    Attributes:
        value: as TOML has it.
        path: keys that lead to it, items of a list counted from 1.
    """

    value: Any
    path: str = ""

    def refuse(self, message: str) -> ConfigError:
        """The error to raise about this value."""
        return ConfigError(f"{self.path or 'the file'}: {message}", reason="release-file")

    def table(self, known: Iterable[str] | None = None, *, required: Iterable[str] = ()) -> dict[str, Place]:
        """A table; with `known`, one of no other keys.

        Raises:
            ConfigError: no table, or a key that is unknown or missing.
        """
        if not isinstance(self.value, dict):
            raise self._expected("a table")
        if len(self.value) > _MAX_ITEMS:
            raise self.refuse(f"expected at most {_MAX_ITEMS} keys, got {len(self.value)}")
        if known is not None:
            names = sorted(known)
            for key in self.value.keys() - set(names):
                near = difflib.get_close_matches(key[:_SHOWN], names, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
                raise self.refuse(f"there is no {key[:_SHOWN]!r} here; {hint}")
        for key in required:
            if key not in self.value:
                raise self.refuse(f"expected {key}, which is missing")
        return {key: Place(value, f"{self.path}.{key}" if self.path else key) for key, value in self.value.items()}

    def items(self) -> list[Place]:
        """The values of a list.

        Raises:
            ConfigError: no list, or a longer one than any release has.
        """
        if not isinstance(self.value, list):
            raise self._expected("a list")
        if len(self.value) > _MAX_ITEMS:
            raise self.refuse(f"expected at most {_MAX_ITEMS} items, got {len(self.value)}")
        return [Place(value, f"{self.path}[{number}]") for number, value in enumerate(self.value, 1)]

    def text(self) -> str:
        """Text that is not empty.

        Raises:
            ConfigError: anything else, or text longer than `_MAX_TEXT` characters.
        """
        if not isinstance(self.value, str) or not self.value:
            raise self._expected("text")
        if len(self.value) > _MAX_TEXT:
            raise self.refuse(f"expected at most {_MAX_TEXT} characters, got {len(self.value)}")
        return self.value

    def whole(self, lowest: int, highest: int) -> int:
        """A whole number.

        Raises:
            ConfigError: anything else, or one out of bounds.
        """
        if type(self.value) is not int or not lowest <= self.value <= highest:
            raise self._expected(f"a whole number from {lowest} to {highest}")
        return self.value

    def flag(self) -> bool:
        """True or false.

        Raises:
            ConfigError: anything else.
        """
        if not isinstance(self.value, bool):
            raise self._expected("true or false")
        return self.value

    def moment(self) -> int:
        """Seconds since 1970 of a date and time with its offset, or such seconds.

        Raises:
            ConfigError: anything else; a time without an offset is one on no clock in particular.
        """
        if isinstance(self.value, datetime) and self.value.tzinfo is not None and self.value.year >= 1970:
            return int(self.value.astimezone(UTC).timestamp())
        if type(self.value) is int and 0 <= self.value < 1 << 63:
            return self.value
        raise self._expected("a time with its offset, such as 2031-12-31T00:00:00Z")

    def uuid(self) -> bytes:
        """The 16 bytes of a UUID.

        Raises:
            ConfigError: anything else.
        """
        try:
            return UUID(self.text()).bytes
        except ValueError:
            raise self._expected("a UUID") from None

    def file(self, files: Files) -> bytes:
        """The content of the file that is named here.

        Raises:
            ConfigError: no plain name of a file beside the TOML file, or nothing that can be read under it.
        """
        name = self.text()
        if not _FILE_NAME.fullmatch(name):
            raise self._expected("the name of a file beside this one, in lower case")
        try:
            return files(name)
        except ConfigError as error:
            raise self.refuse(error.message) from None

    def octets(self, files: Files) -> bytes:
        """Bytes: text for its UTF-8, or a table of one of text, hex, uuid and file.

        Raises:
            ConfigError: anything else.
        """
        if isinstance(self.value, str):
            return self.text().encode()
        table = self.table(("text", "hex", "uuid", "file"))
        if len(table) != 1:
            raise self._expected("one of text, hex, uuid and file")
        ((kind, inner),) = table.items()
        match kind:
            case "hex":
                return inner.hex()
            case "uuid":
                return inner.uuid()
            case "file":
                return inner.file(files)
            case _:
                return inner.text().encode()

    def hex(self) -> bytes:
        """The bytes of hexadecimal digits.

        Raises:
            ConfigError: anything else.
        """
        if not isinstance(self.value, str) or not _HEX.fullmatch(self.value):
            raise self._expected("hexadecimal digits")
        return bytes.fromhex(self.value)

    def _expected(self, what: str) -> ConfigError:
        return self.refuse(f"expected {what}, got {_shown(self.value)}")


def parse(text: str) -> Place:
    """Parse a TOML file.

    Raises:
        ConfigError: no TOML, or more of it than a release can be.
    """
    if len(text) > _MAX_CHARACTERS:
        raise ConfigError(f"expected a release file of at most {_MAX_CHARACTERS} characters", reason="release-file")
    try:
        value = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise ConfigError(f"expected TOML: {error}"[:200], reason="release-file") from None
    _require_shallow(value)
    return Place(value)


def _require_shallow(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise ConfigError(f"expected tables and lists at most {_MAX_DEPTH} deep", reason="release-file")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return f"a {'table' if isinstance(value, dict) else 'list'} of {len(value)}"
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
