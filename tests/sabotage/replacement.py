"""What stands in for a control that is taken away, and how it gets there."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Sabotage", "accepts", "apply", "argument", "find", "returns", "skips"]


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One control taken away.

    Attributes:
        requirement: number of the requirement that the control serves.
        target: ``package.module:function`` or ``package.module:Class.method``.
        replacement: takes the original, gives what is called in its place with the same arguments.
        removes: what no longer holds, in words.
    """

    requirement: str
    target: str
    replacement: Callable[[Callable[..., Any]], Callable[..., Any]]
    removes: str


def accepts(_original: Callable[..., Any]) -> Callable[..., Any]:
    """For a check that raises: it raises nothing and returns None."""
    return lambda *_args, **_kwargs: None


def returns(value: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For a decision: it is always `value`."""
    return lambda _original: lambda *_args, **_kwargs: value


def argument(position: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For a step that filters or narrows: its argument at `position` (self counts) comes out as it went in."""
    return lambda _original: lambda *args, **_kwargs: args[position]


def skips(*errors: type[Exception], value: Any = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For a function that does more than check: it does its work, but where it would raise it returns `value`."""

    def replace(original: Callable[..., Any]) -> Callable[..., Any]:
        def lenient(*args: Any, **kwargs: Any) -> Any:
            try:
                return original(*args, **kwargs)
            except errors:
                return value

        return lenient

    return replace


def apply(sabotage: Sabotage) -> None:
    """Replace the target in its module, before any other module has imported it from there.

    Raises:
        LookupError: there is no such function.
    """
    owner, name, original = find(sabotage)
    wrapper = type(original) if isinstance(original, staticmethod | classmethod) else _plain
    setattr(owner, name, wrapper(sabotage.replacement(getattr(original, "__func__", original))))


def find(sabotage: Sabotage) -> tuple[Any, str, Any]:
    """The module or class that holds the target, the target's name there, and the target.

    Raises:
        LookupError: there is no such function.
    """
    module_name, _, path = sabotage.target.partition(":")
    *owners, name = path.split(".")
    try:
        owner: Any = importlib.import_module(module_name)
        for step in owners:
            owner = getattr(owner, step)
        original = owner.__dict__[name]
        if not callable(getattr(original, "__func__", original)):
            raise TypeError(f"{original!r} is not a function")
    except (ImportError, AttributeError, KeyError, TypeError) as error:
        raise LookupError(f"{sabotage.requirement}: no function {sabotage.target}") from error
    return owner, name, original


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
