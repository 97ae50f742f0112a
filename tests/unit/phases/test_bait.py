"""Every bait is wrong in the one way that its name says, and brings no image."""

import pytest

from tests.unit.planes.software.desk import ACME, ANCHORS, made
from thingstead.errors import AuthenticationError, UntrustedError
from thingstead.phases.bait import BAITS, Known, baits
from thingstead.protocols.profile import release as profile
from thingstead.protocols.suit import authentication, envelope
from thingstead.protocols.suit.identifier import class_identifier
from thingstead.protocols.suit.manifest import decode_manifest, open_manifest

pytestmark = pytest.mark.requirement("R-84")
LAMP, SIGN = class_identifier(ACME, "LX-1"), class_identifier(ACME, "SG-1")
PUBLISHED = (
    Known(LAMP, 2, made()),
    Known(LAMP, 3, made("1.2.0", 3)),
    Known(SIGN, 9, made("2.0.0", 9, model="SG-1")),
)


def of(runs=3, manifest=b"", published=PUBLISHED):
    found, missing = baits(ACME, LAMP, runs=runs, manifest=manifest, published=published)
    return {one.name: one for one in found}, missing


def judged(bait):
    keys, policy = profile.authentication(ANCHORS[0].release_keys, ANCHORS[0].signing)
    return authentication.authenticate(envelope.decode(bait.encoded), keys, policy)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("unsigned-update", AuthenticationError),
        ("foreign-update", UntrustedError),
        ("lifted-signature", AuthenticationError),
    ],
)
def test_what_nobody_of_the_maker_signed_does_not_verify(name, error):
    found, _ = of()
    with pytest.raises(error):
        judged(found[name])


def test_but_for_that_each_would_be_newer_and_of_its_class():
    found, _ = of()
    for name in BAITS[:3]:
        assert decode_manifest(envelope.decode(found[name].encoded)).sequence_number == 4


def test_older_and_others_are_genuine_and_refused_for_what_they_are():
    found, missing = of()
    older = open_manifest(judged(found["older-update"])).content
    assert older.sequence_number == 2
    assert found["other-class-update"].encoded == PUBLISHED[2].encoded
    assert (set(found), missing) == (set(BAITS), {})


def test_none_brings_an_image():
    found, _ = of()
    assert not any(envelope.decode(one.encoded).payloads for one in found.values())


def test_where_nothing_was_published_it_is_said_which_cannot_be_made():
    found, missing = of(runs=-1, published=())
    assert set(found) == set(BAITS[:2])
    assert set(missing) == set(BAITS[2:])
    assert decode_manifest(envelope.decode(found["unsigned-update"].encoded)).sequence_number == 1 << 16


def test_what_a_thing_runs_is_no_older_release():
    running = envelope.decode(PUBLISHED[0].encoded).digest.value
    assert "older-update" in of(runs=3, manifest=running)[1]
    assert "older-update" in of(runs=2)[1]


def test_names_of_envelopes_differ():
    found, _ = of()
    assert len({one.etag for one in found.values()}) == len({one.manifest for one in found.values()}) == len(BAITS)
