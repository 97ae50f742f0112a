"""A thing that updates, without a network: its domain is one function."""

from dataclasses import dataclass, field

from tests.unit.protocols.suit.releases import AT, CLASS, CLASSIC, QUANTUM, VENDOR
from thingstead.agent.story import Request, Wait
from thingstead.agent.updating import Updating
from thingstead.errors import ThingsteadError, TransportError
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.coap.block import entity_tag
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.profile import firmware, path
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.report import Report, decode_report
from thingstead.simulator.virtual.memory import MemorySlots

OLD = firmware.encode(Firmware("1.0.0"), bytes(100))
NEW = firmware.encode(Firmware("1.1.0", 0.5), bytes(range(256)) * 40)
BIRTH = Birth("A0001", b"", b"", CLASSIC.public, (CLASSIC.public, QUANTUM.public), VENDOR, CLASS)


def released(image=NEW, *, keys=(CLASSIC, QUANTUM), vendor_id=VENDOR, class_id=CLASS, sequence_number=7, **changes):
    unsigned = make_release(
        image, vendor_id=vendor_id, class_id=class_id, sequence_number=sequence_number, version="1.1.0", **changes
    )
    return sign_release(unsigned, keys)


@dataclass
class Domain:
    """What answers a thing: envelope and image as they are, reports as they came; `fail` loses requests."""

    envelope: bytes = field(default_factory=lambda: envelope.encode(released()))
    image: bytes = NEW
    asked: list[str] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    fail: dict[str, ThingsteadError] = field(default_factory=dict)
    code: dict[str, Code] = field(default_factory=dict)

    def answer(self, message):
        self.asked.append(message.path)
        if message.path in self.fail:
            raise self.fail[message.path]
        if message.path in self.code:
            return Message(self.code[message.path])
        if message.path == path.UPDATE:
            etag = entity_tag(self.envelope)
            is_known = etag in message.option_values(OptionNumber.ETAG)
            payload = b"" if is_known else self.envelope
            return Message(
                Code.VALID if is_known else Code.CONTENT, options=[(OptionNumber.ETAG, etag)], payload=payload
            )
        if message.path == path.UPDATE_IMAGE:
            return Message(Code.CONTENT, payload=self.image)
        assert message.path == path.UPDATE_REPORT
        self.reports.append(decode_report(message.payload))
        return Message(Code.CHANGED)


class Thing:
    """One life of a thing between two power cuts; `poll` goes to the story's next wait."""

    def __init__(self, slots=None, domain=None, *, birth=BIRTH, at=AT):
        self.slots = slots or MemorySlots(OLD)
        self.domain = domain or Domain()
        self.activated = 0
        self.updating = Updating(self.slots, lambda: birth, utc=lambda: at, on_activated=self._on_activated)
        self.story = self.updating.story(interval=3.0)

    def _on_activated(self):
        self.activated += 1

    def poll(self):
        step = next(self.story)
        while not isinstance(step, Wait):
            assert isinstance(step, Request)
            assert step.protected
            try:
                answer = self.domain.answer(step.message)
            except ThingsteadError as error:
                step = self.story.throw(error)
            else:
                step = self.story.send(answer)
        return step


LOST = TransportError("nobody answered")
