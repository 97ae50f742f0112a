"""What an operator may ask a running controller: one table of requests, the right that each takes, and who answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, TypeVar

import msgspec

from thingstead.domain.role import OWNER, Operator, Right, Role
from thingstead.errors import ConfigError, RoleError, ThingsteadError, consequence

__all__ = ["Acting", "Operation", "Operations", "refusal"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Part of requests whose doing says who asked.

    Attributes:
        by: as the ledger calls them; written in by `Operations`, and refused from whoever asks.
        proof: the request as they signed it, if they did; written in likewise.
    """

    by: str = OWNER.actor
    proof: bytes = b""


@dataclass(frozen=True, slots=True)
class Operation(Generic[R]):
    """One row; a command changes the domain, a query does not.

    Attributes:
        name: what it is asked by.
        request: type of its arguments.
        right: what it takes.
        help: what it does, in one line.
        handler: does it.
        owner_arguments: those that only the owner may give: they name files, which are read with the owner's rights.
    """

    name: str
    request: type[R]
    right: Right
    help: str
    handler: Callable[[R], Awaitable[object]]
    owner_arguments: frozenset[str] = frozenset()


class Operations:
    """The table, and the one way in: CLI, REST and web all come through `answer`.

    Args:
        rows: the areas' rows.
        on_refusal: told of whoever asked for what their role does not hold.
        on_deed: told, before it is done, what somebody other than the owner changes by a request that does not say who
            asked, and what anybody commands: operator, operation, arguments.
    """

    def __init__(
        self,
        *rows: Operation[Any],
        on_refusal: Callable[[Operator], None] = lambda _who: None,
        on_deed: Callable[[Operator, str, dict[str, Any]], Awaitable[None]] | None = None,
    ) -> None:
        self._rows = {row.name: row for row in rows}
        if len(self._rows) != len(rows):
            raise ValueError("two operations of one name")
        self._on_refusal = on_refusal
        self._on_deed = on_deed

    def rows(self) -> tuple[Operation[Any], ...]:
        """All rows, by name."""
        return tuple(self._rows[name] for name in sorted(self._rows))

    async def answer(self, asked: dict[str, Any], *, operator: Operator = OWNER) -> dict[str, Any]:
        """Answer ``{"operation": name, "arguments": {...}}`` with ``{"result": ...}`` or ``{"error": {...}}``.

        Never raises a `ThingsteadError`: it comes back as kind, message, exit code and advice.
        """
        try:
            return {"result": msgspec.to_builtins(await self._run(asked, operator), builtin_types=())}
        except ThingsteadError as error:
            return refusal(error)

    async def _run(self, asked: dict[str, Any], operator: Operator) -> object:
        row = self._rows.get(str(asked.get("operation")))
        if row is None:
            raise ConfigError(
                f"no operation {str(asked.get('operation'))[:40]!r}; there are {', '.join(sorted(self._rows))}"
            )
        if not operator.may(row.right):
            self._on_refusal(operator)
            raise RoleError(f"{row.name} takes the right to {row.right}; you ask as {operator.actor}")
        arguments = asked.get("arguments", {})
        _refuse_unknown("a request", asked, _REQUEST)
        try:
            request = msgspec.convert(arguments, row.request)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{row.name}: {error}") from error
        written_in = {field.name for field in fields(Acting)} if issubclass(row.request, Acting) else set()
        taken = [field.name for field in fields(row.request) if field.name not in written_in]
        _refuse_unknown(row.name, arguments, tuple(taken))
        kept_back = row.owner_arguments & arguments.keys()
        if kept_back and operator.role is not Role.OWNER:
            self._on_refusal(operator)
            taken_from = f"{row.name} takes {', '.join(sorted(kept_back))} from the owner"
            raise RoleError(f"{taken_from}; you ask as {operator.actor}")
        if isinstance(request, Acting):
            request = replace(request, by=operator.actor, proof=operator.proof)
        elif self._on_deed is not None and row.right in (_COMMANDS if operator.role is Role.OWNER else _DEEDS):
            await self._on_deed(operator, row.name, arguments)
        return await row.handler(request)


def refusal(error: ThingsteadError) -> dict[str, Any]:
    """An error as an answer."""
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


_COMMANDS = frozenset({Right.USE})
_DEEDS = _COMMANDS | {Right.ADMIT, Right.MAINTAIN, Right.OWN}
_REQUEST = ("operation", "arguments")


def _refuse_unknown(what: str, given: dict[str, Any], known: tuple[str, ...]) -> None:
    """An argument that is misspelt would be left at its default without a word: a cause, a scope, a `forced`."""
    unknown = sorted(given.keys() - set(known))
    if unknown:
        raise ConfigError(f"{what} takes {', '.join(known) or 'no arguments'}; not {unknown[0][:40]!r}")
