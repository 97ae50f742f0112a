from datetime import UTC, datetime

import pytest

from thingstead.domain.ledger.entry import Kind
from thingstead.errors import ForbiddenError
from thingstead.identifier import thing_id_from_random
from thingstead.planes.software.catalogue import Published
from thingstead.planes.software.installation import entry, record_after
from thingstead.planes.software.release import ClassKey
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.registry import Reason
from thingstead.protocols.suit.report import Report

AT = datetime(2026, 1, 1, tzinfo=UTC)
EARLIER = datetime(2025, 1, 1, tzinfo=UTC)
THING = thing_id_from_random(bytes(10))
IMAGE, OTHER = digest_of(b"image"), digest_of(b"other image")
MANIFEST, OLDER = digest_of(b"manifest 2"), digest_of(b"manifest 1")
SECOND = Published("acme", "LX-1", "1.2", 2, EARLIER, ClassKey(bytes(16), bytes(16)), IMAGE.value, b"")
NOTHING = SoftwareRecord()


def report(reason=Reason.OK, *, manifest=MANIFEST, image=IMAGE):
    return Report(manifest, reason, images={} if image is None else {profile.FIRMWARE: image})


def after(before, said, published=SECOND):
    return record_after(before, said, published, at=AT)


def test_an_installed_release_becomes_what_runs():
    assert after(NOTHING, report()) == SoftwareRecord(2, "1.2", MANIFEST.value, IMAGE.value, AT)


def test_a_repetition_is_the_same_record():
    installed = after(NOTHING, report())
    assert record_after(installed, report(), SECOND, at=EARLIER) is installed


def test_a_refusal_is_added_once_and_what_runs_stays():
    refused = after(NOTHING, report(Reason.UNAUTHORISED, image=None))
    assert refused.refusals == ((MANIFEST.value, Reason.UNAUTHORISED),)
    assert after(refused, report(Reason.UNAUTHORISED, image=None)) is refused
    assert refused.sequence_number == -1


def test_a_refusal_of_what_runs_says_nothing_new():
    installed = after(NOTHING, report())
    assert after(installed, report(Reason.CONDITION_FAILED)) is installed


@pytest.mark.parametrize("image", [None, OTHER], ids=["none", "another"])
def test_who_measures_another_image_has_not_installed_it(image):
    with pytest.raises(ForbiddenError) as refused:
        after(NOTHING, report(image=image))
    assert refused.value.reason == "measurement"


@pytest.mark.requirement("R-29")
def test_an_older_release_than_was_reported_is_refused():
    newer = SoftwareRecord(3, "1.3", OLDER.value, OTHER.value, EARLIER)
    with pytest.raises(ForbiddenError) as refused:
        after(newer, report())
    assert refused.value.reason == "rollback"


@pytest.mark.parametrize(("image", "kept"), [(OTHER, OTHER.value), (None, b"")])
def test_what_a_thing_brought_along_is_believed_once(image, kept):
    brought = after(NOTHING, report(image=image), None)
    assert brought == SoftwareRecord(-1, "", MANIFEST.value, kept, AT)
    assert after(brought, report(image=image), None) is brought


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (NOTHING, report(Reason.UNAUTHORISED)),
        (SoftwareRecord(manifest_digest=OLDER.value), report()),
        (SoftwareRecord(manifest_digest=MANIFEST.value), report(Reason.UNAUTHORISED)),
    ],
    ids=["refused", "after another", "refused what it brought"],
)
def test_any_other_word_on_what_was_never_offered_is_refused(before, said):
    with pytest.raises(ForbiddenError) as refused:
        after(before, said, None)
    assert refused.value.reason == "unknown-manifest"


@pytest.mark.parametrize(
    ("said", "published", "cause", "version"),
    [
        (report(), SECOND, "installed", "1.2"),
        (report(), None, "brought-along", ""),
        (report(Reason.CONDITION_FAILED), SECOND, "refused", "1.2"),
    ],
)
def test_the_ledger_is_told_what_became_of_it(said, published, cause, version):
    draft = entry(THING, said, published, at=AT)
    assert (draft.at, draft.kind, draft.thing, draft.cause) == (AT, Kind.INSTALLATION, THING, cause)
    assert draft.details["version"] == version
    assert draft.details["manifest"] == MANIFEST.value
