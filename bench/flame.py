"""A flame graph as SVG: each box a function, as wide as the time in it and what it called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from html import escape

__all__ = ["draw"]

_WIDTH, _HEIGHT, _MARGIN = 1200, 18, 24
_LETTER = 6.4  # width of one letter of the font, in pixels
_NARROWEST = 1.0
_COLOURS = {
    "transport": "#9ecae1",
    "controller": "#fdd0a2",
    "endpoint": "#a1d99b",
    "protocols/coap": "#fdae6b",
    "protocols/oscore": "#bcbddc",
    "crypto": "#fb9a99",
}
_OTHER = "#d9d9d9"


def draw(stacks: Mapping[tuple[str, ...], int], *, title: str) -> str:
    """The picture of `stacks`, outermost frame first, with their numbers of samples."""
    total = sum(stacks.values())
    depth = max(map(len, stacks))
    height = (depth + 2) * _HEIGHT + 2 * _MARGIN
    boxes = "\n".join(_boxes(stacks, total, height - _MARGIN - _HEIGHT))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="monospace"'
        f' font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n'
        f'<text x="8" y="16" font-size="13">{escape(title)}</text>\n{_legend()}\n{boxes}\n</svg>\n'
    )


def _boxes(stacks: Mapping[tuple[str, ...], int], total: int, bottom: float) -> Iterator[str]:
    """Level by level: at each, what stands on the same frames becomes one box."""
    waiting = [(dict(stacks), 0, 0.0)]
    while waiting:
        group, level, left = waiting.pop()
        children: dict[str, dict[tuple[str, ...], int]] = defaultdict(dict)
        for stack, count in group.items():
            if len(stack) > level:
                children[stack[level]][stack] = count
        for name, members in sorted(children.items()):
            width = sum(members.values()) / total * _WIDTH
            if width >= _NARROWEST:
                yield _box(name, left, bottom - level * _HEIGHT, width, sum(members.values()) / total)
                waiting.append((members, level + 1, left))
            left += width


def _box(name: str, left: float, top: float, width: float, share: float) -> str:
    label = name.rpartition(":")[2]
    room = int((width - 4) / _LETTER)
    text = label if len(label) <= room else label[: room - 1] + "…" if room > 3 else ""
    return (
        f'<g><title>{escape(name)}: {share:.1%}</title><rect x="{left:.1f}" y="{top:.0f}" width="{width:.1f}"'
        f' height="{_HEIGHT - 1}" fill="{_colour(name)}" rx="1"/>'
        f'<text x="{left + 3:.1f}" y="{top + 12:.0f}">{escape(text)}</text></g>'
    )


def _colour(name: str) -> str:
    return next((colour for floor, colour in _COLOURS.items() if f"thingstead/{floor}/" in name), _OTHER)


def _legend() -> str:
    parts = []
    for number, (floor, colour) in enumerate([*_COLOURS.items(), ("else", _OTHER)]):
        left = 560 + number % 4 * 150
        top = 6 + number // 4 * 16
        parts.append(f'<rect x="{left}" y="{top}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{left + 16}" y="{top + 10}">{floor}</text>')
    return "".join(parts)
