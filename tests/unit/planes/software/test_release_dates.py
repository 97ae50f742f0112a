from dataclasses import replace
from datetime import timedelta

from tests.unit.planes.software.desk import LAMP, OTHER_LAMP, SENSOR, Desk, made, told


def test_a_release_that_runs_out_strands_who_does_not_run_it_yet():
    desk = Desk().admit()
    ends = desk.clock.utc() + timedelta(days=3)
    release = made(use_before=ends)
    desk.publish(release)
    desk.report(LAMP, told(release))
    dates = {one.what: one for one in desk.tracker.expiries()}
    assert (dates["release 1.1.0"].at, dates["release 1.1.0"].strands) == (ends, (OTHER_LAMP.id,))


def test_the_end_of_support_is_one_date_for_all_of_a_model():
    end = LAMP.support_end or Desk().clock.utc()
    lamps = [replace(one, support_end=end) for one in (LAMP, OTHER_LAMP)]
    desk = Desk(things=(*lamps, replace(SENSOR, support_end=None))).admit()
    (date,) = desk.tracker.expiries()
    assert (date.what, date.at, len(date.strands)) == ("support of acme LX-1", end, 2)
