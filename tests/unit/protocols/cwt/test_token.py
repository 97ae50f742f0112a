from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, PublicKey, generate
from thingstead.errors import AuthenticationError, DecodeError, ExpiredError, UnsupportedError, UntrustedError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import sign1
from thingstead.protocols.cwt import confirmation, token
from thingstead.protocols.cwt.claims import Claim

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = generate(KeyType.P256)
ESP256 = frozenset({AlgorithmId.ESP256})
VALUES = {1: "domain", 2: "thing", 4: AT + timedelta(hours=1), 6: AT, 7: b"\x01"}

# RFC 8392 A.2.3 and A.3.
RFC_KEY = PublicKey(
    KeyType.P256,
    bytes.fromhex("143329cce7868e416927599cf65a34f3ce2ffda55a7eca69ed8919a394d42f0f"),
    bytes.fromhex("60f7f1a780d8a783bfb7a2dd6b2796e8128dbbcef9d3d168db9529971a36e7b9"),
)
RFC_TOKEN = bytes.fromhex(
    "d28443a10126a05850a70175636f61703a2f2f61732e6578616d706c652e636f6d02656572696b77037818636f61703a2f2f"
    "6c696768742e6578616d706c652e636f6d041a5612aeb0051a5610d9f0061a5610d9f007420b7158405427c1ff28d23fbad1"
    "f29c4c7c6a555e601d6fa29f9179bc3d7438bacaca5acd08c8d4d4f96131680c429a01f85951ecee743a52b9b63632c57209"
    "120e1c9e30"
)


def issued(values=None, **changed):
    return token.issue({**(values or VALUES), **changed}, KEY, signature_id=AlgorithmId.ESP256, kid=b"k")


def authenticated(data, **changed):
    arguments: dict[str, Any] = {"accept": ESP256, "at": AT, "issuer": "domain", **changed}
    return token.authenticate(data, KEY.public, **arguments)


@pytest.mark.spec("RFC 8392 A.3")
@pytest.mark.parametrize("head", [b"", token.CWT_HEAD], ids=["untagged", "tagged"])
def test_the_token_of_the_rfc_is_valid_on_its_day(head):
    arguments: dict[str, Any] = {
        "accept": frozenset({AlgorithmId.ES256}),
        "issuer": "coap://as.example.com",
        "audience": "coap://light.example.com",
    }
    on_its_day = datetime.fromtimestamp(1443944944, UTC)
    valid = token.authenticate(head + RFC_TOKEN, RFC_KEY, at=on_its_day, **arguments)
    assert valid.claims.text(Claim.SUB) == "erikw"
    with pytest.raises(ExpiredError):
        token.authenticate(head + RFC_TOKEN, RFC_KEY, at=AT, **arguments)


@pytest.mark.spec("RFC 9770 3")
def test_an_issued_token_has_both_tags_and_nothing_unprotected():
    data = issued()
    assert data[:3].hex() == "d83dd2"
    parsed = token.decode(data)
    assert parsed.headers.unprotected == {}
    assert parsed.headers.protected == {1: -9, 4: b"k"}
    assert parsed.headers.kid == b"k"


@pytest.mark.spec("RFC 8392 7.2")
def test_an_issued_token_is_valid_until_it_expires():
    data = issued()
    valid = authenticated(data)
    assert (valid.claims.text(Claim.SUB), valid.signer, valid.encoded) == ("thing", KEY.public, data)
    with pytest.raises(ExpiredError):
        authenticated(issued(), at=AT + timedelta(hours=1))
    with pytest.raises(ExpiredError):
        authenticated(issued(), at=AT - timedelta(seconds=1))
    authenticated(issued(), at=AT - timedelta(seconds=1), leeway=timedelta(seconds=1))


@pytest.mark.spec("RFC 8392 3.1.1")
def test_a_key_speaks_for_one_issuer_only():
    with pytest.raises(UntrustedError, match="a token of 'other'"):
        authenticated(issued(), issuer="other")
    with pytest.raises(DecodeError, match="iss"):
        authenticated(token.issue({2: "thing"}, KEY, signature_id=AlgorithmId.ESP256))


@pytest.mark.requirement("R-35")
@pytest.mark.spec("RFC 8392 3.1.3")
def test_a_token_serves_its_audience_only():
    data = issued({**VALUES, 3: ["rs1", "rs2"]})
    assert authenticated(data, audience="rs2").claims.audience == ("rs1", "rs2")
    for audience in ("rs", "rs1,rs2", None):
        with pytest.raises(UntrustedError):
            authenticated(data, audience=audience)
    with pytest.raises(UntrustedError):
        authenticated(issued(), audience="rs1")


@pytest.mark.requirement("R-35")
def test_another_key_and_another_algorithm_are_refused():
    with pytest.raises(AuthenticationError):
        token.authenticate(issued(), generate(KeyType.P256).public, accept=ESP256, at=AT, issuer="domain")
    with pytest.raises(UnsupportedError):
        authenticated(issued(), accept=frozenset({AlgorithmId.ES256}))


def test_a_forged_token_is_not_called_expired():
    data = bytearray(issued())
    data[-1] ^= 1
    with pytest.raises(AuthenticationError):
        authenticated(bytes(data), at=AT + timedelta(days=1), issuer="other")


@pytest.mark.spec("RFC 8392 7.1")
def test_a_token_without_its_claims_is_refused():
    with pytest.raises(DecodeError, match="attached"):
        token.decode(sign1.sign(b"", KEY, signature_id=AlgorithmId.ESP256, detached=True))


@pytest.mark.parametrize(
    "data",
    [b"", b"\xd8\x3d", token.CWT_HEAD * 2 + RFC_TOKEN, codec.encode(codec.Tag(61, 1)), RFC_TOKEN[:-1], b"\xa0"],
)
def test_what_is_no_token_is_refused(data):
    with pytest.raises(DecodeError):
        token.decode(data)


def test_a_token_over_its_limit_is_refused():
    with pytest.raises(DecodeError, match="at most"):
        token.decode(RFC_TOKEN, limits=codec.Limits(max_bytes=64))


def test_the_verified_type_cannot_be_made_by_hand():
    valid = authenticated(issued())
    with pytest.raises(TypeError, match="made by"):
        token.ValidToken(valid.claims, KEY.public, -9, b"", object())


def test_the_confirmed_key_is_read_from_the_claims():
    other = generate(KeyType.ED25519).public
    valid = authenticated(issued({**VALUES, 8: confirmation.for_public(other)}))
    assert valid.confirmation.require_public() == other
    with pytest.raises(DecodeError, match="cnf"):
        _ = authenticated(issued()).confirmation
