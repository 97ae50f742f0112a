from datetime import UTC, datetime, timedelta

import pytest

from thingstead.errors import DecodeError
from thingstead.planes.software import attestation
from thingstead.planes.software.attestation import Appraisal, Finding, Standing, result_of
from thingstead.protocols.cbor import codec
from thingstead.protocols.ear import result
from thingstead.protocols.ear.result import Aspect, Tier

AT = datetime(2026, 11, 23, tzinfo=UTC)
OLD = Finding("old", Tier.WARNING, "long ago")
APPRAISAL = Appraisal(Standing.OLD, AT, (OLD,), "1.0.0", 3)


def encoded(appraisal=APPRAISAL):
    return attestation.encode(appraisal, result.encode(result_of("thing-1", appraisal, build="1")))


@pytest.mark.parametrize("standing", Standing)
def test_an_appraisal_survives_encoding_with_its_result(standing):
    assert attestation.decode(encoded(Appraisal(standing, AT, (OLD,), "1.0.0", 3))).standing is standing


@pytest.mark.spec("draft-ietf-rats-ear 3")
def test_a_result_claims_nothing_of_hardware_and_no_more_than_is_proven():
    good = result_of("thing-1", Appraisal(Standing.GOOD, AT), build="1")
    assert (good.status, good.vector[Aspect.HARDWARE]) == (Tier.AFFIRMING, 0)
    forged = Appraisal(Standing.BAD, AT, (Finding("evidence", Tier.CONTRAINDICATED, "unauthenticated"),))
    assert result_of("thing-1", forged, build="1").vector == {Aspect.INSTANCE_IDENTITY: 99}


@pytest.mark.parametrize(
    "document",
    [b"", codec.encode([]), codec.encode([2, "good", 0, [], "", -1, b""]),
     codec.encode([1, "fine", 0, [], "", -1, b""]),
     codec.encode([1, "good", 0, [["a", 5, "b"]], "", -1, b""]), codec.encode([1, "good", 0, [], "", -1, b"\xa0"]),
     encoded()[:-1]],
)  # fmt: skip
def test_what_is_no_appraisal_is_refused(document):
    with pytest.raises(DecodeError):
        attestation.decode(document)


def test_who_passes_and_for_how_long():
    assert [one for one in Standing if Appraisal(one, AT).passes] == [Standing.GOOD, Standing.OLD]
    hour = timedelta(hours=1)
    assert APPRAISAL.is_fresh(AT + hour / 2, hour)
    assert not APPRAISAL.is_fresh(AT + hour, hour)
    assert not APPRAISAL.is_fresh(AT - hour, hour)
    assert APPRAISAL.says_the_same(Appraisal(Standing.OLD, AT + hour, (OLD,), "1.0.0", 3))
    assert not APPRAISAL.says_the_same(None)
    assert not APPRAISAL.says_the_same(Appraisal(Standing.GOOD, AT))
    ear = result.encode(result_of("t", APPRAISAL, build="1"))
    with pytest.raises(DecodeError):
        attestation.decode(codec.encode([1, "good", 0, [5], "", -1, ear]))
