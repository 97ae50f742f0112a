"""What an operator may ask a running controller: one table of requests, the role each needs, and who answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from thingstead.errors import ConfigError, RoleError, ThingsteadError, consequence

__all__ = ["Operation", "Operations", "Role"]

R = TypeVar("R")


class Role(StrEnum):
    """Who may ask (RFC 8576 §2): the control socket's user is the owner, who may do everything; observers are auditors.

    The two between are named in the table, and nobody comes as one of them yet.
    """

    OWNER = "owner"
    INSTALLER = "installer"
    MAINTAINER = "maintainer"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Operation(Generic[R]):
    """One row; a command changes the domain, a query does not.

    Attributes:
        name: what it is asked by.
        request: type of its arguments.
        role: the least that may send it.
        help: what it does, in one line.
        handler: does it.
        owner_arguments: those that only the owner may give: they name files, which are read with the owner's rights.
    """

    name: str
    request: type[R]
    role: Role
    help: str
    handler: Callable[[R], Awaitable[object]]
    owner_arguments: frozenset[str] = frozenset()


class Operations:
    """The table, and the one way in: CLI, REST and web all come through `answer`.

    Args:
        rows: the areas' rows.
        on_refusal: told of the role of whoever asked for what it does not hold.
    """

    def __init__(self, *rows: Operation[Any], on_refusal: Callable[[Role], None] = lambda _role: None) -> None:
        self._rows = {row.name: row for row in rows}
        if len(self._rows) != len(rows):
            raise ValueError("two operations of one name")
        self._on_refusal = on_refusal

    def rows(self) -> tuple[Operation[Any], ...]:
        """All rows, by name."""
        return tuple(self._rows[name] for name in sorted(self._rows))

    async def answer(self, asked: dict[str, Any], *, role: Role = Role.OWNER) -> dict[str, Any]:
        """Answer ``{"operation": name, "arguments": {...}}`` with ``{"result": ...}`` or ``{"error": {...}}``.

        Never raises a `ThingsteadError`: it comes back as kind, message, exit code and advice.
        """
        try:
            return {"result": msgspec.to_builtins(await self._run(asked, role), builtin_types=())}
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

    async def _run(self, asked: dict[str, Any], role: Role) -> object:
        row = self._rows.get(str(asked.get("operation")))
        if row is None:
            raise ConfigError(
                f"no operation {str(asked.get('operation'))[:40]!r}; there are {', '.join(sorted(self._rows))}"
            )
        if row.role not in _HOLDS[role]:
            self._on_refusal(role)
            raise RoleError(f"{row.name} is for the {row.role}; you ask as {role}")
        arguments = asked.get("arguments", {})
        _refuse_unknown("a request", asked, _REQUEST)
        try:
            request = msgspec.convert(arguments, row.request)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{row.name}: {error}") from error
        _refuse_unknown(row.name, arguments, tuple([field.name for field in fields(row.request)]))
        kept_back = row.owner_arguments & arguments.keys()
        if kept_back and role is not Role.OWNER:
            self._on_refusal(role)
            raise RoleError(f"{row.name} takes {', '.join(sorted(kept_back))} from the owner; you ask as {role}")
        return await row.handler(request)


_HOLDS: dict[Role, frozenset[Role]] = {
    Role.OWNER: frozenset(Role),
    Role.MAINTAINER: frozenset({Role.MAINTAINER, Role.AUDITOR}),
    Role.INSTALLER: frozenset({Role.INSTALLER, Role.AUDITOR}),
    Role.AUDITOR: frozenset({Role.AUDITOR}),
}
_REQUEST = ("operation", "arguments")


def _refuse_unknown(what: str, given: dict[str, Any], known: tuple[str, ...]) -> None:
    """An argument that is misspelt would be left at its default without a word: a cause, a scope, a `forced`."""
    unknown = sorted(given.keys() - set(known))
    if unknown:
        raise ConfigError(f"{what} takes {', '.join(known) or 'no arguments'}; not {unknown[0][:40]!r}")
