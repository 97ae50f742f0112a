"""Commands in words."""

import pytest

from tests.unit.phases.authoring.workshop import IMAGE, LAMP, WHO, content_of, refused
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.registry import Member, ParameterId


def test_digests_of_files_can_be_asked_for_in_commands():
    text = WHO + (
        "[[component]]\n[payloads]\n'#i' = { file = 'image.bin' }\n[commands]\ninstall = [{ override_parameters = "
        "{ image_digest = { file = 'image.bin' }, image_size = { file = 'image.bin' }, uri = '#i' } }, 'fetch']\n"
    )
    parameters = content_of(text).sequences[Member.INSTALL][0].parameters
    assert parameters[ParameterId.IMAGE_DIGEST] == digest_of(IMAGE)
    assert parameters[ParameterId.IMAGE_SIZE] == len(IMAGE)


DEEP = "['condition_abort']"
for _ in range(5):
    DEEP = f"[{{ run_sequence = {DEEP} }}]"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAMP + "[commands]\ninstall = []", "commands.install: expected a step at least"),
        (LAMP + "[commands]\ninstall = ['fech']", "commands.install[1]: there is no 'fech' here; did you mean fetch?"),
        (LAMP + "[commands]\ninstall = ['try_each']", "commands.install[1]: expected { try_each = ... } with command"),
        (LAMP + "[commands]\ninstall = [{ fetch = 16 }]", "commands.install[1].fetch: expected a whole number from 0"),
        (LAMP + "[commands]\ninstall = [{ fetch = 1, copy = 1 }]", "commands.install[1]: expected one command"),
        (LAMP + "[commands]\ninstall = [{ override_parameters = {} }]", "override_parameters: expected a parameter"),
        (LAMP + "[commands]\ninstall = [{ override_parameters = { ur = 'x' } }]", "did you mean uri?"),
        (LAMP + "[commands]\ninstall = [{ set_component_index = 'x' }]", "set_component_index: there is no component"),
        (LAMP + "[commands]\ninstall = [{ try_each = [['fetch']] }]", "try_each: expected two sequences or more"),
        (
            LAMP + "[commands]\ninstall = [{ copy_params = { firmware = ['x'] } }]",
            "copy_params.firmware[1]: there is no",
        ),
        (LAMP + "[commands]\nstart = ['invoke']", "commands: there is no 'start' here"),
        (LAMP + f"[commands]\ninstall = {DEEP}", "expected at most 4 sequences in one another"),
        (
            LAMP + "[commands]\ninstall = [{ override_multiple = {} }]",
            "expected a component at least",
        ),
        (LAMP + "[commands]\ninstall = [{ override_multiple = { x = { uri = '/' } } }]", "there is no component 'x'"),
        (
            LAMP + "[commands]\ninstall = [{ copy_params = { firmware = [] } }]",
            "expected a parameter at least",
        ),
        (LAMP + "[commands]\ninstall = [{}]", "commands.install[1]: expected one command in a step, got 0"),
        (LAMP + "[commands]\ninstall = [7]", "commands.install[1]: expected a table, got 7"),
    ],
)
def test_what_makes_no_release_is_refused_and_the_place_is_named(text, says):
    refused(text, says)
