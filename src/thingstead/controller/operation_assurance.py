"""Operations on the domain as a whole: how it stands, what expires, what is forgotten, and what it can show."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from thingstead.analysis.assurance import Trace, document, parse_trace
from thingstead.analysis.assurance_page import render_html, render_text
from thingstead.analysis.calendar import Due, calendar
from thingstead.analysis.neglect import Neglected
from thingstead.controller.operation import Operation
from thingstead.controller.operation_thing import NoArguments
from thingstead.controller.overview import Overview
from thingstead.domain.role import Right
from thingstead.errors import ConfigError, DecodeError

__all__ = ["AskAssurance", "AskCalendar", "rows"]

_MAX_TRACE = 8 << 20
_FILES = frozenset({"trace"})
_MAX_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class AskAssurance:
    """What to add to it.

    Attributes:
        trace: file that `make trace` wrote, to name the tests behind each requirement; empty for none.
            For the owner alone.
    """

    trace: str = ""


@dataclass(frozen=True, slots=True)
class AskCalendar:
    """How far to look.

    Attributes:
        days: leave out what need not be acted on within so many, up to 36,500; 0 shows everything.
    """

    days: int = 0


def rows(overview: Overview) -> tuple[Operation[Any], ...]:
    """The table."""

    async def status(_request: NoArguments) -> dict[str, Any]:
        return await overview.status()

    async def dates(request: AskCalendar) -> tuple[Due, ...]:
        if not 0 <= request.days <= _MAX_DAYS:
            raise ConfigError(f"expected 0 to {_MAX_DAYS} days, got {request.days}")
        horizon = timedelta(days=request.days) if request.days else None
        return calendar(overview.expiries(), at=overview.clock.utc(), horizon=horizon)

    async def forgotten(_request: NoArguments) -> tuple[Neglected, ...]:
        return overview.forgotten()

    async def assured(request: AskAssurance) -> dict[str, Any]:
        return document(await overview.assurance(_trace(request.trace)))

    async def page(request: AskAssurance) -> dict[str, str]:
        return {"html": render_html(await overview.assurance(_trace(request.trace)))}

    async def text(request: AskAssurance) -> dict[str, str]:
        return {"text": render_text(await overview.assurance(_trace(request.trace)))}

    return (
        Operation("status", NoArguments, Right.SEE, "how the domain stands, plane by plane", status),
        Operation("calendar", AskCalendar, Right.AUDIT, "what will expire, and the last safe day to act", dates),
        Operation("thing.forgotten", NoArguments, Right.SEE, "what is silent, unsupported or unmanaged", forgotten),
        Operation(
            "assurance",
            AskAssurance,
            Right.AUDIT,
            "every question of RFC 8576: control, evidence, risk",
            assured,
            _FILES,
        ),
        Operation("assurance.page", AskAssurance, Right.AUDIT, "the same as one HTML file", page, _FILES),
        Operation("assurance.text", AskAssurance, Right.AUDIT, "the same as text", text, _FILES),
    )


def _trace(name: str) -> Trace | None:
    if not name:
        return None
    try:
        return parse_trace(json.loads(_read(Path(name))))
    except (OSError, ValueError, RecursionError, DecodeError) as error:
        raise ConfigError(f"expected a trace of `make trace` at {name}: {error}") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_MAX_TRACE + 1)
    if len(data) > _MAX_TRACE:
        raise ConfigError(f"{path} is over {_MAX_TRACE} bytes")
    return data
