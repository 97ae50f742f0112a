"""An approval that an installer signed where no domain can be asked: a statement about one thing and one key (R-03).

A signed request (`signed_request`) whose challenge is by chance. The domain that it is brought to takes each once,
while the delegation counts and the statement is not a week old; no operation has its name: it passes for no request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from thingstead.crypto.key import PrivateKey, PublicKey
from thingstead.errors import DecodeError, ExpiredError
from thingstead.protocols.profile import signed_request

__all__ = ["LIFETIME", "Statement", "authenticate", "sign"]

LIFETIME = timedelta(days=7)
"""How long a statement may be on its way."""

_OPERATION = "approval"
_AHEAD = timedelta(minutes=5)
_FIELDS = frozenset({"delegation", "maker", "serial", "key", "zone", "at"})
_LAST = 253_402_300_799
_MAX_TEXT = 255


@dataclass(frozen=True, slots=True)
class Statement:
    """What an installer says of a thing.

    Attributes:
        delegation: by which right.
        maker: name of the anchor that vouches for the thing.
        serial: its number.
        key: hexadecimal digits of its key, as they stand on it.
        zone: where it goes.
        at: when they said so, by their clock.
        nonce: by chance, 16 bytes.
    """

    delegation: bytes
    maker: str
    serial: str
    key: str
    zone: str
    at: datetime
    nonce: bytes


def sign(statement: Statement, key: PrivateKey, *, domain: str) -> bytes:
    """Sign a statement (ESP256)."""
    arguments = {
        "delegation": statement.delegation,
        "maker": statement.maker,
        "serial": statement.serial,
        "key": statement.key,
        "zone": statement.zone,
        "at": int(statement.at.timestamp()),
    }
    return signed_request.sign(_OPERATION, arguments, key, domain=domain, challenge=statement.nonce)


def authenticate(data: bytes, public: PublicKey, *, domain: str, at: datetime) -> Statement:
    """Verify who says so, for whom, and that it is not too old.

    Raises:
        DecodeError: no statement.
        UnsupportedError: another signature algorithm.
        AuthenticationError: another key signed it.
        UntrustedError: it is for another domain.
        ExpiredError: it is a week old, or of a time to come.
    """
    request = signed_request.authenticate(data, public, domain=domain)
    said = request.arguments
    if request.operation != _OPERATION or said.keys() != _FIELDS:
        raise DecodeError("expected an installer's statement about a thing")
    texts = [said[name] for name in ("maker", "serial", "key", "zone")]
    is_text = all(isinstance(one, str) and 0 < len(one) <= _MAX_TEXT for one in texts)
    delegation, made_at = said["delegation"], said["at"]
    if not is_text or not isinstance(delegation, bytes) or type(made_at) is not int or not 0 <= made_at <= _LAST:
        raise DecodeError("expected an installer's statement about a thing")
    made = datetime.fromtimestamp(made_at, UTC)
    if not made - _AHEAD <= at < made + LIFETIME:
        raise ExpiredError(f"the statement of {made.isoformat()} is good for {LIFETIME.days} days from then")
    maker, serial, key, zone = texts
    return Statement(delegation, maker, serial, key, zone, made, request.challenge)
