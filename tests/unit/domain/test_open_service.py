"""What answered is read back as it was kept, and nothing else is."""

from dataclasses import replace

import pytest

from tests.unit.domain.things import AT, a_thing
from thingstead.domain.open_service import OpenService, decode, encode
from thingstead.errors import DecodeError
from thingstead.protocols.cbor import codec

LAMP = a_thing().id
SSH = OpenService(LAMP, "10.77.0.2", 6, 22, AT, ("site",), False, "no rule names it")


def test_it_comes_back():
    rows = [SSH, replace(SSH, protocol=17, port=53, open_to=(), expected=True), replace(SSH, seen_from="internet")]
    assert decode(encode(rows), thing=LAMP) == rows
    assert decode(encode([]), thing=LAMP) == []


def _broken():
    (row,) = codec.decode(encode([SSH]))
    for place in range(5):
        yield [[*row[:place], None, *row[place + 1 :]]]
    yield [row[:4]]
    yield [[[*row[0], 1], *row[1:]]]
    yield [[[*row[0], "site", "site"], *row[1:]]]
    yield [[*row[:3], [1], row[4]]]
    yield [[*row[:2], 2**70, *row[3:]]]
    yield {}


@pytest.mark.parametrize("value", list(_broken()))
def test_what_is_none_is_refused(value):
    with pytest.raises(DecodeError):
        decode(codec.encode(value), thing=LAMP)
