"""Patterns compared with each other: whether one names all that another names, or anything of it.

In a pattern ``*`` stands for any text and ``?`` for one character; one with a set of characters (``[``) is compared by
its text alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

__all__ = ["covers", "meets"]

_ANYTHING = "*"
_OTHER = "\0"
"""A character that no name holds, so that only ``?`` and ``*`` can stand for it."""
_STRETCHES = (0, 1, 2, 40)


def covers(wide: str, narrow: str) -> bool:
    """Whether `wide` names whatever `narrow` names; False also where that is not plain."""
    if wide in (_ANYTHING, narrow):
        return True
    if "[" in wide + narrow:
        return False
    one = narrow.replace("?", _OTHER)
    return all(fnmatchcase(one.replace("*", _OTHER * stretch), wide) for stretch in _STRETCHES)


def meets(one: str, other: str) -> bool:
    """Whether some name fits both patterns; False also where that is not plain."""
    if "[" in one + other:
        return one == other or _ANYTHING in (one, other)
    begins, against = _beginning(one), _beginning(other)
    if not (begins.startswith(against) or against.startswith(begins)):
        return False
    seen, todo = {(0, 0)}, [(0, 0)]
    while todo:
        place = todo.pop()
        if place == (len(one), len(other)):
            return True
        following = set(_steps(one, other, *place)) - seen
        seen |= following
        todo += following
    return False


def _beginning(pattern: str) -> str:
    """What every name begins with that fits."""
    return pattern.partition("*")[0].partition("?")[0]


def _steps(one: str, other: str, left: int, right: int) -> Iterator[tuple[int, int]]:
    """Where both patterns may stand after one more step, of a character that fits both or of a star that ends."""
    head, against = one[left : left + 1], other[right : right + 1]
    if head == "*":
        yield left + 1, right
    if against == "*":
        yield left, right + 1
    if head and against and (head == against or {head, against} & {"*", "?"}):
        yield left + (head != "*"), right + (against != "*")
