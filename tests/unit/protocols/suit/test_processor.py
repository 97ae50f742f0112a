from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.protocols.suit.releases import (
    AT,
    CLASS,
    FIRMWARE,
    NEW,
    OLD,
    RELEASE,
    SCRATCH,
    THING,
    URI,
    VENDOR,
    Machine,
    PowerCutError,
    authentic,
    custom,
    processor,
    signed,
)
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ExpiredError,
    ForbiddenError,
    ReplayError,
    StateError,
    StorageError,
    ThingsteadError,
    TransportError,
    UnsupportedError,
)
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.effect import CheckImageMatch, Fetch, Invoke, SetActive, Swap, Write
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier
from thingstead.protocols.suit.manifest import open_manifest
from thingstead.protocols.suit.step import Limits

INSTALL = [20, {21: URI}, 21, 15, 3, 15]
SHARED = [20, {1: VENDOR, 2: CLASS, 3: digest_of(NEW).encode(), 14: len(NEW)}, 1, 15, 2, 15]


def opened(release):
    return open_manifest(authentic(signed(release)))


def refusal(subject, expected, reason, *, machine=None, **options):
    machine = machine or Machine()
    with pytest.raises(expected) as caught:
        machine.run(processor(subject, **options).update())
    assert caught.value.reason == reason
    assert machine.active[FIRMWARE] == OLD
    assert machine.sequence == 6
    return machine


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.6")
def test_a_release_is_fetched_compared_and_only_then_made_active():
    machine = Machine()
    effects = machine.run(processor().update())
    match = CheckImageMatch(FIRMWARE, digest_of(NEW), len(NEW))
    active = SetActive((FIRMWARE,), 7, opened(RELEASE).digest)
    assert effects == [Fetch(FIRMWARE, URI, len(NEW)), match, match, active]
    assert machine.active[FIRMWARE] == NEW
    assert machine.sequence == 7


@pytest.mark.requirement("R-29")
@pytest.mark.spec("draft-ietf-suit-manifest 6.1")
@pytest.mark.parametrize("installed", [7, 8, 1 << 63])
def test_a_release_that_is_not_newer_than_the_installed_one_is_refused(installed):
    with pytest.raises(ReplayError) as caught:
        processor(thing=replace(THING, installed_sequence=installed)).update()
    assert caught.value.reason == "rollback"


@pytest.mark.requirement("R-29")
def test_a_release_of_another_vendor_is_refused_before_anything_is_fetched():
    other = vendor_identifier("pumps.example")
    machine = refusal(opened(replace(RELEASE, vendor_id=other)), ForbiddenError, "vendor")
    assert machine.effects == []


@pytest.mark.requirement("R-29")
def test_a_release_for_another_class_is_refused_before_anything_is_fetched():
    other = class_identifier(VENDOR, "lamp-2")
    machine = refusal(opened(replace(RELEASE, class_id=other)), ForbiddenError, "class")
    assert machine.effects == []


@pytest.mark.requirement("R-29")
@pytest.mark.spec("draft-ietf-suit-manifest 6.2")
@pytest.mark.parametrize(("condition", "reason"), [(2, "vendor"), (1, "class")])
def test_a_release_that_never_says_whom_it_is_for_is_refused(condition, reason):
    shared = [*SHARED[:2], condition, 15]
    machine = refusal(custom(shared=shared, install=INSTALL), ForbiddenError, reason)
    assert machine.effects == []


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=900)])
def test_an_expired_release_is_refused_before_anything_is_fetched(late):
    subject = opened(replace(RELEASE, use_before=AT))
    machine = refusal(subject, ExpiredError, "expired", at=AT + late)
    assert machine.effects == []
    assert Machine().run(processor(subject, at=AT - timedelta(seconds=1)).update())


@pytest.mark.requirement("R-29")
def test_an_expired_release_that_is_installed_still_starts():
    subject = opened(replace(RELEASE, use_before=AT))
    machine = Machine(active={FIRMWARE: NEW})
    effects = machine.run(processor(subject, at=datetime(2040, 1, 1, tzinfo=UTC)).invocation())
    assert effects[-1] == Invoke(FIRMWARE)


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("image", [b"", NEW[:-1], NEW[:-1] + b"!", NEW + b"more", OLD], ids=len)
def test_an_altered_image_never_becomes_active(image):
    subject = opened(replace(RELEASE, image_size=max(len(image), len(NEW))))
    refusal(subject, AuthenticationError, "image-digest", machine=Machine(served={URI: image}))


@pytest.mark.requirement("R-29")
@pytest.mark.spec("RFC 9019 3")
@pytest.mark.parametrize("cut_after", range(1, 5))
def test_a_power_cut_after_any_effect_leaves_the_old_image_or_the_new_one(cut_after):
    machine = Machine(cut_after=cut_after)
    with pytest.raises(PowerCutError):
        machine.run(processor().update())
    assert (machine.active[FIRMWARE], machine.sequence) == ((NEW, 7) if cut_after == 4 else (OLD, 6))
    again = replace(machine, candidates={}, effects=[], cut_after=None)
    if machine.sequence == 6:
        again.run(processor().update())
    assert again.active[FIRMWARE] == NEW


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("error", [TransportError("gone"), StorageError("full")])
def test_an_effect_that_fails_ends_the_update_with_its_own_error(error):
    steps = processor().update()
    next(steps)
    with pytest.raises(type(error)):
        steps.throw(error)
    with pytest.raises(StopIteration):
        next(steps)


def test_what_was_written_and_not_compared_is_never_made_active():
    shared = [20, {1: VENDOR, 2: CLASS, 14: len(NEW)}, 1, 15, 2, 15]
    refusal(custom(shared=shared, install=[20, {21: URI}, 21, 15]), AuthenticationError, "image-digest")
    rewritten = [*INSTALL, 20, {18: b"evil"}, 18, 15]
    refusal(custom(install=rewritten), AuthenticationError, "image-digest")


def test_a_manifest_that_installs_nothing_is_refused():
    refusal(custom(install=[14, 15]), StateError, "abort")
    refusal(custom(validate=[12, 0]), StateError, "empty")


@pytest.mark.spec("draft-ietf-suit-manifest 7.5")
def test_an_integrated_payload_is_written_and_compared_like_a_fetched_one():
    machine = Machine(served={})
    machine.run(processor(opened(replace(RELEASE, uri="#image", payloads={"#image": NEW}))).update())
    assert machine.effects[0] == Write(FIRMWARE, NEW)
    assert machine.active[FIRMWARE] == NEW
    longer = opened(replace(RELEASE, uri="#image", payloads={"#image": NEW + b"x"}))
    refusal(longer, DecodeError, "malformed")


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("uri", ["http://domain.example/image", "#image", "//elsewhere.example/image"])
def test_a_uri_that_could_lead_anywhere_is_not_fetched(uri):
    machine = refusal(opened(replace(RELEASE, uri=uri)), UnsupportedError, "uri")
    assert machine.effects == []


@pytest.mark.spec("RFC 3986 4.2")
def test_a_path_alone_is_fetched_from_where_the_envelope_came():
    machine = Machine(served={"/update/image": NEW})
    machine.run(processor(opened(replace(RELEASE, uri="/update/image"))).update())
    assert machine.active[FIRMWARE] == NEW


def test_an_image_over_the_limit_is_not_fetched():
    machine = refusal(opened(replace(RELEASE, image_size=(1 << 24) + 1)), DecodeError, "size")
    assert machine.effects == []


@pytest.mark.parametrize("missing", [21, 14])
def test_a_fetch_without_uri_or_size_is_refused_even_inside_try_each(missing):
    shared = [20, {1: VENDOR, 2: CLASS, 3: digest_of(NEW).encode()}, 1, 15, 2, 15]
    parameters = {21: URI, 14: len(NEW)}
    del parameters[missing]
    fetch = codec.encode([20, parameters, 21, 15])
    subject = custom(shared=shared, install=[15, [fetch, None], *INSTALL])
    refusal(subject, StateError, "parameter-missing")


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.10.2")
def test_try_each_takes_the_first_sequence_that_holds_and_undoes_parameters_of_the_others():
    first = codec.encode([20, {5: 0, 21: "coap://domain.example/a"}, 5, 15])
    second = codec.encode([20, {5: 1}, 5, 15])
    machine = Machine()
    machine.run(processor(custom(install=[20, {21: URI}, 15, [first, second], 21, 15, 3, 15])).update())
    assert Fetch(FIRMWARE, URI, len(NEW)) in machine.effects


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.10.2")
def test_try_each_fails_when_none_holds_unless_nil_allows_it():
    wrong = codec.encode([20, {5: 9}, 5, 15])
    refusal(custom(install=[15, [wrong, wrong], *INSTALL]), StateError, "slot")
    assert Machine().run(processor(custom(install=[15, [wrong, None], *INSTALL])).update())


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.8.15")
def test_soft_failure_decides_whether_a_condition_ends_the_update():
    hard = codec.encode([20, {13: False}, 14, 15])
    refusal(custom(install=[15, [hard, None], *INSTALL]), StateError, "abort")
    refusal(custom(install=[32, codec.encode([14, 15]), *INSTALL]), StateError, "abort")
    soft = codec.encode([20, {13: True, 21: "coap://domain.example/b"}, 14, 15])
    machine = Machine()
    machine.run(processor(custom(install=[20, {21: URI}, 32, soft, 21, 15, 3, 15])).update())
    assert Fetch(FIRMWARE, URI, len(NEW)) in machine.effects
    refusal(custom(install=[20, {13: True}, *INSTALL]), DecodeError, "malformed")


@pytest.mark.spec("draft-ietf-suit-manifest 6.5")
def test_true_and_a_list_of_indices_run_each_command_once_for_each_component():
    for index in (True, [0, 1]):
        shared = [12, True, 20, {1: VENDOR, 2: CLASS, 3: digest_of(NEW).encode(), 14: len(NEW), 21: URI}, 1, 15, 2, 15]
        machine = Machine()
        subject = custom(shared=shared, components=(FIRMWARE, SCRATCH), install=[12, index, 21, 15, 3, 15])
        machine.run(processor(subject).update())
        assert machine.active == {FIRMWARE: NEW, SCRATCH: NEW}
        assert machine.effects[-1] == SetActive((FIRMWARE, SCRATCH), 7, subject.digest)


@pytest.mark.spec("draft-ietf-suit-manifest 7.4")
def test_copy_and_swap_make_candidates_and_leave_active_images_alone():
    first = [12, 1, 20, {21: URI, 3: digest_of(NEW).encode(), 14: len(NEW)}, 21, 15, 3, 15]
    copied = Machine()
    copied.run(
        processor(
            custom(components=(FIRMWARE, SCRATCH), fetch=first, install=[12, 0, 20, {22: 1}, 22, 15, 3, 15])
        ).update()
    )
    assert copied.active == {FIRMWARE: NEW, SCRATCH: NEW}
    swapped = custom(components=(FIRMWARE, SCRATCH), install=[*first, 12, 0, 20, {22: 1}, 31, 15, 3, 15])
    machine = refusal(swapped, AuthenticationError, "image-digest")
    assert machine.effects[-2] == Swap(FIRMWARE, SCRATCH)


@pytest.mark.parametrize("source", [0, 2, 99])
def test_a_source_that_is_no_other_component_is_refused(source):
    subject = custom(components=(FIRMWARE, SCRATCH), install=[12, 0, 20, {22: source}, 22, 15])
    refusal(subject, DecodeError, "malformed")
    refusal(custom(components=(FIRMWARE, SCRATCH), install=[12, 0, 22, 15]), DecodeError, "malformed")


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.6")
@pytest.mark.parametrize(
    "sections",
    [
        {"validate": [21, 15]},
        {"validate": [20, {18: b"x"}, 18, 15]},
        {"install": [23, 15]},
        {"validate": [23, 15]},
        {"install": [-300, 0, *INSTALL]},
        {"validate": [33, 15]},
        {"invoke": [33, 15], "fetch": [33, 15]},
        {"resolve": INSTALL},
    ],
)
def test_a_command_out_of_its_place_or_not_executed_is_refused(sections):
    with pytest.raises(UnsupportedError) as caught:
        Machine().run(processor(custom(**({"install": INSTALL} | sections))).update())
    assert caught.value.reason == "command"


def test_the_shared_sequence_changes_nothing():
    shared = [*SHARED[:2], 21, 15, *SHARED[2:]]
    machine = refusal(custom(shared=shared, install=INSTALL), UnsupportedError, "command")
    assert machine.effects == []


@pytest.mark.parametrize("key", [19, 30, -300])
def test_a_parameter_that_would_change_the_meaning_is_not_skipped(key):
    value = 1 if key == -300 else b"x"
    refusal(custom(install=[20, {key: value}, *INSTALL]), UnsupportedError, "parameter")


def test_set_parameters_leaves_what_is_set_alone():
    machine = Machine()
    machine.run(processor(custom(install=[20, {21: URI}, 19, {21: "coap://other.example/x"}, 21, 15, 3, 15])).update())
    assert machine.effects[0] == Fetch(FIRMWARE, URI, len(NEW))


@pytest.mark.parametrize("index", [1, [0, 1], 99])
def test_an_index_beyond_the_components_is_refused(index):
    refusal(custom(install=[12, index, *INSTALL]), DecodeError, "malformed")


@pytest.mark.spec("draft-ietf-suit-manifest 6.2")
def test_several_components_need_an_index_before_any_command():
    refusal(custom(components=(FIRMWARE, SCRATCH), install=INSTALL), DecodeError, "malformed")


def test_a_component_that_the_thing_does_not_have_is_refused():
    with pytest.raises(UnsupportedError) as caught:
        processor(custom(components=((b"radio",),), install=INSTALL))
    assert caught.value.reason == "component"


def test_steps_are_bounded_over_the_whole_procedure():
    machine = refusal(opened(RELEASE), StateError, "steps", limits=Limits(max_steps=7))
    assert SetActive not in [type(effect) for effect in machine.effects]


def test_a_severed_section_that_did_not_come_along_is_refused():
    refusal(custom(others={20: [-16, bytes(32)]}), UnsupportedError, "severed")


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.9")
@pytest.mark.parametrize(
    ("commands", "expected", "reason"),
    [
        ([20, {24: bytes(16)}, 24, 15], ForbiddenError, "device"),
        ([24, 15], StateError, "parameter-missing"),
        ([20, {18: b"other"}, 6, 15], AuthenticationError, "content"),
        ([20, {3: digest_of(OLD).encode(), 14: len(OLD)}, 25, 15], StateError, "image-present"),
        ([20, {5: 4}, 5, 15], StateError, "slot"),
        ([4, 15], StateError, "parameter-missing"),
    ],
)
def test_a_condition_that_does_not_hold_ends_the_update(commands, expected, reason):
    refusal(custom(install=[*commands, *INSTALL]), expected, reason)


def test_conditions_that_hold_let_the_update_go_on():
    thing = replace(THING, device_id=b"\x07" * 16)
    commands = [20, {24: b"\x07" * 16, 18: OLD, 5: 1}, 24, 15, 6, 15, 5, 15, 25, 15]
    machine = Machine()
    machine.run(processor(custom(install=[*commands, *INSTALL]), thing=thing).update())
    assert machine.active[FIRMWARE] == NEW


@pytest.mark.spec("draft-ietf-suit-report 3")
def test_the_position_says_where_the_update_stopped():
    subject = custom(install=[20, {21: URI}, 21, 15, 14, 15])
    running = processor(subject)
    with pytest.raises(ThingsteadError):
        Machine().run(running.update())
    assert (running.position.section, running.position.component_index) == (20, 0)
    assert codec.encode([20, {21: URI}, 21, 15, 14, 15])[running.position.offset] == 14


@pytest.mark.spec("draft-ietf-suit-manifest 7.2")
def test_an_image_is_invoked_only_after_it_matched():
    machine = Machine(active={FIRMWARE: NEW})
    assert machine.run(processor().invocation())[-1] == Invoke(FIRMWARE)
    with pytest.raises(AuthenticationError):
        Machine(active={FIRMWARE: OLD}).run(processor().invocation())
    with pytest.raises(AuthenticationError, match="before it is invoked"):
        Machine(active={FIRMWARE: NEW}).run(processor(custom(invoke=[23, 2])).invocation())
