import io
import json

import pytest

from thingstead.cli.console import Console, View, printable

ROWS = [{"thing": "thing-a", "ms": 0.125, "ok": True}, {"thing": "thing-b", "ms": None, "ok": False}]
VIEW = View((("thing", "thing"), ("ms", "ms"), ("fine", "ok")), empty="no things")


def shown(value, view=None, *, as_json=False, columns=None):
    out = io.StringIO()
    Console(out, io.StringIO(), as_json=as_json, columns=columns).show(value, view)
    return out.getvalue()


def test_a_list_is_a_table_of_plain_columns():
    assert shown(ROWS, VIEW) == "thing    ms     fine\nthing-a  0.125  yes\nthing-b  -      no\n"


def test_a_list_without_a_view_shows_every_key():
    assert shown(ROWS).splitlines()[0].split() == ["thing", "ms", "ok"]


def test_an_empty_list_says_so():
    assert shown([], VIEW) == "no things\n"


def test_on_a_terminal_a_table_is_drawn():
    text = shown(ROWS, VIEW, columns=80)
    assert "thing-a" in text
    assert "─" in text


def test_a_table_that_a_terminal_is_too_narrow_for_is_told_row_by_row():
    assert shown(ROWS, VIEW, columns=10) == (
        "thing  thing-a\nms     0.125\nfine   yes\n\nthing  thing-b\nms     -\nfine   no\n"
    )


@pytest.mark.parametrize("columns", range(60, 130, 5))
def test_no_column_but_the_widest_is_ever_folded(columns):
    row = {"thing": "thing-abcdefghijklmnop", "what": " ".join(["word"] * 30), "kind": "refusal-of-some-kind"}
    text = shown([row], columns=columns)
    assert row["thing"] in text
    assert row["kind"] in text
    assert all(len(line) <= columns for line in text.splitlines()) or "─" not in text


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
    console = Console(out, io.StringIO(), as_json=True, columns=None)
    console.show(value, VIEW)
    console.say("for people")
    console.next("thingstead thing list")
    assert json.loads(out.getvalue()) == value


def test_the_next_command_is_printed():
    out = io.StringIO()
    Console(out, io.StringIO(), as_json=False, columns=None).next("thingstead up x")
    assert out.getvalue() == "next: thingstead up x\n"


def console(*, as_json=False, columns=None):
    out, err = io.TextIOWrapper(io.BytesIO(), write_through=True), io.StringIO()
    return Console(out, err, as_json=as_json, columns=columns), out.buffer, err


def test_the_next_command_can_be_typed_as_it_stands_whatever_a_directory_is_called():
    out = io.StringIO()
    Console(out, io.StringIO(), as_json=False, columns=None).next("thingstead up", "Zürich 2", "x;y", "plain")
    assert out.getvalue() == "next: thingstead up 'Zürich 2' 'x;y' plain\n"


@pytest.mark.parametrize("several", [["a", "b"], ("a", "b")])
def test_several_values_in_a_cell_are_told_one_after_the_other(several):
    assert shown([{"things": several}]).splitlines()[1] == "a, b"


def test_a_note_stands_beside_the_result_and_only_for_people():
    for as_json, said in ((False, "a\\x1bb\n"), (True, "")):
        made, out, err = console(as_json=as_json)
        made.note("a\x1bb")
        assert (out.getvalue(), err.getvalue()) == (b"", said)


@pytest.mark.parametrize(
    ("as_json", "columns", "shown"),
    [(False, None, b"a\x1bb\n"), (False, 80, b"a\\x1bb\n"), (True, None, b'"a\\u001bb"\n')],
)
def test_a_stream_shows_each_result_on_a_line(as_json, columns, shown):
    made, out, _ = console(as_json=as_json, columns=columns)
    made.line("a\x1bb")
    assert out.getvalue() == shown


@pytest.mark.parametrize(("columns", "shown"), [(None, b"\x1b\xff\x00"), (80, b"1b ff 00\n")])
def test_a_program_gets_bytes_and_a_terminal_their_digits(columns, shown):
    made, out, _ = console(columns=columns)
    made.raw(b"\x1b\xff\x00")
    assert out.getvalue() == shown


@pytest.mark.parametrize("columns", [None, 80, 10])
@pytest.mark.parametrize("text", ["\x1b[31mred", "a\rb", "\u202egnp.exe", "[bold]x[/bold]\x07"])
def test_no_cell_moves_the_cursor_or_the_reader(text, columns):
    out = shown([{"thing": text}], View((("thing", "thing"),)), columns=columns)
    assert all(character.isprintable() or character == "\n" for character in out)


def test_markup_in_a_value_stays_text():
    assert "[bold]x[/bold]" in shown([{"thing": "[bold]x[/bold]"}], View((("thing", "thing"),)), columns=80)


def test_long_cells_are_cut():
    assert len(shown([{"thing": "x" * 10_000}], VIEW)) < 2_000


@pytest.mark.parametrize(("text", "safe"), [("plain é ü 温", "plain é ü 温"), ("\x00", "\\x00"), ("a\nb", "a\nb")])
def test_printable(text, safe):
    assert printable(text) == safe
