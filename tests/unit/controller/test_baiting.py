"""Who is tested meets baits at its polls and everybody else none; what it does with each is its result."""

import pytest

from tests.unit.controller.test_resource_update import ask, call
from tests.unit.domain.things import a_thing
from thingstead.controller.baiting import Baiting
from thingstead.domain.check import Outcome
from thingstead.errors import DecodeError
from thingstead.phases.bait import Bait
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code
from thingstead.protocols.profile import path
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.registry import Reason
from thingstead.protocols.suit.report import Report, encode_report

pytestmark = pytest.mark.requirement("R-84")
LAMP, OTHER = a_thing(0), a_thing(1)
UNSIGNED, OLDER = [
    Bait(name, name.encode(), digest_of(name.encode()).value, name[:8].encode())
    for name in ("unsigned-update", "older-update")
]
GENUINE = Message(Code.CONTENT, payload=b"genuine")


class Desk:
    """The three resources, with what genuinely answers behind them."""

    def __init__(self, *baits, missing=None):
        self.baiting = Baiting()
        self.baiting.begin(LAMP.id, baits, missing or {})
        self._poll = self.baiting.poll(lambda _call: GENUINE)
        self._image = self.baiting.image(lambda _call: GENUINE)
        self._report = self.baiting.report(lambda _call: GENUINE)

    def poll(self, *etags, thing=LAMP):
        return ask(self._poll, thing, path.UPDATE, *etags).payload

    def image(self, thing=LAMP):
        return ask(self._image, thing, path.UPDATE_IMAGE).code

    def report(self, bait, reason, thing=LAMP):
        asked = call(thing, path.UPDATE_REPORT)
        asked.request.payload = encode_report(Report(digest_of(bait.encoded), reason))
        return self._report(asked)

    def checks(self, why=""):
        return {one.name: (one.outcome, *one.said) for one in self.baiting.end(LAMP.id, why)}


def test_a_thing_that_reports_a_refusal_has_passed_and_is_given_the_next():
    desk = Desk(UNSIGNED, OLDER)
    assert desk.poll() == UNSIGNED.encoded
    assert desk.report(UNSIGNED, Reason.UNAUTHORISED).code == Code.CHANGED
    assert desk.poll(UNSIGNED.etag) == OLDER.encoded
    assert not desk.baiting.is_done(LAMP.id)
    desk.report(OLDER, Reason.CONDITION_FAILED)
    assert desk.baiting.is_done(LAMP.id)
    assert desk.poll() == b"genuine"
    assert desk.checks() == {
        "unsigned-update": (Outcome.PASSED, "refused: unauthorised"),
        "older-update": (Outcome.PASSED, "refused: condition-failed"),
    }


def test_a_thing_that_asks_for_the_image_has_failed_and_gets_none():
    desk = Desk(UNSIGNED)
    desk.poll()
    assert desk.image() == Code.NOT_FOUND
    assert desk.checks() == {"unsigned-update": (Outcome.FAILED, "it asks for the image of it")}


def test_a_thing_that_says_it_installed_a_bait_has_failed():
    desk = Desk(UNSIGNED)
    desk.poll()
    desk.report(UNSIGNED, Reason.OK)
    assert desk.checks() == {"unsigned-update": (Outcome.FAILED, "it says that it has installed it")}


@pytest.mark.parametrize("etags", [(), (UNSIGNED.etag,)])
def test_a_thing_that_reports_nothing_has_passed_once_it_asks_again(etags):
    desk = Desk(UNSIGNED)
    for _ in range(5):
        desk.poll(*etags)
    ((outcome, said),) = desk.checks().values()
    assert (outcome, said.partition(":")[0]) == (Outcome.PASSED, "left alone")


def test_an_envelope_that_was_cut_off_is_given_again():
    desk = Desk(UNSIGNED)
    assert desk.poll() == desk.poll() == UNSIGNED.encoded
    assert not desk.baiting.is_done(LAMP.id)


def test_others_meet_none_and_what_they_say_goes_where_it_goes():
    desk = Desk(UNSIGNED)
    desk.poll()
    assert desk.poll(thing=OTHER) == b"genuine"
    assert desk.image(OTHER) == Code.CONTENT
    assert desk.report(UNSIGNED, Reason.OK, OTHER) is GENUINE
    assert desk.report(OLDER, Reason.OK) is GENUINE
    assert not desk.baiting.is_done(LAMP.id)


def test_before_the_first_poll_nothing_is_taken_for_a_bait():
    desk = Desk(UNSIGNED)
    assert desk.image() == Code.CONTENT
    assert desk.report(UNSIGNED, Reason.OK) is GENUINE


def test_what_was_never_judged_is_not_run_and_what_could_not_be_made_is_said():
    desk = Desk(UNSIGNED, missing={"older-update": "nothing older"})
    assert desk.checks("too rare") == {
        "unsigned-update": (Outcome.NOT_RUN, "too rare"),
        "older-update": (Outcome.NOT_APPLICABLE, "nothing older"),
    }
    assert desk.poll() == b"genuine"


def test_a_report_that_cannot_be_read_is_refused():
    desk = Desk(UNSIGNED)
    desk.poll()
    with pytest.raises(DecodeError):
        desk._report(call(LAMP, path.UPDATE_REPORT))
