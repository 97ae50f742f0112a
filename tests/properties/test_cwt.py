"""Invariant: whichever way a token is read, the short one or the general one, the same comes out or it is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thingstead.crypto.algorithm import AlgorithmId
from thingstead.crypto.key import KeyType, private_key
from thingstead.errors import DecodeError, ThingsteadError
from thingstead.protocols.cbor import codec
from thingstead.protocols.cose import header, sign1
from thingstead.protocols.cose.structure import CoseTag, open_array
from thingstead.protocols.cwt import token
from thingstead.protocols.cwt.claims import Claim
from thingstead.secret import Secret

_KEY = private_key(KeyType.P256, Secret(bytes(31) + b"\x07"))
_TOKEN = token.issue({Claim.ISS.value: "as", Claim.SUB.value: "x" * 40}, _KEY, signature_id=AlgorithmId.ESP256)
_MESSAGE = _TOKEN.removeprefix(token.CWT_HEAD)
_ACCEPT = frozenset({int(AlgorithmId.ESP256)})
_AT = datetime(2026, 11, 23, tzinfo=UTC)


def _general(data):
    encoded, unprotected, payload, signature = open_array(data, CoseTag.SIGN1, limits=codec.DEFAULT_LIMITS)
    headers = header.decode(encoded, unprotected)
    return headers.encoded, dict(headers.protected), dict(headers.unprotected), payload, signature


def _outcome(read, data):
    try:
        return read(data)
    except ThingsteadError as error:
        return type(error)


def _ours(data):
    headers, payload, signature = sign1.parts(data)
    return headers.encoded, dict(headers.protected), dict(headers.unprotected), payload, signature


def _same(data):
    general = _outcome(_general, data)
    if isinstance(general, tuple) and not (general[3] is None or isinstance(general[3], bytes)):
        general = DecodeError
    if isinstance(general, tuple) and not isinstance(general[4], bytes):
        general = DecodeError
    assert _outcome(_ours, data) == general


@given(st.integers(0, len(_MESSAGE) - 1), st.integers(0, 255))
def test_one_changed_byte(place, byte):
    _same(_MESSAGE[:place] + bytes([byte]) + _MESSAGE[place + 1 :])


@given(st.integers(0, len(_MESSAGE)), st.binary(max_size=4))
def test_cut_or_longer(end, tail):
    _same(_MESSAGE[:end] + tail)


@given(st.sampled_from(sorted(header.USUAL)), st.binary(min_size=20, max_size=300), st.integers(60, 68))
def test_other_algorithms_and_sizes(protected, payload, size):
    for tagged in (b"\xd2", b""):
        _same(tagged + codec.encode([protected, {}, payload, bytes(size)]))


@given(st.integers(0, len(_TOKEN) - 1), st.integers(1, 255))
def test_no_changed_token_is_authenticated(place, change):
    data = bytearray(_TOKEN)
    data[place] ^= change
    with pytest.raises(ThingsteadError):
        token.authenticate(bytes(data), _KEY.public, accept=_ACCEPT, at=_AT, issuer="as")
