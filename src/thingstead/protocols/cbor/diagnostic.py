"""Parse the diagnostic notation of RFC 8949 §8 as far as published vectors use it."""

from __future__ import annotations

import json
import re
from typing import Any

from thingstead.protocols.cbor import codec

__all__ = ["parse"]

_TOKEN = re.compile(
    r"\s*(?:(?P<string>\"(?:[^\"\\]|\\.)*\")|h'(?P<hex>[0-9a-fA-F\s]*)'"
    r"|(?P<word>-?[A-Za-z]+)|(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(?P<mark>[\[\]{}(),:_]))"
)
_WORDS = {
    "true": True,
    "false": False,
    "null": None,
    "undefined": codec.undefined,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


def parse(text: str) -> Any:
    """The value that `text` shows, tags neutral; the chunks of a string of indefinite length come joined.

    Raises:
        ValueError: not diagnostic notation, or a part of it that is not read here.
    """
    tokens = _tokens(text)
    value = _value(tokens)
    if tokens:
        raise ValueError(f"expected the end, got {tokens[-1][1]!r}")
    return value


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens = []
    offset = 0
    text = text.rstrip()
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None or match.lastgroup is None:
            raise ValueError(f"expected diagnostic notation, got {text[offset : offset + 20]!r}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        offset = match.end()
    return tokens[::-1]


def _value(tokens: list[tuple[str, str]]) -> Any:
    kind, text = _next(tokens)
    if kind == "string":
        return json.loads(text)
    if kind == "hex":
        return bytes.fromhex(text)
    if kind == "number":
        if not text.lstrip("-").isdigit():
            return float(text)
        return codec.Tag(int(text), _group(tokens, ")")[0]) if _take(tokens, "(") else int(text)
    if kind == "word" and text == "simple" and _take(tokens, "("):
        return codec.SimpleValue(_group(tokens, ")")[0])
    if kind == "word" and text in _WORDS:
        return _WORDS[text]
    if text == "[":
        return _group(tokens, "]")
    if text == "{":
        return _map(tokens)
    if text == "(":
        chunks = _group(tokens, ")")
        return type(chunks[0])().join(chunks)
    raise ValueError(f"expected a value, got {text!r}")


def _group(tokens: list[tuple[str, str]], end: str) -> list[Any]:
    _take(tokens, "_")
    values: list[Any] = []
    while not _take(tokens, end):
        if values:
            _expect(tokens, ",")
        values.append(_value(tokens))
    return values


def _map(tokens: list[tuple[str, str]]) -> dict[Any, Any]:
    _take(tokens, "_")
    values: dict[Any, Any] = {}
    while not _take(tokens, "}"):
        if values:
            _expect(tokens, ",")
        key = _value(tokens)
        _expect(tokens, ":")
        values[key] = _value(tokens)
    return values


def _next(tokens: list[tuple[str, str]]) -> tuple[str, str]:
    if not tokens:
        raise ValueError("expected a value, got the end")
    return tokens.pop()


def _take(tokens: list[tuple[str, str]], mark: str) -> bool:
    if tokens and tokens[-1] == ("mark", mark):
        tokens.pop()
        return True
    return False


def _expect(tokens: list[tuple[str, str]], mark: str) -> None:
    if not _take(tokens, mark):
        raise ValueError(f"expected {mark!r}, got {tokens[-1][1] if tokens else 'the end'!r}")
