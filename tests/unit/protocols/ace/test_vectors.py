"""Our own ACE vectors are frozen: what we say on the wire changes on purpose or not at all."""

import json
from datetime import timedelta

import pytest

from tests.vectors import generate_ace as made
from thingstead.crypto.algorithm import AlgorithmId
from thingstead.errors import ExpiredError
from thingstead.protocols.ace import token

_FROZEN = json.loads(made.FILE.read_text())
_TOKEN = bytes.fromhex(_FROZEN["token (RFC 9200 §5.8.2, RFC 8392)"])
_ACCEPT = frozenset({int(AlgorithmId.ESP256)})


def authenticated(at):
    return token.authenticate(
        _TOKEN,
        made.ISSUER.public,
        accept=_ACCEPT,
        at=at,
        issuer=made.NAMES["issuer"],
        audience=made.NAMES["audience"],
        presenter=made.CLIENT.public,
    )


@pytest.mark.parametrize("name", _FROZEN)
def test_every_byte_comes_out_again(name):
    assert made.build(_TOKEN)[name] == _FROZEN[name]


def test_the_frozen_token_still_holds_and_ends_when_it_should():
    read = authenticated(made.AT)
    assert (read.subject, read.scope, read.cnonce) == (made.NAMES["subject"], made.SCOPE, b"cnonce")
    with pytest.raises(ExpiredError):
        authenticated(made.AT + timedelta(days=1))


def test_a_token_made_now_differs_in_its_signature_alone():
    assert made.issue()[:-64] == _TOKEN[:-64]
