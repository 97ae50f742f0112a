"""Texts of a manifest, for people, and words for the owner of the things, by language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from thingstead.phases.authoring.parameter import Scope
from thingstead.phases.authoring.place import Place
from thingstead.protocols.suit.manifest import ComponentId
from thingstead.protocols.suit.registry import ComponentTextKey, TextKey

__all__ = ["DEFAULT_LANGUAGE", "read_texts", "read_words"]

DEFAULT_LANGUAGE = "en"
_COMPONENT = "component"
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8}){0,7}")


def _by_name(keys: type[IntEnum]) -> dict[str, int]:
    return {key.name.lower(): key.value for key in keys}


_MANIFEST_KEYS, _COMPONENT_KEYS = _by_name(TextKey), _by_name(ComponentTextKey)


def read_texts(
    table: Mapping[str, Place], components: tuple[ComponentId, ...], scope: Scope
) -> dict[str, dict[Any, Any]]:
    """The text member: what ``[text.LANGUAGE]`` says, and the version of each component that has no text of its own.

    Raises:
        ConfigError: not a language, or a text that there is none of; names the place.
    """
    texts: dict[str, dict[Any, Any]] = {}
    for language, place in (table["text"].table() if "text" in table else {}).items():
        texts[_language(language, place)] = _of_language(place, components, scope)
    if "version" in table:
        version = table["version"].text()
        english = texts.setdefault(DEFAULT_LANGUAGE, {})
        for component in components:
            english.setdefault(component, {}).setdefault(ComponentTextKey.COMPONENT_VERSION.value, version)
    return texts


def read_words(table: Mapping[str, Place]) -> dict[str, str]:
    """What is new, in the words of ``[words]``.

    Raises:
        ConfigError: not a language, or no text; names the place.
    """
    words = table["words"].table() if "words" in table else {}
    return {_language(language, place): place.text() for language, place in words.items()}


def _of_language(place: Place, components: tuple[ComponentId, ...], scope: Scope) -> dict[Any, Any]:
    said = place.table((*_MANIFEST_KEYS, _COMPONENT))
    texts: dict[Any, Any] = {_MANIFEST_KEYS[name]: value.text() for name, value in said.items() if name != _COMPONENT}
    for name, value in (said[_COMPONENT].table() if _COMPONENT in said else {}).items():
        index = scope.index(Place(name, value.path))
        if index >= len(components):
            raise value.refuse("expected a component, not a dependency, which has texts of its own")
        texts[components[index]] = {
            _COMPONENT_KEYS[key]: text.text() for key, text in value.table(_COMPONENT_KEYS).items()
        }
    return texts


def _language(name: str, place: Place) -> str:
    if not _LANGUAGE.fullmatch(name):
        raise place.refuse(f"expected a language such as en or en-US (RFC 5646), got {name[:40]!r}")
    return name
