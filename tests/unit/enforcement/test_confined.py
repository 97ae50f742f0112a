import pytest

from tests.unit.enforcement.observed import observed

pytestmark = [pytest.mark.namespace, pytest.mark.slow, pytest.mark.requirement("R-70")]


@pytest.fixture(scope="module")
def seen(request):
    return observed(request, "confined_stage")


@pytest.mark.parametrize("way", ["Internet", "another thing", "Internet as another thing"])
def test_a_thing_that_verifies_no_release_gets_no_packet_out_by_itself_or_through_another(seen, way):
    assert seen["unable"][way] is False


def test_what_it_had_open_ends(seen):
    assert (seen["flow before"], seen["flow after"]) == (True, False)


@pytest.mark.parametrize("who", ["able", "unable", "updated"])
def test_its_way_to_the_controller_stays_for_that_is_where_updates_come_from(seen, who):
    assert seen[who]["controller"] is True


@pytest.mark.parametrize("who", ["able", "updated"])
def test_who_verifies_does_what_its_file_says(seen, who):
    assert seen[who]["Internet"] is True
    assert seen[who]["another thing"] is True
