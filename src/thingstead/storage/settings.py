"""Settings files: TOML into one frozen dataclass, with unknown keys refused and the place named."""

from __future__ import annotations

import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from thingstead.errors import ConfigError

__all__ = ["load", "parse"]

T = TypeVar("T")


def load(path: Path, cls: type[T]) -> T:
    """Read a settings file.

    Raises:
        ConfigError: missing, unreadable, not TOML, an unknown key or a value of the wrong type; names the place.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"expected a configuration at {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"expected a configuration at {path}: it is not UTF-8 at byte {error.start}") from error
    return parse(text, cls, name=str(path))


def parse(text: str, cls: type[T], *, name: str = "configuration") -> T:
    """Parse TOML text.

    Raises:
        ConfigError: as for `load`.
    """
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name} is not TOML: {error}") from error
    _refuse_unknown(table, cls, name)
    try:
        return msgspec.convert(table, cls)
    except (msgspec.ValidationError, ConfigError) as error:
        raise ConfigError(f"{name}: {error}") from error


def _refuse_unknown(table: dict[str, Any], cls: Any, place: str) -> None:
    known = {item.name for item in fields(cls)}
    hints = get_type_hints(cls)
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"{place} has no setting {key!r}; it knows {', '.join(sorted(known))}")
        inner = [hint for hint in (hints[key], *get_args(hints[key])) if is_dataclass(hint)]
        for part in value if isinstance(value, list) else [value]:
            if inner and isinstance(part, dict):
                _refuse_unknown(part, inner[0], f"{place} [{key}]")
