"""Who maintains, what, in which state: one answer for all places."""

from datetime import UTC, datetime

import pytest

from tests.unit.domain.things import a_thing
from thingstead.domain.ledger.entry import Kind
from thingstead.domain.lifecycle import LifecycleState, Restriction
from thingstead.domain.maintenance import AT_DOMAIN, AT_THING, decide, entry
from thingstead.domain.role import Operator, Role
from thingstead.errors import RoleError, ThingsteadError, TransitionError
from thingstead.protocols.profile.maintenance import Task

pytestmark = pytest.mark.requirement("R-07")
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MAINTAINERS = {Role.OWNER, Role.MAINTAINER}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("task", Task)
def test_owner_and_maintainer_do_it_and_nobody_else(role, task):
    state = LifecycleState.OPERATIONAL if task is Task.BEGIN else LifecycleState.MAINTENANCE
    thing = a_thing(state=state)
    if role in MAINTAINERS:
        decide(Operator(role, "x"), task, thing)
    else:
        with pytest.raises(RoleError):
            decide(Operator(role, "x"), task, thing)


@pytest.mark.parametrize("state", LifecycleState)
@pytest.mark.parametrize("restriction", Restriction)
def test_what_is_not_in_or_is_cut_off_is_not_maintained(state, restriction):
    is_in = state in {LifecycleState.OPERATIONAL, LifecycleState.MAINTENANCE}
    thing = a_thing(state=state, restriction=restriction)
    if is_in and restriction is not Restriction.QUARANTINED:
        decide(Operator(Role.MAINTAINER), Task.DIAGNOSE, thing)
    else:
        with pytest.raises(TransitionError):
            decide(Operator(Role.MAINTAINER), Task.DIAGNOSE, thing)


@pytest.mark.parametrize("task", [Task.RESTART, Task.UPDATE, Task.CONFIGURE, Task.END])
def test_work_waits_for_its_beginning(task):
    with pytest.raises(ThingsteadError):
        decide(Operator(Role.OWNER), task, a_thing(state=LifecycleState.OPERATIONAL))


def test_entries_differ_by_the_place_alone():
    thing = a_thing().id
    told = [
        entry("maintainer:ben", "restart", thing, at=AT, where=where, signed=b"s", details={"number": 3})
        for where in (AT_DOMAIN, AT_THING)
    ]
    assert {one.kind for one in told} == {Kind.MAINTENANCE}
    assert [one.details["where"] for one in told] == ["domain", "thing"]
    assert {
        (one.at, one.actor, one.thing, one.cause, one.details["signed"], one.details["number"]) for one in told
    } == {(AT, "maintainer:ben", thing, "restart", b"s", 3)}
