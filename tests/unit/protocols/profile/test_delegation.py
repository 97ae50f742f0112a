from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, generate
from thingstead.errors import (
    AuthenticationError,
    DecodeError,
    ExpiredError,
    ForbiddenError,
    UnsupportedError,
    UntrustedError,
)
from thingstead.protocols.cwt import confirmation, token
from thingstead.protocols.cwt.claims import Claim
from thingstead.protocols.profile import delegation
from thingstead.protocols.profile.delegation import VerifiedDelegation

pytestmark = pytest.mark.requirement("R-03")

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
OWNER, BEN, OTHER = (generate(KeyType.P256) for _ in range(3))
BOUNDS = {"zones": ["floor-1", "floor-2"], "classes": [1, 2], "expires": AT + timedelta(days=1)}


def issue(**changes):
    said = {"domain": "home", "installer": "ben", "at": AT, "cti": b"12345678", **BOUNDS, **changes}
    return delegation.issue(BEN.public, OWNER, **said)


def signed(key=OWNER, signature_id=AlgorithmId.ESP256, **changes):
    """Anything under a good signature."""
    values = {
        Claim.ISS.value: "home",
        Claim.SUB.value: "ben",
        Claim.AUD.value: "home",
        Claim.EXP.value: AT + timedelta(days=1),
        Claim.IAT.value: AT,
        Claim.CTI.value: b"12345678",
        Claim.CNF.value: confirmation.for_public(BEN.public),
        Claim.ZONES.value: ["floor-1"],
        Claim.DEVICE_CLASSES.value: [2],
    }
    values |= {Claim[name].value: value for name, value in changes.items()}
    return token.issue(
        {key: value for key, value in values.items() if value is not None}, key, signature_id=signature_id
    )


def authenticate(data, at=AT, domain="home"):
    return delegation.authenticate(data, OWNER.public, domain=domain, at=at)


@pytest.mark.parametrize(
    "changes",
    [
        {"ZONES": None},
        {"ZONES": []},
        {"ZONES": [""]},
        {"ZONES": [7]},
        {"ZONES": ["z" * 256]},
        {"ZONES": [str(number) for number in range(65)]},
        {"DEVICE_CLASSES": None},
        {"DEVICE_CLASSES": []},
        {"DEVICE_CLASSES": [3]},
        {"DEVICE_CLASSES": [-1]},
        {"DEVICE_CLASSES": [True]},
        {"DEVICE_CLASSES": ["2"]},
        {"SUB": None},
        {"CTI": None},
        {"CTI": b""},
        {"EXP": None},
        {"IAT": None},
        {"CNF": None},
    ],
)
def test_bounds_that_are_none_are_refused_even_when_the_owner_signed_them(changes):
    with pytest.raises(DecodeError):
        authenticate(signed(**changes))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (signed(OTHER), AuthenticationError),
        (signed(generate(KeyType.ED25519), AlgorithmId.ED25519), UnsupportedError),
        (signed(ISS="away"), UntrustedError),
        (signed(AUD="away"), UntrustedError),
        (signed(AUD=None), UntrustedError),
        (signed(EXP=AT), ExpiredError),
        (signed(IAT=AT + timedelta(seconds=1)), ExpiredError),
        (b"", DecodeError),
        (issue()[:-1], DecodeError),
    ],
)
def test_what_this_owner_did_not_sign_for_this_domain_and_now_is_none(data, error):
    with pytest.raises(error):
        authenticate(data)


@pytest.mark.parametrize("place", [5, 40, 90, -1])
def test_a_changed_byte_is_no_delegation(place):
    data = bytearray(issue())
    data[place] ^= 1
    with pytest.raises((DecodeError, AuthenticationError, UnsupportedError, UntrustedError)):
        authenticate(bytes(data))


def test_a_delegation_that_has_ended_is_not_issued():
    with pytest.raises(ExpiredError):
        issue(expires=AT)


def test_nobody_else_makes_one():
    verified = authenticate(issue())
    with pytest.raises((TypeError, ValueError)):
        replace(verified, zones=frozenset({"everywhere"}), seal=None)
    with pytest.raises(TypeError):
        VerifiedDelegation("home", "ben", BEN.public, frozenset(), frozenset(), 1, AT, AT, b"", b"", seal=object())


@pytest.mark.parametrize(
    ("zone", "device_class", "at", "says"),
    [
        ("floor-3", 2, AT, "not for 'floor-3'"),
        ("", 2, AT, "not for ''"),
        ("floor-1", 0, AT, "not of 0"),
        ("floor-1", 2, AT + timedelta(days=1), "ended at"),
    ],
)
def test_what_is_beyond_a_bound_is_forbidden(zone, device_class, at, says):
    with pytest.raises(ForbiddenError, match=says) as refused:
        authenticate(issue()).require(zone=zone, device_class=device_class, at=at)
    assert refused.value.reason == "delegation"


def test_what_is_within_the_bounds_passes_and_says_whose_it_is():
    verified = authenticate(issue())
    verified.require(zone="floor-2", device_class=1, at=AT + timedelta(hours=23))
    assert (verified.domain, verified.installer, verified.public) == ("home", "ben", BEN.public)
    assert (verified.issued_at, verified.expires, verified.cti) == (AT, AT + timedelta(days=1), b"12345678")


def test_a_delegation_of_before_is_for_a_hundred_things():
    assert authenticate(signed()).most == 100
    assert authenticate(issue(most=7)).most == 7


@pytest.mark.parametrize("most", [0, -1, 10_001, 1 << 40])
def test_a_number_of_things_has_its_bounds(most):
    with pytest.raises(DecodeError):
        issue(most=most)
    with pytest.raises(DecodeError):
        authenticate(signed(MOST_THINGS=most))
