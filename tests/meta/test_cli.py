"""Every command and option has its paragraph, and nobody says the same thing in two ways."""

import pytest

from tests import cli_page
from thingstead.cli.command import COMMANDS
from thingstead.cli.main import COMMON, load


def test_the_page_of_commands_is_what_the_table_says(pytestconfig):
    written = (pytestconfig.rootpath / "docs" / cli_page.NAME).read_text()
    assert written == cli_page.page(), "run `python -m tests.cli_page docs`"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_and_option_is_documented(command):
    page = cli_page.page()
    section = page.partition(f"### thingstead {command.name}\n")[2].partition("\n###")[0]
    assert command.example in section
    for parameter in load(command).parameters:
        assert f"- `{parameter.name}`: {parameter.help}" in section


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_is_short_and_reads_the_same_everywhere(command):
    action = load(command)
    assert command.help[0].islower()
    for text in [command.help, *[parameter.help for parameter in action.parameters]]:
        assert text
        assert not text.endswith(".")
    assert all(len(line) <= 120 for line in action.description.splitlines())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_no_parameter_hides_another(command):
    keys = [parameter.key for parameter in (*load(command).parameters, *COMMON)]
    assert len(keys) == len(set(keys))


def test_each_command_has_one_row():
    assert len({command.words for command in COMMANDS}) == len(COMMANDS)
    assert all(1 <= len(command.words) <= 2 for command in COMMANDS)
