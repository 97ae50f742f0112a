from dataclasses import fields
from itertools import chain

import pytest

from thingstead.protocols.coap.problem import Problem
from thingstead.protocols.coap.registry import (
    CODES,
    CONTENT_FORMATS,
    OPTIONS,
    SIGNAL_OPTIONS,
    Code,
    ContentFormat,
    OptionFormat,
    OptionNumber,
    OscoreFlag,
    ProblemKey,
    Scheme,
    SignalOption,
)

REGISTRIES = (Code, ContentFormat, OptionNumber, OscoreFlag, ProblemKey, Scheme, SignalOption)


@pytest.mark.parametrize("registry", REGISTRIES)
def test_no_number_stands_for_two_things(registry):
    assert list(registry.__members__) == [row.name for row in registry], "an alias is a number written twice"


@pytest.mark.parametrize("row", [*chain(*REGISTRIES)], ids=lambda row: f"{type(row).__name__}.{row.name}")
def test_every_number_says_where_it_comes_from(row):
    assert row.source.startswith(("RFC ", "draft-"))
    assert "§" in row.source or isinstance(row, ContentFormat)


@pytest.mark.parametrize(
    ("table", "registry"),
    [
        (CODES, Code),
        (OPTIONS, OptionNumber),
        (CONTENT_FORMATS, ContentFormat),
        (SIGNAL_OPTIONS, SignalOption),
    ],
)
def test_a_number_finds_its_row(table, registry):
    assert list(table.values()) == list(registry)
    assert all(table[row.value] is row for row in registry)


def test_a_row_is_its_number_wherever_a_number_is_wanted():
    assert (Code.GET, OptionNumber.URI_PATH, ContentFormat.CBOR, ProblemKey.TITLE) == (1, 11, 60, -1)
    assert f"{Code.CONTENT:d}" == "69"


def test_no_media_type_comes_twice():
    assert len({row.title for row in ContentFormat}) == len(ContentFormat)


@pytest.mark.parametrize("row", OptionNumber)
def test_an_option_holds_what_its_format_can(row):
    most = {OptionFormat.EMPTY: 0, OptionFormat.UINT: 4, OptionFormat.STRING: 1034, OptionFormat.OPAQUE: 255}
    # What an EDHOC option holds is not looked at (RFC 9668 §3.1).
    assert 0 <= row.min_size <= row.max_size <= (0xFFFF if row is OptionNumber.EDHOC else most[row.format])


def test_flags_of_the_oscore_option_do_not_overlap():
    assert sum(OscoreFlag) == OscoreFlag.GROUP | OscoreFlag.KID_CONTEXT | OscoreFlag.KID | OscoreFlag.PARTIAL_IV_SIZE


def test_problem_details_have_a_field_for_each_key():
    assert {row.name.lower() for row in ProblemKey} | {"custom"} == {field.name for field in fields(Problem)}
