import pytest

from tests.unit.enforcement.observed import observed

pytestmark = [pytest.mark.namespace, pytest.mark.slow, pytest.mark.requirement("R-80")]


@pytest.fixture(scope="module")
def seen(request):
    return observed(request, "open_flow_stage")


@pytest.mark.spec("RFC 5927 4.1")
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("whom", ["peer", "owner"])
def test_who_has_no_part_in_a_flow_reports_nothing_of_it(seen, whom, version):
    assert seen[f"flow, IPv{version}"] is True
    assert seen[f"another's error to the {whom}, IPv{version}"] is False


@pytest.mark.parametrize("version", [4, 6])
def test_a_thing_reports_what_became_of_its_own_flow(seen, version):
    assert seen[f"the owner's error, IPv{version}"] is True


def test_a_flow_that_is_translated_on_its_way_to_a_thing_ends_with_the_right_to_it(seen):
    assert seen["through a door"] is True
    assert seen["through a door, right taken"] is False


@pytest.mark.spec("RFC 9726 5")
def test_a_flow_to_a_name_goes_on_when_its_address_runs_out_and_ends_when_the_name_goes(seen):
    assert seen["to a name that ran out"] is True
    assert seen["to a name, after its time"] is True
    assert seen["to a name that ran out, name gone"] is False


def test_a_flow_to_a_name_does_not_go_on_by_the_right_to_another(seen):
    assert seen["to a name"] is True
    assert seen["to a name, name gone"] is False


def test_what_a_thing_opened_while_others_had_the_table_ends_at_all_of_its_addresses(seen):
    assert seen["beside the local prefixes, opened by another"] is True
    assert seen["beside the local prefixes, put back"] is False
