"""A statement is about one thing, for one domain, from one week."""

from datetime import UTC, datetime, timedelta

import pytest

from thingstead.crypto.key import KeyType, generate
from thingstead.errors import AuthenticationError, DecodeError, ExpiredError, UntrustedError
from thingstead.protocols.profile import signed_request
from thingstead.protocols.profile.approval import LIFETIME, Statement, authenticate, sign

pytestmark = pytest.mark.requirement("R-03")
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
BEN, EVE = (generate(KeyType.P256) for _ in range(2))
SAID = Statement(b"delegation", "acme", "A0001", "0123456789abcdef", "floor-1", AT, bytes(16))


def read(data, *, key=BEN, domain="home", at=AT):
    return authenticate(data, key.public, domain=domain, at=at)


def bent(operation="approval", **changes):
    fields = {"delegation": b"d", "maker": "acme", "serial": "A1", "key": "0" * 16, "zone": "z", "at": 7}
    arguments = {name: value for name, value in {**fields, **changes}.items() if value is not None}
    return signed_request.sign(operation, arguments, BEN, domain="home", challenge=bytes(16))


def test_a_statement_is_read_back_for_a_week():
    data = sign(SAID, BEN, domain="home")
    assert read(data) == SAID
    assert read(data, at=AT + LIFETIME - timedelta(seconds=1)) == SAID
    assert read(data, at=AT - timedelta(minutes=5)) == SAID


@pytest.mark.parametrize("late", [LIFETIME, timedelta(days=400), -timedelta(minutes=6)])
def test_it_is_neither_from_long_ago_nor_from_a_time_to_come(late):
    with pytest.raises(ExpiredError):
        read(sign(SAID, BEN, domain="home"), at=AT + late)


def test_another_key_or_another_domain_is_refused():
    with pytest.raises(AuthenticationError):
        read(sign(SAID, EVE, domain="home"))
    with pytest.raises(UntrustedError):
        read(sign(SAID, BEN, domain="other"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bent("thing.admit"),
        bent(more=1),
        bent(zone=None),
        bent(zone=""),
        bent(zone="z" * 256),
        bent(serial=7),
        bent(delegation="d"),
        bent(at="now"),
        bent(at=True),
        bent(at=-1),
        bent(at=1 << 60),
    ],
)
def test_what_else_is_signed_is_no_statement(data):
    with pytest.raises(DecodeError):
        read(data)
