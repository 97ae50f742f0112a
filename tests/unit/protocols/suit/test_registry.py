"""The tables against each other: a number that one of them has and another lacks would be a hole."""

import pytest

from thingstead.protocols.suit.registry import (
    COMMANDS,
    DRAFT,
    PARAMETERS,
    Argument,
    CommandId,
    Kind,
    Member,
    ParameterId,
)
from thingstead.protocols.suit.step import STEPS

_CONTROL_FLOW = {
    CommandId.SET_COMPONENT_INDEX,
    CommandId.TRY_EACH,
    CommandId.SET_PARAMETERS,
    CommandId.OVERRIDE_PARAMETERS,
    CommandId.RUN_SEQUENCE,
    CommandId.OVERRIDE_MULTIPLE,
    CommandId.COPY_PARAMS,
}
_OF_DEPENDENCIES = {CommandId.CONDITION_DEPENDENCY_INTEGRITY, CommandId.PROCESS_DEPENDENCY}


@pytest.mark.parametrize(("table", "numbers"), [(COMMANDS, CommandId), (PARAMETERS, ParameterId)])
def test_every_number_has_its_row_under_its_own_name(table, numbers):
    assert table.keys() == set(numbers)
    assert all(row.id is numbers(number) for number, row in table.items())


def test_every_row_names_the_draft_that_it_was_read_in():
    sources = {row.source for row in COMMANDS.values()} | {row.source for row in PARAMETERS.values()}
    assert all(source.rpartition("-")[2].isdigit() for source in sources)
    assert {row.source.rpartition("-")[0] for row in COMMANDS.values()} == {
        "draft-ietf-suit-manifest",
        "draft-ietf-suit-trust-domains",
        "draft-ietf-suit-update-management",
    }


def test_every_command_has_a_step_or_is_the_processor_s_own():
    assert COMMANDS.keys() == STEPS.keys() | _CONTROL_FLOW | _OF_DEPENDENCIES


def test_only_control_flow_takes_more_than_a_reporting_policy():
    told = {row.id for row in COMMANDS.values() if row.argument is Argument.POLICY}
    assert told == STEPS.keys() | _OF_DEPENDENCIES


def test_the_numbers_of_sections_say_what_the_manifest_says():
    assert {member.name: member.value for member in Member if 7 <= member <= 24 and member != Member.COSWID} == {
        "VALIDATE": 7,
        "LOAD": 8,
        "INVOKE": 9,
        "DEPENDENCY_RESOLUTION": 15,
        "PAYLOAD_FETCH": 16,
        "CANDIDATE_VERIFICATION": 18,
        "INSTALL": 20,
        "TEXT": 23,
        "UNINSTALL": 24,
    }


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.8")
@pytest.mark.parametrize(
    ("parameter", "kind"),
    [
        (ParameterId.VENDOR_IDENTIFIER, Kind.VENDOR),
        (ParameterId.CLASS_IDENTIFIER, Kind.UUID),
        (ParameterId.DEVICE_IDENTIFIER, Kind.UUID),
        (ParameterId.IMAGE_DIGEST, Kind.DIGEST),
        (ParameterId.USE_BEFORE, Kind.UINT),
        (ParameterId.IMAGE_SIZE, Kind.UINT),
        (ParameterId.SOFT_FAILURE, Kind.BOOL),
    ],
)
def test_what_decides_whether_a_release_is_installed_is_typed(parameter, kind):
    assert PARAMETERS[parameter].kind is kind


def test_the_manifest_is_read_as_of_one_draft():
    assert {row.source for row in COMMANDS.values() if row.source.startswith(DRAFT.rpartition("-")[0])} == {DRAFT}
