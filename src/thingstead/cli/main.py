"""The command ``thingstead``: find a command in the table, load it, run it, end with the exit code of its error."""

from __future__ import annotations

import argparse
import difflib
import errno
import io
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, TextIO

from thingstead import __version__
from thingstead.cli.action import Action, Parameter, Session
from thingstead.cli.command import COMMANDS, Command, Phase
from thingstead.cli.console import Console
from thingstead.errors import ConfigError, StorageError, ThingsteadError

__all__ = ["COMMON", "load", "main", "overview", "parser"]

COMMON = (
    Parameter("--json", "print one JSON document for programs", read=None),
    Parameter("--debug", "show where an error was raised", read=None),
)
"""What every command takes."""

_COMMON_NAMES = frozenset({parameter.name for parameter in COMMON})
_INTERRUPTED = 130
_BROKEN_PIPE = 141
_HELP = frozenset({"-h", "--help"})
_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})
_LOST_SENTENCE = "this is a fault of ours; run it again with --debug"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; nothing but ``--debug`` shows a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    # Closed by whoever started us (`>&-`): what would be said there is said to nobody.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A locale may know fewer letters than standards and people's names are written with.
            stream.reconfigure(errors="replace")
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    console = Console(sys.stdout, sys.stderr, as_json="--json" in words, columns=columns)
    try:
        code = _run(words, console)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:
        first = _first(error)
        if isinstance(first, BrokenPipeError):
            # Whoever read us has enough; the interpreter must not complain about it once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _BROKEN_PIPE
        if debug:
            raise
        return console.refuse(_refusal(first))
    return code


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


def load(command: Command) -> Action:
    """Import the module of a command and take its action.

    Raises:
        TypeError: the table names something else.
    """
    module, _, name = command.target.partition(":")
    action = getattr(import_module(module), name)
    if not isinstance(action, Action):
        raise TypeError(f"{command.target} is not an Action")
    return action


def overview(commands: Sequence[Command]) -> str:
    """The commands by phase of life, each phase with one example."""
    width = max(len(command.name) for command in commands)
    lines: list[str] = []
    for phase in Phase:
        rows = [command for command in commands if command.phase is phase]
        if rows:
            lines += ["", phase.value]
            lines += [f"  {command.name:<{width}}  {command.help}" for command in rows]
            lines.append(f"  e.g. {rows[0].example}")
    return "\n".join(lines)


def _run(words: list[str], console: Console) -> int:
    for word in words:
        if not word.isascii() and word != word.encode("utf-8", "replace").decode():
            raise ConfigError(f"expected words in UTF-8, got {word!r}")
    while words and words[0] in _COMMON_NAMES:
        words = [*words[1:], words[0]]
    if "--version" in words[:1]:
        console.show({"version": __version__} if console.as_json else f"thingstead {__version__}")
        return 0
    named = [word for word in words if word not in _HELP]
    command = _find(named)
    if command is None:
        console.say(_introduction(named))
        return 0
    action = load(command)
    reading = parser(command, action)
    if len(named) < len(words):
        console.say(reading.format_help())
        return 0
    options: Mapping[str, Any] = vars(reading.parse_args(words[len(command.words) :]))
    return action.run(Session(options, console, os.environ, Path.cwd()))


def _first(error: Exception) -> Exception:
    """The first of those that ended together."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _refusal(error: Exception) -> ThingsteadError:
    """What to tell of an error; one that is none of ours is our fault."""
    if isinstance(error, ThingsteadError):
        return error
    if isinstance(error, OSError) and (error.filename is not None or error.errno in _OF_THE_DISK):
        return StorageError(f"cannot use {error.filename or 'a file'}: {error.strerror}")
    return ThingsteadError(f"{type(error).__name__}: {error}; {_LOST_SENTENCE}")


def _find(words: Sequence[str]) -> Command | None:
    """The command that `words` begin with; None if they name none, or a group of commands only."""
    for size in (2, 1):
        for command in COMMANDS:
            if len(command.words) == size and command.words == tuple(words[:size]):
                return command
    if not words or _group(words):
        return None
    known = [command.name for command in COMMANDS]
    near = difflib.get_close_matches(" ".join(words[:2]), known, 1) or difflib.get_close_matches(words[0], known, 1)
    hint = f"; did you mean `thingstead {near[0]}`?" if near else "; `thingstead --help` lists them"
    raise ConfigError(f"there is no command {' '.join(words[:2])[:60]!r}{hint}")


def _group(words: Sequence[str]) -> list[Command]:
    rest = [word for word in words[1:] if word not in _COMMON_NAMES]
    return [] if rest else [command for command in COMMANDS if len(command.words) > 1 and command.words[0] == words[0]]


def _introduction(words: Sequence[str]) -> str:
    if words:
        return f"usage: thingstead {words[0]} COMMAND [options]\n{overview(_group(words))}"
    return (
        "usage: thingstead COMMAND [options]\n\n"
        "Takes the things of a security domain from their first boot to their last.\n"
        f"{overview(COMMANDS)}\n\n"
        "Every command takes --help, --json and --debug. Exit codes are those of docs/reference/errors.md."
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; `{self.prog} --help` shows what it takes")


def parser(command: Command, action: Action) -> argparse.ArgumentParser:
    """What reads the words after the command; a word that it does not know is a `ConfigError`."""
    description = f"{command.help[0].upper()}{command.help[1:]}.\n\n{action.description}".rstrip()
    reading = _Parser(
        prog=f"thingstead {command.name}",
        description=description,
        epilog=f"example: {command.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for parameter in (*action.parameters, *COMMON):
        _add(reading, parameter)
    return reading


def _add(reading: _Parser, parameter: Parameter) -> None:
    taken: dict[str, Any] = {"help": parameter.told.replace("%", "%%")}
    if parameter.read is None:
        taken |= {"action": "store_true"}
    else:
        taken |= {"type": parameter.read, "default": parameter.default}
        if parameter.choices:
            taken["choices"] = [str(choice) for choice in parameter.choices]
        if parameter.is_option:
            taken |= {"required": parameter.required, "metavar": parameter.key.upper()}
        elif parameter.many:
            taken["nargs"] = "+" if parameter.default is None else "*"
        elif parameter.default is not None:
            taken["nargs"] = "?"
    reading.add_argument(parameter.name, **taken)
