import pytest

from tests.unit.protocols.suit.releases import FIRMWARE, NEW
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ExpiredError,
    ForbiddenError,
    ReplayError,
    StorageError,
    ThingsteadError,
    TransportError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.cbor import codec
from thingstead.protocols.suit.digest import digest_of
from thingstead.protocols.suit.processor import Position
from thingstead.protocols.suit.registry import Reason
from thingstead.protocols.suit.report import Limits, Report, decode_report, encode_report, reason_of

DIGEST = digest_of(b"manifest")
PLAIN = {99: ["", [AlgorithmId.SHA_256.value, DIGEST.value]], 3: [], 4: True}
FAILURE = {5: 0, 6: [[], 20, 4, 0, {}], 7: 10}


@pytest.mark.spec("draft-ietf-suit-report 4")
@pytest.mark.parametrize(
    "report",
    [
        Report(DIGEST, Reason.OK),
        Report(DIGEST, Reason.OK, "coap://a/b", nonce=b"nonce", images={FIRMWARE: digest_of(NEW)}),
        Report(DIGEST, Reason.CONDITION_FAILED, code=-3, position=Position(20, 17, 1)),
    ],
)
def test_a_report_survives_encoding(report):
    assert decode_report(encode_report(report)) == report


@pytest.mark.spec("draft-ietf-suit-report 4")
def test_success_is_true_and_nothing_else():
    assert codec.decode(encode_report(Report(DIGEST, Reason.OK))) == PLAIN


@pytest.mark.parametrize(
    "members",
    [
        [],
        {},
        {**PLAIN, 99: ["", DIGEST.encode()]},
        {**PLAIN, 99: [1, [-16, bytes(32)]]},
        {**PLAIN, 3: {}},
        {**PLAIN, 2: "nonce"},
        {**PLAIN, 4: False},
        {**PLAIN, 4: 1},
        {**PLAIN, 4: {**FAILURE, 7: 0}},
        {**PLAIN, 4: {**FAILURE, 7: 13}},
        {**PLAIN, 4: {**FAILURE, 6: [[], 20, -4, 0, {}]}},
        {**PLAIN, 4: {**FAILURE, 6: [[], 20]}},
        {**PLAIN, 4: {5: 0, 7: 10}},
        {**PLAIN, 3: [{3: DIGEST.encode()}]},
        {**PLAIN, 3: [{0: ["a"], 3: DIGEST.encode()}]},
        {**PLAIN, 3: [{0: [b"a"], 3: [-16, bytes(32)]}]},
        {**PLAIN, 3: [[]] * 33},
    ],
)
def test_what_is_not_a_report_is_refused(members):
    with pytest.raises(DecodeError):
        decode_report(codec.encode(members))


def test_records_of_commands_and_other_properties_are_left_out():
    records = [[[], 20, 0, 0, {}], {0: [b"a"], 28: b"x"}]
    assert decode_report(codec.encode({**PLAIN, 3: records, 8: {}})).images == {}


def test_a_report_over_the_limit_is_refused():
    with pytest.raises(DecodeError, match="at most 40"):
        decode_report(encode_report(Report(DIGEST, Reason.OK)), limits=Limits(max_bytes=40))


@pytest.mark.spec("draft-ietf-suit-report 4.2")
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DecodeError("x"), Reason.CBOR_PARSE),
        (UnsupportedError("x"), Reason.ALG_UNSUPPORTED),
        (UnsupportedError("x", reason="command"), Reason.COMMAND_UNSUPPORTED),
        (UnsupportedError("x", reason="parameter"), Reason.PARAMETER_UNSUPPORTED),
        (AuthenticationError("x"), Reason.UNAUTHORISED),
        (AuthenticationError("x", reason="image-digest"), Reason.CONDITION_FAILED),
        (UntrustedError("x", reason="signers"), Reason.UNAUTHORISED),
        (ForbiddenError("x", reason="class"), Reason.CONDITION_FAILED),
        (ReplayError("x", reason="rollback"), Reason.CONDITION_FAILED),
        (ExpiredError("x"), Reason.CONDITION_FAILED),
        (TransportError("x"), Reason.OPERATION_FAILED),
        (StorageError("x"), Reason.OPERATION_FAILED),
        (ThingsteadError("x"), Reason.OPERATION_FAILED),
    ],
)
def test_every_error_has_a_reason_in_the_report(error, reason):
    assert reason_of(error) is reason
