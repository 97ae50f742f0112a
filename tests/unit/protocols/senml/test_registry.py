import pytest

from thingstead.errors import UnsupportedError
from thingstead.protocols.senml.registry import LABELS, UNITS, to_primary


@pytest.mark.spec("RFC 8798 3")
@pytest.mark.parametrize(
    ("value", "symbol", "expected"),
    [(100, "ms", (0.1, "s")), (10, "dBm", (-20, "dBW")), (5, "V", (5, "V")), (2, "km", (2000, "m"))],
)
def test_a_secondary_unit_converts_to_its_primary(value, symbol, expected):
    assert to_primary(value, symbol) == expected


def test_an_unregistered_unit_has_no_primary():
    with pytest.raises(UnsupportedError, match="registered"):
        to_primary(1, "furlong")


@pytest.mark.spec("RFC 8798 3")
def test_every_unit_leads_to_a_primary_in_one_step():
    for symbol, row in UNITS.items():
        assert row.symbol == symbol
        assert UNITS[row.primary].primary == row.primary


@pytest.mark.spec("RFC 8428 6")
def test_base_labels_are_negative_and_no_label_is_given_twice():
    assert len({row.number for row in LABELS}) == len({row.name for row in LABELS}) == len(LABELS)
    assert all((row.number < 0) == row.name.startswith("b") for row in LABELS)
