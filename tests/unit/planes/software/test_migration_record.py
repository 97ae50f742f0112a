from datetime import UTC, date, datetime

import pytest

from tests.unit.domain.things import a_thing
from thingstead.errors import DecodeError
from thingstead.planes.software import migration_record
from thingstead.planes.software.migration_record import Campaign, Reached
from thingstead.protocols.cbor import codec

AT = datetime(2027, 1, 1, tzinfo=UTC)
CAMPAIGN = Campaign(bytes(32), (b"one", b"two"), date(2030, 12, 31), frozenset({a_thing(1).id}), AT)


@pytest.mark.parametrize("until", [None, date(2030, 12, 31)])
def test_a_campaign_is_read_as_it_was_written(until):
    made = Campaign(CAMPAIGN.origin, CAMPAIGN.steps, until, CAMPAIGN.leaving, AT)
    assert migration_record.decode_campaign(migration_record.encode_campaign(made)) == made


@pytest.mark.parametrize(
    "made", [Reached(None, None, AT), Reached(2, frozenset({-9, -48}), AT), Reached(0, frozenset(), AT)]
)
def test_what_a_thing_said_is_read_as_it_was_written(made):
    assert migration_record.decode_reached(migration_record.encode_reached(made)) == made


@pytest.mark.parametrize("place", range(5))
def test_a_field_of_another_kind_is_refused(place):
    fields = codec.decode(migration_record.encode_campaign(CAMPAIGN))
    with pytest.raises(DecodeError):
        migration_record.decode_campaign(codec.encode([*fields[:place], 1.5, *fields[place + 1 :]]))


@pytest.mark.parametrize("value", [[], None, [1, [1], None], ["1", None, 5], [1, None]])
def test_what_is_no_record_is_refused(value):
    for decode in (migration_record.decode_reached, migration_record.decode_campaign):
        with pytest.raises(DecodeError):
            decode(codec.encode(value))


@pytest.mark.parametrize(("place", "other"), [(2, "2030-13-01"), (2, "soon"), (3, [1]), (3, ["A0001"]), (1, ["x"])])
def test_a_day_or_a_thing_that_is_none_is_refused(place, other):
    fields = codec.decode(migration_record.encode_campaign(CAMPAIGN))
    fields[place] = other
    with pytest.raises(DecodeError):
        migration_record.decode_campaign(codec.encode(fields))
