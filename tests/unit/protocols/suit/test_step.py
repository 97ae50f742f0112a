from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.protocols.suit.releases import AT, CLASS, FIRMWARE, NEW, SCRATCH, THING, URI, VENDOR
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ExpiredError,
    ForbiddenError,
    StateError,
    UnsupportedError,
)
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.effect import (
    CheckContent,
    CheckImageMatch,
    CheckSlot,
    CopyComponent,
    Fetch,
    Invoke,
    Swap,
    Write,
)
from thingstead.protocols.suit.registry import CommandId, ParameterId
from thingstead.protocols.suit.step import DEFAULT_LIMITS, STEPS, ConditionFailedError, Limits, Step

C, P = CommandId, ParameterId
DIGEST = digest_of(NEW)
NOW = int(AT.timestamp())
DEVICE = bytes(15) + b"\7"


def a_step(parameters=None, *, payloads=None, thing=THING, limits=DEFAULT_LIMITS):
    return Step(FIRMWARE, parameters or {}, (FIRMWARE, SCRATCH), payloads or {}, thing, AT, limits)


def effects(command, step, answer=None):
    """What one command asks of the world, which answers each time alike."""
    asked = []
    running = STEPS[command](step)
    try:
        asked.append(next(running))
        while True:
            asked.append(running.send(answer))
    except StopIteration:
        return asked


def why_it_failed(command, step, answer=None):
    with pytest.raises(ConditionFailedError) as failed:
        effects(command, step, answer)
    return failed.value.error


IDENTITIES = [
    (C.CONDITION_VENDOR_IDENTIFIER, P.VENDOR_IDENTIFIER, VENDOR, "vendor"),
    (C.CONDITION_CLASS_IDENTIFIER, P.CLASS_IDENTIFIER, CLASS, "class"),
    (C.CONDITION_DEVICE_IDENTIFIER, P.DEVICE_IDENTIFIER, DEVICE, "device"),
]


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.9.1")
@pytest.mark.parametrize(("command", "key", "own", "reason"), IDENTITIES)
def test_a_manifest_for_somebody_else_is_refused_without_asking_the_world(command, key, own, reason):
    thing = replace(THING, device_id=DEVICE)
    assert effects(command, a_step({key: own}, thing=thing)) == []
    for other in (own[:-1] + b"\0", own[:-1], b"", own + b"\0", codec.encode(codec.Tag(112, b"\x83\x42"))):
        error = why_it_failed(command, a_step({key: other}, thing=thing))
        assert (type(error), error.reason) == (ForbiddenError, reason)


@pytest.mark.parametrize("value", [b"", DEVICE])
def test_a_thing_without_an_identifier_of_its_own_is_no_device_that_a_manifest_names(value):
    assert why_it_failed(C.CONDITION_DEVICE_IDENTIFIER, a_step({P.DEVICE_IDENTIFIER: value})).reason == "device"


COMPARING = {
    C.CONDITION_VENDOR_IDENTIFIER,
    C.CONDITION_CLASS_IDENTIFIER,
    C.CONDITION_DEVICE_IDENTIFIER,
    C.CONDITION_USE_BEFORE,
    C.CONDITION_IMAGE_MATCH,
    C.CONDITION_IMAGE_NOT_MATCH,
    C.CONDITION_CHECK_CONTENT,
    C.CONDITION_COMPONENT_SLOT,
}


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.9")
@pytest.mark.parametrize("command", sorted(COMPARING))
def test_a_condition_without_what_it_compares_does_not_hold(command):
    error = why_it_failed(command, a_step(), answer=True)
    assert (type(error), error.reason) == (StateError, "parameter-missing")


@pytest.mark.spec("draft-ietf-suit-manifest 6.4")
@pytest.mark.parametrize(
    ("command", "parameters"),
    [(C.FETCH, {P.URI: URI}), (C.FETCH, {P.IMAGE_SIZE: 1}), (C.WRITE, {}), (C.WRITE, {P.URI: URI})],
)
def test_a_directive_without_what_it_works_with_is_more_than_a_condition_that_fails(command, parameters):
    with pytest.raises(StateError) as refused:
        effects(command, a_step(parameters))
    assert refused.value.reason == "parameter-missing"


@pytest.mark.parametrize(("use_before", "holds"), [(NOW + 1, True), (NOW, False), (NOW - 1, False), (0, False)])
def test_the_first_second_of_use_before_is_too_late(use_before, holds):
    step = a_step({P.USE_BEFORE: use_before})
    if holds:
        assert effects(C.CONDITION_USE_BEFORE, step) == []
        step = replace(step, at=AT + timedelta(seconds=1))
    assert type(why_it_failed(C.CONDITION_USE_BEFORE, step)) is ExpiredError


def test_an_abort_aborts():
    assert why_it_failed(C.CONDITION_ABORT, a_step()).reason == "abort"


QUESTIONS = [
    (
        C.CONDITION_IMAGE_MATCH,
        {P.IMAGE_DIGEST: DIGEST, P.IMAGE_SIZE: 9},
        CheckImageMatch(FIRMWARE, DIGEST, 9),
        AuthenticationError,
    ),
    (C.CONDITION_CHECK_CONTENT, {P.CONTENT: b"x"}, CheckContent(FIRMWARE, b"x"), AuthenticationError),
    (C.CONDITION_COMPONENT_SLOT, {P.COMPONENT_SLOT: 1}, CheckSlot(FIRMWARE, 1), StateError),
]


@pytest.mark.spec("draft-ietf-suit-manifest 8.4.9")
@pytest.mark.parametrize(("command", "parameters", "question", "refusal"), QUESTIONS)
@pytest.mark.parametrize("answer", [False, None, 1, "yes"])
def test_only_a_plain_yes_of_the_platform_lets_a_condition_hold(command, parameters, question, refusal, answer):
    step = a_step(parameters)
    assert effects(command, step, answer=True) == [question]
    assert type(why_it_failed(command, step, answer=answer)) is refusal


@pytest.mark.parametrize("answer", [True, None, 0, ""])
def test_only_a_plain_no_says_that_the_image_is_another(answer):
    step = a_step({P.IMAGE_DIGEST: DIGEST})
    assert effects(C.CONDITION_IMAGE_NOT_MATCH, step, answer=False) == [CheckImageMatch(FIRMWARE, DIGEST, None)]
    assert why_it_failed(C.CONDITION_IMAGE_NOT_MATCH, step, answer=answer).reason == "image-present"


@pytest.mark.parametrize(
    "uri",
    [
        "http://domain.example/image",
        "coap+tcp://domain.example/image",
        "file:///etc/passwd",
        "image.bin",
        "../image",
        "coap://user@domain.example/image",
        "coap://domain.example/a b",
        "coap://domain.example/\n",
        "coap://domain.example/image\n",
        "coap://domain.example/\u0130",
        "coap://",
        "",
        "coap://domain.example/" + "a" * 512,
        "//elsewhere.example/image",
        "/a\n",
        "/" + "a" * 512,
    ],
)
def test_a_fetch_from_a_place_that_could_be_anywhere_is_refused(uri):
    with pytest.raises(UnsupportedError) as refused:
        effects(C.FETCH, a_step({P.URI: uri, P.IMAGE_SIZE: 1}))
    assert refused.value.reason == "uri"


@pytest.mark.parametrize(
    "uri", [URI, "coaps://[2001:db8::1]:5684/image", "COAP://domain.example", "/", "/update/image"]
)
def test_a_fetch_names_its_place_size_and_arguments(uri):
    step = a_step({P.URI: uri, P.IMAGE_SIZE: 1, P.FETCH_ARGS: b"a"})
    assert effects(C.FETCH, step) == [Fetch(FIRMWARE, uri, 1, b"a")]


def test_the_owner_of_a_thing_says_which_schemes_it_fetches_from():
    only_tls = Limits(uri_schemes=frozenset({"coaps"}))
    with pytest.raises(UnsupportedError, match=r"a URI of coaps \("):
        effects(C.FETCH, a_step({P.URI: URI, P.IMAGE_SIZE: 1}, limits=only_tls))


@pytest.mark.parametrize(
    ("command", "parameters"),
    [
        (C.FETCH, {P.URI: URI, P.IMAGE_SIZE: 5}),
        (C.FETCH, {P.URI: "#image", P.IMAGE_SIZE: 5}),
        (C.WRITE, {P.CONTENT: b"12345"}),
    ],
)
def test_an_image_over_the_limit_is_neither_fetched_nor_written(command, parameters):
    with pytest.raises(DecodeError) as refused:
        effects(command, a_step(parameters, payloads={"#image": b"12345"}, limits=Limits(max_image_bytes=4)))
    assert refused.value.reason == "size"


@pytest.mark.parametrize("size", [0, 4, 6, 1 << 20])
def test_an_integrated_payload_has_the_size_that_the_manifest_says(size):
    step = a_step({P.URI: "#image", P.IMAGE_SIZE: 5}, payloads={"#image": b"12345"})
    assert effects(C.FETCH, step) == [Write(FIRMWARE, b"12345")]
    with pytest.raises(DecodeError, match="integrated payload"):
        effects(C.FETCH, replace(step, parameters={P.URI: "#image", P.IMAGE_SIZE: size}))


@pytest.mark.parametrize("command", [C.COPY, C.SWAP])
@pytest.mark.parametrize("parameters", [{}, {P.SOURCE_COMPONENT: 0}, {P.SOURCE_COMPONENT: 2}, {P.SOURCE_COMPONENT: -1}])
def test_a_source_is_another_component_of_the_manifest(command, parameters):
    with pytest.raises(DecodeError, match="another component"):
        effects(command, a_step(parameters))


def test_what_moves_an_image_names_both_components():
    step = a_step({P.SOURCE_COMPONENT: 1})
    assert effects(C.COPY, step) == [CopyComponent(FIRMWARE, SCRATCH)]
    assert effects(C.SWAP, step) == [Swap(FIRMWARE, SCRATCH)]
    assert effects(C.WRITE, a_step({P.CONTENT: b"x"})) == [Write(FIRMWARE, b"x")]
    assert effects(C.INVOKE, a_step({P.INVOKE_ARGS: b"x"})) == [Invoke(FIRMWARE, b"x")]


@pytest.mark.spec("draft-ietf-suit-firmware-encryption 5")
def test_what_is_written_or_copied_is_told_how_it_is_encrypted():
    step = a_step({P.SOURCE_COMPONENT: 1, P.CONTENT: b"x", P.ENCRYPTION_INFO: b"info"})
    assert effects(C.WRITE, step) == [Write(FIRMWARE, b"x", b"info")]
    assert effects(C.COPY, step) == [CopyComponent(FIRMWARE, SCRATCH, b"info")]


@pytest.mark.spec("draft-ietf-suit-firmware-encryption 5")
@pytest.mark.parametrize("command", [C.FETCH, C.SWAP])
def test_nothing_that_is_encrypted_is_kept_as_if_it_were_not(command):
    step = a_step({P.SOURCE_COMPONENT: 1, P.URI: URI, P.IMAGE_SIZE: 5, P.ENCRYPTION_INFO: b"info"})
    with pytest.raises(UnsupportedError, match="only what is written or copied is decrypted"):
        effects(command, step)


def test_a_command_that_writes_makes_a_candidate_of_what_it_writes_to_and_no_other_does():
    step = a_step({P.SOURCE_COMPONENT: 1})
    touched = {command: step.touches(command) for command in STEPS}
    assert {command for command, components in touched.items() if components} == {C.FETCH, C.WRITE, C.COPY, C.SWAP}
    assert touched[C.COPY] == {FIRMWARE}
    assert touched[C.SWAP] == {FIRMWARE, SCRATCH}
