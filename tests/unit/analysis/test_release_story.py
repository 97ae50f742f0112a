"""What a thing will do, in words: every command has a sentence, and no text of a stranger is endless."""

from dataclasses import replace

import pytest

from tests.unit.phases.authoring.workshop import WHO, content_of
from thingstead.analysis.release_story import component_name, one_line, tell
from thingstead.protocols.suit import builder
from thingstead.protocols.suit.builder import Draft
from thingstead.protocols.suit.identifier import vendor_identifier
from thingstead.protocols.suit.manifest import decode_manifest
from thingstead.protocols.suit.registry import Member

OTHER = "{ device = 'hub', versions = ['>= 2.0', '= 2.1'] }"
PAIR = WHO + "[[component]]\nname = 'a'\n[[component]]\nname = 'b'\n[commands]\n"


def told(text, **options):
    return {
        chapter.title: [(step.level, step.text) for step in chapter.steps]
        for chapter in tell(content_of(text), **options)
    }


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ("{ override_parameters = { uri = '/i', image_size = 7 } }, 'fetch'", "fetch /i (7 bytes) into a"),
        ("{ override_parameters = { content = 'on' } }, 'write'", "write on (2 bytes) into a"),
        ("{ override_parameters = { source_component = 'b' } }, 'copy'", "copy b into a"),
        (
            "{ override_parameters = { source_component = 'b', encryption_info = 'x' } }, 'copy'",
            "copy b into a, decrypting it",
        ),
        ("{ override_parameters = { source_component = 'b' } }, 'swap'", "exchange a and b"),
        ("'unlink'", "count a as needed by one less"),
        ("'condition_abort'", "give up"),
        ("'condition_is_dependency'", "go on only if a is a manifest"),
        ("'process_dependency'", "do what the manifest a says for this section"),
        (
            "{ override_parameters = { minimum_battery = 5 } }, 'condition_minimum_battery'",
            "go on only with 5 mWh left",
        ),
        (
            "{ override_parameters = { update_priority = -1 } }, 'condition_update_authorized'",
            "ask whoever uses the thing whether it may, at priority -1",
        ),
        (
            "{ override_parameters = { version = '< 1.0-beta.2' } }, 'condition_version'",
            "go on only if the version of a is below 1.0.beta.2",
        ),
        (
            "{ override_parameters = { use_before = 0 } }, 'condition_use_before'",
            "go on only before 1970-01-01T00:00:00+00:00",
        ),
        (
            "{ override_parameters = { component_slot = 1 } }, 'condition_component_slot'",
            "if slot 1 of a is the one to write,",
        ),
        (
            "{ override_parameters = { content = { hex = '00ff' } } }, 'condition_check_content'",
            "check that a is 00ff (2 bytes)",
        ),
        ("{ override_parameters = { wait_info = { power = 10 } } }, 'wait'", "wait for power 10"),
        ("'condition_image_not_match'", "go on only if a has not digest (not said)"),
        ("'condition_dependency_integrity'", "check that the manifest a has digest (not said) and a trusted signer"),
        ("'condition_device_identifier'", "go on only on the thing (not said)"),
        ("{ override_parameters = { invoke_args = '-v' } }, 'invoke'", "hand over to a with -v (2 bytes)"),
        ("{ set_component_index = true }, 'unlink'", "count b as needed by one less"),
        ("{ set_component_index = ['b'] }, 'unlink'", "count b as needed by one less"),
        ("{ override_multiple = { a = { uri = '/m' } } }, 'fetch'", "fetch /m into a"),
        (
            "{ override_multiple = { b = { uri = '/m' } } }, { copy_params = { b = ['uri'] } }, 'fetch'",
            "fetch /m into a",
        ),
        ("{ set_parameters = { uri = '/1' } }, { set_parameters = { uri = '/2' } }, 'fetch'", "fetch /1 into a"),
        (
            f"{{ override_parameters = {{ wait_info = {{ other_device_version = {OTHER} }} }} }}, 'wait'",
            "wait for other device version hub: at least 2.0 and exactly 2.1",
        ),
    ],
)
def test_every_command_has_its_sentence(steps, sentence):
    first = "" if steps.startswith("{ set_component") else "{ set_component_index = 'a' }, "
    assert sentence in [text for _, text in told(PAIR + f"install = [{first}{steps}]")["install"]]


def test_choices_are_told_one_by_one_with_what_they_set():
    first = "[{ override_parameters = { uri = '/1' } }, 'condition_abort']"
    steps = f"{{ set_component_index = 'a' }}, {{ try_each = [{first}, ['wait'], []] }}"
    assert told(PAIR + f"install = [{steps}]")["install"] == [
        (0, "take the first of these that works:"),
        (1, "1) give up"),
        (1, "with uri /1"),
        (1, "2) wait for (not said)"),
        (1, "or else go on"),
    ]


def test_inner_sequences_are_told_where_they_stand():
    assert told(PAIR + "install = [{ set_component_index = 'b' }, { run_sequence = ['fetch'] }]")["install"] == [
        (1, "fetch (not said) into b")
    ]


def test_a_vendor_is_called_what_the_reader_calls_it():
    shared = told(WHO + "[[component]]\n", names={vendor_identifier("lamps.example"): "Lamps"})[
        "first, whatever it does"
    ]
    assert shared[0][1].startswith("go on only on a thing of vendor Lamps (")


def test_what_a_stranger_wrote_is_cut():
    ((_, text),) = told(PAIR + f"install = [{{ override_parameters = {{ uri = '/{'x' * 4000}' }} }}, 'fetch']")[
        "install"
    ]
    assert len(text) < 120


def test_what_a_stranger_wrote_forges_no_line():
    steps = '{ override_parameters = { uri = "/i\\n\\u001b[2Jsignatures: all" } }, "fetch"'
    ((_, text),) = told(PAIR + f"install = [{{ set_component_index = 'a' }}, {steps}]")["install"]
    assert text == "fetch /i\\n\\x1b[2Jsignatures: all into a"
    assert one_line("a\u202eb") == "a\\u202eb"


def test_components_are_named_by_their_text_or_their_bytes():
    assert component_name((b"a", b"\x00\xff")) == "a/00ff"
    assert component_name(()) == "(root)"


def test_what_was_severed_and_what_only_its_author_knows_is_said_to_be():
    made = builder.assemble(
        Draft(
            1,
            ((b"a",),),
            shared=((12, 7), (1, 15), (12, 0), (-9, 0)),
            sections={Member.INSTALL: ((14, 0),)},
            severed=frozenset({Member.INSTALL}),
        )
    )
    shared, install = tell(decode_manifest(replace(made, severed={})))
    assert [step.text for step in shared.steps] == [
        "use component 7, which this manifest does not have",
        "do the command -9, which only its author knows",
    ]
    assert install.steps[0].text.startswith("severed")
