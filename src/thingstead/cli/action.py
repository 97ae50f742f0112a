"""What a command takes and does; the parser, ``--help`` and docs/reference/cli.md are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thingstead.cli.console import Console
from thingstead.errors import ConfigError

__all__ = ["Action", "Parameter", "Session"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument, option or switch.

    Attributes:
        name: ``thing`` is an argument, ``--zone`` an option.
        help: one line, without a full stop.
        read: turns text into a value, or raises `ValueError`; None makes a switch.
        default: of an option; an argument with one may be left out.
        required: an option that must be given.
        many: an argument that may be given several times.
        choices: the only values.
    """

    name: str
    help: str
    read: Callable[[str], Any] | None = str
    default: Any = None
    required: bool = False
    many: bool = False
    choices: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """How `Session.options` and an operation's arguments call it."""
        return self.name.lstrip("-").replace("-", "_")

    @property
    def is_option(self) -> bool:
        """Whether it is given by name."""
        return self.name.startswith("-")

    @property
    def told(self) -> str:
        """The help, with the choices and what an option is if it is not given."""
        choices = f" ({', '.join(self.choices)})" if self.choices else ""
        if not self.is_option or self.default in {None, "", ()}:
            return f"{self.help}{choices}"
        default = self.default.hex() if isinstance(self.default, bytes) else self.default
        return f"{self.help}{choices}; {default} if not given"


@dataclass(frozen=True, slots=True)
class Session:
    """One command being run: what was asked, and where from.

    Attributes:
        options: values by `Parameter.key`.
        console: where results go.
        environment: the process's environment variables.
        directory: the current directory.
    """

    options: Mapping[str, Any]
    console: Console
    environment: Mapping[str, str]
    directory: Path

    def path(self, key: str) -> Path:
        """An option that is a path, made absolute.

        Raises:
            ConfigError: an empty one, which a shell makes of a variable that is not set.
        """
        named = str(self.options[key])
        if not named or "\0" in named:
            raise ConfigError(f"expected a path for {key}, got {named!r}")
        return self.directory.absolute() / named


@dataclass(frozen=True, slots=True)
class Action:
    """A command's parameters and what it does.

    Attributes:
        parameters: in the order of ``--help``.
        run: does it, shows the result on the session's console, and returns the exit code.
        description: a paragraph for ``--help``, where one line is not enough.
    """

    parameters: tuple[Parameter, ...]
    run: Callable[[Session], int]
    description: str = ""
