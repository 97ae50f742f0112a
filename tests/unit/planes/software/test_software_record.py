import pytest

from tests.unit.protocols.suit.releases import AT
from thingstead.errors import DecodeError
from thingstead.planes.software import software_record
from thingstead.planes.software.software_record import SoftwareRecord
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.registry import Reason

FULL = SoftwareRecord(7, "1.1.0", b"manifest", b"image", AT, ((b"other", Reason.UNAUTHORISED),))


@pytest.mark.parametrize("record", [SoftwareRecord(), FULL])
def test_a_record_comes_back(record):
    assert software_record.decode(software_record.encode(record)) == record


def test_a_refusal_is_kept_once():
    twice = FULL.refuse(b"other", Reason.UNAUTHORISED)
    assert twice is FULL
    assert FULL.refuse(b"other", Reason.OPERATION_FAILED).refusals[-1] == (b"other", Reason.OPERATION_FAILED)
    assert FULL.refused(b"other")
    assert not FULL.refused(b"manifest")


@pytest.mark.parametrize(
    "damaged",
    [
        [],
        [7, "1.1.0", b"", b"", None],
        ["7", "1.1.0", b"", b"", None, []],
        [7, "1.1.0", b"", b"", None, [[b"other", 99]]],
        [7, "1.1.0", b"", b"", None, [b"other"]],
    ],
)
def test_a_damaged_record_is_refused(damaged):
    with pytest.raises(DecodeError):
        software_record.decode(codec.encode(damaged))
