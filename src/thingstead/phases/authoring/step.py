"""Command sequences as a maker writes them, each command by its name in the registry.

A step is a word, ``"fetch"``, or a table of one key where something belongs to it: ``{ fetch = 15 }`` has a reporting
policy of its own, ``{ set_component_index = "download" }`` names a component, ``{ override_parameters = { ... } }``
sets parameters, ``{ try_each = [[...], [...]] }`` has sequences, of which an empty last one does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thingstead.phases.authoring.parameter import Scope, read_parameters
from thingstead.phases.authoring.place import Place
from thingstead.protocols.suit.builder import Commands, encode_commands
from thingstead.protocols.suit.registry import COMMANDS, Argument, CommandId, ParameterId

__all__ = ["REPORT_ALL", "REPORT_FAILURE", "read_commands"]

REPORT_ALL, REPORT_FAILURE = 15, 2
"""Reporting policies of conditions and of directives, where a file says none (draft-ietf-suit-manifest §8.4.7)."""

_MAX_POLICY = 15
_MAX_NESTING = 4
_NAMES = {row.id.name.lower(): row for row in COMMANDS.values()}
_PARAMETERS = {one.name.lower(): one for one in ParameterId}


def read_commands(place: Place, scope: Scope, *, level: int = 1) -> Commands:
    """A command sequence.

    Raises:
        ConfigError: an unknown command, or an argument that is none of its kind; names the place.
    """
    if level > _MAX_NESTING:
        raise place.refuse(f"expected at most {_MAX_NESTING} sequences in one another")
    steps = place.items()
    if not steps:
        raise place.refuse("expected a step at least")
    return tuple([_command(step, scope, level) for step in steps])


def _command(step: Place, scope: Scope, level: int) -> tuple[int, Any]:
    if isinstance(step.value, str):
        (name,) = Place({step.text(): None}, step.path).table(_NAMES)
        row = _NAMES[name]
        if row.argument is not Argument.POLICY:
            raise step.refuse(f"expected {{ {name} = ... }} with {row.argument.value}")
        return row.id, _policy_of(row.id)
    table = step.table(_NAMES)
    if len(table) != 1:
        raise step.refuse(f"expected one command in a step, got {len(table)}")
    ((name, argument),) = table.items()
    row = _NAMES[name]
    return row.id, _READERS[row.argument](argument, scope, level)


def _policy_of(command: CommandId) -> int:
    return REPORT_ALL if command.name.startswith("CONDITION_") else REPORT_FAILURE


def _index(place: Place, scope: Scope, _level: int) -> Any:
    if place.value is True:
        return True
    if isinstance(place.value, list):
        return [scope.index(name) for name in place.items()]
    return scope.index(place)


def _sequences(place: Place, scope: Scope, level: int) -> list[bytes | None]:
    choices = place.items()
    if len(choices) < 2:
        raise place.refuse("expected two sequences or more")
    last_does_nothing = choices[-1].value == []
    written = choices[:-1] if last_does_nothing else choices
    encoded: list[bytes | None] = [_sequence(one, scope, level) for one in written]
    return [*encoded, None] if last_does_nothing else encoded


def _sequence(place: Place, scope: Scope, level: int) -> bytes:
    return encode_commands(read_commands(place, scope, level=level + 1))


def _by_component(place: Place, scope: Scope) -> dict[int, Place]:
    table = place.table()
    if not table:
        raise place.refuse("expected a component at least")
    return {scope.index(Place(name, value.path)): value for name, value in table.items()}


def _copies(place: Place, scope: Scope, _level: int) -> dict[int, list[int]]:
    copies: dict[int, list[int]] = {}
    for index, names in _by_component(place, scope).items():
        copied = [
            _PARAMETERS[name].value
            for item in names.items()
            for name in Place({item.text(): None}, item.path).table(_PARAMETERS)
        ]
        if not copied:
            raise names.refuse("expected a parameter at least")
        copies[index] = copied
    return copies


_READERS: dict[Argument, Callable[[Place, Scope, int], Any]] = {
    Argument.POLICY: lambda place, _scope, _level: place.whole(0, _MAX_POLICY),
    Argument.INDEX: _index,
    Argument.PARAMETERS: lambda place, scope, _level: read_parameters(place, scope),
    Argument.SEQUENCE: _sequence,
    Argument.SEQUENCES: _sequences,
    Argument.MULTIPLE: lambda place, scope, _level: {
        index: read_parameters(each, scope) for index, each in _by_component(place, scope).items()
    },
    Argument.COPIES: _copies,
}
