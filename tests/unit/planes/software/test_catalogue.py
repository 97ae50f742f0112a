import pytest

from tests.unit.planes.software.desk import Desk, made
from thingstead.domain.plane import PlaneName
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec


def documents(desk):
    return dict(desk.store.documents(PlaneName.SOFTWARE))


def test_only_the_newest_image_of_a_class_is_kept():
    desk = Desk().admit()
    desk.publish()
    desk.publish(made("1.2.0", 3, image=b"newer"), b"newer")
    kept = documents(desk)
    assert [document for key, document in kept.items() if key.startswith("image/")] == [b"newer"]
    assert sum(key.startswith("release/") for key in kept) == 2


def test_all_releases_are_known_after_a_restart_in_their_order():
    desk = Desk().admit()
    desk.publish()
    desk.clock.seconds += 1
    desk.publish(made("1.2.0", 3))
    desk.restart()
    assert [one.version for one in desk.tracker.campaigns()] == ["1.1.0", "1.2.0"]


@pytest.mark.requirement("R-29")
@pytest.mark.parametrize("kind", ["image/", "release/"])
def test_what_was_changed_on_disk_is_not_offered(kind, caplog):
    desk = Desk().admit()
    desk.publish()
    kept = desk.store._records[PlaneName.SOFTWARE]
    (key,) = [key for key in kept if key.startswith(kind)]
    place = len(kept[key]) - 20
    kept[key] = kept[key][:place] + bytes([kept[key][place] ^ 1]) + kept[key][place + 1 :]
    desk.restart()
    desk.admit()
    assert desk.tracker.poll(desk.things[0].id) is None
    assert "not offered any more" in caplog.text


def test_a_document_of_another_kind_is_refused():
    desk = Desk()
    desk.store._records[PlaneName.SOFTWARE]["release/x/1"] = codec.encode(["acme"])
    with pytest.raises(DecodeError):
        desk.restart()
