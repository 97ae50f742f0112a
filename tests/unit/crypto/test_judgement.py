from datetime import date

import pytest

from thingstead.crypto.judgement import BROKEN, EC_AGREEMENT, EC_SIGNATURE, RSA, SYMMETRIC, Judgement, Quantum, Status


@pytest.mark.requirement("R-76")
@pytest.mark.parametrize(
    ("judgement", "day", "status"),
    [
        (EC_SIGNATURE, date(2035, 12, 31), Status.RECOMMENDED),
        (EC_SIGNATURE, date(2036, 1, 1), Status.FORBIDDEN),
        (EC_AGREEMENT, date(2031, 12, 31), Status.RECOMMENDED),
        (EC_AGREEMENT, date(2032, 1, 1), Status.DEPRECATED),
        (EC_AGREEMENT, date(2036, 1, 1), Status.FORBIDDEN),
        (RSA, date(2030, 12, 31), Status.ACCEPTABLE),
        (RSA, date(2031, 1, 1), Status.DEPRECATED),
        (BROKEN, date.min, Status.FORBIDDEN),
        (SYMMETRIC, date.max, Status.RECOMMENDED),
    ],
)
def test_a_last_day_is_still_one(judgement, day, status):
    assert judgement.status_on(day) is status


def test_what_is_forbidden_today_has_no_day_on_which_it_is_not():
    forbidden = Judgement(Status.FORBIDDEN, Quantum.FORGED, "somebody", sunset=date(2040, 1, 1))
    assert forbidden.status_on(date(2030, 1, 1)) is Status.FORBIDDEN
