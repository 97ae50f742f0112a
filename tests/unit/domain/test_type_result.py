"""A type has passed where every check did that could be made of it, and where one could not it is incomplete."""

from dataclasses import replace

import pytest

from tests.unit.domain.test_release_result import KEY, entry_of, recorded
from tests.unit.domain.things import AT, a_thing
from thingstead.domain import type_result, vouched
from thingstead.domain.check import Check, Outcome
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.type_result import SignedTypeResult, ThingType, TypeResult, Verdict
from thingstead.errors import DecodeError, UntrustedError
from thingstead.protocols.cbor import codec

pytestmark = pytest.mark.requirement("R-84")
LAMP = ThingType("acme", "LX-1", bytes(32))
RESULT = TypeResult(
    LAMP, "1.1.0", a_thing().id, AT, (Check("in-clear", Outcome.PASSED), Check("replay", Outcome.PASSED)), {"k": "1"}
)
ENCODED = type_result.encode(RESULT)


def enclosed(kind=Kind.EXAMINATION):
    entry = entry_of(ENCODED, kind)
    return vouched.enclose(ENCODED, entry, recorded(entry))


def test_a_result_is_read_as_it_was_written():
    assert type_result.decode(ENCODED) == RESULT


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([Outcome.PASSED, Outcome.NOT_APPLICABLE], Verdict.PASSED),
        ([Outcome.PASSED, Outcome.NOT_RUN], Verdict.INCOMPLETE),
        ([Outcome.NOT_APPLICABLE], Verdict.INCOMPLETE),
        ([], Verdict.INCOMPLETE),
        ([Outcome.PASSED, Outcome.FAILED, Outcome.NOT_RUN], Verdict.FAILED),
        ([Outcome.PASSED, Outcome.HELD], Verdict.INCOMPLETE),
    ],
)
def test_the_verdict_is_what_the_checks_come_to(outcomes, verdict):
    checks = tuple([Check(str(number), outcome) for number, outcome in enumerate(outcomes)])
    assert replace(RESULT, checks=checks).verdict is verdict


def test_other_firmware_is_another_type():
    names = {one.name for one in (LAMP, replace(LAMP, manifest=b""), replace(LAMP, model="LX-2"))}
    assert (len(names), {len(name) for name in names}) == (3, {16})


@pytest.mark.spec("RFC 9942 5.2.1")
def test_the_ledgers_key_proves_it():
    proved = type_result.authenticate(enclosed(), KEY.public)
    assert (proved.result, proved.entry.kind) == (RESULT, Kind.EXAMINATION)
    with pytest.raises(TypeError):
        SignedTypeResult(RESULT, proved.entry, object())


@pytest.mark.parametrize("kind", [Kind.RELEASE, Kind.REFUSAL, Kind.ALARM])
def test_an_entry_about_something_else_proves_nothing(kind):
    with pytest.raises(UntrustedError):
        type_result.authenticate(enclosed(kind), KEY.public)


def damaged(place, value):
    fields = codec.decode(ENCODED)
    fields[place] = value
    return codec.encode(fields)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        ENCODED[:-1],
        damaged(0, 2),
        damaged(0, True),
        damaged(1, ["acme", "LX-1"]),
        damaged(1, ["acme", "LX-1", bytes(65)]),
        damaged(3, "lamp"),
        damaged(4, "now"),
        damaged(5, [["in-clear", "fine", []]]),
        damaged(6, {1: 1}),
        codec.encode([1, b"", b""]),
    ],
)
def test_what_is_no_result_of_a_type_is_refused(data):
    with pytest.raises(DecodeError):
        type_result.decode(data)
