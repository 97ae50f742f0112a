"""Diagnostic notation: CBOR as people read and type it (RFC 8949 §8)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

__all__ = ["parse", "render"]

_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\")|h'(?P<hex>[0-9a-fA-F\s]*)'"
    r"|(?P<word>-?[A-Za-z]+)|(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(?P<mark>[\[\]{}(),:_]))"
)
_WORDS = {
    "true": True,
    "false": False,
    "null": None,
    "undefined": codec.undefined,
    "NaN": math.nan,
    "Infinity": math.inf,
    "-Infinity": -math.inf,
}
_MAX_TEXT = 1 << 20
_MAX_DEPTH = 32
_MAX_DIGITS = 400
_INDENT = "  "


def parse(text: str) -> Any:
    """The value that `text` shows, tags neutral; the chunks of a string of indefinite length come joined.

    Raises:
        DecodeError: not diagnostic notation, or a part of it that is not read here.
    """
    if len(text) > _MAX_TEXT:
        raise _malformed(f"at most {_MAX_TEXT} characters", f"{len(text)}")
    tokens = _tokens(text)
    value = _value(tokens, _MAX_DEPTH)
    if tokens:
        raise _malformed("the end", repr(tokens[-1][1]))
    return value


def render(value: Any, *, width: int = 100) -> str:
    """Show a decoded value, on one line where it fits, else one element a line.

    Args:
        value: as `codec.decode` returns it.
        width: characters of a line.
    """
    return _shown(value, width, "")


def _shown(value: Any, width: int, indent: str) -> str:
    line = _line(value)
    if len(indent) + len(line) <= width:
        return line
    inner = indent + _INDENT
    match value:
        case codec.Tag():
            return f"{value.tag}({_shown(value.value, width, indent)})"
        case list() | tuple():
            rows = [_shown(item, width, inner) for item in value]
            marks = "[]"
        case Mapping():
            rows = [f"{_line(key)}: {_shown(item, width, inner)}" for key, item in value.items()]
            marks = "{}"
        case _:
            return line
    return f"{marks[0]}\n" + ",\n".join([inner + row for row in rows]) + f"\n{indent}{marks[1]}"


def _line(value: Any) -> str:
    match value:
        case None | bool():
            return json.dumps(value)
        case int():
            return str(value)
        case float():
            return _float(value)
        case bytes():
            return f"h'{value.hex()}'"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case codec.Tag():
            return f"{value.tag}({_line(value.value)})"
        case list() | tuple():
            return f"[{', '.join([_line(item) for item in value])}]"
        case Mapping():
            return "{" + ", ".join([f"{_line(key)}: {_line(item)}" for key, item in value.items()]) + "}"
        case codec.SimpleValue():
            return f"simple({value.value})"
        case _ if value is codec.undefined:
            return "undefined"
        case _:
            raise TypeError(f"CBOR has no {type(value).__name__}")


def _float(value: float) -> str:
    for word, special in _WORDS.items():
        if isinstance(special, float) and (value == special or (value != value and special != special)):  # noqa: PLR0124
            return word
    return repr(value)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens = []
    offset = 0
    text = text.rstrip()
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None or match.lastgroup is None:
            raise _malformed("diagnostic notation", repr(text[offset : offset + 20]))
        tokens.append((match.lastgroup, match[match.lastgroup]))
        offset = match.end()
    return tokens[::-1]


def _value(tokens: list[tuple[str, str]], depth: int) -> Any:
    if not depth:
        raise _malformed(f"at most {_MAX_DEPTH} levels", "more")
    kind, text = _next(tokens)
    if kind in _SCALARS:
        return _scalar(kind, text, tokens, depth)
    if text == "[":
        return _group(tokens, "]", depth)
    if text == "{":
        return _map(tokens, depth)
    if text == "(":
        return _joined(_group(tokens, ")", depth))
    raise _malformed("a value", repr(text))


_SCALARS = frozenset({"string", "hex", "number", "word"})


def _scalar(kind: str, text: str, tokens: list[tuple[str, str]], depth: int) -> Any:
    try:
        if kind == "string":
            return json.loads(text)
        if kind == "hex":
            return bytes.fromhex(text)
        if kind == "number" and len(text) <= _MAX_DIGITS:
            if not text.lstrip("-").isdigit():
                return float(text)
            return codec.Tag(int(text), _only(tokens, depth)) if _take(tokens, "(") else int(text)
        if text == "simple" and _take(tokens, "("):
            return codec.SimpleValue(_only(tokens, depth))
        return _WORDS[text]
    except (ValueError, TypeError, OverflowError, KeyError):
        raise _malformed("a value", repr(text[:20])) from None


def _joined(chunks: list[Any]) -> Any:
    kinds = {type(chunk) for chunk in chunks}
    if kinds == {bytes}:
        return b"".join(chunks)
    if kinds == {str}:
        return "".join(chunks)
    raise _malformed("chunks of one string in the parentheses", f"{len(chunks)} others")


def _only(tokens: list[tuple[str, str]], depth: int) -> Any:
    values = _group(tokens, ")", depth)
    if len(values) != 1:
        raise _malformed("one value in the parentheses", f"{len(values)}")
    return values[0]


def _group(tokens: list[tuple[str, str]], end: str, depth: int) -> list[Any]:
    _take(tokens, "_")
    values: list[Any] = []
    while not _take(tokens, end):
        if values:
            _expect(tokens, ",")
        values.append(_value(tokens, depth - 1))
    return values


def _map(tokens: list[tuple[str, str]], depth: int) -> dict[Any, Any]:
    _take(tokens, "_")
    values: dict[Any, Any] = {}
    while not _take(tokens, "}"):
        if values:
            _expect(tokens, ",")
        key = _key(_value(tokens, depth - 1))
        _expect(tokens, ":")
        if key in values:
            raise _malformed("keys that differ", repr(key))
        values[key] = _value(tokens, depth - 1)
    return values


def _key(value: Any) -> Any:
    """An array becomes a tuple, as `codec.decode` makes it; a map is refused."""
    if isinstance(value, list):
        return tuple(map(_key, value))
    if isinstance(value, dict | codec.Tag):
        raise _malformed("a key that is no map and has no tag", repr(type(value).__name__))
    return value


def _next(tokens: list[tuple[str, str]]) -> tuple[str, str]:
    if not tokens:
        raise _malformed("a value", "the end")
    return tokens.pop()


def _take(tokens: list[tuple[str, str]], mark: str) -> bool:
    if tokens and tokens[-1] == ("mark", mark):
        tokens.pop()
        return True
    return False


def _expect(tokens: list[tuple[str, str]], mark: str) -> None:
    if not _take(tokens, mark):
        raise _malformed(repr(mark), repr(tokens[-1][1]) if tokens else "the end")


def _malformed(expected: str, got: str) -> DecodeError:
    return DecodeError(f"expected {expected}, got {got}", spec="RFC 8949 §8")
