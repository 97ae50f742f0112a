from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, ExpiredError, UntrustedError
from thingstead.identifier import ThingId
from thingstead.protocols.cwt import confirmation, credential, token
from thingstead.protocols.cwt.credential import DomainCredential, MakerIdentity

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ESP256 = frozenset({AlgorithmId.ESP256})
ANCHOR = generate(KeyType.P256)
PUBLIC = generate(KeyType.P256).public
THING = ThingId("thing-abcdefghijklmnop")

MAKER: dict[str, Any] = {
    "maker": "lumen.example",
    "serial": "L-0001",
    "model": "lamp-2",
    "constrained_class": 2,
    "mud_url": "https://lumen.example/lamp-2.json",
    "support_end": date(2034, 12, 31),
    "at": AT,
}
DOMAIN: dict[str, Any] = {
    "domain": "house.example",
    "thing": THING,
    "at": AT,
    "expires": AT + timedelta(days=30),
    "cti": b"\x07",
}


def maker_identity(**changed):
    return credential.issue_maker_identity(
        PUBLIC, ANCHOR, signature_id=AlgorithmId.ESP256, kid=b"t", **{**MAKER, **changed}
    )


def authenticate_maker(data, **changed):
    return credential.authenticate_maker_identity(
        data, ANCHOR.public, **{"accept": ESP256, "maker": "lumen.example", "at": AT, **changed}
    )


def domain_credential(**changed):
    return credential.issue_domain_credential(
        PUBLIC, ANCHOR, signature_id=AlgorithmId.ESP256, kid=b"t", **{**DOMAIN, **changed}
    )


def authenticate_domain(data, **changed):
    return credential.authenticate_domain_credential(
        data, ANCHOR.public, **{"accept": ESP256, "domain": "house.example", "at": AT, **changed}
    )


def test_a_maker_identity_says_what_the_maker_said_years_later():
    data = maker_identity()
    found = authenticate_maker(data, at=AT + timedelta(days=4000))
    assert (found.maker, found.serial, found.model, found.constrained_class) == ("lumen.example", "L-0001", "lamp-2", 2)
    assert (found.mud_url, found.support_end) == (MAKER["mud_url"], date(2034, 12, 31))
    assert (found.public, found.kid, found.encoded) == (PUBLIC, b"t", data)


def test_a_maker_identity_under_another_anchor_or_name_is_refused():
    data = maker_identity()
    with pytest.raises(AuthenticationError):
        credential.authenticate_maker_identity(
            data, generate(KeyType.P256).public, accept=ESP256, maker="lumen.example", at=AT
        )
    with pytest.raises(UntrustedError):
        authenticate_maker(data, maker="other.example")
    with pytest.raises(ExpiredError):
        authenticate_maker(data, at=AT - timedelta(days=1))


@pytest.mark.parametrize(
    "changed",
    [
        {"serial": ""},
        {"serial": "a\nb"},
        {"model": ""},
        {"model": "x" * 33},
        {"model": "\x1b[0m"},
        {"constrained_class": 3},
        {"constrained_class": -1},
        {"mud_url": "http://lumen.example/lamp"},
        {"mud_url": ""},
        {"support_end": date(1969, 12, 31)},
    ],
)
def test_a_maker_identity_outside_its_ranges_is_neither_issued_nor_accepted(changed):
    with pytest.raises(DecodeError):
        maker_identity(**changed)


def signed(values):
    return token.issue(values, ANCHOR, signature_id=AlgorithmId.ESP256)


@pytest.mark.parametrize("missing", [2, 8, 259, -65537, -65538, -65539])
def test_a_maker_identity_with_a_claim_left_out_is_refused(missing):
    values = dict(token.decode(maker_identity()).claims.values)
    del values[missing]
    with pytest.raises(DecodeError):
        authenticate_maker(signed(values))


def test_a_model_that_is_no_utf_8_is_refused():
    with pytest.raises(DecodeError, match="hwmodel"):
        authenticate_maker(signed({**token.decode(maker_identity()).claims.values, 259: b"\xff"}))


def test_a_domain_credential_is_valid_until_it_expires():
    data = domain_credential()
    found = authenticate_domain(data)
    assert (found.domain, found.thing, found.public, found.kid) == ("house.example", THING, PUBLIC, b"t")
    assert (found.issued_at, found.expires, found.cti) == (AT, AT + timedelta(days=30), b"\x07")
    assert found.encoded == data
    with pytest.raises(ExpiredError):
        authenticate_domain(data, at=AT + timedelta(days=30))
    with pytest.raises(UntrustedError):
        authenticate_domain(data, domain="street.example")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"thing": "lamp"}, DecodeError),
        ({"cti": b""}, DecodeError),
        ({"cti": bytes(65)}, DecodeError),
        ({"expires": AT}, ExpiredError),
    ],
)
def test_a_domain_credential_outside_its_ranges_is_neither_issued_nor_accepted(changed, error):
    with pytest.raises(error):
        domain_credential(**changed)


@pytest.mark.parametrize("missing", [2, 4, 6, 7, 8])
def test_a_domain_credential_with_a_claim_left_out_is_refused(missing):
    values = dict(token.decode(domain_credential()).claims.values)
    del values[missing]
    with pytest.raises(DecodeError):
        authenticate_domain(signed(values))


def test_a_credential_that_only_names_its_key_is_refused():
    values = {**token.decode(domain_credential()).claims.values, 8: confirmation.for_kid(b"t")}
    with pytest.raises(DecodeError, match="COSE_Key"):
        authenticate_domain(signed(values))


def test_one_kind_of_credential_is_not_taken_for_the_other():
    with pytest.raises(DecodeError):
        authenticate_maker(domain_credential(domain="lumen.example"))
    with pytest.raises(DecodeError):
        authenticate_domain(maker_identity(maker="house.example"))


def test_the_verified_types_cannot_be_made_by_hand():
    with pytest.raises(TypeError, match="made by"):
        MakerIdentity("m", "s", "x", 0, "https://x", date.max, PUBLIC, b"", b"", None, object())
    with pytest.raises(TypeError, match="made by"):
        DomainCredential("d", THING, PUBLIC, b"", AT, AT, b"\x01", b"", object())


@pytest.mark.requirement("R-70")
@pytest.mark.parametrize("verifies", [None, frozenset(), frozenset({-9}), frozenset({-9, -48})])
def test_a_maker_says_what_its_thing_verifies_or_is_silent(verifies):
    assert authenticate_maker(maker_identity(verifies=verifies)).verifies == verifies


@pytest.mark.parametrize("said", [list(range(17)), ["ES256"], [True], [[-9]]])
def test_what_is_no_list_of_algorithms_is_refused(said):
    values = token.decode(maker_identity()).claims.values
    with pytest.raises(DecodeError):
        authenticate_maker(signed({**values, -65543: said}))
