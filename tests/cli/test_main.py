"""The command line as its users meet it: what is printed, and the exit code."""

import errno
import json
import shlex
import subprocess
import sys

import pytest

from thingstead import __version__, errors
from thingstead.cli import main as cli
from thingstead.cli.action import Action
from thingstead.cli.command import COMMANDS, Phase
from thingstead.errors import CONSEQUENCES, ConfigError, DecodeError, PolicyError, StorageError, ThingsteadError


@pytest.fixture
def failing(monkeypatch):
    """Makes the first command raise what it is given."""

    def failing(error):
        def fail(_session):
            raise error

        monkeypatch.setattr(cli, "load", lambda _command: Action((), fail))
        return COMMANDS[0].words

    return failing


def test_version(run):
    assert run("--version") == (0, f"thingstead {__version__}\n", "")
    assert json.loads(run("--version", "--json")[1]) == {"version": __version__}


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_help_lists_every_command_under_its_phase_of_life(run, words):
    code, out, _ = run(*words)
    assert code == 0
    for command in COMMANDS:
        assert f"  {command.name} " in out
    for phase in {command.phase for command in COMMANDS}:
        assert phase.value in out


def test_each_phase_shows_one_example():
    text = cli.overview(COMMANDS)
    present = {command.phase for command in COMMANDS}
    assert text.count("e.g. thingstead ") == len(present)
    places = [text.index(phase.value) for phase in Phase if phase in present]
    assert places == sorted(places)


def test_a_group_alone_lists_its_commands(run):
    code, out, _ = run("mud")
    assert code == 0
    assert "mud check" in out
    assert "thing list" not in out


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_loads_and_its_help_teaches(run, command):
    code, out, _ = run(*command.words, "--help")
    assert code == 0
    assert out.startswith(f"usage: thingstead {command.name}")
    assert f"example: {command.example}" in out


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_example_is_a_command_line_that_parses(command):
    parser = cli.parser(command, cli.load(command))
    words = shlex.split(command.example)[1 + len(command.words) :]
    assert parser.parse_args(words)


def test_common_switches_may_stand_before_the_command(run, tmp_path):
    code, out, _ = run("--json", "mud", "check", tmp_path / "absent")
    assert (code, json.loads(out)["error"]["kind"]) == (60, "ConfigError")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("mud", "chekc"), "did you mean `thingstead mud check`?"),
        (("frobnicate",), "there is no command 'frobnicate'"),
        (("mud", "check"), "the following arguments are required: file"),
        (("mud", "check", "x", "--colour"), "unrecognized arguments: --colour"),
        (("mud", "check", "x", "--sig", "y"), "unrecognized arguments: --sig"),
        (("mud", "check", ""), "expected a path for file, got ''"),
        (("mud", "check", "a\0b"), "expected a path for file"),
        (("mud", "check", "\udcff"), "expected words in UTF-8"),
        (("init", "x", "--profile", "own"), "choose from 'home', 'managed', 'building', 'industrial'"),
        (("ledger", "proof", "-1"), "expected a whole number of at least 0, got '-1'"),
        (("ledger", "proof", "one"), "expected a whole number of at least 0, got 'one'"),
        (("agent", "run", "x", "--telemetry-interval", "nan"), "expected seconds above 0"),
        (("network", "allow", "local", "--thing", "x", "--hours", "0"), "expected hours above 0"),
        (("network", "block", "--hours", "nan"), "expected hours above 0"),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_one_advice(run, words, says):
    code, out, err = run(*words)
    assert code == CONSEQUENCES[ConfigError].exit_code
    assert out == ""
    assert says in err
    assert err.startswith("thingstead: ")
    assert err.splitlines()[1:] == [CONSEQUENCES[ConfigError].advice]


@pytest.mark.parametrize("cls", list(CONSEQUENCES))
def test_every_error_ends_with_its_exit_code_and_advice(run, failing, cls):
    words = failing(cls("expected this, got that", spec="RFC 8613 §8.2"))
    row = CONSEQUENCES[cls]
    assert run(*words) == (row.exit_code, "", f"thingstead: expected this, got that (RFC 8613 §8.2)\n{row.advice}\n")


def test_a_program_gets_the_error_as_its_one_document(run, failing):
    words = failing(PolicyError("no", reason="refused"))
    code, out, err = run(*words, "--json")
    assert (code, err) == (30, "")
    assert json.loads(out) == {
        "error": {
            "kind": "PolicyError",
            "reason": "refused",
            "message": "no",
            "advice": CONSEQUENCES[PolicyError].advice,
            "exit_code": 30,
        }
    }


def test_a_fault_of_ours_shows_no_traceback(run, failing):
    words = failing(KeyError("lost"))
    code, _, err = run(*words)
    assert code == CONSEQUENCES[ThingsteadError].exit_code
    assert err.startswith("thingstead: KeyError: 'lost'; this is a fault of ours")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(errno.EACCES, "Permission denied", "/locked/thingstead.toml"),
        OSError(errno.ENOSPC, "No space left on device"),
    ],
)
def test_what_the_disk_refuses_is_no_fault_of_ours(run, failing, error):
    code, _, err = run(*failing(error))
    assert (code, len(err.splitlines())) == (CONSEQUENCES[StorageError].exit_code, 2)
    assert error.strerror in err


def test_help_says_what_may_be_chosen_and_what_an_option_is_otherwise(run):
    _, out, _ = run("oscore", "create", "--help")
    told = " ".join(out.split())
    assert "ours, in hexadecimal; 01 if not given" in told
    assert "ChaCha20/Poly1305); AES-CCM-16-64-128 if not given" in told


def test_an_error_of_one_of_many_tasks_is_told_like_any_other(run, failing):
    words = failing(ExceptionGroup("tasks", [ExceptionGroup("more", [PolicyError("no")]), KeyError("lost")]))
    assert run(*words) == (30, "", f"thingstead: no\n{CONSEQUENCES[PolicyError].advice}\n")


@pytest.mark.parametrize("error", [DecodeError("bad"), KeyError("lost")])
def test_debug_shows_where_it_was_raised(failing, error):
    words = failing(error)
    with pytest.raises(type(error)):
        cli.main([*words, "--debug"])


def test_an_interrupt_ends_quietly_with_130(run, failing):
    assert run(*failing(KeyboardInterrupt())) == (130, "", "")


def test_what_a_peer_named_itself_reaches_no_terminal(run, failing):
    words = failing(errors.UntrustedError("maker \x1b]0;owned\x07\x1b[2J"))
    _, _, err = run(*words)
    assert "\x1b" not in err
    assert "\\x1b]0;owned\\x07" in err


@pytest.mark.slow
def test_the_program_runs_as_a_process_and_survives_a_reader_that_leaves(process_environment):
    command = [sys.executable, "-W", "error", "-m", "thingstead"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, env=process_environment, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"thingstead {__version__}\n", "")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=process_environment) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait() in {0, 141}


@pytest.mark.slow
@pytest.mark.parametrize("stream", [1, 2])
def test_the_program_runs_where_nobody_listens_at_all(process_environment, stream):
    words = f'"{sys.executable}" -m thingstead coap get /light {stream}>&-'
    done = subprocess.run(["sh", "-c", words], capture_output=True, env=process_environment, check=False)
    assert done.returncode == 60
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("locale", "shown"), [("ascii", b"RFC 8949 ?8"), ("utf-8", "RFC 8949 §8".encode())])
def test_a_letter_that_the_locale_lacks_is_a_question_mark(process_environment, locale, shown):
    environment = {**process_environment, "PYTHONIOENCODING": locale}
    command = [sys.executable, "-m", "thingstead", "coap", "get", "--help"]
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert shown in done.stdout


@pytest.mark.slow
def test_help_loads_nothing_that_is_slow_to_load(process_environment):
    code = (
        "import sys; from thingstead.cli.main import main; main(['--help']);"
        "print([name for name in ('asyncio', 'cryptography', 'rich', 'msgspec') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=process_environment, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
