import io
import json

import pytest

from thingstead.cli.console import Console, View, printable

ROWS = [{"thing": "thing-a", "ms": 0.125, "ok": True}, {"thing": "thing-b", "ms": None, "ok": False}]
VIEW = View((("thing", "thing"), ("ms", "ms"), ("fine", "ok")), empty="no things")


def shown(value, view=None, *, as_json=False, terminal=False):
    out = io.StringIO()
    Console(out, io.StringIO(), as_json=as_json, terminal=terminal).show(value, view)
    return out.getvalue()


def test_a_list_is_a_table_of_plain_columns():
    assert shown(ROWS, VIEW) == "thing    ms     fine\nthing-a  0.125  yes\nthing-b  -      no\n"


def test_a_list_without_a_view_shows_every_key():
    assert shown(ROWS).splitlines()[0].split() == ["thing", "ms", "ok"]


def test_an_empty_list_says_so():
    assert shown([], VIEW) == "no things\n"


def test_on_a_terminal_a_table_is_drawn():
    text = shown(ROWS, VIEW, terminal=True)
    assert "thing-a" in text
    assert "─" in text


def test_a_record_shows_its_parts_beneath_it():
    text = shown({"thing": "thing-a", "planes": [{"plane": "data", "standing": "refused"}], "data": {"series": 2}})
    assert text.splitlines() == [
        "thing   thing-a",
        "planes",
        "  plane  standing",
        "  data   refused",
        "data",
        "  series  2",
    ]


@pytest.mark.parametrize("value", [ROWS, {"a": 1}, "text", None])
def test_a_program_gets_one_json_document_and_nothing_else(value):
    out = io.StringIO()
    console = Console(out, io.StringIO(), as_json=True, terminal=False)
    console.show(value, VIEW)
    console.say("for people")
    console.next("thingstead thing list")
    assert json.loads(out.getvalue()) == value


def test_the_next_command_is_printed():
    out = io.StringIO()
    Console(out, io.StringIO(), as_json=False, terminal=False).next("thingstead up x")
    assert out.getvalue() == "next: thingstead up x\n"


def console(*, as_json=False, terminal=False):
    out, err = io.TextIOWrapper(io.BytesIO(), write_through=True), io.StringIO()
    return Console(out, err, as_json=as_json, terminal=terminal), out.buffer, err


def test_a_note_stands_beside_the_result_and_only_for_people():
    for as_json, said in ((False, "a\\x1bb\n"), (True, "")):
        made, out, err = console(as_json=as_json)
        made.note("a\x1bb")
        assert (out.getvalue(), err.getvalue()) == (b"", said)


@pytest.mark.parametrize(
    ("as_json", "terminal", "shown"),
    [(False, False, b"a\x1bb\n"), (False, True, b"a\\x1bb\n"), (True, False, b'"a\\u001bb"\n')],
)
def test_a_stream_shows_each_result_on_a_line(as_json, terminal, shown):
    made, out, _ = console(as_json=as_json, terminal=terminal)
    made.line("a\x1bb")
    assert out.getvalue() == shown


@pytest.mark.parametrize(("terminal", "shown"), [(False, b"\x1b\xff\x00"), (True, b"1b ff 00\n")])
def test_a_program_gets_bytes_and_a_terminal_their_digits(terminal, shown):
    made, out, _ = console(terminal=terminal)
    made.raw(b"\x1b\xff\x00")
    assert out.getvalue() == shown


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("text", ["\x1b[31mred", "a\rb", "\u202egnp.exe", "[bold]x[/bold]\x07"])
def test_no_cell_moves_the_cursor_or_the_reader(text, terminal):
    out = shown([{"thing": text}], View((("thing", "thing"),)), terminal=terminal)
    assert all(character.isprintable() or character == "\n" for character in out)


def test_markup_in_a_value_stays_text():
    assert "[bold]x[/bold]" in shown([{"thing": "[bold]x[/bold]"}], View((("thing", "thing"),)), terminal=True)


def test_long_cells_are_cut():
    assert len(shown([{"thing": "x" * 10_000}], VIEW)) < 2_000


@pytest.mark.parametrize(("text", "safe"), [("plain é ü 温", "plain é ü 温"), ("\x00", "\\x00"), ("a\nb", "a\nb")])
def test_printable(text, safe):
    assert printable(text) == safe
