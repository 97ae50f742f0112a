"""How results look: tables for people, one JSON document for programs, and the next command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from thingstead.errors import ThingsteadError, consequence

__all__ = ["Console", "View", "printable"]

_LONGEST_CELL = 400
_NARROWEST = 20
_GAP = 3


@dataclass(frozen=True, slots=True)
class View:
    """How a list of objects becomes a table.

    Attributes:
        columns: (title, key) from left to right.
        empty: what is said instead of a table without rows.
    """

    columns: tuple[tuple[str, str], ...]
    empty: str = "nothing to show"


class Console:
    """Writes for a person, or with `as_json` exactly one JSON document.

    Args:
        out: results.
        err: refusals, and what a person reads while a program reads `out`.
        as_json: for programs.
        columns: width of the terminal that `out` is, on which tables are drawn; None if it is none.
    """

    def __init__(self, out: TextIO, err: TextIO, *, as_json: bool, columns: int | None) -> None:
        self._out = out
        self._err = err
        self.as_json = as_json
        self._columns = columns

    def show(self, value: Any, view: View | None = None) -> None:
        """Show a command's result: an object, a list of objects, or text; call it once."""
        if self.as_json:
            self._write(json.dumps(value, indent=2))
        elif isinstance(value, Mapping):
            self._record(value, indent="")
        elif isinstance(value, list):
            self._table(value, view or _view_of(value))
        else:
            self._write(printable(value))
        # Whoever runs on from here must not keep it in a buffer until the end.
        self._out.flush()

    def say(self, text: str) -> None:
        """A line for people; programs do not see it."""
        if not self.as_json:
            self._write(printable(text))

    def note(self, text: str) -> None:
        """A line for people beside the result, where no program that reads the result sees it."""
        if not self.as_json:
            self._err.write(printable(text) + "\n")

    def line(self, value: Any) -> None:
        """One result of a stream, at once: one document on one line with `as_json`, else text.

        What is no terminal gets the text as it is.
        """
        text = json.dumps(value) if self.as_json else str(value)
        self._write(text if self._columns is None else printable(text))
        self._out.flush()

    def raw(self, data: bytes) -> None:
        """Bytes as they are, for a program that reads `out`; a terminal is shown them in hexadecimal."""
        if self._columns is not None:
            self._write(data.hex(" "))
            return
        self._out.flush()
        self._out.buffer.write(data)
        self._out.flush()

    def next(self, command: str, *words: object) -> None:
        """The command that a person most likely wants now; `words` follow it as a shell has to be given them."""
        self.say(" ".join(["next:", command, *[shlex.quote(str(word)) for word in words]]))
        self._out.flush()

    def refuse(self, error: ThingsteadError) -> int:
        """Say what went wrong and what to do, in one sentence each; returns the exit code."""
        row = consequence(error)
        if self.as_json:
            shown = {"kind": type(error).__name__, "reason": error.reason, "message": str(error), "advice": row.advice}
            self._write(json.dumps({"error": shown | {"exit_code": row.exit_code}}, indent=2))
        else:
            self._err.write(f"thingstead: {printable(error)}\n{row.advice}\n")
        return row.exit_code

    def _write(self, text: str) -> None:
        self._out.write(text + "\n")

    def _record(self, value: Mapping[str, Any], indent: str) -> None:
        width = max((len(key) for key in value), default=0)
        for key, item in value.items():
            title = printable(key).replace("_", " ")
            if isinstance(item, Mapping) and item:
                self._write(f"{indent}{title}")
                self._record(item, indent + "  ")
            elif isinstance(item, list) and item and all(isinstance(row, Mapping) for row in item):
                self._write(f"{indent}{title}")
                self._table(item, _view_of(item), indent + "  ")
            else:
                self._write(f"{indent}{title:<{width}}  {_cell(item)}")

    def _table(self, rows: Sequence[Any], view: View, indent: str = "") -> None:
        if not rows:
            self._write(view.empty)
            return
        cells = [[_cell(row.get(key) if isinstance(row, Mapping) else row) for _, key in view.columns] for row in rows]
        titles = [title for title, _ in view.columns]
        widths = [max(len(row[place]) for row in [titles, *cells]) for place in range(len(titles))]
        if self._columns is not None:
            self._draw(titles, cells, widths, self._columns)
            return
        for row in [titles, *cells]:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self._write(indent + line.rstrip())

    def _draw(self, titles: list[str], cells: list[list[str]], widths: list[int], columns: int) -> None:
        # Only the widest column may be folded: a table of letters one below the other is none.
        folded = max(widths) - min(max(widths), _NARROWEST)
        if sum(widths) + _GAP * len(widths) - folded > columns:
            self._list(titles, cells)
            return
        # Loaded here: drawing takes longer to import than most commands take to run.
        from rich.box import SIMPLE_HEAD
        from rich.console import Console as Terminal
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for title, width in zip(titles, widths, strict=True):
            table.add_column(Text(title), overflow="fold", no_wrap=width < max(widths))
        for row in cells:
            table.add_row(*[Text(cell) for cell in row])
        Terminal(file=self._out, highlight=False, width=columns).print(table)

    def _list(self, titles: list[str], cells: list[list[str]]) -> None:
        width = max(len(title) for title in titles)
        for number, row in enumerate(cells):
            if number:
                self._write("")
            for title, cell in zip(titles, row, strict=True):
                self._write(f"{title:<{width}}  {cell}")


def printable(value: object) -> str:
    """Text that a terminal only prints: what a thing or a peer named itself moves no cursor and sets no title."""
    return "".join(
        character if character.isprintable() or character == "\n" else character.encode("unicode_escape").decode()
        for character in str(value)
    )


def _cell(value: object) -> str:
    if value is None or value in ("", [], (), {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}" if abs(value) < 1e5 else f"{value:.0f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{printable(key)}={_cell(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    return printable(value).replace("\n", " ")[:_LONGEST_CELL]


def _view_of(rows: Sequence[Any]) -> View:
    """Every key of every row, in the order in which they come."""
    keys = dict.fromkeys(key for row in rows if isinstance(row, Mapping) for key in row)
    return View(tuple([(key.replace("_", " "), key) for key in keys] or [("value", "")]))
