from dataclasses import replace

import pytest

from tests.unit.domain.things import AT, a_thing
from tests.unit.planes.software.desk import ACME, ANCHORS, BROOK, LAMP, SENSOR, Desk, made
from tests.unit.protocols.suit.releases import CLASSIC, QUANTUM
from thingstead.crypto.key import KeyType, generate
from thingstead.domain.anchor import TrustAnchor
from thingstead.domain.plane import PlaneName
from thingstead.domain.thing import RELEASE, KeyRow
from thingstead.errors import ForbiddenError, PolicyError, ReplayError, UntrustedError
from thingstead.planes.software.release import ClassKey, Line
from thingstead.planes.software.source import Sources, sort_of
from thingstead.protocols.cose import key as cose_key
from thingstead.protocols.suit.identifier import class_identifier, vendor_identifier

pytestmark = pytest.mark.requirement("R-78")

OURS = (generate(KeyType.P256), QUANTUM)
MENDERS = TrustAnchor(
    "menders", CLASSIC.public, tuple([key.public for key in OURS]), vendor_identifier("menders.example")
)
CLASS = ClassKey(ACME, class_identifier(ACME, "LX-1"))
ADOPTED = replace(LAMP, keys=tuple([KeyRow(cose_key.thumbprint(key), RELEASE, AT) for key in MENDERS.release_keys]))


def sources(*things, anchors=(*ANCHORS, MENDERS)):
    return Sources(anchors, lambda: [sort_of(thing) for thing in things])


def names(found):
    return [anchor.maker for anchor in found]


def test_a_thing_goes_by_its_maker_until_other_keys_stand_on_its_record():
    assert sources().line(sort_of(LAMP)) == Line(CLASS, "acme")
    assert sources().line(sort_of(ADOPTED)) == Line(CLASS, "menders")


def test_keys_that_count_no_more_do_not_count():
    closed = replace(ADOPTED, keys=tuple([replace(row, until=AT) for row in ADOPTED.keys]))
    assert sources().line(sort_of(closed)) == Line(CLASS, "acme")


@pytest.mark.parametrize("anchors", [ANCHORS, (MENDERS,), ()], ids=["new source", "maker", "both"])
def test_without_the_anchor_of_either_it_gets_nothing_and_never_its_maker_s_instead(anchors):
    assert sources(anchors=anchors).line(sort_of(ADOPTED)) is None


def test_some_of_the_keys_of_a_source_are_not_that_source():
    part = replace(ADOPTED, keys=ADOPTED.keys[:1])
    assert sources().line(sort_of(part)) is None


def test_who_shares_its_keys_with_another_is_still_itself():
    rows = tuple([KeyRow(cose_key.thumbprint(key), RELEASE, AT) for key in ANCHORS[1].release_keys])
    assert sources().line(sort_of(replace(SENSOR, keys=rows))) == Line(
        ClassKey(BROOK, class_identifier(BROOK, "TH-2")), "brook"
    )


@pytest.mark.parametrize(
    ("things", "who"),
    [
        ((), ["acme"]),
        ((LAMP, SENSOR), ["acme"]),
        ((LAMP, ADOPTED), ["acme", "menders"]),
        ((a_thing(5, model="LX-2", keys=ADOPTED.keys),), ["acme"]),
    ],
    ids=["nothing", "its maker's", "one was taken over", "one of another class was"],
)
def test_nobody_signs_for_a_class_but_its_maker_and_who_took_a_thing_of_it_over(things, who):
    assert names(sources(*things).of(CLASS)) == who


@pytest.mark.parametrize(
    ("things", "source", "reason"),
    [
        ((), "acme", "class"),
        ((SENSOR,), "acme", "class"),
        ((ADOPTED,), "acme", "source"),
        ((LAMP,), "menders", "source"),
    ],
)
def test_a_release_that_no_thing_goes_by_is_refused_by_its_reason(things, source, reason):
    with pytest.raises(PolicyError) as refusal:
        sources(*things).model(Line(CLASS, source))
    assert refusal.value.reason == reason


def a_desk(*things):
    return Desk(anchors=(*ANCHORS, MENDERS), things=things).admit()


@pytest.mark.parametrize(
    ("things", "keys", "error"),
    [
        ((LAMP,), OURS, UntrustedError),
        ((ADOPTED,), (CLASSIC, QUANTUM), PolicyError),
        ((ADOPTED,), OURS[:1], UntrustedError),
        ((ADOPTED, SENSOR), (OURS[0], CLASSIC), UntrustedError),
    ],
    ids=["before it was taken over", "its maker's, after", "half signed", "mixed"],
)
def test_what_is_not_whole_under_the_keys_that_count_is_not_published(things, keys, error):
    desk = a_desk(*things)
    with pytest.raises(error):
        desk.publish(made(keys=keys))
    assert dict(desk.store.documents(PlaneName.SOFTWARE)) == {}


def test_two_sources_of_one_class_stand_beside_each_other_over_a_restart():
    other = a_thing(9)
    desk = a_desk(ADOPTED, other)
    desk.publish(made())
    desk.publish(made("9.0.0", 3, keys=OURS, image=b"ours"), b"ours")
    for _ in range(2):
        assert desk.tracker.poll(ADOPTED.id).version == "9.0.0"
        assert desk.tracker.image(ADOPTED.id).image == b"ours"
        assert desk.tracker.poll(other.id).version == "1.1.0"
        desk.restart()
        desk.admit()


def test_who_takes_over_goes_on_above_what_its_maker_published():
    desk = a_desk(ADOPTED, a_thing(9))
    desk.publish(made(sequence_number=7))
    with pytest.raises(ReplayError) as refusal:
        desk.publish(made(sequence_number=7, keys=OURS))
    assert refusal.value.reason == "rollback"
    desk.publish(made(sequence_number=8, keys=OURS))


def test_a_source_that_is_trusted_no_more_offers_nothing():
    desk = a_desk(ADOPTED)
    desk.publish(made(keys=OURS))
    desk.tracker.trust(ANCHORS)
    with pytest.raises(ForbiddenError):
        desk.tracker.poll(ADOPTED.id)
