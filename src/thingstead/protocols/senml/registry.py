"""The SenML registries: labels in both forms, and units (RFC 8428 §12, RFC 8798)."""

from __future__ import annotations

from dataclasses import dataclass

from thingstead.errors import UnsupportedError

__all__ = ["LABELS", "SUPPORTED_VERSIONS", "UNITS", "Label", "Unit", "to_primary"]

SUPPORTED_VERSIONS = frozenset({*range(1, 11), 26})
"""10 is RFC 8428, whose own examples say 5; 26 adds the secondary units' feature bit (RFC 9193 §6)."""


@dataclass(frozen=True, slots=True)
class Label:
    """One row of the label registry (RFC 8428 §4.3).

    Attributes:
        name: JSON label.
        number: CBOR label; base fields are negative.
        kind: "number", "version", "text", "boolean" or "data".
    """

    name: str
    number: int
    kind: str


LABELS: tuple[Label, ...] = (
    Label("bver", -1, "version"),
    Label("bn", -2, "text"),
    Label("bt", -3, "number"),
    Label("bu", -4, "text"),
    Label("bv", -5, "number"),
    Label("bs", -6, "number"),
    Label("n", 0, "text"),
    Label("u", 1, "text"),
    Label("v", 2, "number"),
    Label("vs", 3, "text"),
    Label("vb", 4, "boolean"),
    Label("s", 5, "number"),
    Label("t", 6, "number"),
    Label("ut", 7, "number"),
    Label("vd", 8, "data"),
)


@dataclass(frozen=True, slots=True)
class Unit:
    """One row of the unit registries.

    Attributes:
        symbol: what stands in ``u``.
        description: expansion of the symbol.
        primary: symbol of the primary unit; its own for a primary unit.
        scale: value x scale + offset is the value in the primary unit (RFC 8798 §3).
        offset: see `scale`.
        source: the RFC that registers it.
    """

    symbol: str
    description: str
    primary: str
    scale: float
    offset: float
    source: str


_RFC8428 = {
    "m": "metre",
    "kg": "kilogram",
    "g": "gram",
    "s": "second",
    "A": "ampere",
    "K": "kelvin",
    "cd": "candela",
    "mol": "mole",
    "Hz": "hertz",
    "rad": "radian",
    "sr": "steradian",
    "N": "newton",
    "Pa": "pascal",
    "J": "joule",
    "W": "watt",
    "C": "coulomb",
    "V": "volt",
    "F": "farad",
    "Ohm": "ohm",
    "S": "siemens",
    "Wb": "weber",
    "T": "tesla",
    "H": "henry",
    "Cel": "degrees Celsius",
    "lm": "lumen",
    "lx": "lux",
    "Bq": "becquerel",
    "Gy": "gray",
    "Sv": "sievert",
    "kat": "katal",
    "m2": "square metre",
    "m3": "cubic metre",
    "l": "litre",
    "m/s": "metre per second",
    "m/s2": "metre per square second",
    "m3/s": "cubic metre per second",
    "l/s": "litre per second",
    "W/m2": "watt per square metre",
    "cd/m2": "candela per square metre",
    "bit": "bit",
    "bit/s": "bit per second",
    "lat": "degrees latitude",
    "lon": "degrees longitude",
    "pH": "acidity, logarithmic",
    "dB": "decibel, logarithmic",
    "dBW": "decibel relative to 1 W",
    "Bspl": "bel, sound pressure level",
    "count": "counter value",
    "/": "ratio",
    "%": "ratio in hundredths",
    "%RH": "relative humidity in percent",
    "%EL": "remaining battery energy in percent",
    "EL": "remaining battery energy in seconds",
    "1/s": "events per second",
    "1/min": "events per minute",
    "beat/min": "heart beats per minute",
    "beats": "heart beats counted",
    "S/m": "siemens per metre",
}
_RFC8798_PRIMARY = {
    "B": "byte",
    "VA": "volt-ampere, apparent power",
    "VAs": "volt-ampere second, apparent energy",
    "var": "volt-ampere reactive",
    "vars": "volt-ampere-reactive second",
    "J/m": "joule per metre",
    "kg/m3": "kilogram per cubic metre",
    "deg": "degrees of angle",
}
_RFC8798_SECONDARY: tuple[tuple[str, str, str, float, float], ...] = (
    ("ms", "millisecond", "s", 1 / 1000, 0),
    ("min", "minute", "s", 60, 0),
    ("h", "hour", "s", 3600, 0),
    ("MHz", "megahertz", "Hz", 1_000_000, 0),
    ("kW", "kilowatt", "W", 1000, 0),
    ("kVA", "kilovolt-ampere", "VA", 1000, 0),
    ("kvar", "kilovar", "var", 1000, 0),
    ("Ah", "ampere-hour", "C", 3600, 0),
    ("Wh", "watt-hour", "J", 3600, 0),
    ("kWh", "kilowatt-hour", "J", 3_600_000, 0),
    ("varh", "var-hour", "vars", 3600, 0),
    ("kvarh", "kilovar-hour", "vars", 3_600_000, 0),
    ("kVAh", "kilovolt-ampere-hour", "VAs", 3_600_000, 0),
    ("Wh/km", "watt-hour per kilometre", "J/m", 3.6, 0),
    ("KiB", "kibibyte", "B", 1024, 0),
    ("GB", "gigabyte", "B", 1e9, 0),
    ("Mbit/s", "megabit per second", "bit/s", 1_000_000, 0),
    ("B/s", "byte per second", "bit/s", 8, 0),
    ("MB/s", "megabyte per second", "bit/s", 8_000_000, 0),
    ("mV", "millivolt", "V", 1 / 1000, 0),
    ("mA", "milliampere", "A", 1 / 1000, 0),
    ("dBm", "decibel relative to 1 mW", "dBW", 1, -30),
    ("ug/m3", "microgram per cubic metre", "kg/m3", 1e-9, 0),
    ("mm/h", "millimetre per hour", "m/s", 1 / 3_600_000, 0),
    ("m/h", "metre per hour", "m/s", 1 / 3600, 0),
    ("ppm", "parts per million", "/", 1e-6, 0),
    ("/100", "percent", "/", 1 / 100, 0),
    ("/1000", "permille", "/", 1 / 1000, 0),
    ("hPa", "hectopascal", "Pa", 100, 0),
    ("mm", "millimetre", "m", 1 / 1000, 0),
    ("cm", "centimetre", "m", 1 / 100, 0),
    ("km", "kilometre", "m", 1000, 0),
    ("km/h", "kilometre per hour", "m/s", 1 / 3.6, 0),
)

UNITS: dict[str, Unit] = {
    **{symbol: Unit(symbol, text, symbol, 1, 0, "RFC 8428 §12.1") for symbol, text in _RFC8428.items()},
    **{symbol: Unit(symbol, text, symbol, 1, 0, "RFC 8798 §2") for symbol, text in _RFC8798_PRIMARY.items()},
    **{row[0]: Unit(*row, "RFC 8798 §3") for row in _RFC8798_SECONDARY},
}


def to_primary(value: float, symbol: str) -> tuple[float, str]:
    """Convert a value to its primary unit (RFC 8798 §3); a value in a primary unit comes back as it is.

    Raises:
        UnsupportedError: the symbol is in neither registry.
    """
    row = UNITS.get(symbol)
    if row is None:
        raise UnsupportedError(f"expected a registered SenML unit, got {symbol[:20]!r}", spec="RFC 8428 §12.1")
    if row.primary == symbol:
        return value, symbol
    return value * row.scale + row.offset, row.primary
