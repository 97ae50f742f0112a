import random
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.agent.updates import BIRTH, OLD, Domain, Thing
from tests.unit.protocols.suit.releases import AT, CLASSIC, QUANTUM, VENDOR
from thingstead.errors import PolicyError
from thingstead.phases.delta import make_patch, with_patch
from thingstead.phases.maintain import make_release, sign_release
from thingstead.protocols.profile import delta, firmware
from thingstead.protocols.profile.firmware import Firmware
from thingstead.protocols.suit import envelope
from thingstead.protocols.suit.registry import Reason
from thingstead.simulator.virtual.memory import MemorySlots

BODY = random.Random(3).randbytes(20_000)
BEFORE = firmware.encode(Firmware("1.0.0"), BODY)
AFTER = firmware.encode(Firmware("1.1.0"), BODY[:9000] + b"and more" + BODY[9000:])


def unsigned(**changes):
    return make_release(AFTER, vendor_id=VENDOR, class_id=BIRTH.class_id, sequence_number=7, version="1.1.0", **changes)


def offered(opened):
    return Domain(envelope.encode(sign_release(opened, (CLASSIC, QUANTUM))), AFTER)


def test_who_runs_what_it_is_to_is_spared_the_whole():
    thing = Thing(MemorySlots(BEFORE), offered(with_patch(unsigned(), old=BEFORE, new=AFTER)))
    thing.poll()
    assert thing.slots.active() == AFTER
    assert thing.domain.blocks == []
    assert [report.reason for report in thing.domain.reports] == [Reason.OK]


@pytest.mark.parametrize("patch", [b"", b"BSDIFF40", make_patch(BEFORE, OLD), make_patch(AFTER, BEFORE)])
def test_where_the_difference_does_not_fit_the_whole_is_fetched(patch):
    made = with_patch(unsigned(), old=BEFORE, new=AFTER)
    made = replace(made, payloads={delta.PATCH_URI: patch})
    thing = Thing(MemorySlots(BEFORE), offered(made))
    thing.poll()
    assert thing.slots.active() == AFTER
    assert thing.domain.blocks[0] == 0


def test_who_runs_something_else_fetches_the_whole():
    thing = Thing(MemorySlots(OLD), offered(with_patch(unsigned(), old=BEFORE, new=AFTER)))
    thing.poll()
    assert thing.slots.active() == AFTER
    assert thing.domain.blocks[0] == 0


def test_an_expired_release_is_not_installed_by_a_difference_either():
    made = with_patch(unsigned(use_before=AT - timedelta(days=1)), old=BEFORE, new=AFTER)
    thing = Thing(MemorySlots(BEFORE), offered(made))
    thing.poll()
    assert thing.slots.active() == BEFORE
    assert dict(thing.updating.refused) == {"expired": 1}


def test_the_same_release_and_images_give_the_same_bytes():
    assert with_patch(unsigned(), old=BEFORE, new=AFTER) == with_patch(unsigned(), old=BEFORE, new=AFTER)


def test_a_release_that_is_signed_is_not_changed_any_more():
    with pytest.raises(PolicyError):
        with_patch(sign_release(unsigned(), (CLASSIC,)), old=BEFORE, new=AFTER)


def test_a_release_that_fetches_nothing_takes_no_difference():
    made = with_patch(unsigned(), old=BEFORE, new=AFTER)
    with pytest.raises(PolicyError):
        with_patch(made, old=BEFORE, new=AFTER)
