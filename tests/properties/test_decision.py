"""Invariant: whoever asks how a thing would be decided about is told what a join of it is then decided, word for word.

And no more things come in by a rule than its count says, whoever comes together, unless a person let them in.
"""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.controller.test_admission import SCOPES, THING_KEY, Door, newcomer, rule
from tests.unit.domain.things import AT
from thingstead.controller.operation import Operations
from thingstead.controller.operation_policy import rows
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import Restriction
from thingstead.domain.policy import JoinPolicy, OwnerPolicy, ProfileName, Verdict
from thingstead.domain.serial import parse_serials
from thingstead.errors import PolicyError, StateError, ThingsteadError, TransitionError
from thingstead.protocols.ace.aif import Permission, Scope

pytestmark = [pytest.mark.requirement("R-59"), pytest.mark.requirement("R-03")]

SERIALS = ("A0001", "A0002", "A0003", "B7")
ANOTHER_KEY = generate(KeyType.P256)
COMERS = {
    (serial, is_other, ended): newcomer(
        ANOTHER_KEY if is_other else THING_KEY, serial, number + 1, date(2026, 1, 1) if ended else date(2031, 1, 1)
    )
    for number, serial in enumerate(SERIALS)
    for is_other in (False, True)
    for ended in (False, True)
}
WINDOW = st.sampled_from([None, *(AT + timedelta(days=days) for days in (-2, 0, 1, 3))])
RULES = st.lists(
    st.builds(
        lambda makers, serials, verdict, since, until, count, zone: rule(
            verdict,
            makers=makers,
            serials=parse_serials([serials]),
            since=since,
            until=until,
            count=count,
            zone=zone,
        ),
        makers=st.sampled_from([("acme",), ("brook",), ("acme", "brook"), ("\u0430cme",)]),
        serials=st.sampled_from(["*", "A*", "A0001..A0002", "B7"]),
        verdict=st.sampled_from(Verdict),
        since=WINDOW,
        until=WINDOW,
        count=st.sampled_from([None, 1, 2]),
        zone=st.sampled_from(["floor-1", "floor-2"]),
    ),
    max_size=3,
).map(lambda found: tuple([replace(one, name=f"rule {place}") for place, one in enumerate(found)]))
COMING = st.tuples(st.just("come"), st.sampled_from(sorted(COMERS)))
STEPS = st.lists(
    st.one_of(
        COMING,
        COMING,
        st.tuples(st.sampled_from(["approve", "undo", "quarantine", "release"]), st.sampled_from(SERIALS)),
        st.tuples(st.just("wait"), st.sampled_from([3600, 90_000])),
    ),
    max_size=10,
)


def asked(door, serial):
    """What the operation says."""
    table = Operations(*rows(door.admission, clock=door.clock))
    request = {"operation": "policy.explain", "arguments": {"maker": "acme", "model": "LX-1", "serial": serial}}
    told = asyncio.run(table.answer(request))["result"]
    return told["verdict"], told["rule"], told["zone"]


def do(door, what, about):
    record = door.register.find("acme", about) if isinstance(about, str) else None
    try:
        match what:
            case "wait":
                door.clock.seconds += about
            case "approve" if record is not None:
                asyncio.run(door.admission.approve(record.id, "member", by="owner"))
            case "undo" if record is not None:
                asyncio.run(door.admission.undo(record.id, by="owner"))
            case "quarantine" | "release" if record is not None:
                wanted = Restriction.QUARANTINED if what == "quarantine" else Restriction.NONE
                asyncio.run(door.conductor.restrict(record.id, wanted, actor="owner", cause="test"))
    except (PolicyError, TransitionError, StateError):
        pass
    except ThingsteadError:
        assert record is not None


@settings(max_examples=60)
@given(RULES, st.sampled_from(ProfileName), st.booleans(), STEPS)
def test_what_is_explained_is_what_is_decided(rules, profile, approve_each, steps):
    door = Door()
    join = JoinPolicy(profile, SCOPES, rules, approve_each=approve_each)
    door.admission.apply(OwnerPolicy(join, Scope({"/light": int(Permission.GET)})))
    last: dict[str, bool] = {}
    for what, about in steps:
        if what != "come":
            do(door, what, about)
            continue
        serial, is_other, ended = about
        first = door.register.find("acme", serial) is None
        told = asked(door, serial)
        before = len(door.entries(Kind.AUTHORIZATION))
        door.come(COMERS[about])
        decided = door.entries(Kind.AUTHORIZATION)[before:]
        # Whoever asks knows neither another key nor an end of support before the thing has shown them.
        is_foreseen = (last.get(serial) in {None, is_other} and not is_other) if first else last.get(serial) == is_other
        last[serial] = is_other
        if told[1].startswith("before any rule"):
            assert decided == []
        elif is_foreseen and not (first and ended):
            (one,) = decided
            assert (one.details["verdict"], one.details["rule"], one.details["zone"]) == told


@settings(max_examples=30)
@given(st.integers(1, 3), st.permutations(SERIALS[:3]), st.booleans())
def test_a_count_holds_whoever_comes_together(count, serials, again):
    door = Door(rule(count=count))
    comers = [COMERS[serial, False, False] for serial in serials]
    door.come(*comers)
    if again:
        door.come(*comers)
    assert sum(one.joined_at is not None for one in door.things) == min(count, len(comers))


def test_a_known_thing_whose_support_has_ended_is_explained_as_it_is_decided():
    door = Door(rule())
    door.come(COMERS["A0001", False, True])
    told = asked(door, "A0001")
    assert told[:2] == ("hold", "lamps, but support has ended")


def test_a_thing_that_is_another_model_by_now_waits_for_a_person():
    door = Door(rule())
    door.come(COMERS["A0001", False, False])
    identity = COMERS["A0001", False, False].identity
    bent = SimpleNamespace(**{name: getattr(identity, name) for name in identity.__slots__ if name != "seal"})
    bent.model, bent.supported_until = "LX-2", identity.supported_until
    refused = door.come(replace(COMERS["A0001", False, False], identity=bent))
    assert refused.reason == "held"
    (waiting,) = door.admission.room
    assert waiting.rule == "lamps, but its model is not the one that it had"
    door.approve()
    door.come(replace(COMERS["A0001", False, False], identity=bent))
    assert [one.model for one in door.things] == ["LX-2"]
