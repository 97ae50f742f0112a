"""A series says what it needs, and is not taken up where nothing gives it that (R-14)."""

from datetime import timedelta

import pytest

from thingstead.domain.purpose import Purpose, purpose_of
from thingstead.domain.service import CARRIED, Service
from thingstead.errors import ConfigError

DAY = timedelta(days=1)
SETTINGS = {Service.AVAILABILITY: "every", Service.STALENESS_DETECTION: "stale_after"}


def power(**settings):
    return Purpose("power", "find faults", DAY, **settings)


@pytest.mark.requirement("R-14")
@pytest.mark.parametrize("service", sorted(CARRIED))
def test_what_the_way_to_the_domain_gives_may_be_needed(service):
    assert service in power(needs=frozenset({service})).services


@pytest.mark.requirement("R-14")
@pytest.mark.parametrize("service", sorted(SETTINGS))
def test_what_nothing_gives_is_not_taken_up_and_the_setting_is_named(service):
    with pytest.raises(ConfigError, match=f"needs {service}, which takes `{SETTINGS[service]}_seconds`"):
        power(needs=frozenset({service}))


@pytest.mark.requirement("R-14")
@pytest.mark.parametrize("service", sorted(SETTINGS))
def test_the_other_setting_does_not_help(service):
    (other,) = SETTINGS.keys() - {service}
    with pytest.raises(ConfigError):
        power(needs=frozenset({service}), **{SETTINGS[other]: DAY})


@pytest.mark.parametrize("service", sorted(SETTINGS))
def test_a_setting_gives_its_service(service):
    given = power(needs=frozenset({service}), **{SETTINGS[service]: DAY})
    assert given.services == CARRIED | {service}


def test_every_service_of_the_requirement_is_carried_or_set():
    assert set(Service) == CARRIED | SETTINGS.keys()


def test_who_needs_nothing_special_says_nothing():
    assert power().services == CARRIED


@pytest.mark.parametrize(("name", "found"), [("power", "power"), ("t", "t*"), ("temp", "t*"), ("Power", None)])
def test_a_series_is_found_by_its_name_or_the_beginning_of_it(name, found):
    declared = (power(), Purpose("t*", "comfort", DAY))
    purpose = purpose_of(name, declared)
    assert (purpose and purpose.series) == found
