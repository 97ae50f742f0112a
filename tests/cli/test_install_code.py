"""A code off a label reaches the domain without standing in a list of processes or in a shell's history."""

import io
import random
import sys

import pytest

from thingstead.protocols.profile.install_code import make_code, render_code

CODE = render_code(make_code(random.Random(7).randbytes))


def _typed(monkeypatch, text, *, is_terminal=False):
    stream = io.StringIO(text)
    monkeypatch.setattr(stream, "isatty", lambda: is_terminal)
    monkeypatch.setattr(sys, "stdin", stream)


def test_a_code_comes_from_standard_input(controller, run, monkeypatch):
    _typed(monkeypatch, f"{CODE}\nmore\n")
    code, out, err = run("install-code", "add", "A0001")
    assert code == 0
    assert controller.asked == [("install-code.add", {"serial": "A0001", "code": f"{CODE}\n", "days": 7})]
    assert CODE not in out + err


def test_a_person_at_a_terminal_is_asked_and_sees_no_echo(controller, run, monkeypatch):
    _typed(monkeypatch, "", is_terminal=True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: CODE.lower() if "label" in prompt else "")
    assert run("install-code", "add", "A0001")[0] == 0
    assert controller.asked[0][1]["code"] == CODE.lower()


def test_a_code_comes_from_a_file_or_as_a_word_and_not_as_both(controller, run, tmp_path):
    (tmp_path / "label").write_text(CODE)
    assert run("install-code", "add", "A0001", "--file", "label")[0] == 0
    assert run("install-code", "add", "A0002", CODE)[0] == 0
    assert [one[1]["code"] for one in controller.asked] == [CODE, CODE]
    code, _, err = run("install-code", "add", "A0003", CODE, "--file", "label")
    assert (code, "not both" in err) == (60, True)


@pytest.mark.parametrize("text", ["", "\n", CODE[:-1], CODE[::-1], "x" * 4096, "\0" * 30])
def test_what_is_no_code_is_refused_before_anything_is_asked_and_not_repeated(controller, run, monkeypatch, text):
    _typed(monkeypatch, text)
    code, out, err = run("install-code", "add", "A0001")
    assert (code, controller.asked) == (11, [])
    assert CODE[:10] not in out + err
