import asyncio
from typing import Any

import pytest

from tests.unit.controller.planes import JumpingClock
from thingstead.controller.operation import Operations
from thingstead.controller.operation_crypto import rows
from thingstead.domain.crypto_asset import AssetKind, CryptoAsset
from thingstead.domain.crypto_policy import CryptoPolicy, crypto_policy
from thingstead.domain.plane import PlaneName

pytestmark = pytest.mark.requirement("R-86")

KEY = CryptoAsset(AssetKind.KEY, "update key of acme", ("ESP256",))


class Seen:
    clock = JumpingClock()

    def assets(self):
        return [(PlaneName.SOFTWARE, KEY)]


def ask(operation, policy=None, **arguments):
    seen: Any = Seen()
    table = rows(seen, lambda: policy or CryptoPolicy(), domain="home")
    return asyncio.run(Operations(*table).answer({"operation": operation, "arguments": arguments}))


@pytest.mark.parametrize("operation", ["crypto.inventory", "crypto.bill"])
@pytest.mark.parametrize("year", [1, 1999, 2025, 2201, 1 << 40, -2035, "soon", None])
def test_a_year_out_of_reach_is_refused(operation, year):
    assert "error" in ask(operation, year=year)


@pytest.mark.parametrize(("year", "exposure"), [(2034, "none"), (2035, "forged then, for it is still in use")])
def test_the_rows_are_told_for_the_year_that_was_asked_for(year, exposure):
    (row,) = ask("crypto.inventory", year=year)["result"]
    assert (row["name"], row["exposure"]) == ("update key of acme", exposure)


def test_without_a_year_it_is_the_owners():
    (row,) = ask("crypto.inventory", crypto_policy({}, 2028))["result"]
    assert row["exposure"] != "none"
    assert "thingstead:exposure-2028" in str(ask("crypto.bill", crypto_policy({}, 2028))["result"])


@pytest.mark.requirement("R-76")
@pytest.mark.parametrize(
    ("algorithm", "last"),
    [
        ("DES", "2030-01-01"),
        ("", "2030-01-01"),
        ("ESP256", "2036-01-01"),
        ("sha1WithRSAEncryption", "2020-01-01"),
        ("ESP256", "soon"),
        ("ESP256", None),
        ("ESP256", "2030-02-30"),
    ],
)
def test_the_end_of_no_algorithm_or_on_no_day_is_refused(algorithm, last):
    assert "error" in ask("crypto.forbid", algorithm=algorithm, last=last)


@pytest.mark.requirement("R-76")
def test_the_end_of_an_algorithm_is_shown_before_it_is_decided():
    told = ask("crypto.forbid", algorithm="ESP256", last="2029-12-31")["result"]
    assert (told["moves"], told["isolates"], told["suites"]) == ({}, {}, [2, 3, 5])
    assert ask("crypto.forbid", algorithm="SHA-256", last="2029-12-31")["result"]["suites"] == []
