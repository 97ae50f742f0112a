"""A release as a device's action: begun once, told once, and never another device's."""

import asyncio

import pytest

from tests.unit.planes.software.desk import made
from tests.unit.web.ddi_desk import DEVICE, OTHER, SENSOR, DdiDesk
from thingstead.domain.plane import PlaneName
from thingstead.errors import DecodeError, ForbiddenError, StateError, StorageError
from thingstead.planes.software.ddi_action import Action, DdiActions
from thingstead.protocols.cbor import codec
from thingstead.protocols.ddi.request import Execution, Feedback, Finished
from thingstead.storage.records import PlaneRecords

INSTALLED, FAILED = (Feedback(Execution.CLOSED, one) for one in (Finished.SUCCESS, Finished.FAILURE))
STOPPED = Feedback(Execution.CANCELED, Finished.NONE)


@pytest.fixture
def desk():
    desk = DdiDesk()
    desk.publish()
    return desk


def run(work):
    return asyncio.run(work)


def begun(desk, thing=DEVICE):
    action = run(desk.actions.due(thing.id)).deployment
    run(desk.actions.begin(thing.id, action.number))
    return action


def test_a_poll_costs_no_write(desk):
    for _ in range(3):
        run(desk.actions.due(DEVICE.id))
    assert not list(desk.store.documents(PlaneName.IDENTITY))


def test_an_action_is_on_disk_before_it_is_told(desk):
    action = begun(desk)
    records = PlaneRecords(PlaneName.IDENTITY, desk.store, prefix="ddi/")
    again = DdiActions(records, desk.tracker, is_aborted=lambda _digest: False)
    assert run(again.due(DEVICE.id)).deployment == action


def test_what_the_disk_does_not_keep_is_not_told(desk):
    async def fail(*_args, **_named):
        raise StorageError("full")

    number = run(desk.actions.due(DEVICE.id)).deployment.number
    desk.actions._records.write = fail
    with pytest.raises(StorageError):
        run(desk.actions.begin(DEVICE.id, number))
    with pytest.raises(StateError):
        desk.actions.payload(DEVICE.id, number)


def test_what_a_cancellation_ended_begins_anew_under_another_number(desk):
    first = begun(desk)
    encoded = made("1.2.0", 3)
    desk.publish(encoded)
    run(desk.actions.tell_of_cancellation(DEVICE.id, first.number, Feedback(Execution.CLOSED, Finished.SUCCESS)))
    second = begun(desk)
    run(desk.actions.tell(DEVICE.id, second.number, STOPPED))
    assert desk.tracker.runs(DEVICE.id).refused(second.manifest_digest)
    assert run(desk.actions.due(DEVICE.id)).deployment is None
    assert first.number != second.number


def test_the_same_release_has_another_number_after_it_was_cancelled(desk):
    first = begun(desk)
    offer = desk.tracker.poll
    desk.tracker.poll = lambda _thing: None
    assert run(desk.actions.due(DEVICE.id)).cancel is None, "a campaign that pauses takes nothing back"
    desk.aborted.add(first.manifest_digest)
    assert run(desk.actions.due(DEVICE.id)).cancel == first.number
    run(desk.actions.tell_of_cancellation(DEVICE.id, first.number, Feedback(Execution.CLOSED, Finished.SUCCESS)))
    desk.tracker.poll = offer
    second = begun(desk)
    assert (second.round, second.manifest_digest) == (1, first.manifest_digest)
    assert second.number != first.number
    with pytest.raises(StateError):
        run(desk.actions.tell(DEVICE.id, first.number, INSTALLED))
    assert desk.tracker.runs(DEVICE.id).sequence_number == -1


@pytest.mark.parametrize("feedback", [INSTALLED, FAILED, STOPPED])
def test_each_end_is_told_once(desk, feedback):
    action = begun(desk)
    run(desk.actions.tell(DEVICE.id, action.number, feedback))
    with pytest.raises(StateError) as refusal:
        run(desk.actions.tell(DEVICE.id, action.number, feedback))
    assert refusal.value.reason == "closed"


@pytest.mark.parametrize("other", [OTHER, SENSOR])
def test_the_number_of_another_device_is_none(desk, other):
    action = begun(desk)
    with pytest.raises(StateError):
        desk.actions.payload(other.id, action.number)
    for work in (
        desk.actions.cancellation(other.id, action.number),
        desk.actions.begin(other.id, action.number),
        desk.actions.tell(other.id, action.number, INSTALLED),
        desk.actions.tell_of_cancellation(other.id, action.number, INSTALLED),
    ):
        with pytest.raises(StateError):
            run(work)


def test_who_is_cut_off_is_told_nothing_and_tells_nothing(desk):
    action = begun(desk)
    desk.tracker._drop(DEVICE.id)
    with pytest.raises(ForbiddenError):
        run(desk.actions.due(DEVICE.id))
    with pytest.raises(ForbiddenError):
        desk.actions.payload(DEVICE.id, action.number)
    for feedback in (INSTALLED, FAILED, Feedback(Execution.PROCEEDING, Finished.NONE)):
        with pytest.raises(ForbiddenError):
            run(desk.actions.tell(DEVICE.id, action.number, feedback))
    assert desk.actions.progress == {}


def test_progress_is_the_last_line_and_never_a_report(desk):
    action = begun(desk)
    run(desk.actions.tell(DEVICE.id, action.number, Feedback(Execution.PROCEEDING, Finished.NONE, ("one", "two"))))
    run(desk.actions.tell(DEVICE.id, action.number, Feedback(Execution.DOWNLOADED, Finished.SUCCESS)))
    assert desk.actions.progress == {DEVICE.id: "downloaded"}
    assert desk.tracker.runs(DEVICE.id).sequence_number == -1


@pytest.mark.parametrize("document", [b"", codec.encode([]), codec.encode([9, 1, b"", b"", 0, 0]), codec.encode({})])
def test_a_document_that_is_none_is_refused(desk, document):
    run(desk.actions._records.write({DEVICE.id: document}))
    with pytest.raises(DecodeError):
        desk.wake()


def test_an_action_survives_its_encoding(desk):
    action = begun(desk)
    assert isinstance(action, Action)
    assert run(desk.wake().actions.due(DEVICE.id)).deployment == action
