"""A thing that updates, without a network: its domain is one function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.unit.protocols.suit.releases import AT, CLASS, CLASSIC, QUANTUM, VENDOR
from thingstead.agent.story import Request, Wait
from thingstead.agent.update_anchor import UpdateAnchor
from thingstead.agent.update_attempt import Means
from thingstead.agent.updating import Life, Updating
from thingstead.crypto.key import PrivateKey
from thingstead.errors import DecodeError, ThingsteadError, TransportError
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.coap.block import Pieces, cut, decode_block, entity_tag
from thingstead.protocols.coap.message import Message
from thingstead.protocols.coap.registry import Code, OptionNumber
from thingstead.protocols.profile import firmware, path
from thingstead.protocols.profile.birth import Birth
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.encryption import DecryptionKeys
from thingstead.protocols.suit.envelope import Envelope
from thingstead.protocols.suit.report import Report, decode_report
from thingstead.simulator.virtual.memory import Fate, HomeLife, MemorySlots

OLD = firmware.encode(Firmware("1.0.0"), bytes(100))
NEW = firmware.encode(Firmware("1.1.0", 0.5), bytes(range(256)) * 40)
BIRTH = Birth("A0001", b"", b"", CLASSIC.public, (CLASSIC.public, QUANTUM.public), VENDOR, CLASS)


def released(
    image: bytes = NEW,
    *,
    keys: Sequence[PrivateKey] = (CLASSIC, QUANTUM),
    vendor_id: bytes = VENDOR,
    class_id: bytes = CLASS,
    sequence_number: int = 7,
    **changes: Any,
) -> Envelope:
    unsigned = make_release(
        image, vendor_id=vendor_id, class_id=class_id, sequence_number=sequence_number, version="1.1.0", **changes
    )
    return sign_release(unsigned, keys)


@dataclass
class Domain:
    """What answers a thing: envelope and image as they are, reports as they came; `fail` loses requests.

    Attributes:
        blocks: offsets at which the image was asked for.
        lose_at: offset of the image at which one request is lost, or more of them.
        szx: size exponent of its blocks.
        on_block: called before each block.
    """

    envelope: bytes = field(default_factory=lambda: envelope.encode(released()))
    image: bytes = NEW
    asked: list[str] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    fail: dict[str, ThingsteadError] = field(default_factory=dict)
    code: dict[str, Code] = field(default_factory=dict)
    blocks: list[int] = field(default_factory=list)
    lose_at: set[int] = field(default_factory=set)
    szx: int = 6
    on_block: Callable[[int], None] = lambda _offset: None

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
            return self._block(message)
        assert message.path == path.UPDATE_REPORT
        self.reports.append(decode_report(message.payload))
        return Message(Code.CHANGED)

    def _block(self, message):
        asked = decode_block(message.option(OptionNumber.BLOCK2))
        self.blocks.append(asked.offset)
        self.on_block(asked.offset)
        if asked.offset in self.lose_at:
            self.lose_at.discard(asked.offset)
            raise LOST
        pieces = Pieces(min(asked.szx, self.szx))
        try:
            payload, block = cut(self.image, asked.offset // (16 << pieces.szx), pieces)
        except DecodeError:
            return Message(Code.BAD_REQUEST)
        options = ((OptionNumber.ETAG, entity_tag(self.image)), (OptionNumber.BLOCK2, block.encode()))
        return Message(Code.CONTENT, payload=payload).with_options(*options)


class Thing:
    """One life of a thing between two power cuts; `poll` goes to the story's next wait, through a reboot and a trial.

    Attributes:
        reboots: how often it was to start anew.
        ailment: what its own check finds.
        now: its clock; each wait of a trial lets it go on.
    """

    def __init__(
        self,
        slots: Any = None,
        domain: Domain | None = None,
        *,
        birth: Birth = BIRTH,
        at: datetime = AT,
        keys: DecryptionKeys | None = None,
    ) -> None:
        self.slots = slots or MemorySlots(OLD)
        self.domain = domain or Domain()
        self.reboots = 0
        self.ailment: ThingsteadError | None = None
        self.now = 0.0
        self.means = Means(
            self.slots, UpdateAnchor(HomeLife({}, Fate()), lambda: birth), lambda: at, lambda: keys or {}
        )
        self.start()

    def start(self):
        """What a boot does before anything else."""
        life = Life(lambda: self.now, self._check, self._on_reboot, DEADLINE)
        self.updating = Updating(self.means, life)
        self.story = self.updating.story(interval=3.0)
        self.is_rebooting = False

    def _is_rebooting(self):
        return self.is_rebooting

    def _check(self):
        if self.ailment is not None:
            raise self.ailment

    def _on_reboot(self):
        self.reboots += 1
        self.is_rebooting = True

    def poll(self) -> Any:
        self.run(self.updating.trial(interval=1.0))
        step = self.drive(self.story)
        while self.is_rebooting:
            self.start()
            self.run(self.updating.trial(interval=1.0))
            if not self._is_rebooting():
                step = self.drive(self.story)
        return step

    def run(self, story):
        """Drive a story to its end, with time going by."""
        while (step := self.drive(story)) is not None:
            self.now += step.seconds

    def drive(self, story):
        """Drive a story to its next wait; None at its end."""
        try:
            step = next(story)
            while not isinstance(step, Wait):
                assert isinstance(step, Request)
                assert step.protected
                try:
                    answer = self.domain.answer(step.message)
                except ThingsteadError as error:
                    step = story.throw(error)
                else:
                    step = story.send(answer)
        except StopIteration:
            return None
        return step


LOST = TransportError("nobody answered")
DEADLINE = 10.0
