"""Offers one thing of a type releases that it must not install, one at each poll, and watches what it does (R-84)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from thingstead.domain.check import Check, Outcome
from thingstead.endpoint.resource import Call, Handler
from thingstead.identifier import ThingId
from thingstead.phases.bait import BAITS, Bait
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.option import encode_uint
from thingstead.protocols.coap.registry import Code, ContentFormat, OptionNumber
from thingstead.protocols.suit.registry import Reason
from thingstead.protocols.suit.report import decode_report

__all__ = ["Baiting"]

_OFTEN = 3
"""Polls that a thing may take to judge an envelope: it may be cut off in between."""


@dataclass(slots=True)
class _Course:
    waiting: list[Bait]
    checks: dict[str, Check] = field(default_factory=dict)
    given: int = 0

    @property
    def current(self) -> Bait | None:
        return self.waiting[0] if self.waiting and self.given else None

    def settle(self, outcome: Outcome, said: str) -> None:
        bait = self.waiting.pop(0)
        self.checks[bait.name] = Check.of(bait.name, outcome, [said])
        self.given = 0


class Baiting:
    """Stands before the update resources: a thing that is being tested meets it there, and nobody else does."""

    def __init__(self) -> None:
        self._courses: dict[ThingId, _Course] = {}

    def begin(self, thing: ThingId, baits: Iterable[Bait], missing: Mapping[str, str]) -> None:
        """Offer these from the thing's next poll on.

        Args:
            thing: who.
            baits: what.
            missing: the names of those that could not be made, and why.
        """
        checks = {name: Check.of(name, Outcome.NOT_APPLICABLE, [why]) for name, why in missing.items()}
        self._courses[thing] = _Course(list(baits), checks)

    def is_done(self, thing: ThingId) -> bool:
        """Whether it has judged all of them."""
        course = self._courses.get(thing)
        return course is None or not course.waiting

    def end(self, thing: ThingId, why: str = "") -> tuple[Check, ...]:
        """Offer it nothing more of the kind; what each came to, those that it never judged with why not."""
        course = self._courses.pop(thing, _Course([]))
        missing = {one.name: Check.of(one.name, Outcome.NOT_RUN, [why]) for one in course.waiting}
        checks = missing | course.checks
        return tuple([checks[name] for name in BAITS if name in checks])

    # --- at the update resources

    def poll(self, handler: Handler) -> Handler:
        """GET of the envelope: the bait while there is one; `handler` answers everybody else."""

        def answer(call: Call) -> Message | None:
            course = self._courses.get(ThingId(str(call.peer)))
            bait = None if course is None else _next(course, call.request)
            if course is None or bait is None:
                return handler(call)
            course.given += 1
            options = [
                (int(OptionNumber.ETAG), bait.etag),
                (int(OptionNumber.CONTENT_FORMAT), encode_uint(ContentFormat.OCTET_STREAM)),
            ]
            return Message(Code.CONTENT, options=options, payload=bait.encoded)

        return answer

    def image(self, handler: Handler) -> Handler:
        """GET of the image: who asks for that of a bait has believed it, and gets none."""

        def answer(call: Call) -> Message | None:
            course = self._courses.get(ThingId(str(call.peer)))
            if course is None or course.current is None:
                return handler(call)
            course.settle(Outcome.FAILED, "it asks for the image of it")
            return Message(Code.NOT_FOUND)

        return answer

    def report(self, handler: Handler) -> Handler:
        """POST of a report: one about a bait is told here; `handler` takes every other."""

        def answer(call: Call) -> Message | None:
            course = self._courses.get(ThingId(str(call.peer)))
            current = None if course is None else course.current
            if course is None or current is None:
                return handler(call)
            report = decode_report(call.request.payload)
            if report.manifest_digest.value != current.manifest:
                return handler(call)
            if report.reason is Reason.OK:
                course.settle(Outcome.FAILED, "it says that it has installed it")
            else:
                course.settle(Outcome.PASSED, f"refused: {report.reason.name.lower().replace('_', '-')}")
            return Message(Code.CHANGED)

        return answer


def _next(course: _Course, request: Message) -> Bait | None:
    """The bait for this poll; one that the thing names as known, or was given often enough, it has left alone."""
    current = course.current
    if current is not None:
        is_known = current.etag in request.option_values(OptionNumber.ETAG)
        if is_known or course.given >= _OFTEN:
            course.settle(Outcome.PASSED, "left alone: it asks again, and never asked for the image")
    return course.waiting[0] if course.waiting else None
