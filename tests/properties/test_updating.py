"""Invariant: whatever is offered, lost or cut off, a thing runs an image of its maker, and never an older one.

Offers of any number come in any order, whole or damaged, and the power goes before any write.
"""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.agent.updates import OLD, Domain, Thing, released
from tests.unit.protocols.suit.releases import CLASSIC, PowerCutError
from thingstead.protocols.profile import firmware
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.suit import envelope
from thingstead.simulator.virtual.memory import MemorySlots

IMAGES = {number: firmware.encode(Firmware(f"1.{number}.0"), bytes([number]) * 5000) for number in range(1, 6)}
WHOLE = {number: envelope.encode(released(image, sequence_number=number)) for number, image in IMAGES.items()}
HALF_SIGNED = {
    number: envelope.encode(released(image, sequence_number=number, keys=(CLASSIC,)))
    for number, image in IMAGES.items()
}
DAMAGES = {
    "none": lambda number: (WHOLE[number], IMAGES[number]),
    "half signed": lambda number: (HALF_SIGNED[number], IMAGES[number]),
    "another image": lambda number: (WHOLE[number], IMAGES[number % 5 + 1]),
    "cut short": lambda number: (WHOLE[number], IMAGES[number][:-1]),
    "flipped": lambda number: (
        WHOLE[number][:-3] + bytes([WHOLE[number][-3] ^ 1]) + WHOLE[number][-2:],
        IMAGES[number],
    ),
}
AUTHENTIC = {"none", "another image", "cut short"}
"""The envelope is whole: what was fetched of the right image before counts, whatever is served then."""

OFFERS = st.tuples(st.sampled_from(sorted(IMAGES)), st.sampled_from(sorted(DAMAGES)), st.none() | st.integers(0, 9))


class CuttableSlots(MemorySlots):
    """The power goes before the write that `left` counts down to."""

    left: int | None = None

    def _spend(self) -> None:
        if self.left == 0:
            raise PowerCutError
        if self.left is not None:
            self.left -= 1

    def truncate(self, area, component, size):
        self._spend()
        super().truncate(area, component, size)

    def write(self, area, component, offset, data):
        self._spend()
        super().write(area, component, offset, data)

    def keep(self, download):
        self._spend()
        super().keep(download)

    def activate(self, components, release):
        self._spend()
        super().activate(components, release)

    def count_boot(self):
        self._spend()
        super().count_boot()

    def confirm(self):
        self._spend()
        super().confirm()


@given(st.lists(OFFERS, max_size=8))
def test_a_thing_runs_what_its_maker_released_and_never_goes_back(offers):
    slots = CuttableSlots(OLD)
    thing = Thing(slots)
    for number, damage, cut_at in offers:
        before = _runs(slots).sequence_number
        thing.domain = Domain(*DAMAGES[damage](number))
        slots.left = cut_at
        with suppress(PowerCutError):
            thing.poll()
        if cut_at is not None:
            slots.left = None
            thing = Thing(slots, thing.domain)
        runs = _runs(slots)
        after = runs.sequence_number
        assert after == before or (damage in AUTHENTIC and after == number > before)
        assert slots.active() == (IMAGES[after] if runs.manifest_digest else OLD)
        assert thing.updating.status()["sequence"] == slots.installed().sequence_number <= after


def _runs(slots):
    return slots.standing().trial or slots.installed()
