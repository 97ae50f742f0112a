"""What an operator may ask a running controller: one table of requests, the role each needs, and who answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from thingstead.errors import ConfigError, ThingsteadError, consequence

__all__ = ["Operation", "Operations", "Role"]

R = TypeVar("R")


class Role(StrEnum):
    """Who may ask (RFC 8576 §2); the control socket's user is the owner, who may do everything."""

    OWNER = "owner"
    INSTALLER = "installer"
    MAINTAINER = "maintainer"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Operation(Generic[R]):
    """One row: a request type, the least role that may send it, what it does in one line, and its handler.

    A command changes the domain; a query does not.
    """

    name: str
    request: type[R]
    role: Role
    help: str
    handler: Callable[[R], Awaitable[object]]


class Operations:
    """The table, and the one way in: CLI, REST and web all come through `answer`."""

    def __init__(self, *rows: Operation[Any]) -> None:
        self._rows = {row.name: row for row in rows}
        if len(self._rows) != len(rows):
            raise ValueError("two operations of one name")

    def rows(self) -> tuple[Operation[Any], ...]:
        """All rows, by name."""
        return tuple(self._rows[name] for name in sorted(self._rows))

    async def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer ``{"operation": name, "arguments": {...}}`` with ``{"result": ...}`` or ``{"error": {...}}``.

        Never raises a `ThingsteadError`: it comes back as kind, message, exit code and advice.
        """
        try:
            return {"result": msgspec.to_builtins(await self._run(asked), builtin_types=())}
        except ThingsteadError as error:
            row = consequence(error)
            return {
                "error": {
                    "kind": type(error).__name__,
                    "reason": error.reason,
                    "message": str(error),
                    "exit_code": row.exit_code,
                    "advice": row.advice,
                }
            }

    async def _run(self, asked: dict[str, Any]) -> object:
        row = self._rows.get(str(asked.get("operation")))
        if row is None:
            raise ConfigError(
                f"no operation {str(asked.get('operation'))[:40]!r}; there are {', '.join(sorted(self._rows))}"
            )
        arguments = asked.get("arguments", {})
        _refuse_unknown("a request", asked, _REQUEST)
        try:
            request = msgspec.convert(arguments, row.request)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{row.name}: {error}") from error
        _refuse_unknown(row.name, arguments, tuple([field.name for field in fields(row.request)]))
        return await row.handler(request)


_REQUEST = ("operation", "arguments")


def _refuse_unknown(what: str, given: dict[str, Any], known: tuple[str, ...]) -> None:
    """An argument that is misspelt would be left at its default without a word: a cause, a scope, a `forced`."""
    unknown = sorted(given.keys() - set(known))
    if unknown:
        raise ConfigError(f"{what} takes {', '.join(known) or 'no arguments'}; not {unknown[0][:40]!r}")
