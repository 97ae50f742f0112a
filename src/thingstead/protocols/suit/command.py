"""Command sequences, decoded by the registry's tables into typed commands (draft-ietf-suit-manifest §8.4.6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from thingstead.errors import DecodeError, UnsupportedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.digest import Digest, decode_digest
from thingstead.protocols.suit.envelope import Limits
from thingstead.protocols.suit.parameter import VersionMatch, WaitInfo, decode_match, decode_wait
from thingstead.protocols.suit.registry import (
    COMMANDS,
    PARAMETERS,
    PEN_TAG,
    UPDATE_MANAGEMENT,
    Argument,
    CommandId,
    Kind,
)

__all__ = ["Budget", "Command", "ComponentIndex", "Parameters", "Sequence", "decode_sequence"]

Parameters = Mapping[int, "int | bool | str | bytes | Digest | VersionMatch | WaitInfo"]
ComponentIndex = int | bool | tuple[int, ...]

_SPEC = "draft-ietf-suit-manifest §8.4.6"
_MAX_POLICY = 15
_UUID_SIZE = 16


@dataclass(frozen=True, slots=True)
class Command:
    """One condition or directive with its argument.

    Attributes:
        id: what to do; a negative number is a custom command.
        within: the sequence that it stands in, encoded.
        place: which of its commands it is.
        policy: reporting policy, four bits; 0 where the argument is another.
        index: of set-component-index: one, several, or True for all.
        parameters: of set- and override-parameters.
        sequences: of run-sequence (one) and try-each (several, None for "do nothing").
        multiple: of override-multiple: parameters by component index.
        copies: of copy-params: numbers of parameters by the index of the component that has them.
        argument: of a custom command, as decoded.
    """

    id: CommandId | int
    within: bytes
    place: int
    policy: int = 0
    index: ComponentIndex = 0
    parameters: Parameters = field(default_factory=dict)
    sequences: tuple[Sequence | None, ...] = ()
    multiple: Mapping[int, Parameters] = field(default_factory=dict)
    copies: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    argument: Any = None

    @property
    def offset(self) -> int:
        """Bytes from the start of its sequence (draft-ietf-suit-report §3); found when something is to be reported."""
        items = codec.decode(self.within)
        return len(self.within) - sum([len(codec.encode(item)) for item in items[2 * self.place :]])


Sequence = tuple[Command, ...]


class Budget:
    """Counts the commands of one manifest while it is decoded."""

    __slots__ = ("_left", "_limits")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = limits.max_commands

    def spend(self, commands: int) -> None:
        """Take `commands` off.

        Raises:
            DecodeError: more than the limit.
        """
        self._left -= commands
        if self._left < 0:
            raise DecodeError(f"expected at most {self._limits.max_commands} commands in a manifest", spec=_SPEC)

    def require_nesting(self, level: int) -> None:
        """Check the level of a sequence.

        Raises:
            DecodeError: deeper than the limit.
        """
        if level > self._limits.max_nesting:
            raise DecodeError(f"expected at most {self._limits.max_nesting} sequences in one another", spec=_SPEC)


def decode_sequence(data: bytes, budget: Budget, *, level: int = 1) -> Sequence:
    """Decode a command sequence without its byte string's head.

    Raises:
        DecodeError: outside the grammar, or over the budget.
        UnsupportedError: a command or parameter that no registry has.
    """
    budget.require_nesting(level)
    items = codec.decode_deterministic(data)
    if not isinstance(items, list) or not items or len(items) % 2:
        raise DecodeError("expected an array of commands, each followed by its argument", spec=_SPEC)
    budget.spend(len(items) // 2)
    pairs = zip(items[::2], items[1::2], strict=True)
    return tuple([_command(*pair, data, place, budget, level) for place, pair in enumerate(pairs)])


def _command(number: Any, argument: Any, within: bytes, place: int, budget: Budget, level: int) -> Command:
    if type(number) is not int:
        raise DecodeError(f"expected a command number, got {type(number).__name__}", spec=_SPEC)
    if number < 0:
        return Command(number, within, place, argument=argument)
    row = COMMANDS.get(number)
    if row is None:
        raise UnsupportedError(f"the command {number} is not known", spec=_SPEC, reason="command")
    fields = _ARGUMENTS[row.argument](argument, budget, level)
    return Command(row.id, within, place, **fields)


def _policy(argument: Any, _budget: Budget, _level: int) -> dict[str, Any]:
    if type(argument) is not int or not 0 <= argument <= _MAX_POLICY:
        raise DecodeError("expected a reporting policy of four bits", spec="draft-ietf-suit-manifest §8.4.7")
    return {"policy": argument}


def _index(argument: Any, _budget: Budget, _level: int) -> dict[str, Any]:
    if argument is True or (type(argument) is int and argument >= 0):
        return {"index": argument}
    if isinstance(argument, list) and argument and all(type(item) is int and item >= 0 for item in argument):
        return {"index": tuple(argument)}
    raise DecodeError("expected a component index: integer, list or true", spec="draft-ietf-suit-manifest §6.5")


def _parameters(argument: Any, _budget: Budget, _level: int) -> dict[str, Any]:
    if not isinstance(argument, dict) or not argument:
        raise DecodeError("expected a map of parameters", spec="draft-ietf-suit-manifest §8.4.8")
    return {"parameters": MappingProxyType({key: _parameter(key, value) for key, value in argument.items()})}


def _sequence(argument: Any, budget: Budget, level: int) -> dict[str, Any]:
    return {"sequences": (_nested(argument, budget, level),)}


def _sequences(argument: Any, budget: Budget, level: int) -> dict[str, Any]:
    if not isinstance(argument, list) or len(argument) < 2 or None in argument[:-1]:
        raise DecodeError("expected two sequences or more, nil only as the last", spec=_SPEC)
    return {"sequences": tuple([None if item is None else _nested(item, budget, level) for item in argument])}


def _multiple(argument: Any, budget: Budget, level: int) -> dict[str, Any]:
    entries = _by_index(argument, budget)
    return {
        "multiple": MappingProxyType(
            {index: _parameters(each, budget, level)["parameters"] for index, each in entries.items()}
        )
    }


def _copies(argument: Any, budget: Budget, _level: int) -> dict[str, Any]:
    copied: dict[int, tuple[int, ...]] = {}
    for index, keys in _by_index(argument, budget).items():
        if not isinstance(keys, list) or not keys or not all(type(key) is int for key in keys):
            raise DecodeError("expected a list of parameter numbers", spec=f"{UPDATE_MANAGEMENT} §5.8")
        copied[index] = tuple(keys)
    return {"copies": MappingProxyType(copied)}


def _by_index(argument: Any, budget: Budget) -> Mapping[int, Any]:
    if not isinstance(argument, dict) or not argument or not all(type(key) is int and key >= 0 for key in argument):
        raise DecodeError("expected a map by component index", spec=f"{UPDATE_MANAGEMENT} §5")
    budget.spend(len(argument))
    return argument


def _nested(argument: Any, budget: Budget, level: int) -> Sequence:
    if not isinstance(argument, bytes):
        raise DecodeError("expected a command sequence in a byte string", spec=_SPEC)
    return decode_sequence(argument, budget, level=level + 1)


_ARGUMENTS: dict[Argument, Callable[[Any, Budget, int], dict[str, Any]]] = {
    Argument.POLICY: _policy,
    Argument.INDEX: _index,
    Argument.PARAMETERS: _parameters,
    Argument.SEQUENCE: _sequence,
    Argument.SEQUENCES: _sequences,
    Argument.MULTIPLE: _multiple,
    Argument.COPIES: _copies,
}


def _parameter(key: Any, value: Any) -> Any:
    if type(key) is not int:
        raise DecodeError(
            f"expected a parameter number, got {type(key).__name__}", spec="draft-ietf-suit-manifest §8.4.8"
        )
    if key < 0:
        return value
    row = PARAMETERS.get(key)
    if row is None:
        raise UnsupportedError(f"the parameter {key} is not known", spec=_SPEC, reason="parameter")
    if row.kind in _STRUCTURED and isinstance(value, bytes):
        return _STRUCTURED[row.kind](value)
    if row.kind is Kind.VENDOR and isinstance(value, codec.Tag) and value.tag == PEN_TAG:
        return codec.encode(value)
    if row.kind in _STRUCTURED or not _FITS[row.kind](value):
        raise DecodeError(f"expected {row.kind.value} in parameter {key}", spec=row.source)
    return value


def _is_uuid(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) == _UUID_SIZE


_STRUCTURED: dict[Kind, Callable[[bytes], Any]] = {
    Kind.DIGEST: lambda value: decode_digest(codec.decode_deterministic(value)),
    Kind.VERSION: decode_match,
    Kind.WAIT: decode_wait,
}
_FITS: dict[Kind, Callable[[Any], bool]] = {
    Kind.VENDOR: _is_uuid,
    Kind.UUID: _is_uuid,
    Kind.UINT: lambda value: type(value) is int and value >= 0,
    Kind.INT: lambda value: type(value) is int,
    Kind.BOOL: lambda value: isinstance(value, bool),
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.BYTES: lambda value: isinstance(value, bytes),
}
