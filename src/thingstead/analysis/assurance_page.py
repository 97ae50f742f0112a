"""The assurance document for people: as text for a terminal, and as one HTML file that loads and runs nothing."""

from __future__ import annotations

from html import escape
from textwrap import TextWrapper

from thingstead.analysis.assurance import Assurance, Row, Status
from thingstead.analysis.question import QuestionKind

__all__ = ["render_html", "render_text"]

_HEADINGS = {
    QuestionKind.THREAT: "Threats (RFC 8576 §3)",
    QuestionKind.CHALLENGE: "Challenges (RFC 8576 §5 and §6)",
    QuestionKind.REQUIREMENT: "Requirements",
}
_COLUMNS = ("question", "status", "control", "evidence", "remaining risk")
_LEGEND = (
    "Shown: every control named was seen to hold at that instant, and no requirement under the question is open. "
    "Not shown now: a control is there, and evidence is missing, in part or whole, or against it. "
    "Open: nothing is there yet."
)
_STYLE = """
:root { color-scheme: light dark; --line: #8888; --open: #a15c00; --shown: #1a6f37; --not: #a3262c; }
@media (prefers-color-scheme: dark) { :root { --open: #e0a458; --shown: #6cc48a; --not: #f08a8f; } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 0 0 2rem; }
th, td { border-top: 1px solid var(--line); padding: .5rem .6rem; text-align: left; vertical-align: top; }
tbody th { font-weight: 600; width: 15rem; }
small { font-weight: 400; opacity: .75; }
td { overflow-wrap: anywhere; }
.status { font-weight: 600; white-space: nowrap; }
.shown { color: var(--shown); } .not { color: var(--not); } .open { color: var(--open); }
@media print { body { font-size: 9pt; max-width: none; margin: 0; } tr { break-inside: avoid; } }
"""
_CLASSES = {Status.SHOWN: "shown", Status.NOT_SHOWN: "not", Status.OPEN: "open"}


def render_text(assurance: Assurance, *, width: int = 100) -> str:
    """A block per question, wrapped at `width` columns; what cannot be printed is escaped."""
    lines = [_visible(f"Assurance of {assurance.domain} at {assurance.at.isoformat(timespec='seconds')}")]
    for kind, heading in _HEADINGS.items():
        lines += ["", f"{heading}: {_summary(assurance, kind)}", ""]
        for row in assurance.rows:
            if row.question.kind is kind:
                lines += _block(row, width)
    return "\n".join([*lines, "", f"In all: {_summary(assurance, None)}"]) + "\n"


def render_html(assurance: Assurance) -> str:
    """One file: no script, no link, nothing fetched; well-formed, every text escaped."""
    title = f"Assurance of {assurance.domain}"
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"/>',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>",
        '<meta name="viewport" content="width=device-width"/>',
        f"<title>{_html(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_html(title)}</h1>",
        f"<p>As seen at {_html(assurance.at.isoformat(timespec='seconds'))}.",
        f"{len(assurance.rows)} questions: {_html(_summary(assurance, None))}. {_LEGEND}</p>",
    ]
    for kind, heading in _HEADINGS.items():
        parts.append(f"<h2>{_html(heading)}</h2><p>{_html(_summary(assurance, kind))}</p>")
        parts.append("<table><thead><tr>" + "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS))
        parts.append("</tr></thead><tbody>")
        parts += [_html_row(row) for row in assurance.rows if row.question.kind is kind]
        parts.append("</tbody></table>")
    return "\n".join([*parts, "</body></html>"]) + "\n"


def _html_row(row: Row) -> str:
    question = row.question
    tests = "".join(f"<li>{_html(test)}: {_html(ended)}</li>" for test, ended in row.tests.items())
    backed = f"<details><summary>tests</summary><ul>{tests}</ul></details>" if tests else ""
    return (
        f'<tr><th scope="row">{_html(question.id)} {_html(question.title)}<br/><small>{_html(question.spec)}</small>'
        f'</th><td class="status {_CLASSES[row.status]}">{_html(row.status)}</td><td>{_html(row.control)}</td>'
        f"<td>{_html(row.evidence)}{backed}</td><td>{_html(row.remaining_risk)}</td></tr>"
    )


def _block(row: Row, width: int) -> list[str]:
    question = row.question
    lines = [_visible(f"{question.id:<7} {row.status:<14} {question.title} ({question.spec})")]
    parts = (
        (("missing", row.remaining_risk),)
        if row.status is Status.OPEN
        else (("control", row.control), ("evidence", row.evidence), ("remaining", row.remaining_risk))
    )
    for name, text in parts:
        wrapper = TextWrapper(width, initial_indent=f"        {name:<10}", subsequent_indent=" " * 18)
        lines += wrapper.wrap(_visible(text))
    return lines


def _summary(assurance: Assurance, kind: QuestionKind | None) -> str:
    return ", ".join(f"{count} {status}" for status, count in assurance.counts(kind).items())


def _html(text: str) -> str:
    return escape(_visible(text))


def _visible(text: str) -> str:
    """What a peer named itself neither moves a cursor nor turns the direction of the text around it."""
    return "".join(
        one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode() for one in str(text)
    )
