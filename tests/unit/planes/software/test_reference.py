from tests.unit.planes.software.desk import IMAGE, Desk
from thingstead.crypto.digest import digest
from thingstead.protocols.profile.attestation import FIRMWARE


def test_a_published_release_says_what_its_things_measure():
    desk = Desk().admit()
    desk.publish()
    (reference,) = desk.tracker.references()
    values = reference.values()
    assert (values.version, values.sequence_number, values.digests) == ("1.1.0", 2, {FIRMWARE: digest(IMAGE)})
    assert (reference.source, values.claims.environment.class_id.value) == ("acme", reference.target.class_id)
